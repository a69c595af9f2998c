/* test_view.c - the read side: snapshots, walks in order, and views over a transaction under way. */
#include "tests/unit/store/index_fixture.h"

static void items(struct index *x, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		index_apply(x, item_record(i, i));
}

static void test_view_keeps_its_snapshot_until_renewed(void **state)
{
	struct index *x = *state;
	struct view *v;
	struct item it;
	x->revision = 3;
	items(x, 1, 1);
	index_commit(x);
	assert_int_equal(view_open_kv(x->kv, &v, &x->err), 0);
	assert_int_equal(view_revision(v), 3);
	items(x, 2, 2);
	index_commit(x);
	assert_int_equal(view_item(v, 2, &it, &x->err), 0);
	assert_int_equal(view_renew(v, &x->err), 0);
	assert_int_equal(view_item(v, 2, &it, &x->err), 1);
	assert_int_equal(view_revision(v), 4);
	view_close(v);
}

/* While a snapshot is held, the pages that later commits free cannot be used again and the file grows. */
static void churn(struct index *x)
{
	for (int i = 0; i < 300; i++) {
		struct key k;
		char value[1500] = { (char)i };
		for (uint64_t n = 0; n < 20; n++)
			assert_int_equal(kv_put(index_txn(x), TABLE_DERIVED, key_item(&k, n),
						 (struct slice){ value, sizeof(value) }),
				0);
		index_commit(x);
	}
}

