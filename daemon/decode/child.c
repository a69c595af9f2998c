/* child.c - starting, asking and ending one decode worker. */
#include "daemon/decode/child.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define GREET_MS 60000 /* loading the libraries takes 0.1 s; a machine that starts up under load takes longer */

static const char *const worker_arguments[] = { "inlet-decode", "--worker", NULL };
static const char *const worker_environment[] = {
	"LC_ALL=C.UTF-8",
	"MALLOC_ARENA_MAX=1", /* one heap for all of libvips' threads: less fragmentation, and RLIMIT_AS has room */
	"VIPS_CONCURRENCY=1", /* the pool is the parallelism */
	"OMP_NUM_THREADS=1",
	NULL,
};

/* In the child, before exec: standard streams on /dev/null (libraries write warnings that hostile files choose), the
 * socket at WIRE_FD, nothing above it, default signals, a session of its own: Ctrl-C is for the daemon alone. */
static int plan_spawn(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, int sock)
{
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	for (int fd = 0; fd < WIRE_FD; fd++) {
		int failed = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
		if (failed)
			return failed;
	}
	int failed = posix_spawn_file_actions_adddup2(actions, sock, WIRE_FD);
	if (!failed)
		failed = posix_spawn_file_actions_addclosefrom_np(actions, WIRE_FD + 1);
	if (!failed)
		failed = posix_spawnattr_setsigmask(attr, &none);
	if (!failed)
		failed = posix_spawnattr_setsigdefault(attr, &all);
	if (!failed)
		failed = posix_spawnattr_setflags(attr,
						  POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	return failed;
}

static int spawn(const char *program, int sock, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attr);
	if (!failed) {
		failed = plan_spawn(&actions, &attr, sock);
		if (!failed)
			failed = posix_spawn(ret_pid, program, &actions, &attr, (char *const *)worker_arguments,
					     (char *const *)worker_environment);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

int child_spawn(const char *program, struct child *ret, struct err *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_RETRY, errno, "start a decoder: socketpair");
	CLEANUP(close_fdp) int ours = pair[0];
	CLEANUP(close_fdp) int theirs = pair[1];
	if (theirs <= WIRE_FD) { /* dup2() onto itself leaves it close-on-exec, and 0..2 are about to be replaced */
		int high = fcntl(theirs, F_DUPFD_CLOEXEC, WIRE_FD + 1);
		if (high < 0)
			return err_set(err, ERR_RETRY, errno, "start a decoder: duplicate a descriptor");
		(void)close(theirs);
		theirs = high;
	}
	pid_t pid;
	int failed = access(program, X_OK) < 0 ? errno : spawn(program, theirs, &pid);
	if (failed == ENOENT || failed == EACCES || failed == ENOEXEC || failed == ENOTDIR)
		return err_set(err, ERR_FATAL, failed, "cannot run the decoder '%s'; it is installed beside inletd",
			       program);
	if (failed)
		return err_set(err, ERR_RETRY, failed, "start a decoder '%s'", program);
	*ret = (struct child){ .pid = pid, .sock = take_fd(&ours) };
	return 0;
}

/* 1: readable or ended, 0: not within the time. */
static int wait_readable(int sock, uint64_t limit_ms)
{
	uint64_t deadline = clock_mono_ns() + limit_ms * NS_PER_MS;
	for (;;) {
		uint64_t now = clock_mono_ns();
		uint64_t left = now < deadline ? (deadline - now + NS_PER_MS - 1) / NS_PER_MS : 0;
		struct pollfd p = { .fd = sock, .events = POLLIN };
		int n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0 || (n < 0 && errno != EINTR))
			return 1; /* the receive that follows says what is wrong */
		if (n == 0 && left == 0)
			return 0;
	}
}

int child_greet(struct child *c, const struct wire_hello *limits, struct err *err)
{
	struct wire_hello hello = *limits;
	hello.head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_HELLO };
	struct wire_ready ready;
	(void)wire_send(c->sock, &hello, sizeof(hello), NULL, 0); /* a dead child shows as end of file */
	if (!wait_readable(c->sock, GREET_MS))
		return err_set(err, ERR_FATAL, 0, "inlet-decode did not start within %d s", GREET_MS / 1000);
	ssize_t n = wire_receive(c->sock, &ready, sizeof(ready), NULL, 0);
	if (n <= 0)
		return err_set(err, ERR_FATAL, 0,
			       "inlet-decode ended before its sandbox was on; run 'inlet-decode --self-test' "
			       "as the daemon's user to see why");
	if (wire_ready_check(&ready, (size_t)n, &ready, err) < 0)
		return -1;
	c->sandbox = ready.sandbox;
	return 0;
}

bool child_alive(const struct child *c)
{
	struct pollfd p = { .fd = c->sock, .events = POLLIN };
	return poll(&p, 1, 0) == 0;
}

enum child_result child_ask(struct child *c, const struct wire_hello *limits, struct wire_job *job, int object,
			    int result, uint32_t time_limit_ms, struct wire_done *ret, struct err *err)
{
	struct wire_done done;
	const int fds[] = { object, result };
	job->head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_JOB, .job = ++c->jobs };
	if (wire_send(c->sock, job, sizeof(*job), fds, 2) < 0) {
		(void)err_set(err, ERR_RETRY, errno, "send a job to the decoder");
		return CHILD_REFUSED;
	}
	if (!wait_readable(c->sock, time_limit_ms))
		return CHILD_LATE;
	ssize_t n = wire_receive(c->sock, &done, sizeof(done), NULL, 0);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return CHILD_DIED;
	if (n < 0) {
		(void)err_set(err, ERR_RETRY, errno, "receive the decoder's answer");
		return CHILD_LIED;
	}
	return wire_done_check(&done, (size_t)n, limits, job, ret, err) < 0 ? CHILD_LIED : CHILD_ANSWERED;
}

void child_kill(const struct child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

int child_end(struct child *c)
{
	int status = 0;
	while (c->pid > 0 && waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(c->sock);
	*c = (struct child){ .sock = -1 };
	return status;
}
