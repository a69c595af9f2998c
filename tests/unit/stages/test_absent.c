/* test_absent.c - keys noted by many threads come back whole, in order, however many they are. */
#include "daemon/stages/absent.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

CLEANUP_FN(struct absent *, absent_free)

#define MANY 100000 /* 3 MiB: most of them lie in the file */

struct seen {
	uint64_t count, stop_at;
	uint64_t next[4]; /* of each thread's keys */
};

/* "<thread>/<number>" and a tail of 0 to 60 bytes; a directory where the number is odd. */
static struct slice key_of(char *buf, size_t room, unsigned thread, uint64_t number)
{
	int n = snprintf(buf, room, "%u/%llu%.*s", thread, (unsigned long long)number, (int)(number % 61),
		"............................................................");
	return (struct slice){ buf, (size_t)n };
}

static int see(void *arg, struct slice key, bool directory, struct err *err)
{
	struct seen *s = arg;
	char buf[128];
	unsigned thread = (unsigned)(key.p[0] - '0');
	(void)err;
	if (s->count == s->stop_at)
		return -1;
	assert_true(thread < 4);
	assert_true(slice_eq(key, key_of(buf, sizeof(buf), thread, s->next[thread])));
	assert_int_equal(directory, s->next[thread] % 2);
	s->next[thread]++;
	s->count++;
	return 0;
}

struct adder {
	struct absent *absent;
	unsigned thread;
	int failed;
};

static void *add_many(void *arg)
{
	struct adder *a = arg;
	struct err err;
	char buf[128];
	for (uint64_t i = 0; i < MANY / 4; i++)
		a->failed |= absent_add(a->absent, key_of(buf, sizeof(buf), a->thread, i), i % 2, &err);
	return NULL;
}

static void test_many_from_many_threads(void **state)
{
	CLEANUP(absent_freep) struct absent *a = absent_new("/tmp");
	struct adder adders[4];
	pthread_t threads[4];
	struct seen s = { .stop_at = UINT64_MAX };
	struct err err;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		adders[i] = (struct adder){ a, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(adders[i].failed, 0);
	}
	assert_int_equal(absent_count(a), MANY);
	assert_int_equal(absent_each(a, see, &s, &err), 0);
	assert_int_equal(s.count, MANY);
}

static void test_whoever_looks_may_stop(void **state)
{
	CLEANUP(absent_freep) struct absent *a = absent_new("/tmp");
	struct adder adder = { a, 0, 0 };
	struct seen s = { .stop_at = 10 };
	struct err err;
	(void)state;
	(void)add_many(&adder);
	assert_int_equal(absent_each(a, see, &s, &err), -1);
	assert_int_equal(s.count, 10);
}

static void test_none(void **state)
{
	CLEANUP(absent_freep) struct absent *a = absent_new("/nowhere");
	struct seen s = { .stop_at = 0 };
	struct err err;
	(void)state;
	assert_int_equal(absent_count(a), 0);
	assert_int_equal(absent_each(a, see, &s, &err), 0);
}

static const size_t lengths[] = { 0, 1, 4096, 700000, 3, 700000, 0 };
#define LENGTHS (sizeof(lengths) / sizeof(*lengths))

static int see_length(void *arg, struct slice key, bool directory, struct err *err)
{
	size_t *at = arg;
	(void)directory;
	(void)err;
	assert_int_equal(key.len, lengths[*at]);
	for (size_t i = 0; i < key.len; i++)
		assert_int_equal(key.p[i], 'k');
	++*at;
	return 0;
}

/* An empty key and very long ones, over the end of the memory. */
static void test_any_length(void **state)
{
	CLEANUP(absent_freep) struct absent *a = absent_new("/tmp");
	CLEANUP(freep) char *long_key = mem_zero(1, 700000);
	struct err err;
	size_t seen = 0;
	(void)state;
	memset(long_key, 'k', 700000);
	for (size_t i = 0; i < LENGTHS; i++)
		assert_int_equal(absent_add(a, (struct slice){ long_key, lengths[i] }, false, &err), 0);
	assert_int_equal(absent_each(a, see_length, &seen, &err), 0);
	assert_int_equal(seen, LENGTHS);
}

static void test_no_room_for_the_file(void **state)
{
	CLEANUP(absent_freep) struct absent *a = absent_new("/nowhere/at/all");
	char key[1024];
	struct err err = { 0 };
	int rc = 0;
	(void)state;
	memset(key, 'k', sizeof(key));
	for (int i = 0; i < 1025 && rc == 0; i++)
		rc = absent_add(a, (struct slice){ key, sizeof(key) }, false, &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_from_many_threads),
		cmocka_unit_test(test_whoever_looks_may_stop),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_any_length),
		cmocka_unit_test(test_no_room_for_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
