/* test_table.c - aligned columns: widths, alignment, streaming, and names that try to drive the terminal. */
#include "daemon/base/cleanup.h"
#include "daemon/cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int to_buf(void *arg, struct slice text, struct err *err)
{
	(void)err;
	buf_add(arg, text.p, text.len);
	return 0;
}

static const char *const titles[] = { "NAME", ">N", "LAST", NULL };

static void row(struct table *t, const char *name, const char *n, const char *last)
{
	struct err err;
	const struct slice cells[] = { slice_of(name), slice_of(n), slice_of(last) };
	assert_int_equal(table_row(t, cells, &err), 0);
}

static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	row(t, "a", "1", "x");
	row(t, "longer name", "1000", "y");
	assert_int_equal(table_end(t, &err), 0);
	assert_string_equal(text.data, "NAME            N  LAST\n"
				       "a               1  x\n"
				       "longer name  1000  y\n");
}

static void test_characters_not_bytes(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	row(t, "größe", "1", "x");
	row(t, "abcde", "2", "y");
	assert_int_equal(table_end(t, &err), 0);
	assert_string_equal(text.data, "NAME   N  LAST\ngröße  1  x\nabcde  2  y\n");
}

static void test_one_long_name_does_not_move_every_line(void **state)
{
	(void)state;
	struct err err;
	char name[1025];
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	row(t, name, "1", "x");
	row(t, "a", "2", "y");
	assert_int_equal(table_end(t, &err), 0);
	assert_non_null(strstr(text.data, name));
	assert_int_equal(strlen(strrchr(text.data, 'k')), strlen("k  1  x\n") + TABLE_WIDTH_MAX + strlen("  2  y\n"));
}

static void test_no_rows_no_titles(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	assert_int_equal(table_end(t, &err), 0);
	assert_int_equal(text.len, 0);
}

static void test_names_cannot_drive_the_terminal(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	row(t, "\033]0;owned\a\n", "1", "it's \"fine\" \xff");
	assert_int_equal(table_end(t, &err), 0);
	assert_null(strchr(text.data, '\033'));
	assert_non_null(strstr(text.data, "\\x1b]0;owned\\x07\\x0a"));
	assert_non_null(strstr(text.data, "it's \"fine\" \\xff\n"));
}

static void test_rows_stream_once_widths_are_known(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, false, to_buf, &text);
	for (int i = 1; i < TABLE_HELD_ROWS; i++)
		row(t, "abc", "1", "x");
	assert_int_equal(text.len, 0);
	row(t, "abc", "1", "x");
	size_t written = text.len;
	assert_true(written > 0);
	row(t, "wider than before", "1", "x");
	assert_string_equal(text.data + written, "wider than before  1  x\n");
	assert_int_equal(table_end(t, &err), 0);
}

static void test_colour_wraps_titles_only(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(table_freep) struct table *t = table_new(titles, true, to_buf, &text);
	row(t, "a", "1", "x");
	assert_int_equal(table_end(t, &err), 0);
	assert_string_equal(text.data, "\033[1mNAME  N  LAST\033[0m\na     1  x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(test_characters_not_bytes),
		cmocka_unit_test(test_one_long_name_does_not_move_every_line),
		cmocka_unit_test(test_no_rows_no_titles),
		cmocka_unit_test(test_names_cannot_drive_the_terminal),
		cmocka_unit_test(test_rows_stream_once_widths_are_known),
		cmocka_unit_test(test_colour_wraps_titles_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
