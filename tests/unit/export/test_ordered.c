/* test_ordered.c - entries come back in the order of manifests and lines, the rest in the order in which they came. */
#include "daemon/base/cleanup.h"
#include "daemon/export/ordered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

CLEANUP_FN(struct ordered *, ordered_free)

/* import 0: an entry that no manifest named. */
static void add(struct ordered *o, uint64_t import, uint64_t line, const char *text)
{
	struct err err;
	const struct import_row row = { .import = import, .line = line };
	const struct item_full entry = { .rows = &row, .row_count = import > 0 };
	assert_int_equal(ordered_add(o, &entry, slice_of(text), &err), 0);
}

static void expect_all(struct ordered *o, size_t bytes, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err err;
	int more = 1;
	buf_str(&text, "");
	while (more > 0)
		more = ordered_next(o, bytes, &text, &err);
	assert_int_equal(more, 0);
	assert_string_equal(text.data, expected);
}

static void test_manifests_lines_and_then_the_rest(void **state)
{
	(void)state;
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/tmp");
	add(o, 0, 0, "z");
	add(o, 2, 1, "d");
	add(o, 1, 300, "c"); /* behind line 9, as numbers and not as text */
	add(o, 1, 9, "b");
	add(o, 0, 0, "y");
	add(o, 256, 1, "e");
	add(o, 1, 1, "a");
	expect_all(o, 1 << 20, "abcdezy");
}

/* Rows of one line, as those of a one-line JSON, keep their order. */
static void test_equal_lines_stay_as_they_came(void **state)
{
	(void)state;
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/tmp");
	for (char c = 'a'; c <= 'z'; c++)
		add(o, 1, 1, (char[]){ c, '\0' });
	expect_all(o, 1 << 20, "abcdefghijklmnopqrstuvwxyz");
}

static void test_nothing(void **state)
{
	(void)state;
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/nonexistent"); /* its file is not made for nothing */
	expect_all(o, 1, "");
}

/* An entry is whole in one piece, whatever the piece's size. */
static void test_in_pieces(void **state)
{
	(void)state;
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/tmp");
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err err;
	add(o, 1, 2, "second");
	add(o, 1, 1, "first");
	assert_int_equal(ordered_next(o, 1, &text, &err), 1);
	assert_string_equal(text.data, "first");
	assert_int_equal(ordered_next(o, 1, &text, &err), 0);
	assert_string_equal(text.data, "firstsecond");
	assert_int_equal(ordered_next(o, 1, &text, &err), 0);
	assert_string_equal(text.data, "firstsecond");
}

static void test_more_than_memory_holds(void **state)
{
	(void)state;
	enum { ENTRIES = 40000, BYTES = 2000 };
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/tmp");
	CLEANUP(buf_done) struct buf text = { 0 };
	static char entry[BYTES];
	struct err err;
	memset(entry, '.', BYTES - 1);
	for (uint64_t i = ENTRIES; i > 0; i--) {
		(void)snprintf(entry, sizeof(entry), "%08llu", (unsigned long long)i);
		entry[8] = '.';
		add(o, 1 + i / 1000, i % 1000, entry);
	}
	uint64_t seen = 0;
	for (int more = 1; more > 0;) {
		text.len = 0;
		more = ordered_next(o, 64 << 10, &text, &err);
		assert_true(more >= 0 && text.len <= (64 << 10) + BYTES && text.len % (BYTES - 1) == 0);
		for (size_t at = 0; at < text.len; at += BYTES - 1)
			assert_int_equal(strtoull(text.data + at, NULL, 10), ++seen);
	}
	assert_int_equal(seen, ENTRIES);
}

static void test_a_folder_that_is_not_there_is_named(void **state)
{
	(void)state;
	CLEANUP(ordered_freep) struct ordered *o = ordered_new("/nonexistent");
	const struct item_full entry = { .row_count = 0 };
	struct err err;
	assert_int_equal(ordered_add(o, &entry, SLICE_LIT("x"), &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "temporary file in '/nonexistent'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifests_lines_and_then_the_rest),
		cmocka_unit_test(test_equal_lines_stay_as_they_came),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_in_pieces),
		cmocka_unit_test(test_more_than_memory_holds),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
