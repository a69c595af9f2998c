/* helper.c - the program is spawned with the descriptors it needs, read to its end, and killed when it takes too long. */
#include "connectors/helper.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

#define TICK_MS 50

/* One word from *at on, unquoted, to `to`. -1: a quote stays open. */
static int next_word(struct slice s, size_t *at, char **to)
{
	char quote = '\0';
	for (; *at < s.len; (*at)++) {
		char c = s.p[*at];
		bool escapes = c == '\\' && *at + 1 < s.len &&
			(!quote || (quote == '"' && (s.p[*at + 1] == '"' || s.p[*at + 1] == '\\')));
		if (escapes)
			*(*to)++ = s.p[++*at];
		else if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? '\0' : c;
		else if (!quote && (c == ' ' || c == '\t'))
			break;
		else
			*(*to)++ = c;
	}
	*(*to)++ = '\0';
	return quote ? -1 : 0;
}

int helper_words(struct slice command, char ***ret)
{
	/* The pointers, then the characters: never more than the command's own and a NUL a word. */
	size_t head = (HELPER_WORDS + 1) * sizeof(char *);
	char **words = mem_alloc(head + command.len + HELPER_WORDS + 1);
	char *to = (char *)words + head;
	size_t count = 0;
	for (size_t at = 0;;) {
		while (at < command.len && (command.p[at] == ' ' || command.p[at] == '\t'))
			at++;
		if (at == command.len)
			break;
		if (count == HELPER_WORDS) {
			count = 0;
			break;
		}
		words[count++] = to;
		if (next_word(command, &at, &to) < 0) {
			count = 0;
			break;
		}
	}
	if (count == 0 || words[0][0] == '\0') {
		free(words);
		return -1;
	}
	words[count] = NULL;
	*ret = words;
	return 0;
}

static int spawn(char **words, char *const *environment, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all); /* what is ignored here, as SIGPIPE is, it would inherit */
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int rc = posix_spawnp(ret_pid, words[0], &actions, &attributes, words,
		environment ? environment : environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Reads until the other end is closed. */
static int read_all(int fd, const struct helper *h, const char *program, struct buf *to, struct err *err)
{
	uint64_t end_ns = clock_mono_ns() + h->timeout_ms * NS_PER_MS;
	struct pollfd waits = { .fd = fd, .events = POLLIN };
	(void)buf_grow(to, HELPER_OUTPUT_MAX + 1);
	for (;;) {
		if (h->stopping && atomic_load(h->stopping))
			return err_set(err, ERR_RETRY, ECANCELED, "%s '%s'", h->what, program);
		if (clock_mono_ns() > end_ns)
			return err_set(err, ERR_RETRY, ETIMEDOUT, "%s '%s' has not ended after %u s", h->what, program,
				h->timeout_ms / 1000);
		if (poll(&waits, 1, TICK_MS) <= 0)
			continue;
		ssize_t n = read(fd, to->data + to->len, HELPER_OUTPUT_MAX + 1 - to->len);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_RETRY, errno, "%s '%s'", h->what, program);
		to->len += n > 0 ? (size_t)n : 0;
		if (to->len > HELPER_OUTPUT_MAX)
			return err_set(err, ERR_RETRY, EFBIG, "%s '%s' says too much", h->what, program);
	}
}

/* Its output has ended; it may still run on. */
static int reap(pid_t pid, const struct helper *h, const char *program, bool must_die, struct err *err)
{
	int status = 0;
	if (must_die)
		(void)kill(-pid, SIGKILL);
	for (uint64_t end_ns = clock_mono_ns() + NS_PER_SEC; waitpid(pid, &status, WNOHANG) == 0;) {
		if (clock_mono_ns() > end_ns)
			(void)kill(-pid, SIGKILL);
		(void)poll(NULL, 0, 5);
	}
	if (must_die || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return 0;
	return err_set(err, ERR_RETRY, 0, "%s '%s' failed (%s %d); run it by hand as the user of inletd", h->what, program,
		WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int helper_run(const struct helper *h, struct buf *ret_output, struct err *err)
{
	CLEANUP(freep) char **words = NULL;
	int ends[2];
	pid_t pid;
	if (helper_words(h->command, &words) < 0)
		return err_set(err, ERR_REJECT, 0, "%s is no command: a program and at most %u words, quotes closed", h->what, HELPER_WORDS - 1);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_RETRY, errno, "%s '%s'", h->what, words[0]);
	CLEANUP(close_fdp) int in = ends[0];
	CLEANUP(close_fdp) int out = ends[1];
	int failed = spawn(words, h->environment, out, &pid);
	if (failed)
		return err_set(err, ERR_RETRY, failed, "%s '%s'", h->what, words[0]);
	(void)close(take_fd(&out));
	int rc = read_all(in, h, words[0], ret_output, err);
	return reap(pid, h, words[0], rc < 0, err) < 0 ? -1 : rc;
}
