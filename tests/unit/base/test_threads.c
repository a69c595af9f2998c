/* test_threads.c - all run, or it is told how many do. */
#include "daemon/base/threads.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STACK_TOO_LARGE ((size_t)1 << 50) /* bytes: no address space has so much */

static void *count_in(void *arg)
{
	atomic_int *n = arg;
	atomic_fetch_add(n, 1);
	return NULL;
}

static void test_all_run_and_are_joined(void **state)
{
	(void)state;
	struct threads t = { 0 };
	struct err err;
	atomic_int n = 0;
	assert_int_equal(threads_start(&t, 5, count_in, &n, "the counters", &err), 0);
	threads_join(&t);
	assert_int_equal(n, 5);
	assert_int_equal(t.count, 0);
	assert_int_equal(threads_start(&t, 2, count_in, &n, "the counters", &err), 0); /* it serves again */
	threads_join(&t);
	assert_int_equal(n, 7);
}

static void test_none_is_fine(void **state)
{
	(void)state;
	struct threads t = { 0 };
	threads_join(&t);
	assert_int_equal(threads_start(&t, 0, count_in, NULL, "nobody", NULL), 0);
	threads_join(&t);
}

static void test_what_cannot_be_started_is_told_and_the_rest_can_be_joined(void **state)
{
	(void)state;
	struct threads t = { 0 };
	struct err err;
	atomic_int n = 0;
	pthread_attr_t usual, large;
	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_getattr_default_np(&large), 0);
	assert_int_equal(pthread_attr_setstacksize(&large, STACK_TOO_LARGE), 0);
	assert_int_equal(pthread_setattr_default_np(&large), 0);
	int done = threads_start(&t, 3, count_in, &n, "the counters", &err);
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	assert_int_equal(done, -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_int_equal(err.sys, getenv("INLET_VALGRIND") ? EINVAL : EAGAIN); /* it calls a stack of that size invalid */
	assert_non_null(strstr(err.text, "start the counters: 0 of 3 run"));
	threads_join(&t);
	assert_int_equal(n, 0);
	(void)pthread_attr_destroy(&usual);
	(void)pthread_attr_destroy(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_run_and_are_joined),
		cmocka_unit_test(test_none_is_fine),
		cmocka_unit_test(test_what_cannot_be_started_is_told_and_the_rest_can_be_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
