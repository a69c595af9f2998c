/* test_buf.c - the growing buffer stays terminated, keeps what it holds, and hands it over. */
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_appends_in_order(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	buf_str(&b, "a");
	buf_char(&b, ':');
	buf_add(&b, "b\0c", 3);
	buf_add(&b, NULL, 0);
	buf_printf(&b, "%s-%d", "x", 5);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("a:b\0cx-5")));
	assert_int_equal(b.data[b.len], '\0');
}

static void test_decimals_of_every_length(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	for (uint64_t n = 1, shift = 0; shift < 64; shift++, n = 1ULL << (shift & 63)) {
		char expected[32];
		(void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)n);
		b.len = 0;
		buf_u64(&b, n);
		assert_string_equal(b.data, expected);
	}
	b.len = 0;
	buf_u64(&b, 0);
	buf_u64(&b, UINT64_MAX);
	assert_string_equal(b.data, "018446744073709551615");
}

static void test_grows_far_and_stays_terminated(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	for (size_t i = 0; i < 100000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		assert_int_equal(b.data[i + 1], '\0');
	}
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
}

static void test_take_gives_the_string_away(void **state)
{
	(void)state;
	struct buf b = { 0 };
	CLEANUP(freep) char *empty = buf_take(&b);
	assert_string_equal(empty, "");
	buf_str(&b, "mine");
	CLEANUP(freep) char *s = buf_take(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends_in_order),
		cmocka_unit_test(test_decimals_of_every_length),
		cmocka_unit_test(test_grows_far_and_stays_terminated),
		cmocka_unit_test(test_take_gives_the_string_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
