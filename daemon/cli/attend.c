/* attend.c - finds the store's owner, or starts a stand-in. */
#include "daemon/cli/attend.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/spawn.h"
#include "daemon/net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PATIENCE_NS (15 * NS_PER_SEC) /* for an owner that holds the lock but does not listen yet, or not any more */
#define LOOK_NS (20 * NS_PER_MS)
#define LEAVE_MS 20000
#define REAP_LOOKS 10
#define REAP_LOOK_NS (2 * NS_PER_MS)
#define STARTS_MAX 2 /* the first may lose the race for the lock to a stand-in that ends before we see it */

enum found { NOBODY, DAEMON, STAND_IN };

/* The owner's role as written in the lock file: is it a stand-in? */
static bool lock_says_attend(int dir)
{
	struct buf text = { 0 };
	struct err err;
	bool attend = file_slurp(dir, "lock", 64, &text, &err) == 0 && text.len >= 6 &&
		memcmp(text.data, "attend", 6) == 0;
	buf_done(&text);
	return attend;
}

/* Is the lock held? Read from the kernel's list, because trying the lock would disturb who is about to take it. */
static bool lock_held(int dir)
{
	struct stat st;
	CLEANUP(fclosep) FILE *locks = fopen("/proc/locks", "re");
	if (!locks || fstatat(dir, "lock", &st, 0) < 0)
		return false;
	char line[256];
	char want[32];
	(void)snprintf(want, sizeof(want), ":%llu ", (unsigned long long)st.st_ino);
	while (fgets(line, sizeof(line), locks))
		if (strstr(line, " FLOCK ") && strstr(line, want))
			return true;
	return false;
}

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

/* -1: an owner is there but cannot serve us. */
static int look(const struct config *c, struct attend *a, enum found *ret, struct err *err)
{
	*ret = NOBODY;
	if (a->dir < 0)
		a->dir = open(c->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0 && errno == ENOENT)
		return 0;
	if (a->dir < 0)
		return err_set(err, ERR_RETRY, errno, "state_dir '%s'; run as its owner, or use sudo", c->state_dir);
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
	CLEANUP(close_fdp) int fd = local_connect(a->dir, "inlet.sock");
	if (fd < 0 && errno == EACCES)
		return denied(c, err);
	/* A stand-in that is ending has lost attend.sock before inlet.sock: that one is no daemon. */
	if (fd >= 0 && !lock_says_attend(a->dir))
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

/* Is our child alive? Once it has ended, its exit is remembered by pid = 0. */
static bool child_alive(struct attend *a)
{
	int status;
	if (a->pid > 0 && waitpid((pid_t)a->pid, &status, WNOHANG) != 0)
		a->pid = 0;
	return a->pid > 0;
}

static int start(const struct config *c, struct attend *a, struct err *err)
{
	pid_t pid;
	close_fdp(&a->log);
	a->log = -1;
	if (spawn_inletd(c, "--attend", &a->log, &pid, err) < 0)
		return -1;
	a->pid = pid;
	a->starts++;
	return 0;
}

static int nobody_came(const struct config *c, const struct attend *a, struct err *err)
{
	char words[400];
	attend_last_words(a, words, sizeof(words));
	if (*words)
		return err_set(err, ERR_RETRY, 0, "%s", words);
	return err_set(err, ERR_RETRY, 0,
		"somebody holds the lock of '%s' but does not listen: is inletd starting or stuck? "
		"see `systemctl status inletd` or `journalctl -u inletd`, then try again",
		c->state_dir);
}

int attend_join(const struct config *c, struct attend *ret, struct err *err)
{
	*ret = (struct attend){ .dir = -1, .fd = -1, .log = -1 };
	uint64_t deadline_ns = clock_mono_ns() + PATIENCE_NS;
	for (;;) {
		enum found found;
		if (look(c, ret, &found, err) < 0)
			return -1;
		if (found != NOBODY)
			return 0;
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "wait for the store");
		bool alive = child_alive(ret);
		if (alive)
			deadline_ns = clock_mono_ns() + PATIENCE_NS; /* a recovery may take its time */
		bool free_lock = !alive && (ret->dir < 0 || !lock_held(ret->dir));
		if (clock_mono_ns() > deadline_ns || (free_lock && ret->starts == STARTS_MAX))
			return nobody_came(c, ret, err);
		if (free_lock && start(c, ret, err) < 0)
			return -1;
		struct timespec pause = clock_spec(LOOK_NS);
		(void)nanosleep(&pause, NULL);
	}
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

void attend_leave(struct attend *a)
{
	if (a->fd >= 0) {
		char byte;
		struct pollfd p = { .fd = a->fd, .events = POLLIN };
		(void)shutdown(a->fd, SHUT_WR);
		while (poll(&p, 1, LEAVE_MS) > 0 && recv(a->fd, &byte, 1, 0) > 0)
			;
		reap(a);
	}
	close_fdp(&a->fd);
	close_fdp(&a->log);
	close_fdp(&a->dir);
	*a = (struct attend){ .dir = -1, .fd = -1, .log = -1 };
}
