/* test_http_date.c - the three date forms, and what is none, under a locale and time zone that would read them otherwise. */
#include "daemon/net/http_date.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define NOW 1764000000000 /* 24 Nov 2025 */

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777000 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777000 },
		{ "Sun Nov  6 08:49:37 1994", 784111777000 },
		{ "Wed Nov 16 08:49:37 1994", 784975777000 },
		{ "Tue, 24 Nov 2026 00:00:00 GMT", 1795478400000 },
		{ "Tuesday, 24-Nov-26 00:00:00 GMT", 1795478400000 },
		{ "Thursday, 01-Jan-70 00:00:01 GMT", 3155760001000 }, /* 2070: 45 years ahead */
		{ "Friday, 01-Jan-99 00:00:00 GMT", 915148800000 },
		{ "Fri, 29 Feb 2028 12:00:00 GMT", 1835438400000 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 }, { "Wed, 31 Dec 1969 23:59:59 GMT", 0 }, { "Sun, 30 Feb 2025 00:00:00 GMT", 0 },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", 0 }, { "Sun, 32 Nov 1994 08:49:37 GMT", 0 }, { "Sun, 06 Nov 1994 24:00:00 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:60:00 GMT", 0 }, { "Sun, 06 Nov 1994 08:49:37 CET", 0 }, { "Sun, 06 Nov 1994 08:49:37", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", 0 }, { "Sun, 6 Nov 1994 08:49:37 GMT", 0 }, { "Sun, 06 nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov -994 08:49:37 GMT", 0 }, { "06 Nov 1994 08:49:37 GMT", 0 }, { "1994-11-06T08:49:37Z", 0 }, { "", 0 },
		{ "0", 0 }, { ",", 0 }, { "Sun, ", 0 }, { "Sun Nov", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = http_date_ms(slice_of(rows[i].text), NOW);
		if (ms != rows[i].ms)
			fail_msg("'%s' is %lld", rows[i].text, (long long)ms);
	}
	assert_int_equal(http_date_ms((struct slice){ NULL, 0 }, NOW), 0);
}

static void test_retry_after(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} rows[] = {
		{ "120", 120000 }, { "0", 0 }, { "86400", HTTP_WAIT_MAX_MS }, { "999999999999", HTTP_WAIT_MAX_MS }, { "-1", 0 },
		{ "1.5", 0 }, { "soon", 0 }, { "", 0 }, { "Mon, 24 Nov 2025 16:00:05 GMT", 5000 },
		{ "Mon, 24 Nov 2025 15:59:55 GMT", 0 }, { "Thu, 24 Nov 2039 16:00:00 GMT", HTTP_WAIT_MAX_MS },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t ms = http_retry_after_ms(slice_of(rows[i].text), NOW);
		if (ms != rows[i].ms)
			fail_msg("'%s' is %u", rows[i].text, ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dates), cmocka_unit_test(test_retry_after) };
	(void)setenv("TZ", "Pacific/Kiritimati", 1);
	tzset();
	(void)setlocale(LC_ALL, "tr_TR.UTF-8"); /* where it is there */
	return cmocka_run_group_tests_name("http_date", tests, NULL, NULL);
}
