/* worker_selftest.c - inlet-decode --self-test: shows on this very machine that the sandbox refuses what it must. */
#include "daemon/decode/worker_sandbox.h"

#include "daemon/decode/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELF_TEST_MEMORY (256ULL << 20)

/* Each returns < 0 with errno when it was refused. */
static int try_read_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}
static int try_write_file(void)
{
	return open("/tmp/inlet-self-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}
static int try_list_directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
static int try_stat(void)
{
	struct stat s;
	return stat("/etc/passwd", &s);
}
static int try_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static int try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static int try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}
static int try_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid;
}
static int try_exec(void)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };
	return execv("/bin/true", arguments);
}
static int try_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static int try_kill_parent(void)
{
	return kill(getppid(), 0);
}
static int try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}
static int try_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}
static int try_memory(void)
{
	return mmap(NULL, 2 * SELF_TEST_MEMORY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static const struct {
	const char *name;
	int (*call)(void);
} tries[] = {
	{ "open /etc/passwd", try_read_file },
	{ "create a file", try_write_file },
	{ "list /", try_list_directory },
	{ "stat /etc/passwd", try_stat },
	{ "TCP socket", try_tcp },
	{ "Unix socket", try_unix },
	{ "netlink socket", try_netlink },
	{ "fork", try_fork },
	{ "exec /bin/true", try_exec },
	{ "ptrace", try_ptrace },
	{ "signal its parent", try_kill_parent },
	{ "executable memory", try_executable_memory },
	{ "new user namespace", try_namespace },
	{ "memory over its limit", try_memory },
};

enum { ALLOWED = 200, NO_SANDBOX }; /* exit statuses above every errno that a refusal can have */

static int try_inside(int (*call)(void))
{
	struct err err;
	if (sandbox_put_on(SELF_TEST_MEMORY, &err) < 0) {
		(void)dprintf(STDERR_FILENO, "%s\n", err.text);
		return NO_SANDBOX;
	}
	return call() < 0 ? errno : ALLOWED;
}

static bool report(const char *name, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return printf("refused  %-24s ends the process\n", name) > 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) < ALLOWED)
		return printf("refused  %-24s %s\n", name, strerror(WEXITSTATUS(status))) > 0;
	const char *why = !WIFEXITED(status)		   ? strsignal(WTERMSIG(status))
			  : WEXITSTATUS(status) == ALLOWED ? "it worked"
							   : "no sandbox";
	(void)printf("ALLOWED  %-24s %s\n", name, why);
	return false;
}

int sandbox_self_test(void)
{
	int allowed_count = 0;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		(void)fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			_exit(try_inside(tries[i].call));
		int status = 0;
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			perror("inlet-decode: self-test");
			return 1;
		}
		allowed_count += !report(tries[i].name, status);
	}
	(void)printf(allowed_count ? "the sandbox does not hold\n" : "the sandbox holds\n");
	return allowed_count != 0;
}
