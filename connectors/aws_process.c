/* aws_process.c - the program is spawned with the descriptors it needs, read to its end, and killed when it takes too long. */
#include "connectors/aws_process.h"

#include "connectors/aws_answer.h"
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

int aws_process_words(struct slice command, char ***ret)
{
	/* The pointers, then the characters: never more than the command's own and a NUL a word. */
	size_t head = (AWS_PROCESS_WORDS + 1) * sizeof(char *);
	char **words = mem_alloc(head + command.len + AWS_PROCESS_WORDS + 1);
	char *to = (char *)words + head;
	size_t count = 0;

	for (size_t at = 0;;) {
		while (at < command.len && (command.p[at] == ' ' || command.p[at] == '\t'))
			at++;
		if (at == command.len)
			break;
		if (count == AWS_PROCESS_WORDS) {
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

static int spawn(char **words, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int rc = posix_spawnp(ret_pid, words[0], &actions, &attributes, words, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Reads until the other end is closed. */
static int read_all(int fd, const char *program, const atomic_bool *stopping, struct buf *to, struct err *err)
{
	uint64_t end_ns = clock_mono_ns() + AWS_PROCESS_MS * NS_PER_MS;
	struct pollfd waits = { .fd = fd, .events = POLLIN };

	(void)buf_grow(to, AWS_ANSWER_MAX + 1);
	for (;;) {
		if (stopping && atomic_load(stopping))
			return err_set(err, ERR_RETRY, ECANCELED, "credential_process '%s'", program);
		if (clock_mono_ns() > end_ns)
			return err_set(err, ERR_RETRY, ETIMEDOUT, "credential_process '%s' has not ended after %u s", program,
				AWS_PROCESS_MS / 1000);
		if (poll(&waits, 1, TICK_MS) <= 0)
			continue;
		ssize_t n = read(fd, to->data + to->len, AWS_ANSWER_MAX + 1 - to->len);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_RETRY, errno, "credential_process '%s'", program);
		to->len += n > 0 ? (size_t)n : 0;
		if (to->len > AWS_ANSWER_MAX)
			return err_set(err, ERR_RETRY, EFBIG, "credential_process '%s' says too much", program);
	}
}

/* Its output has ended; it may still run on. */
static int reap(pid_t pid, const char *program, bool must_die, struct err *err)
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
	return err_set(err, ERR_RETRY, 0, "credential_process '%s' failed (%s %d); run it by hand as the user of inletd", program,
		WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int aws_process_run(struct slice command, const atomic_bool *stopping, struct aws_credentials *ret, struct err *err)
{
	CLEANUP(freep) char **words = NULL;
	int ends[2];
	pid_t pid;

	if (aws_process_words(command, &words) < 0)
		return err_set(err, ERR_REJECT, 0, "credential_process is no command: a program and at most %u words, quotes closed",
			AWS_PROCESS_WORDS - 1);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_RETRY, errno, "credential_process '%s'", words[0]);
	CLEANUP(close_fdp) int in = ends[0];
	CLEANUP(close_fdp) int out = ends[1];
	int failed = spawn(words, out, &pid);
	if (failed)
		return err_set(err, ERR_RETRY, failed, "credential_process '%s'", words[0]);
	(void)close(take_fd(&out));
	struct buf answer = { 0 };
	int rc = read_all(in, words[0], stopping, &answer, err);
	if (reap(pid, words[0], rc < 0, err) < 0)
		rc = -1;
	if (rc == 0 && aws_answer_json(buf_slice(&answer), ret, err) < 0)
		rc = err_wrap(err, "credential_process '%s'", words[0]);
	buf_wipe(&answer);
	return rc;
}
