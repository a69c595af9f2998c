/* test_s3_window.c - ranges in order, never more at once than the window holds, and an end to all of them when one fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "connectors/s3_window.h"

#define FROM 12345U
#define RANGES 11U
#define TO (FROM + (RANGES - 1U) * S3_WINDOW_RANGE_BYTES + 7U) /* the last one is short */

/* An object whose bytes tell where they stand. */
struct object {
	pthread_mutex_t lock;
	pthread_cond_t begun;
	uint64_t reads, taken;       /* ranges begun; bytes taken */
	bool together;               /* no read ends before a full window of them has begun */
	uint64_t fails_at;           /* the range that cannot be read; 0: none */
	uint64_t enough;             /* bytes; then take() fails */
	bool order;                  /* as far as it was looked at */
};

static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 2654435761U >> 13);
}

static int read_range(void *arg, const atomic_bool *over, uint64_t from, uint8_t *into, size_t n, struct err *err)
{
	struct object *o = arg;
	uint64_t range = (from - FROM) / S3_WINDOW_RANGE_BYTES;
	(void)pthread_mutex_lock(&o->lock);
	assert_true(from - FROM < o->taken + S3_WINDOW_BYTES + S3_WINDOW_RANGE_BYTES); /* one may be on its way through take() */
	o->reads++;
	(void)pthread_cond_broadcast(&o->begun);
	while (o->together && o->reads < S3_WINDOW_RANGES)
		(void)pthread_cond_wait(&o->begun, &o->lock);
	(void)pthread_mutex_unlock(&o->lock);
	if (o->fails_at && range == o->fails_at)
		return err_set(err, ERR_RETRY, EPIPE, "range %llu", (unsigned long long)range);
	while (o->fails_at && range > o->fails_at && !atomic_load(over))
		(void)sched_yield();
	if (atomic_load(over))
		return err_set(err, ERR_RETRY, ECANCELED, "over");
	for (size_t i = 0; i < n; i++)
		into[i] = byte_at(from + i);
	return 0;
}

static int take(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct object *o = arg;
	for (size_t i = 0; i < n; i += i + 4096 < n ? 4095 : 1)
		o->order = o->order && p[i] == byte_at(FROM + o->taken + i);
	(void)pthread_mutex_lock(&o->lock);
	o->taken += n;
	(void)pthread_mutex_unlock(&o->lock);
	return o->enough && o->taken >= o->enough ? err_set(err, ERR_FATAL, ENOSPC, "full") : 0;
}

static int run(struct object *o, struct err *err)
{
	const struct s3_window_work work = { .from = FROM, .to = TO, .read = read_range, .take = take, .arg = o };
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_cond_init(&o->begun, NULL);
	o->order = true;
	return s3_window_read(&work, err);
}

static void test_all_of_it_comes_in_order(void **state)
{
	struct object o = { .together = true };
	struct err err = { 0 };
	(void)state;
	assert_int_equal(run(&o, &err), 0);
	assert_true(o.order);
	assert_int_equal(o.taken, TO - FROM);
	assert_int_equal(o.reads, RANGES);
}

static void test_a_range_that_fails_ends_the_others(void **state)
{
	for (uint64_t at = 1; at < RANGES; at++) {
		struct object o = { .fails_at = at };
		struct err err = { 0 };
		assert_int_equal(run(&o, &err), -1);
		assert_int_equal(err.sys, EPIPE);
		assert_true(o.order && o.taken <= at * S3_WINDOW_RANGE_BYTES && o.taken % S3_WINDOW_RANGE_BYTES == 0);
		assert_true(o.reads <= at + S3_WINDOW_RANGES);
	}
	(void)state;
}

static void test_a_taker_that_has_enough_ends_them_too(void **state)
{
	struct object o = { .enough = 3U * S3_WINDOW_RANGE_BYTES };
	struct err err = { 0 };
	(void)state;
	assert_int_equal(run(&o, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_int_equal(err.sys, ENOSPC);
	assert_true(o.order && o.taken == 3U * S3_WINDOW_RANGE_BYTES && o.reads <= 2U + S3_WINDOW_RANGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_comes_in_order),
		cmocka_unit_test(test_a_range_that_fails_ends_the_others),
		cmocka_unit_test(test_a_taker_that_has_enough_ends_them_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
