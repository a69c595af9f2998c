/* attend.c - finds the store's owner, or starts a stand-in. */
#include "daemon/cli/attend.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/cli/holder.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/spawn.h"
#include "daemon/net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LOOK_NS (20 * NS_PER_MS)
/* A daemon may hold the lock without listening for so many looks in a row, which take 15 s and more. Looks are counted
 * and not time: what keeps us from looking costs no patience. Stand-ins, and who has not said what it is, are waited for
 * without limit. */
#define PATIENCE_LOOKS 750
#define LOSSES_MAX 3 /* to one owner whom we cannot see, in a row */
#define SHOW_LOOKS 50
#define LEAVE_MS 20000
#define REAP_LOOKS 10
#define REAP_LOOK_NS (2 * NS_PER_MS)

enum found { NOBODY, DAEMON, STAND_IN };

/* 1 it is ready, 0 it is ending (begin again), -1. */
static int await_ready(int fd, struct err *err)
{
	char text[400];
	size_t len = 0;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "wait for the store");
		if (poll(&p, 1, 1000) <= 0) {
			progress_show("waiting for the store to open …");
			continue;
		}
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		progress_clear();
		if (n > 0 && text[0] == 'R')
			return 1;
		len += n > 0 ? (size_t)n : 0;
		if (n > 0 && len < sizeof(text) - 1)
			continue;
		text[len] = '\0';
		return len == 0 ? 0 : err_set(err, ERR_RETRY, 0, "%s", text + 1);
	}
}

static int denied(const struct config *c, struct err *err)
{
	return err_set(err, ERR_REJECT, 0,
		"inletd runs, but you may not speak to it in '%s': become a member of its group "
		"(log in again after that), or use sudo",
		c->state_dir);
}

/* Is the connection's other end open? */
static bool connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) == 0;
}

/* -1: an owner is there but cannot serve us. */
static int look(const struct config *c, struct attend *a, enum found *ret, struct err *err)
{
	*ret = NOBODY;
	if (a->dir < 0)
		a->dir = open(c->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0 && errno == ENOENT)
		return 0;
	if (a->dir < 0)
		return err_set(err, ERR_RETRY, errno, "state_dir '%s'; %s", c->state_dir,
			errno == EACCES || errno == EPERM ? "run as its owner, or use sudo" : "it must be a directory");
	a->fd = local_connect(a->dir, "attend.sock");
	if (a->fd >= 0) {
		int ready = await_ready(a->fd, err);
		if (ready <= 0)
			close_fdp(&a->fd);
		a->fd = ready > 0 ? a->fd : -1;
		*ret = ready > 0 ? STAND_IN : NOBODY;
		return ready < 0 ? -1 : 0;
	}
	if (errno == EACCES)
		return denied(c, err);
	/* A stand-in that is starting or ending may listen on inlet.sock too: that one is no daemon, and is left alone. */
	if (holder_of(a->dir).role != HOLDER_DAEMON)
		return 0;
	CLEANUP(close_fdp) int fd = local_connect(a->dir, "inlet.sock");
	if (fd < 0 && errno == EACCES)
		return denied(c, err);
	/* An owner writes the lock file before it listens and closes its sockets before it lets go of the lock. So these are
	 * the words of the one that we are connected to, if it is there after they have been read. */
	if (fd >= 0 && holder_of(a->dir).role == HOLDER_DAEMON && connected(fd))
		*ret = DAEMON;
	return 0;
}

/* What a child said before it ended, without the journal's "<3>event: " in front. */
void attend_last_words(const struct attend *a, char *ret, size_t size)
{
	char text[4096];
	struct stat st;
	ret[0] = '\0';
	if (a->log < 0 || fstat(a->log, &st) < 0 || st.st_size == 0)
		return;
	off_t from = st.st_size > (off_t)sizeof(text) - 1 ? st.st_size - ((off_t)sizeof(text) - 1) : 0;
	ssize_t n = pread(a->log, text, sizeof(text) - 1, from);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	text[n] = '\0';
	const char *line = memrchr(text, '\n', (size_t)n);
	line = line ? line + 1 : text;
	if (line[0] == '<' && strspn(line + 1, "0123456789") > 0 && strchr(line, '>'))
		line = strchr(line, '>') + 1;
	(void)snprintf(ret, size, "%s", line);
}

