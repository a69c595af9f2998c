/* test_flight.c - one version of one object is in hand once; whatever else is in hand does not hold it up. */
#include "daemon/stages/flight.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

CLEANUP_FN(struct flight *, flight_free)

/* Sources are only compared: any two addresses. */
static char places[2];
#define SOURCE(n) ((struct source *)(void *)&places[n])

static struct fetch_job *enter(struct flight *f, unsigned source, const char *key, const char *version)
{
	struct object o = { .key = slice_of(key), .version = slice_of(version), .bytes = 7 };
	return flight_enter(f, SOURCE(source), &o, 3, 11);
}

static void test_each_version_once(void **state)
{
	CLEANUP(flight_freep) struct flight *f = flight_new();
	struct fetch_job *job = enter(f, 0, "a/b", "v1");
	struct fetch_job *others[4];
	(void)state;
	assert_non_null(job);
	assert_null(enter(f, 0, "a/b", "v1"));
	others[0] = enter(f, 0, "a/b", "v2");
	others[1] = enter(f, 1, "a/b", "v1");
	others[2] = enter(f, 0, "a/bv", "1");   /* the same bytes in a row */
	others[3] = enter(f, 0, "v1", "a/b");   /* the other way round */
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(others[i]);
		(void)flight_leave(f, others[i]);
	}
	assert_null(enter(f, 0, "a/b", "v1"));
	(void)flight_leave(f, job);
	job = enter(f, 0, "a/b", "v1");
	assert_non_null(job);
	(void)flight_leave(f, job);
}

/* What is due again while it is in hand is not lost and not put off: it is released with what it waits for. */
static void test_a_claim_follows(void **state)
{
	CLEANUP(flight_freep) struct flight *f = flight_new();
	struct object a = { .key = SLICE_LIT("a"), .version = SLICE_LIT("1") }, b = { .key = SLICE_LIT("b"), .version = SLICE_LIT("1") };
	struct fetch_job *one = flight_enter(f, SOURCE(0), &a, 0, 0), *two = flight_enter(f, SOURCE(0), &b, 0, 0);
	(void)state;
	assert_null(flight_enter(f, SOURCE(0), &a, 1, 21));
	assert_null(flight_enter(f, SOURCE(0), &b, 1, 22));
	assert_null(flight_enter(f, SOURCE(0), &a, 0, 0)); /* a pass claims nothing */
	assert_int_equal(flight_leave(f, two), 22);
	assert_int_equal(flight_leave(f, one), 21);
	one = flight_enter(f, SOURCE(0), &a, 1, 21);
	assert_non_null(one);
	assert_int_equal(flight_leave(f, one), 0);
}

static void test_a_job_has_strings_of_its_own(void **state)
{
	CLEANUP(flight_freep) struct flight *f = flight_new();
	char key[] = "photo.jpg", version[] = "v";
	struct fetch_job *job = enter(f, 1, key, version);
	(void)state;
	memset(key, '?', sizeof(key));
	memset(version, '?', sizeof(version));
	assert_true(slice_eq(job->object.key, SLICE_LIT("photo.jpg")));
	assert_true(slice_eq(job->object.version, SLICE_LIT("v")));
	assert_ptr_equal(job->source, SOURCE(1));
	assert_int_equal(job->object.bytes, 7);
	assert_int_equal(job->attempts, 3);
	assert_int_equal(job->claim, 11);
	(void)flight_leave(f, job);
}

static void test_no_version(void **state)
{
	CLEANUP(flight_freep) struct flight *f = flight_new();
	struct fetch_job *job = enter(f, 0, "k", "");
	(void)state;
	assert_non_null(job);
	assert_null(enter(f, 0, "k", ""));
	(void)flight_leave(f, job);
}

#define KEYS 20000 /* the table grows five times */

/* As a pass enters it, which claims nothing: claims are few, and all are looked at whenever one leaves. */
static struct fetch_job *pass_enters(struct flight *f, size_t i)
{
	char key[32];
	(void)snprintf(key, sizeof(key), "%zu", i);
	struct object o = { .key = slice_of(key), .version = SLICE_LIT("v") };
	return flight_enter(f, SOURCE(0), &o, 0, 0);
}

/* Comings and goings of many at random, beside a plain array that says what is in hand. */
static void test_equals_an_array(void **state)
{
	CLEANUP(flight_freep) struct flight *f = flight_new();
	CLEANUP(freep) struct fetch_job **in_hand = mem_zero(KEYS, sizeof(struct fetch_job *));
	unsigned seed = 5;
	(void)state;
	for (int round = 0; round < 12 * KEYS; round++) {
		/* First it fills, then it drains. */
		bool leave = rand_r(&seed) % 4 < (round < 6 * KEYS ? 1 : 3);
		size_t i = (size_t)rand_r(&seed) % KEYS;
		if (leave && in_hand[i]) {
			assert_int_equal(flight_leave(f, in_hand[i]), 0);
			in_hand[i] = NULL;
		} else {
			struct fetch_job *job = pass_enters(f, i);
			assert_int_equal(job != NULL, in_hand[i] == NULL);
			in_hand[i] = job ? job : in_hand[i];
		}
	}
	for (size_t i = 0; i < KEYS; i++)
		if (in_hand[i])
			(void)flight_leave(f, in_hand[i]);
	for (size_t i = 0; i < KEYS; i++) {
		in_hand[i] = pass_enters(f, i);
		assert_non_null(in_hand[i]);
	}
	for (size_t i = 0; i < KEYS; i++)
		(void)flight_leave(f, in_hand[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_once),
		cmocka_unit_test(test_a_claim_follows),
		cmocka_unit_test(test_a_job_has_strings_of_its_own),
		cmocka_unit_test(test_no_version),
		cmocka_unit_test(test_equals_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
