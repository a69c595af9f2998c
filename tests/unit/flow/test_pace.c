/* test_pace.c - how a source's requests are paced: by what the server said, never by a clock of ours that a test would race. */
#include "daemon/flow/pace.h"

#include "daemon/base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HOUR_MS 3600000U

/* Fills the pace up to its limit; returns how many went in. */
static unsigned fill(struct pace *p, uint64_t *ret_round)
{
	unsigned n = 0;
	while (pace_try(p, ret_round))
		n++;
	return n;
}

static void empty(struct pace *p, unsigned n, uint64_t round, enum pace_end end)
{
	while (n-- > 0)
		pace_leave(p, round, end, 0);
}

static void fill_and_empty(struct pace *p, enum pace_end end)
{
	uint64_t round;
	unsigned n = fill(p, &round);
	empty(p, n, round, end);
}

static void test_no_more_than_the_most_at_once(void **state)
{
	(void)state;
	uint64_t round;
	struct pace *p = pace_new(3);
	fill_and_empty(p, PACE_DONE);
	assert_int_equal(fill(p, &round), 3);
	empty(p, 3, round, PACE_DONE);
	pace_free(p);
}

static void test_the_limit_grows_while_it_is_reached_and_all_goes_well(void **state)
{
	(void)state;
	uint64_t round;
	struct pace *p = pace_new(32);
	assert_int_equal(fill(p, &round), PACE_START);
	pace_leave(p, round, PACE_DONE, 0);
	assert_int_equal(pace_limit(p), PACE_START + 1);
	pace_leave(p, round, PACE_DONE, 0); /* of 9 only 7 ran: nothing shows that 10 would go */
	assert_int_equal(pace_limit(p), PACE_START + 1);
	empty(p, PACE_START - 2, round, PACE_DONE);
	for (int i = 0; i < 100; i++)
		fill_and_empty(p, PACE_DONE);
	assert_int_equal(pace_limit(p), 32);
	pace_free(p);
}

static void test_what_went_wrong_otherwise_says_nothing(void **state)
{
	(void)state;
	struct pace *p = pace_new(32);
	fill_and_empty(p, PACE_FAILED);
	assert_int_equal(pace_limit(p), PACE_START);
	pace_free(p);
}

static void test_a_throttle_halves_the_limit_once_a_round(void **state)
{
	(void)state;
	uint64_t round;
	struct pace *p = pace_new(32);
	unsigned n = fill(p, &round);
	empty(p, n, round, PACE_THROTTLED); /* all eight were under way when the server said so */
	assert_int_equal(pace_limit(p), PACE_START / 2);
	pace_enter(p, &round); /* waits until the gate opens */
	pace_leave(p, round, PACE_THROTTLED, 0);
	assert_int_equal(pace_limit(p), PACE_START / 4);
	pace_free(p);
}

static void test_after_a_cut_it_grows_by_one_a_round(void **state)
{
	(void)state;
	uint64_t round;
	struct pace *p = pace_new(32);
	fill_and_empty(p, PACE_THROTTLED);
	pace_enter(p, &round);
	unsigned n = 1 + fill(p, &round);
	assert_int_equal(n, 4);
	for (; n > 0; n--) { /* the limit is reached all the time: one in, one out */
		pace_leave(p, round, PACE_DONE, 0);
		(void)pace_try(p, &round);
	}
	assert_true(pace_limit(p) == 4 || pace_limit(p) == 5);
	pace_leave(p, round, PACE_DONE, 0);
	(void)pace_try(p, &round);
	pace_leave(p, round, PACE_DONE, 0);
	assert_int_equal(pace_limit(p), 5);
	pace_free(p);
}

static void *stop_it(void *arg)
{
	pace_stop(arg);
	return NULL;
}

static void test_nothing_begins_before_the_time_that_the_server_named(void **state)
{
	(void)state;
	uint64_t round, other;
	struct pace *p = pace_new(4);
	assert_true(pace_try(p, &round));
	pace_leave(p, round, PACE_THROTTLED, HOUR_MS);
	assert_false(pace_try(p, &other));
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, stop_it, p), 0);
	pace_enter(p, &other); /* only the stop lets it through */
	pthread_join(t, NULL);
	pace_leave(p, other, PACE_FAILED, 0);
	pace_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_more_than_the_most_at_once),
		cmocka_unit_test(test_the_limit_grows_while_it_is_reached_and_all_goes_well),
		cmocka_unit_test(test_what_went_wrong_otherwise_says_nothing),
		cmocka_unit_test(test_a_throttle_halves_the_limit_once_a_round),
		cmocka_unit_test(test_after_a_cut_it_grows_by_one_a_round),
		cmocka_unit_test(test_nothing_begins_before_the_time_that_the_server_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
