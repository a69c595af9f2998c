/* test_group.c - neighbouring rows of one picture: one row to the store, which tells all of them where its bytes cannot be had. */
#include "daemon/sender/group.h"

#include "daemon/model/import_body.h"
#include "tests/unit/manifest/fixture.h"

#include <stdio.h>

#define BOX(n) "https://h/a.jpg,cat," #n "," #n "," #n "5," #n "5\n"
#define HEADER "image,label,xmin,ymin,xmax,ymax\n"

/* The rows of a list that its first group takes in; the group is the caller's. */
static size_t gather(struct slice list, struct import_group **ret)
{
	struct feed f = { .text = list, .piece = SIZE_MAX };
	struct manifest_columns columns = { .of = { [ROLE_URL] = "image" } };
	struct manifest_options o = { .spool = -1, .name = "M.csv", .columns = &columns };
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	struct err err;
	size_t n = 1;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), 0);
	assert_int_equal(manifest_next(m, &row, &failure, &err), 1);
	*ret = group_new(m, &row);
	while (manifest_next(m, &row, &failure, &err) == 1 && group_add(*ret, m, &row))
		n++;
	return n;
}

/* "2:https://h/a.jpg,cat,… 3:…": the rows that the origin of a group tells, which is as the store takes it. */
static void say_origin(const struct import_group *g, struct buf *to)
{
	CLEANUP(buf_done) struct buf origin = { 0 }, kept = { 0 };
	struct import_failure first, further;
	struct reader r, s;
	struct err err;
	group_origin(g, &origin);
	assert_int_equal(import_failure_write(buf_slice(&origin), &kept, &err), 0);
	assert_true(kept.len <= IMPORT_FAILURE_MAX);
	assert_int_equal(import_failure_read(buf_slice(&kept), &r, &first, &err), 0);
	assert_true(slice_eq(first.url, SLICE_LIT("https://h/a.jpg")));
	buf_printf(to, "%.*s", (int)first.raw.len, first.raw.p);
	while (import_failure_next(&first.more, &s, &further)) {
		assert_true(further.values.len > 0);
		buf_printf(to, " %llu:%.*s", (unsigned long long)further.line, (int)further.raw.len, further.raw.p);
		reader_done(&s);
	}
	reader_done(&r);
}

static void test_all_rows_are_told(void **state)
{
	struct import_group *g;
	CLEANUP(buf_done) struct buf said = { 0 };
	(void)state;
	assert_int_equal(gather(SLICE_LIT(HEADER BOX(1) BOX(2) BOX(3) "https://h/b.jpg,dog,1,1,2,2\n"), &g), 3);
	say_origin(g, &said);
	assert_string_equal(said.data, "https://h/a.jpg,cat,1,1,15,15 3:https://h/a.jpg,cat,2,2,25,25 4:https://h/a.jpg,cat,3,3,35,35");
	group_free(g);
	said.len = 0;
	assert_int_equal(gather(SLICE_LIT(HEADER BOX(1)), &g), 1);
	say_origin(g, &said);
	assert_string_equal(said.data, "https://h/a.jpg,cat,1,1,15,15");
	group_free(g);
}

static void test_a_group_is_as_long_as_can_be_kept(void **state)
{
	enum { ROWS = 5000 };
	CLEANUP(buf_done) struct buf list = { 0 }, said = { 0 };
	struct import_group *g;
	(void)state;
	buf_str(&list, HEADER);
	for (int i = 0; i < ROWS; i++)
		buf_str(&list, BOX(7));
	size_t n = gather(buf_slice(&list), &g);
	assert_in_range(n, 500, ROWS - 1);
	say_origin(g, &said);
	size_t told = 1;
	for (size_t i = 0; i < said.len; i++)
		told += said.data[i] == ' ';
	assert_int_equal(told, n);
	group_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_rows_are_told),
		cmocka_unit_test(test_a_group_is_as_long_as_can_be_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
