/* test_iso_time.c - times as services write them. */
#include "daemon/base/iso_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "1970-01-01T00:00:01Z", 1000 }, { "2026-11-25T08:50:50Z", 1795596650000 },
		{ "2026-11-25T09:50:50.123456+01:00", 1795596650000 }, { "2026-11-25T03:20:50-0530", 1795596650000 } };
	static const char *const bad[] = { "", "2026-11-25", "2026-11-25T08:50:50", "2026-13-25T08:50:50Z", "2026-11-25T08:50:50Zx",
		"2026-11-25 08:50:50Z", "2026-11-25T08:50:50+1", "+026-11-25T08:50:50Z", "2026-11-25T08:60:50Z",
		"2026-11-25T08:50:61Z", "yesterday" };
	int64_t ms;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(iso_time_parse(slice_of(good[i].text), &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(iso_time_parse(slice_of(bad[i]), &ms), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_times) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
