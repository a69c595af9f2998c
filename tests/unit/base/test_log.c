/* test_log.c - what arrives at a pipe, at a terminal and at the journal's socket. */
#include "daemon/base/cleanup.h"
#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

/* Runs write_lines() with stderr at fd; cmocka's own stderr comes back. */
static void with_stderr(int fd, bool verbose, void (*write_lines)(void))
{
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	log_init("inletd", verbose);
	write_lines();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
}

static void read_all(int fd, char *ret, size_t size)
{
	ssize_t n = read(fd, ret, size - 1);
	ret[n < 0 ? 0 : n] = '\0';
}

/* A terminal passes bytes on when it pleases: a line may come in pieces. */
static void read_line(int fd, char *ret, size_t size)
{
	size_t n = 0;
	while (n + 1 < size && read(fd, ret + n, 1) == 1 && ret[n++] != '\n')
		;
	ret[n] = '\0';
}

static void write_each(void)
{
	LOG_INFO(LOG_STARTED, "%d sources", 2);
	LOG_WARNING(LOG_RETRYING, "bucket: %s", "no route");
	LOG_ERR(LOG_FATAL, "stop");
	LOG_DEBUG(LOG_DETAIL, "small");
}

static void test_a_pipe_gets_priorities_for_the_journal(void **state)
{
	(void)state;
	int ends[2];
	char text[512];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	with_stderr(ends[1], false, write_each);
	read_all(ends[0], text, sizeof(text));
	assert_string_equal(text, "<6>started: 2 sources\n<4>retrying: bucket: no route\n<3>fatal: stop\n");
	with_stderr(ends[1], true, write_each);
	read_all(ends[0], text, sizeof(text));
	assert_non_null(strstr(text, "<7>detail: small\n"));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void write_hostile(void)
{
	errno = EAGAIN;
	LOG_INFO(LOG_SOURCE, "%s", "a\n<2>fatal: forged\x1b[2J");
	assert_int_equal(errno, EAGAIN);
}

static void test_a_message_stays_one_line(void **state)
{
	(void)state;
	int ends[2];
	char text[512];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	with_stderr(ends[1], false, write_hostile);
	read_all(ends[0], text, sizeof(text));
	assert_string_equal(text, "<6>source: a <2>fatal: forged [2J\n");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void test_a_terminal_gets_words(void **state)
{
	(void)state;
	CLEANUP(close_fdp) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		skip(); /* no ptys in this container */
	char name[64];
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	CLEANUP(close_fdp) int terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	with_stderr(terminal, false, write_each);
	char text[512] = "";
	size_t lines = 0;
	for (struct pollfd ready = { .fd = master, .events = POLLIN }; lines < 3 && poll(&ready, 1, 10000) > 0; lines++)
		read_line(master, text + strlen(text), sizeof(text) - strlen(text));
	assert_string_equal(text, "inletd: started: 2 sources\r\ninletd: warning: retrying: bucket: no route\r\n"
				  "inletd: error: fatal: stop\r\n");
}

/* In a namespace of its own, where /run is empty, a socket where journald's would be. */
static int journal_socket(void)
{
	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 || mount("run", "/run", "tmpfs", 0, "mode=755") < 0 ||
	    mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	return bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : fd;
}

enum { JOURNAL_RIGHT, JOURNAL_WRONG, JOURNAL_IMPOSSIBLE };

static int check_journal(void)
{
	int journal = journal_socket();
	if (journal < 0)
		return JOURNAL_IMPOSSIBLE;
	int ends[2];
	struct stat st;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 || fstat(ends[1], &st) < 0)
		return JOURNAL_WRONG;
	char stream[64];
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	(void)dup2(ends[1], STDERR_FILENO);
	log_init("inletd", false);
	LOG_WARNING(LOG_PAUSED, "disk below %d", 5);
	char fields[2048];
	char text[64];
	read_all(journal, fields, sizeof(fields));
	read_all(ends[0], text, sizeof(text)); /* nothing twice */
	return strstr(fields, "MESSAGE=disk below 5\n") && strstr(fields, "PRIORITY=4\n") && text[0] == '\0' &&
	       strstr(fields, "MESSAGE_ID=0a70f39204c149ed8ac49304903658c4\n") && strstr(fields, "INLET_EVENT=paused\n") &&
	       strstr(fields, "SYSLOG_IDENTIFIER=inletd\n") ? JOURNAL_RIGHT : JOURNAL_WRONG;
}

static void test_the_journal_gets_fields(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(check_journal());
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == JOURNAL_IMPOSSIBLE)
		skip(); /* mount namespaces are not allowed here */
	assert_int_equal(WEXITSTATUS(status), JOURNAL_RIGHT);
}

static void test_an_inherited_journal_stream_is_not_trusted(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	test_a_pipe_gets_priorities_for_the_journal(state);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pipe_gets_priorities_for_the_journal),
		cmocka_unit_test(test_a_message_stays_one_line),
		cmocka_unit_test(test_a_terminal_gets_words),
		cmocka_unit_test(test_the_journal_gets_fields),
		cmocka_unit_test(test_an_inherited_journal_stream_is_not_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
