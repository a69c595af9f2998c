/* test_local.c - Unix sockets in a directory: deep paths, exact modes, sockets left behind. */
#include "daemon/net/local.h"

#include "daemon/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

/* A directory whose path is far longer than a socket address. */
#define DEPTH 6
#define PART "a-directory-name-of-forty-characters----"

struct fixture {
	char top[32];
	int dirs[DEPTH + 1];
};

static int setup(void **state)
{
	static struct fixture f;
	(void)snprintf(f.top, sizeof(f.top), "/tmp/test_local.XXXXXX");
	if (!mkdtemp(f.top))
		return -1;
	f.dirs[0] = open(f.top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		if (mkdirat(f.dirs[i], PART, 0700) < 0)
			return -1;
		f.dirs[i + 1] = openat(f.dirs[i], PART, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	(void)unlinkat(f->dirs[DEPTH], "s", 0);
	for (int i = DEPTH; i > 0; i--) {
		(void)close(f->dirs[i]);
		(void)unlinkat(f->dirs[i - 1], PART, AT_REMOVEDIR);
	}
	(void)close(f->dirs[0]);
	return rmdir(f->top);
}

static void test_listen_and_connect_in_a_deep_directory(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct stat st;
	CLEANUP(close_fdp) int listener = -1;
	assert_int_equal(local_listen(f->dirs[DEPTH], "s", 0660, &listener, &err), 0);
	assert_int_equal(fstatat(f->dirs[DEPTH], "s", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	CLEANUP(close_fdp) int client = local_connect(f->dirs[DEPTH], "s");
	CLEANUP(close_fdp) int served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(client >= 0 && served >= 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	char byte = 0;
	assert_int_equal(recv(served, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
}

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(local_connect(f->dirs[DEPTH], "s"), -1);
	assert_int_equal(errno, ENOENT);
}

static void test_one_left_behind_is_refused_and_then_replaced(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int dead = -1;
	CLEANUP(close_fdp) int listener = -1;
	assert_int_equal(local_listen(f->dirs[DEPTH], "s", 0600, &dead, &err), 0);
	(void)close(dead);
	assert_int_equal(local_connect(f->dirs[DEPTH], "s"), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(local_listen(f->dirs[DEPTH], "s", 0600, &listener, &err), 0);
	CLEANUP(close_fdp) int client = local_connect(f->dirs[DEPTH], "s");
	assert_true(client >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listen_and_connect_in_a_deep_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_left_behind_is_refused_and_then_replaced, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