/* Is our child alive? Once it has ended, pid is 0 and its exit is in status. */
static bool child_alive(struct attend *a)
{
	int status;
	pid_t ended = a->pid > 0 ? waitpid((pid_t)a->pid, &status, WNOHANG) : 0;
	if (ended != 0) {
		a->pid = 0;
		a->status = ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	return a->pid > 0;
}

/* Why the stand-in that we started was none. */
static int no_stand_in(const struct attend *a, struct err *err)
{
	char words[400];
	attend_last_words(a, words, sizeof(words));
	if (*words)
		return err_set(err, ERR_RETRY, 0, "%s", words);
	return err_set(err, ERR_RETRY, 0, "inletd --attend ended (status %d) and did not say why; see `inlet check-config`",
		a->status);
}

/* Nobody holds the lock, and we have no child. One that lost the race for the lock, or has served others and ended before
 * we looked, is no failure: then it is our turn again. */
static int start(const struct config *c, struct attend *a, long writer, struct err *err)
{
	pid_t pid;
	bool lost = a->status == INLETD_TAKEN;
	a->losses = !lost ? 0 : writer == a->rival ? a->losses + 1 : 1;
	a->rival = writer;
	if ((a->status != 0 && !lost) || a->losses == LOSSES_MAX)
		return no_stand_in(a, err);
	close_fdp(&a->log);
	a->log = -1;
	if (spawn_inletd(c, "--attend", &a->log, &pid, err) < 0)
		return -1;
	a->pid = pid;
	a->status = 0;
	return 0;
}

static int nobody_listens(const struct config *c, const struct holder *h, struct err *err)
{
	return err_set(err, ERR_RETRY, 0,
		"process %ld holds the lock of '%s' but does not listen: is inletd starting or stuck? "
		"see `systemctl status inletd` or `journalctl -u inletd`, then try again",
		h->pid, c->state_dir);
}

static int join(const struct config *c, struct attend *a, struct err *err)
{
	unsigned patience = PATIENCE_LOOKS;
	for (unsigned looks = 1;; looks++) {
		enum found found;
		if (look(c, a, &found, err) < 0)
			return -1;
		if (found != NOBODY)
			return 0;
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "wait for the store");
		bool alive = child_alive(a);
		struct holder h = holder_of(a->dir);
		bool daemon = h.pid && h.pid == h.writer && h.role == HOLDER_DAEMON;
		patience = daemon ? patience - 1 : PATIENCE_LOOKS;
		if (patience == 0)
			return nobody_listens(c, &h, err);
		if (!h.pid && !alive && start(c, a, h.writer, err) < 0)
			return -1;
		if (looks % SHOW_LOOKS == 0)
			progress_show("waiting for the store to open …");
		struct timespec pause = clock_spec(LOOK_NS);
		(void)nanosleep(&pause, NULL);
	}
}

int attend_join(const struct config *c, struct attend *ret, struct err *err)
{
	*ret = (struct attend){ .dir = -1, .fd = -1, .log = -1 };
	int r = join(c, ret, err);
	progress_clear();
	return r;
}

/* Our stand-in ends with its last client: no zombie stays where nobody reaps orphans. It lives on while it serves
 * others. */
static void reap(struct attend *a)
{
	for (int look = 0; look < REAP_LOOKS && child_alive(a); look++) {
		struct timespec pause = clock_spec(REAP_LOOK_NS);
		(void)nanosleep(&pause, NULL);
	}
}

/* The last client's end comes when the lock is free, however long that takes; after Ctrl-C, LEAVE_MS is enough. */
static void await_end(int fd)
{
	char byte;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	for (;;)
		if (poll(&p, 1, LEAVE_MS) > 0 ? recv(fd, &byte, 1, 0) <= 0 : interrupted())
			return;
}

void attend_leave(struct attend *a)
{
	if (a->fd >= 0) {
		(void)shutdown(a->fd, SHUT_WR);
		await_end(a->fd);
		reap(a);
	}
	close_fdp(&a->fd);
	close_fdp(&a->log);
	close_fdp(&a->dir);
	*a = (struct attend){ .dir = -1, .fd = -1, .log = -1 };
}
