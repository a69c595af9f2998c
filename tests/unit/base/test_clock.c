/* test_clock.c - clocks agree with the kernel's, backoff stays in its range and spreads. */
#include "daemon/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_monotonic_never_goes_back(void **state)
{
	(void)state;
	uint64_t last = clock_mono_ns();
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_mono_ns();
		assert_true(now >= last);
		last = now;
	}
}

static void test_wall_units_agree(void **state)
{
	(void)state;
	int64_t seconds = (int64_t)time(NULL); /* a coarse clock: may lag by a tick */
	int64_t ms = clock_wall_ms();
	assert_true(ms / 1000 >= seconds);
	assert_true((int64_t)(clock_wall_ns() / NS_PER_MS) >= ms);
}

static void test_spec_splits_seconds(void **state)
{
	(void)state;
	struct timespec spec = clock_spec(5 * NS_PER_SEC + 7);
	assert_true(spec.tv_sec == 5 && spec.tv_nsec == 7);
}

static void test_backoff_doubles_up_to_its_cap(void **state)
{
	(void)state;
	static const struct { uint32_t attempts; uint64_t base, cap, most; } rows[] = {
		{ 0, 1000, 1800000, 1000 },    { 1, 1000, 1800000, 2000 },       { 10, 1000, 1800000, 1024000 },
		{ 11, 1000, 1800000, 1800000 }, { UINT32_MAX, 1000, 1800000, 1800000 }, { 0, 5000, 1000, 1000 },
		{ UINT32_MAX, 1, UINT64_MAX, UINT64_MAX }, { 3, 0, 1000, 0 }, { UINT32_MAX, 0, 1000, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int n = 0; n < 200; n++) {
			uint64_t wait = backoff_ms(rows[i].attempts, rows[i].base, rows[i].cap);
			assert_true(wait <= rows[i].most && wait >= rows[i].most / 4);
		}
	}
}

static void test_backoff_spreads(void **state)
{
	(void)state;
	int low = 0;
	int high = 0;
	for (int i = 0; i < 1000; i++) { /* each half stays empty by chance once in 2^1000 */
		uint64_t wait = backoff_ms(0, 4000, 4000);
		low += wait < 2500;
		high += wait >= 2500;
	}
	assert_true(low > 0 && high > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monotonic_never_goes_back),
		cmocka_unit_test(test_wall_units_agree),
		cmocka_unit_test(test_spec_splits_seconds),
		cmocka_unit_test(test_backoff_doubles_up_to_its_cap),
		cmocka_unit_test(test_backoff_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
