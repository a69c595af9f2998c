/* test_helper.c - programs that give credentials: as a shell would start them, and heard to their end. */
#include "connectors/helper.h"

#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int run(const char *command, struct buf *output, struct err *err)
{
	const struct helper h = { .what = "the helper", .command = slice_of(command), .timeout_ms = 100000 };
	return helper_run(&h, output, err);
}

static void test_no_signal_is_ignored_or_blocked_in_it(void **state)
{
	CLEANUP(buf_done) struct buf output = { 0 };
	sigset_t pipe;
	struct err err;
	(void)state;
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &pipe, NULL);
	assert_int_equal(run("sh -c 'kill -PIPE $$; exit 0'", &output, &err), -1);
	assert_non_null(strstr(err.text, "(signal 13)"));
	(void)sigprocmask(SIG_UNBLOCK, &pipe, NULL);
}

static void test_what_fails_is_named(void **state)
{
	CLEANUP(buf_done) struct buf output = { 0 };
	struct err err;
	(void)state;
	assert_int_equal(run("sh -c 'exit 3'", &output, &err), -1);
	assert_non_null(strstr(err.text, "the helper 'sh' failed (status 3)"));
	assert_int_equal(run("/nonexistent/program", &output, &err), -1);
	assert_non_null(strstr(err.text, getenv("INLET_VALGRIND") ? "'/nonexistent/program' failed (status 127)" /* its vfork forks */
								  : "the helper '/nonexistent/program': No such file"));
	assert_int_equal(run("sh 'open", &output, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_int_equal(run("head -c 1000000000 /dev/zero", &output, &err), -1);
	assert_non_null(strstr(err.text, "says too much"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_signal_is_ignored_or_blocked_in_it),
		cmocka_unit_test(test_what_fails_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
