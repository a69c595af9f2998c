/* test_ledger.c - walks over the ledger: keys of any length in byte order, names of trees, what a name is now. */
#include "tests/unit/store/index_fixture.h"

/* Bucket keys: their byte order is kept, whatever their length. */

static int by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static struct slice make_key(char fill, size_t len, const char *tail)
{
	size_t tail_len = strlen(tail);
	char *p = mem_zero(1, len + tail_len + 1);
	memset(p, fill, len);
	memcpy(p + len, tail, tail_len);
	return (struct slice){ p, len + tail_len };
}

/* From every key on, the walk shows exactly the keys behind it. */
static void assert_walks(struct index *x, const struct slice *keys, size_t n)
{
	for (size_t from = 0; from <= n; from++) {
		struct ledger_walk *w;
		struct ledger_row row;
		struct slice after = from > 0 ? keys[from - 1] : S("");
		assert_int_equal(view_walk(index_view(x), S("bucket"), LAYOUT_FLAT, S(""), after, &w, &x->err), 0);
		for (size_t i = from; i < n; i++) {
			assert_int_equal(ledger_next(w, &row, &x->err), 1);
			assert_true(slice_eq(row.name, keys[i]));
		}
		assert_int_equal(ledger_next(w, &row, &x->err), 0);
		ledger_close(w);
	}
}

static void test_flat_keys_of_any_length_keep_their_order(void **state)
{
	struct index *x = *state;
	struct slice keys[] = { S("x"), S("x/y"), S("x\0y"), S("a//b/"), S("\xff\xff"), S("~"), make_key('k', 479, ""),
		make_key('k', 480, ""), make_key('k', 480, "a"), make_key('k', 480, "\xff"), make_key('k', 480, "b/c"),
		make_key('k', 481, ""), make_key('k', 479, "z"), make_key('k', 479, "\xff"), make_key('k', 960, ""),
		make_key('k', 960, "x"), make_key('k', 1024, ""), make_key('\xff', 1024, ""), make_key('\xff', 480, ""),
		make_key('\xff', 481, "") };
	size_t n = sizeof(keys) / sizeof(*keys);
	two_items(x);
	for (size_t i = 0; i < n; i++)
		index_apply(x, flat_record(keys[i], i + 1, 1));
	for (size_t i = 0; i < n; i++) {
		struct slice source, key;
		struct ledger_row row;
		assert_int_equal(view_object(index_view(x), S("bucket"), LAYOUT_FLAT, keys[i], &row, &x->err), 1);
		assert_int_equal(row.object, i + 1);
		assert_true(slice_eq(row.name, keys[i]));
		assert_int_equal(view_object_by_number(x->view, i + 1, &source, &key, &row, &x->err), 1);
		assert_slice(source, "bucket");
		assert_true(slice_eq(key, keys[i]));
	}
	struct ledger_row row;
	struct slice no = make_key('k', 970, "");
	assert_int_equal(view_object(x->view, S("bucket"), LAYOUT_FLAT, no, &row, &x->err), 0);
	struct slice kept[sizeof(keys) / sizeof(*keys)];
	memcpy(kept, keys, sizeof(keys));
	qsort(kept, n, sizeof(*kept), by_bytes);
	assert_walks(x, kept, n);
	struct ledger_walk *w; /* from a long key that is not there */
	assert_int_equal(view_walk(x->view, S("bucket"), LAYOUT_FLAT, S(""), no, &w, &x->err), 0);
	assert_int_equal(ledger_next(w, &row, &x->err), 1);
	assert_int_equal(row.name.len, 1024);
	assert_true(row.name.p[0] == 'k');
	ledger_close(w);
	for (size_t i = 6; i < n; i++)
		free((char *)keys[i].p);
	free((char *)no.p);
}

static void test_tree_names_of_any_length_work(void **state)
{
	struct index *x = *state;
	struct slice long_dir = make_key('d', 700, "/file"), long_file = make_key('f', 1000, "");
	struct slice source, key;
	struct ledger_row row;
	struct ledger_walk *w;
	two_items(x);
	index_apply(x, object_record(long_dir.p, "v", 1, 1));
	index_apply(x, object_record(long_file.p, "v", 2, 1));
	assert_int_equal(view_object_by_number(index_view(x), 1, &source, &key, &row, &x->err), 1);
	assert_true(slice_eq(key, long_dir));
	assert_int_equal(object_now(x, long_file.p, &row), 1);
	struct slice dir = { long_dir.p, 700 };
	char dir_name[701];
	(void)snprintf(dir_name, sizeof(dir_name), "%s", long_dir.p);
	assert_place(x, "", 2, (const char *[]){ dir_name, long_file.p }, (const char *[]){ "/", "v" });
	assert_int_equal(view_walk(index_view(x), S("drop"), LAYOUT_TREE, S(""), S(""), &w, &x->err), 0);
	assert_int_equal(ledger_next(w, &row, &x->err), 1);
	assert_true(row.directory && slice_eq(row.name, dir));
	assert_int_equal(ledger_next(w, &row, &x->err), 1);
	assert_true(!row.directory && slice_eq(row.name, long_file));
	ledger_close(w);
	index_apply(x, gone_record("", true));
	assert_true(source_now(x).gone == 2 && source_now(x).present == 0);
	assert_place(x, "", 0, NULL, NULL);
	free((char *)long_dir.p);
	free((char *)long_file.p);
}

static void test_walk_shows_what_a_name_is_now(void **state)
{
	struct index *x = *state;
	/* b was a file, now it is a directory; d was a directory, now it is a file */
	static const char *const expected[] = { "a", "b", "b-c", "d" };
	struct ledger_walk *w;
	struct ledger_row row;
	two_items(x);
	index_apply(x, object_record("p/b", "v", 1, 1));
	index_apply(x, gone_record("p/b", false));
	index_apply(x, object_record("p/b/inner", "v", 2, 1));
	index_apply(x, object_record("p/b-c", "v", 3, 1));
	index_apply(x, object_record("p/a", "v", 4, 1));
	index_apply(x, object_record("p/d/inner", "v", 5, 1));
	index_apply(x, gone_record("p/d", true));
	index_apply(x, object_record("p/d", "v", 7, 1));
	index_apply(x, object_record("p-after", "v", 6, 1));
	assert_int_equal(view_walk(index_view(x), S("drop"), LAYOUT_TREE, S("p"), S(""), &w, &x->err), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ledger_next(w, &row, &x->err), 1);
		assert_slice(row.name, expected[i]);
		assert_int_equal(row.directory, i == 1);
		assert_int_equal(row.state, OBJECT_PRESENT);
	}
	assert_int_equal(ledger_next(w, &row, &x->err), 0);
	ledger_close(w);
	assert_int_equal(view_walk(x->view, S("drop"), LAYOUT_TREE, S("p"), S("b"), &w, &x->err), 0);
	assert_int_equal(ledger_next(w, &row, &x->err), 1);
	assert_slice(row.name, "b-c");
	ledger_close(w);
	assert_int_equal(view_walk(x->view, S("drop"), LAYOUT_TREE, S("nowhere"), S(""), &w, &x->err), 0);
	assert_int_equal(ledger_next(w, &row, &x->err), 0);
	ledger_close(w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_flat_keys_of_any_length_keep_their_order),
		T(test_tree_names_of_any_length_work),
		T(test_walk_shows_what_a_name_is_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
