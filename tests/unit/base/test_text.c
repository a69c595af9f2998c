/* test_text.c - conversions of text: hex, base64, UTF-8, numbers, printable keys, did-you-mean. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_hex_there_and_back(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 0x00, 0x9f, 0xff, 0x0a };
	char hex[2 * sizeof(bytes) + 1];
	text_hex(bytes, sizeof(bytes), hex);
	assert_string_equal(hex, "009fff0a");
	uint8_t back[sizeof(bytes)] = { 0 };
	assert_int_equal(text_unhex(slice_of(hex), back, sizeof(back)), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_int_equal(text_unhex(slice_of("009FFF0A"), back, sizeof(back)), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void test_unhex_refuses_and_leaves_untouched(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", "0", "0011", "001", "00112", "00112g", "0x1122", " 01122", "0011 2" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t bytes[3] = { 7, 7, 7 };
		assert_int_equal(text_unhex(slice_of(wrong[i]), bytes, sizeof(bytes)), -1);
		assert_memory_equal(bytes, "\7\7\7", 3);
	}
}

static void test_base64_of_rfc4648(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "", "" },         { "f", "Zg==" },         { "fo", "Zm8=" },         { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(buf_done) struct buf back = { 0 };
		text_base64(&text, slice_of(pairs[i][0]));
		assert_true(slice_eq(buf_slice(&text), slice_of(pairs[i][1])));
		assert_int_equal(text_unbase64(&back, buf_slice(&text)), 0);
		assert_true(slice_eq(buf_slice(&back), slice_of(pairs[i][0])));
	}
}

static void test_base64_of_every_byte(void **state)
{
	(void)state;
	char bytes[256];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(buf_done) struct buf back = { 0 };
		text_base64(&text, (struct slice){ bytes, n });
		assert_int_equal(text_unbase64(&back, buf_slice(&text)), 0);
		assert_true(slice_eq(buf_slice(&back), (struct slice){ bytes, n }));
	}
}

static void test_unbase64_is_strict(void **state)
{
	(void)state;
	static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9",
					     "Zm9v\n", "Zm_v", "=m9v", "Zm=v" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CLEANUP(buf_done) struct buf to = { 0 };
		buf_str(&to, "kept");
		assert_int_equal(text_unbase64(&to, slice_of(wrong[i])), -1);
		assert_true(slice_eq(buf_slice(&to), SLICE_LIT("kept")));
	}
	CLEANUP(buf_done) struct buf to = { 0 };
	assert_int_equal(text_unbase64(&to, SLICE_LIT("Zm\0v")), -1);
}

static void test_utf8_accepts_the_edges_of_each_length(void **state)
{
	(void)state;
	static const char *const right[] = { "", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
					     "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
					     "long enough for eight at a time, then \xc3\xa9 and on" };
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_true(text_is_utf8(slice_of(right[i])));
	assert_true(text_is_utf8(SLICE_LIT("a\0b")));
}

static void test_utf8_refuses_what_table_3_7_leaves_out(void **state)
{
	(void)state;
	static const char *const wrong[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
					     "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf", "\xf0\x8f\xbf\xbf",
					     "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82\x41",
					     "long enough for eight at a time, then \xe9 and on" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_is_utf8(slice_of(wrong[i])));
}

static void test_u64_reads_the_whole_range(void **state)
{
	(void)state;
	uint64_t n = 7;
	assert_int_equal(text_u64(slice_of("0"), &n), 0);
	assert_true(n == 0);
	assert_int_equal(text_u64(slice_of("18446744073709551615"), &n), 0);
	assert_true(n == UINT64_MAX);
	static const char *const wrong[] = { "", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "1.0",
					     "0x1" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(text_u64(slice_of(wrong[i]), &n), -1);
		assert_true(n == UINT64_MAX);
	}
}

static void test_printable_keeps_text_and_escapes_the_rest(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	text_printable(&to, SLICE_LIT("caf\xc3\xa9 \xe2\x82\xac"));
	assert_string_equal(to.data, "caf\xc3\xa9 \xe2\x82\xac");
	to.len = 0;
	text_printable(&to, SLICE_LIT("a\nb\x1b[m\"'\\\x7f\xff\xc2\x9b\0z\xe2\x82"));
	assert_string_equal(to.data, "a\\x0ab\\x1b[m\\x22\\x27\\x5c\\x7f\\xff\\xc2\\x9b\\x00z\\xe2\\x82");
}

static void test_shown_keeps_the_end_of_a_long_key(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	char key[201] = "";
	for (size_t i = 0; i < 200; i += 2)
		memcpy(key + i, "\xc3\xa9", 2);
	text_shown(&to, SLICE_LIT("short\n"));
	assert_string_equal(to.data, "short\\x0a");
	to.len = 0;
	text_shown(&to, (struct slice){ key, 200 });
	assert_int_equal(to.len, 3 + 80);
	assert_memory_equal(to.data, "...\xc3\xa9", 5);
	key[199] = 'e'; /* broken: the end is longer, and its first character whole all the same */
	to.len = 0;
	text_shown(&to, (struct slice){ key, 200 });
	assert_true(to.len <= 3 + 80 && text_is_utf8(buf_slice(&to)));
	to.len = 0;
	text_shown(&to, SLICE_LIT(""));
	assert_int_equal(to.len, 0);
}

static void test_nearest_finds_slips_only(void **state)
{
	(void)state;
	static const char *const options[] = { "settle", "store", "path", "reconcile", "on", NULL };
	assert_string_equal(text_nearest("setle", options), "settle");
	assert_string_equal(text_nearest("settel", options), "settle");
	assert_string_equal(text_nearest("reconsile", options), "reconcile");
	assert_string_equal(text_nearest("path", options), "path");
	assert_null(text_nearest("colour", options));
	assert_null(text_nearest("xy", options));
	assert_null(text_nearest("", options));
	char long_word[200];
	memset(long_word, 's', sizeof(long_word));
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(text_nearest(long_word, options));
}

static void test_percent_encodes_all_but_unreserved(void **state)
{
	CLEANUP(buf_done) struct buf b = { 0 };
	(void)state;
	text_percent(&b, SLICE_LIT("aZ09-._~ /+%\0\xc3\xa9"));
	assert_string_equal(b.data, "aZ09-._~%20%2F%2B%25%00%C3%A9");
	text_percent(&b, SLICE_LIT(""));
	assert_int_equal(b.len, 29);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_there_and_back),
		cmocka_unit_test(test_unhex_refuses_and_leaves_untouched),
		cmocka_unit_test(test_base64_of_rfc4648),
		cmocka_unit_test(test_base64_of_every_byte),
		cmocka_unit_test(test_unbase64_is_strict),
		cmocka_unit_test(test_utf8_accepts_the_edges_of_each_length),
		cmocka_unit_test(test_utf8_refuses_what_table_3_7_leaves_out),
		cmocka_unit_test(test_u64_reads_the_whole_range),
		cmocka_unit_test(test_printable_keeps_text_and_escapes_the_rest),
		cmocka_unit_test(test_shown_keeps_the_end_of_a_long_key),
		cmocka_unit_test(test_nearest_finds_slips_only),
		cmocka_unit_test(test_percent_encodes_all_but_unreserved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
