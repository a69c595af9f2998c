/* test_onnx_cerr.c - what ONNX says is passed on, but for operators that are registered twice at one place. */
#include "daemon/infer/onnx_cerr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALARM "Schema error: Trying to register schema with name Abs (domain:  version: 1) from file ./onnx/defs/math/old.cc line 17, "
#define SAME ALARM "but it is already registered from file ./onnx/defs/math/old.cc line 17\n\n"
#define OTHER ALARM "but it is already registered from file ./onnx/defs/math/old.cc line 170\n\n"

/* What comes through when text is said in pieces of `piece` bytes: the caller's, to free(). */
static char *said(const char *text, size_t piece)
{
	FILE *to = tmpfile();
	assert_non_null(to);
	FILE *f = onnx_cerr_open(fileno(to));
	assert_non_null(f);
	for (size_t at = 0, len = strlen(text); at < len; at += piece)
		assert_true(fwrite(text + at, 1, at + piece < len ? piece : len - at, f) > 0);
	assert_int_equal(fclose(f), 0);
	off_t size = lseek(fileno(to), 0, SEEK_END);
	char *got = calloc(1, (size_t)size + 1);
	assert_non_null(got);
	assert_int_equal(pread(fileno(to), got, (size_t)size, 0), size);
	(void)fclose(to);
	return got;
}

static void expect(const char *text, const char *through)
{
	static const size_t pieces[] = { 1, 2, 7, 52, 1000, 100000 };
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		char *got = said(text, pieces[i]);
		assert_string_equal(got, through);
		free(got);
	}
}

static void test_the_false_alarm_and_its_empty_line_are_left_out(void **state)
{
	(void)state;
	expect(SAME, "");
	expect(SAME SAME SAME, "");
	expect("before\n" SAME "after\n", "before\nafter\n");
}

static void test_two_operators_of_one_name_are_said(void **state)
{
	(void)state;
	expect(OTHER, OTHER);
	expect(SAME OTHER SAME, OTHER);
}

static void test_everything_else_is_said(void **state)
{
	(void)state;
	expect("Schema error: Operator 'Abs' has no input\n", "Schema error: Operator 'Abs' has no input\n");
	expect("\n\nSchema\n\n", "\n\nSchema\n\n");
	expect("no end of line", "no end of line");
	expect("Schema error: Try", "Schema error: Try");
	expect(SAME "\n\n", "\n\n");
}

static void test_a_line_without_end_is_not_held_back(void **state)
{
	(void)state;
	char text[5000];
	memset(text, 'x', sizeof(text));
	memcpy(text, ALARM, sizeof(ALARM) - 1);
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	expect(text, text);
}

static void test_what_is_no_alarm_is_passed_on_before_its_line_ends(void **state)
{
	(void)state;
	FILE *to = tmpfile();
	assert_non_null(to);
	FILE *f = onnx_cerr_open(fileno(to));
	assert_non_null(f);
	assert_true(fputs("Sch", f) >= 0);
	assert_int_equal(lseek(fileno(to), 0, SEEK_END), 0);
	assert_true(fputs("ade", f) >= 0);
	assert_int_equal(lseek(fileno(to), 0, SEEK_END), 6);
	assert_int_equal(fclose(f), 0);
	(void)fclose(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_false_alarm_and_its_empty_line_are_left_out),
		cmocka_unit_test(test_two_operators_of_one_name_are_said),
		cmocka_unit_test(test_everything_else_is_said),
		cmocka_unit_test(test_a_line_without_end_is_not_held_back),
		cmocka_unit_test(test_what_is_no_alarm_is_passed_on_before_its_line_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