static off_t file_bytes(struct index *x)
{
	char path[128];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", x->dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_resting_view_pins_no_pages(void **state)
{
	struct index *x = *state;
	struct view *v;
	struct item it;
	items(x, 1, 1);
	index_commit(x);
	assert_int_equal(view_open_kv(x->kv, &v, &x->err), 0);
	view_rest(v);
	view_rest(v);
	churn(x);
	off_t resting = file_bytes(x);
	assert_int_equal(view_renew(v, &x->err), 0);
	assert_int_equal(view_item(v, 1, &it, &x->err), 1);
	churn(x);
	assert_true(file_bytes(x) > 3 * resting);
	view_rest(v);
	view_close(v); /* a resting view may be closed */
}

static void test_view_of_a_transaction_sees_it_all(void **state)
{
	struct index *x = *state;
	struct place_digest d;
	struct totals t;
	struct source_row s;
	struct item it;
	x->revision = 7;
	items(x, 1, 2);
	index_apply(x, object_record("a/f", "v", 1, 1));
	struct view *v = view_of_txn(index_txn(x));
	assert_non_null(v);
	assert_int_equal(view_item(v, 2, &it, &x->err), 1);
	assert_int_equal(view_place(v, S("drop"), S("a"), &d, &x->err), 1);
	assert_int_equal(d.count, 1);
	assert_int_equal(view_totals(v, &t, &x->err), 0);
	assert_int_equal(t.items, 2);
	assert_int_equal(view_source(v, S("drop"), &s, &x->err), 1);
	assert_int_equal(s.present, 1);
	assert_int_equal(view_revision(v), 7);
	index_apply(x, object_record("a/g", "v", 2, 1)); /* and goes on seeing what comes */
	assert_int_equal(view_place(v, S("drop"), S("a"), &d, &x->err), 1);
	assert_int_equal(d.count, 2);
	assert_int_equal(view_work_count(v, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 2);
	view_close(v);
	index_commit(x);
	assert_int_equal(place_now(x, "a").count, 2);
}

/* The path of an object in a directory that came with the same transaction, whose row is not put yet. */
static void test_view_of_a_transaction_knows_paths(void **state)
{
	struct index *x = *state;
	struct slice source, key;
	struct ledger_row row;
	items(x, 1, 1);
	index_apply(x, object_record("new/f", "v", 1, 1));
	struct view *v = view_of_txn(index_txn(x));
	assert_int_equal(view_object_by_number(v, 1, &source, &key, &row, &x->err), 1);
	assert_true(slice_eq(source, S("drop")));
	assert_true(slice_eq(key, S("new/f")));
	view_close(v);
}

static void test_items_come_in_order_by_state(void **state)
{
	struct index *x = *state;
	struct item it;
	items(x, 1, 5);
	index_apply(x, facts_record(2, ITEM_NORMALIZED, MEDIA_IMAGE));
	index_apply(x, facts_record(4, ITEM_NORMALIZED, MEDIA_IMAGE));
	struct view *v = index_view(x);
	uint64_t id = 0;
	for (uint64_t i = 1; i <= 5; i++, id = it.id) {
		assert_int_equal(view_item_next(v, id, ITEM_NONE, &it, &x->err), 1);
		assert_int_equal(it.id, i);
	}
	assert_int_equal(view_item_next(v, id, ITEM_NONE, &it, &x->err), 0);
	assert_int_equal(view_item_next(v, 0, ITEM_NORMALIZED, &it, &x->err), 1);
	assert_int_equal(it.id, 2);
	assert_int_equal(view_item_next(v, 2, ITEM_NORMALIZED, &it, &x->err), 1);
	assert_int_equal(it.id, 4);
	assert_int_equal(view_item_next(v, 4, ITEM_NORMALIZED, &it, &x->err), 0);
	assert_int_equal(view_item_next(v, 0, ITEM_ROUTED, &it, &x->err), 0);
	assert_int_equal(view_item_next(v, UINT64_MAX, ITEM_NONE, &it, &x->err), 0);
}

static void test_runs_are_found_by_model_version(void **state)
{
	struct index *x = *state;
	const struct score scores[] = { { S("cat"), 0.5F } };
	struct content_id version = content_of(71), unknown = content_of(72);
	const struct run *runs;
	size_t n;
	uint64_t id;
	items(x, 1, 5);
	index_apply(x, run_record(1, 70, scores, 1));
	index_apply(x, run_record(3, 70, scores, 1));
	index_apply(x, run_record(3, 71, scores, 0));
	index_apply(x, run_record(5, 71, scores, 1));
	struct view *v = index_view(x);
	assert_int_equal(view_run_next(v, &version, 0, &id, &x->err), 1);
	assert_int_equal(id, 3);
	assert_int_equal(view_run_next(v, &version, 3, &id, &x->err), 1);
	assert_int_equal(id, 5);
	assert_int_equal(view_run_next(v, &version, 5, &id, &x->err), 0);
	assert_int_equal(view_run_next(v, &unknown, 0, &id, &x->err), 0);
	assert_int_equal(view_runs(v, 3, &runs, &n, &x->err), 0);
	assert_int_equal(n, 2);
	assert_true(content_id_eq(&runs[1].model_version, &version));
	assert_int_equal(runs[1].score_count, 0);
	assert_int_equal(view_runs(v, 2, &runs, &n, &x->err), 0);
	assert_int_equal(n, 0);
}

static void test_work_comes_in_due_order_page_by_page(void **state)
{
	struct index *x = *state;
	struct work page[2], after;
	uint64_t expected[] = { 2, 4, 6, 5, 3, 1 }, seen = 0;
	items(x, 1, 6);
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 1, 300));
	index_apply(x, item_failure(3, STAGE_NORMALIZE, true, 1, 200));
	index_apply(x, item_failure(5, STAGE_NORMALIZE, true, 1, 100));
	struct view *v = index_view(x);
	int n;
	const struct work *from = NULL;
	while ((n = view_work(v, STAGE_NORMALIZE, MEDIA_UNKNOWN, 250, from, page, 2, &x->err)) > 0) {
		for (int i = 0; i < n; i++)
			assert_int_equal(page[i].number, expected[seen++]);
		after = page[n - 1];
		from = &after;
	}
	assert_int_equal(n, 0);
	assert_int_equal(seen, 5); /* the sixth is not due */
	assert_int_equal(view_work(v, STAGE_NORMALIZE, MEDIA_UNKNOWN, INT64_MAX, from, page, 2, &x->err), 1);
	assert_int_equal(page[0].number, expected[5]);
	assert_int_equal(view_work(v, STAGE_NORMALIZE, MEDIA_UNKNOWN, INT64_MAX, NULL, page, 0, &x->err), 0);
	assert_int_equal(view_work(v, STAGE_ROUTE, MEDIA_VIDEO, INT64_MAX, NULL, page, 2, &x->err), 0);
}

