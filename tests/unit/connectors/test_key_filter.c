/* test_key_filter.c - globs over any bytes, and who wins. */
#include "connectors/key_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool glob(const char *pattern, const char *text)
{
	return key_glob(pattern, slice_of(text));
}

static void test_star_crosses_slashes(void **state)
{
	(void)state;
	assert_true(glob("*.jpg", "a/b/c.jpg"));
	assert_true(glob("a*c", "a//b\nc"));
	assert_true(glob("*", ""));
	assert_true(glob("**", "x"));
	assert_true(glob("*ab*ab", "abxabyab"));
	assert_false(glob("*.jpg", "a.jpg.txt"));
	assert_false(glob("*.jpg", "a.JPG"));
}

static void test_question_mark_is_one_byte(void **state)
{
	(void)state;
	assert_true(glob("a?c", "a/c"));
	assert_true(glob("??", "\xc3\xa9"));
	assert_false(glob("?", ""));
	assert_false(glob("?", "\xc3\xa9"));
}

static void test_everything_else_is_itself(void **state)
{
	(void)state;
	assert_true(glob("[a]\\{b}", "[a]\\{b}"));
	assert_false(glob("[a]", "a"));
	assert_false(glob("a", "ab"));
	assert_false(glob("ab", "a"));
	assert_true(glob("", ""));
	assert_false(glob("", "a"));
}

static void test_a_nul_in_a_key_ends_nothing(void **state)
{
	(void)state;
	assert_false(key_glob("a", SLICE_LIT("a\0b")));
	assert_true(key_glob("a?b", SLICE_LIT("a\0b")));
	assert_true(key_glob("a*", SLICE_LIT("a\0b")));
}

/* Exponential matchers would not come back from this one. */
static void test_hostile_globs_end(void **state)
{
	char text[1024];
	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(key_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", (struct slice){ text, sizeof(text) }));
}

static void test_exclude_wins_and_no_include_means_all(void **state)
{
	char jpg[] = "*.jpg", raw[] = "raw/*";
	char *include[] = { jpg, NULL }, *exclude[] = { raw, NULL }, *none[] = { NULL };
	(void)state;
	assert_true(key_filter(include, exclude, slice_of("a.jpg")));
	assert_false(key_filter(include, exclude, slice_of("raw/a.jpg")));
	assert_false(key_filter(include, exclude, slice_of("a.png")));
	assert_true(key_filter(none, exclude, slice_of("a.png")));
	assert_true(key_filter(none, none, slice_of("raw/x")));
	assert_true(key_filter(NULL, NULL, slice_of("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_star_crosses_slashes),
		cmocka_unit_test(test_question_mark_is_one_byte),
		cmocka_unit_test(test_everything_else_is_itself),
		cmocka_unit_test(test_a_nul_in_a_key_ends_nothing),
		cmocka_unit_test(test_hostile_globs_end),
		cmocka_unit_test(test_exclude_wins_and_no_include_means_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
