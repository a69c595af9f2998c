/* spawn.c - starts inletd. */
#include "daemon/cli/spawn.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define EXIT_NO_EXEC 127

/* The inletd beside this program, else the installed one; the caller frees. */
static char *inletd_path(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		char *beside = mem_printf("%.*s/inletd", slash ? (int)(slash - self) : 0, self);
		if (access(beside, X_OK) == 0)
			return beside;
		free(beside);
	}
	return mem_strdup(INLET_PREFIX "/bin/inletd");
}

/* Root must not leave files in somebody else's store. */
static int become_owner(const char *state_dir)
{
	struct stat st;
	if (geteuid() != 0 || stat(state_dir, &st) < 0 || st.st_uid == 0)
		return 0;
	const struct passwd *pw = getpwuid(st.st_uid);
	if ((pw ? initgroups(pw->pw_name, pw->pw_gid) : setgroups(0, NULL)) < 0)
		return -1;
	gid_t gid = pw ? pw->pw_gid : st.st_gid;
	return setresgid(gid, gid, gid) < 0 || setresuid(st.st_uid, st.st_uid, st.st_uid) < 0 ? -1 : 0;
}

static int redirect(int log)
{
	CLEANUP(close_fdp) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -1;
	if (log < 0)
		return 0;
	/* Our stdout may be a pipe: whoever reads it must not wait for a stand-in that goes on to serve others. */
	return dup2(null, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 ? -1 : 0;
}

static _Noreturn void child(const struct config *c, const char *path, const char *mode, int log)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (log >= 0)
		(void)setsid(); /* Ctrl-C is meant for us, not for a stand-in that serves others too */
	if (redirect(log) < 0)
		_exit(EXIT_NO_EXEC);
	if (become_owner(c->state_dir) < 0)
		dprintf(STDERR_FILENO, "inletd: become the owner of '%s': %s\n", c->state_dir, strerror(errno));
	else if (execl(path, "inletd", mode, "--config", c->file, (char *)NULL) < 0)
		dprintf(STDERR_FILENO, "inletd: run '%s': %s; is Inlet installed completely?\n", path, strerror(errno));
	_exit(EXIT_NO_EXEC);
}

int spawn_inletd(const struct config *c, const char *mode, int *ret_log, pid_t *ret_pid, struct err *err)
{
	CLEANUP(freep) char *path = inletd_path();
	CLEANUP(close_fdp) int log = -1;
	if (ret_log) {
		log = memfd_create("inletd-stderr", MFD_CLOEXEC);
		if (log < 0)
			return err_set(err, ERR_RETRY, errno, "start inletd: memory for its messages");
		(void)fcntl(log, F_SETFL, O_APPEND);
	}
	pid_t pid = fork();
	if (pid < 0)
		return err_set(err, ERR_RETRY, errno, "start inletd");
	if (pid == 0)
		child(c, path, mode, log);
	if (ret_log)
		*ret_log = take_fd(&log);
	*ret_pid = pid;
	return 0;
}