static void test_failures_come_in_subject_and_number_order(void **state)
{
	struct index *x = *state;
	struct failure f;
	items(x, 1, 2);
	index_apply(x, object_record("gone", "v", 1, 2));
	index_apply(x, object_record("here", "v", 2, 2));
	index_apply(x, gone_record("gone", false));
	index_apply(x, item_failure(2, STAGE_NORMALIZE, false, 0, 0));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 1, 5));
	index_apply(x, object_failure("bad", "v", 300, false, 0, 0));
	struct view *v = index_view(x);
	assert_int_equal(view_failure_next(v, SUBJECT_OBJECT, 0, &f, &x->err), 1);
	assert_true(f.subject == SUBJECT_OBJECT && f.number == 300 && !f.retry);
	assert_slice(f.key, "bad");
	assert_int_equal(view_failure_next(v, f.subject, f.number, &f, &x->err), 1);
	assert_true(f.subject == SUBJECT_ITEM && f.number == 1 && f.retry);
	assert_int_equal(f.key.len, 0); /* nothing carries it */
	assert_int_equal(view_failure_next(v, f.subject, f.number, &f, &x->err), 1);
	assert_int_equal(f.number, 2);
	assert_slice(f.key, "here"); /* rather than the one that is gone */
	assert_int_equal(f.stage, STAGE_NORMALIZE);
	assert_slice(f.cure, "send it again");
	assert_int_equal(view_failure_next(v, f.subject, f.number, &f, &x->err), 0);
}

static void test_sources_come_by_name(void **state)
{
	struct index *x = *state;
	struct source_row row;
	static const char *const names[] = { "b", "a", "ab" }, *const sorted[] = { "a", "ab", "b" };
	for (size_t i = 0; i < 3; i++) {
		struct record r = { .kind = RECORD_SOURCE };
		r.source = (struct record_source){ slice_of(names[i]), S("folder"), S("") };
		index_apply(x, r);
	}
	struct view *v = index_view(x);
	struct slice after = S("");
	for (size_t i = 0; i < 3; i++, after = row.name) {
		assert_int_equal(view_source_next(v, after, &row, &x->err), 1);
		assert_slice(row.name, sorted[i]);
	}
	assert_int_equal(view_source_next(v, after, &row, &x->err), 0);
	assert_int_equal(view_source(v, S("nobody"), &row, &x->err), 0);
}

static void test_meta_is_read_by_name(void **state)
{
	struct index *x = *state;
	struct slice value;
	assert_int_equal(kv_put(index_txn(x), TABLE_META, S("bands"), S("abc")), 0);
	assert_int_equal(view_meta(index_view(x), "bands", &value), 1);
	assert_slice(value, "abc");
	assert_int_equal(view_meta(x->view, "band", &value), 0);
}

static void test_many_references_of_one_item(void **state)
{
	struct index *x = *state;
	const struct reference *refs;
	size_t n;
	char key[64], keys[300][64];
	items(x, 1, 1);
	for (uint64_t i = 0; i < 300; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "deep/er/%u/copy%u", (unsigned)i % 7, (unsigned)i);
		(void)snprintf(key, sizeof(key), "%s", keys[i]);
		index_apply(x, object_record(key, "v", i + 1, 1));
	}
	assert_int_equal(view_references(index_view(x), 1, false, &refs, &n, &x->err), 0);
	assert_int_equal(n, 300);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(refs[i].object, i + 1);
		assert_slice(refs[i].key, keys[i]);
	}
}

/* A row that points at another which is not there: said, not followed. */
static void test_dangling_row_fails_the_view_with_its_name(void **state)
{
	struct index *x = *state;
	const struct reference *refs;
	size_t n;
	struct key k;
	items(x, 1, 1);
	index_apply(x, object_record("a/f", "v", 1, 1));
	assert_int_equal(kv_put(index_txn(x), TABLE_REF, key_ref(&k, 0, 1), S("0123456789abcdef")), 0);
	assert_int_equal(view_references(index_view(x), 1, false, &refs, &n, &x->err), -1);
	assert_int_equal(x->err.class, ERR_FATAL);
	assert_non_null(strstr(x->err.text, "table ref"));
	assert_int_equal(view_renew(x->view, &x->err), 0); /* the view itself can be used again */
	assert_int_equal(item_now(x, 1).id, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_view_keeps_its_snapshot_until_renewed),
		T(test_resting_view_pins_no_pages),
		T(test_view_of_a_transaction_sees_it_all),
		T(test_view_of_a_transaction_knows_paths),
		T(test_items_come_in_order_by_state),
		T(test_runs_are_found_by_model_version),
		T(test_work_comes_in_due_order_page_by_page),
		T(test_failures_come_in_subject_and_number_order),
		T(test_sources_come_by_name),
		T(test_meta_is_read_by_name),
		T(test_many_references_of_one_item),
		T(test_dangling_row_fails_the_view_with_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
