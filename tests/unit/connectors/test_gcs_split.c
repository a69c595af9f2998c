/* test_gcs_split.c - cuts lie between, are made of what keys are made of, and find where the keys are. */
#include "connectors/gcs_split.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *cut(const char *seen, size_t fixed, const char *cursor, const char *end)
{
	static struct buf to;
	struct gcs_alphabet a = { 0 };
	gcs_alphabet_add(&a, slice_of(seen));
	if (!gcs_split(&a, fixed, slice_of(cursor), slice_of(end), &to))
		return NULL;
	assert_true(slice_cmp(buf_slice(&to), slice_of(cursor)) > 0);
	assert_true(end[0] == '\0' || slice_cmp(buf_slice(&to), slice_of(end)) < 0);
	return to.data;
}

static void test_the_middle_of_what_is_left(void **state)
{
	(void)state;
	assert_string_equal(cut("0123456789", 0, "2", ""), "6");
	assert_string_equal(cut("0123456789", 0, "25", "9"), "6");
	assert_string_equal(cut("0123456789", 0, "25", "3"), "28");
	assert_string_equal(cut("0123456789", 2, "a/199", ""), "a/6");
	assert_string_equal(cut("abc/019", 0, "a/001", "b"), "aa");
	assert_string_equal(cut("abc/019", 0, "a/001", "a/1"), "a/0a");
}

static void test_nothing_between(void **state)
{
	(void)state;
	assert_null(cut("0123456789", 0, "9", ""));
	assert_null(cut("0123456789", 0, "1", "2"));
	assert_null(cut("", 0, "abc", ""));
	assert_null(cut("ab", 3, "a/ab", ""));
}

/* A cut goes to the server as text: it must be UTF-8. */
static void test_characters_are_not_cut_through(void **state)
{
	(void)state;
	assert_string_equal(cut("a\xc3\xa9z", 0, "\xc3\xa9" "a", ""), "\xc3\xa9z");
	const char *c = cut("a\xc3\xa9z", 0, "a\xe2\x82\xac" "a", "b");
	assert_true(text_is_utf8(slice_of(c)));
	assert_null(cut("\x01\x7f ", 0, "\x01", ""));
}

static void test_repeated_cuts_reach_the_keys(void **state)
{
	static const char cursor[] = "train/n0144/n0144_0008000.JPEG";
	CLEANUP(buf_done) struct buf end = { 0 };
	int cuts = 0;
	(void)state;
	buf_str(&end, "");
	/* Each cut behind train/n0144/n0144_9... holds nothing. */
	while (end.len == 0 || strncmp(end.data, "train/n0144/n0144_", 18) != 0) {
		const char *c = cut("train/n0144_5678923.JPEG", 0, cursor, end.len ? end.data : "");
		assert_non_null(c);
		end.len = 0;
		buf_str(&end, c);
		cuts++;
	}
	assert_in_range(cuts, 1, 80);
}

static void test_nothing_lies_between_a_cut_and_what_is_before(void **state)
{
	CLEANUP(buf_done) struct buf before = { 0 };
	(void)state;
	gcs_before(SLICE_LIT("abc"), &before);
	assert_string_equal(before.data, "abb\xff");
	assert_true(slice_cmp(buf_slice(&before), SLICE_LIT("abc")) < 0);
	assert_true(slice_cmp(buf_slice(&before), SLICE_LIT("abb\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_middle_of_what_is_left),
		cmocka_unit_test(test_nothing_between),
		cmocka_unit_test(test_characters_are_not_cut_through),
		cmocka_unit_test(test_repeated_cuts_reach_the_keys),
		cmocka_unit_test(test_nothing_lies_between_a_cut_and_what_is_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
