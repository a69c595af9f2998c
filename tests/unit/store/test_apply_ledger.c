/* test_apply_ledger.c - records about sources and objects: the ledger's rows, references, digests. */
#include "tests/unit/store/index_fixture.h"

static size_t references(struct index *x, uint64_t item, bool gone_too, const struct reference **ret)
{
	size_t n;
	assert_int_equal(view_references(index_view(x), item, gone_too, ret, &n, &x->err), 0);
	return n;
}

/* Digest of these NAME, VERSION pairs, as view.h defines it. */
static void test_object_is_present_with_its_item(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	const struct reference *refs;
	two_items(x);
	index_apply(x, object_record("a/b/c.jpg", "v1", 4, 1));
	assert_int_equal(object_now(x, "a/b/c.jpg", &row), 1);
	assert_slice(row.name, "c.jpg");
	assert_slice(row.version, "v1");
	assert_true(
		row.state == OBJECT_PRESENT && row.object == 4 && row.item == 1 && row.bytes == 7 && !row.directory);
	assert_int_equal(object_now(x, "a/b/d.jpg", &row), 0);
	assert_int_equal(object_now(x, "z/d.jpg", &row), 0);
	assert_int_equal(object_now(x, "a/b", &row), 1);
	assert_true(row.directory && row.state == OBJECT_PRESENT);
	assert_int_equal(references(x, 1, false, &refs), 1);
	assert_slice(refs[0].source, "drop");
	assert_slice(refs[0].key, "a/b/c.jpg");
	assert_int_equal(refs[0].layout, LAYOUT_TREE);
	assert_int_equal(apply_next_object(index_txn(x)), 5);
	assert_int_equal(source_now(x).present, 1);
}

static void test_a_manifest_carries_no_item(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	index_apply(x, object_record("a/m.csv", "v1", 1, 0));
	assert_int_equal(object_now(x, "a/m.csv", &row), 1);
	assert_true(row.state == OBJECT_PRESENT && row.object == 1 && row.item == 0);
	index_apply(x, object_record("a/m.csv", "v2", 1, 0));
	index_apply(x, object_failure("a/m.csv", "v3", 1, true, 1, 7000));
	index_apply(x, object_record("a/m.csv", "v3", 1, 0));
	assert_int_equal(object_now(x, "a/m.csv", &row), 1);
	assert_slice(row.version, "v3");
	assert_int_equal(totals_now(x).retrying, 0);
	assert_int_equal(source_now(x).present, 1);
	index_apply(x, gone_record("a/m.csv", false));
	assert_int_equal(object_now(x, "a/m.csv", &row), 1);
	assert_true(row.state == OBJECT_GONE && row.object == 1);
	assert_true(source_now(x).present == 0 && source_now(x).gone == 1);
	index_apply(x, object_record("a/m.csv", "v4", 1, 0));
	assert_true(source_now(x).present == 1 && source_now(x).gone == 0);
	index_apply(x, object_failure("a/n.csv", "v1", 2, true, 1, 7000)); /* never read: it leaves nothing behind */
	index_apply(x, gone_record("a/n.csv", false));
	assert_int_equal(object_now(x, "a/n.csv", &row), 0);
	assert_true(source_now(x).gone == 0 && totals_now(x).retrying == 0);
}

static void test_objects_make_their_directories_known(void **state)
{
	struct index *x = *state;
	two_items(x);
	index_apply(x, object_record("a/b/c", "v1", 1, 1));
	index_apply(x, object_record("a/d", "v2", 2, 1));
	assert_place(x, "", 1, (const char *[]){ "a" }, (const char *[]){ "/" });
	assert_place(x, "a", 2, (const char *[]){ "b", "d" }, (const char *[]){ "/", "v2" });
	assert_place(x, "a/b", 1, (const char *[]){ "c" }, (const char *[]){ "v1" });
}

static void test_changed_object_moves_to_its_new_item(void **state)
{
	struct index *x = *state;
	const struct reference *refs;
	two_items(x);
	index_apply(x, object_record("f", "v1", 1, 1));
	index_apply(x, object_record("f", "v2", 1, 2));
	assert_int_equal(references(x, 1, true, &refs), 0);
	assert_int_equal(references(x, 2, false, &refs), 1);
	assert_slice(refs[0].version, "v2");
	assert_place(x, "", 1, (const char *[]){ "f" }, (const char *[]){ "v2" });
	assert_int_equal(source_now(x).present, 1);
	assert_int_equal(index_try(x, object_record("f", "v3", 9, 2)), -1);
	assert_non_null(strstr(x->err.text, "'f' is to be object 9, and is 1"));
}

static void test_gone_object_keeps_version_and_item(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	const struct reference *refs;
	two_items(x);
	index_apply(x, object_record("a/f", "v1", 1, 1));
	index_apply(x, gone_record("a/f", false));
	assert_int_equal(object_now(x, "a/f", &row), 1);
	assert_true(row.state == OBJECT_GONE && row.item == 1);
	assert_slice(row.version, "v1");
	assert_place(x, "a", 0, NULL, NULL);
	assert_int_equal(references(x, 1, false, &refs), 0);
	assert_int_equal(references(x, 1, true, &refs), 1);
	assert_int_equal(refs[0].state, OBJECT_GONE);
	assert_int_equal(source_now(x).gone, 1);
	index_apply(x, gone_record("a/f", false));
	index_apply(x, gone_record("never/there", false));
	index_apply(x, object_record("a/f", "v1", 1, 1));
	assert_int_equal(references(x, 1, false, &refs), 1);
	assert_true(source_now(x).gone == 0 && source_now(x).present == 1);
}

static void test_gone_directory_takes_all_below_and_returns(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	struct place_digest d;
	char key[64];
	two_items(x);
	for (uint64_t i = 1; i <= 700; i++) { /* more than are read in one step */
		(void)snprintf(key, sizeof(key), "top/d%u/f%u", (unsigned)i % 2, (unsigned)i);
		index_apply(x, object_record(key, "v", i, 1 + i % 2));
	}
	index_apply(x, object_record("topmost", "v", 701, 1));
	index_apply(x, object_failure("top/bad", "v", 702, true, 1, 99));
	index_apply(x, directory_record("top/d1", 4));
	assert_int_equal(source_now(x).skipped, 4);
	index_apply(x, gone_record("top", true));
	struct source_row s = source_now(x);
	assert_true(s.present == 1 && s.gone == 700 && s.retrying == 0 && s.skipped == 0);
	assert_int_equal(work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, true), 0);
	assert_int_equal(object_now(x, "top/d0/f700", &row), 1);
	assert_int_equal(row.state, OBJECT_GONE);
	assert_int_equal(view_place(x->view, S("drop"), S("top"), &d, &x->err), 0);
	assert_int_equal(view_place(x->view, S("drop"), S("top/d1"), &d, &x->err), 0);
	assert_place(x, "", 1, (const char *[]){ "topmost" }, (const char *[]){ "v" });
	index_apply(x, object_record("top/d0/f700", "v", 700, 1));
	assert_place(x, "", 2, (const char *[]){ "topmost", "top" }, (const char *[]){ "v", "/" });
	assert_place(x, "top", 1, (const char *[]){ "d0" }, (const char *[]){ "/" });
	assert_place(x, "top/d0", 1, (const char *[]){ "f700" }, (const char *[]){ "v" });
	assert_int_equal(view_place(index_view(x), S("drop"), S("top/d1"), &d, &x->err), 0);
}

static void test_gone_root_takes_everything(void **state)
{
	struct index *x = *state;
	two_items(x);
	index_apply(x, object_record("a/f", "v", 1, 1));
	index_apply(x, object_record("g", "v", 2, 1));
	index_apply(x, gone_record("", true));
	assert_int_equal(source_now(x).gone, 2);
	assert_place(x, "", 0, NULL, NULL);
}

static void test_retrying_object_keeps_its_item_and_has_work(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	const struct reference *refs;
	struct failure f;
	struct work w;
	two_items(x);
	index_apply(x, object_record("a/f", "v1", 1, 1));
	index_apply(x, object_failure("a/f", "v2", 1, true, 1, 7000));
	assert_int_equal(object_now(x, "a/f", &row), 1);
	assert_true(row.state == OBJECT_RETRYING && row.item == 1 && row.bytes == 9);
	assert_slice(row.version, "v2");
	assert_int_equal(references(x, 1, false, &refs), 1); /* what a rebuild from the log would show, too */
	assert_slice(refs[0].version, "v1");
	assert_false(place_now(x, "a").trusted);
	assert_int_equal(place_now(x, "a").count, 0);
	assert_int_equal(view_work(x->view, STAGE_FETCH, MEDIA_UNKNOWN, INT64_MAX, NULL, &w, 1, &x->err), 1);
	assert_true(w.number == 1 && w.due_ms == 7000 && w.attempts == 1);
	assert_int_equal(view_failure(x->view, SUBJECT_OBJECT, 1, &f, &x->err), 1);
	assert_slice(f.source, "drop");
	assert_slice(f.key, "a/f");
	index_apply(x, object_failure("a/f", "v2", 1, true, 2, 8000));
	assert_int_equal(work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, true), 1);
	index_apply(x, object_record("a/f", "v2", 1, 2));
	assert_true(place_now(x, "a").trusted);
	assert_int_equal(work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, true), 0);
	assert_int_equal(view_failure(x->view, SUBJECT_OBJECT, 1, &f, &x->err), 0);
	assert_int_equal(totals_now(x).retrying, 0);
}

static void test_new_object_that_cannot_be_fetched(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	struct slice source, key;
	index_apply(x, object_failure("a/f", "v1", 3, true, 1, 7000));
	assert_int_equal(view_object_by_number(index_view(x), 3, &source, &key, &row, &x->err), 1);
	assert_slice(source, "drop");
	assert_slice(key, "a/f");
	assert_true(row.state == OBJECT_RETRYING && row.item == 0);
	index_apply(x, object_failure("a/f", "v1", 3, false, 0, 0));
	assert_int_equal(object_now(x, "a/f", &row), 1);
	assert_int_equal(row.state, OBJECT_QUARANTINED);
	assert_int_equal(work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, true), 0);
	assert_int_equal(source_now(x).quarantined, 1);
	assert_int_equal(totals_now(x).quarantined, 1);
	assert_false(place_now(x, "a").trusted);
	index_apply(x, gone_record("a/f", false));
	assert_int_equal(object_now(x, "a/f", &row), 0); /* it never carried anything */
	assert_int_equal(view_object_by_number(x->view, 3, &source, &key, &row, &x->err), 0);
	assert_true(place_now(x, "a").trusted);
	assert_int_equal(totals_now(x).quarantined, 0);
}

static void test_object_without_number_is_refused(void **state)
{
	struct index *x = *state;
	assert_int_equal(index_try(x, object_failure("a/f", "v1", 0, true, 1, 7000)), -1);
	assert_int_equal(x->err.class, ERR_FATAL);
}

static void test_failed_return_of_a_gone_object_stays_gone_for_its_item(void **state)
{
	struct index *x = *state;
	const struct reference *refs;
	two_items(x);
	index_apply(x, object_record("f", "v1", 1, 1));
	index_apply(x, gone_record("f", false));
	index_apply(x, object_failure("f", "v2", 1, true, 1, 7000));
	assert_int_equal(references(x, 1, false, &refs), 0);
	assert_int_equal(references(x, 1, true, &refs), 1);
	index_apply(x, object_record("f", "v1", 1, 1));
	assert_int_equal(references(x, 1, false, &refs), 1);
}

static void test_racy_rows_are_not_trusted_until_calm(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	struct record r = object_record("a/f", "v1", 1, 1);
	r.object.racy = true;
	two_items(x);
	index_apply(x, r);
	assert_false(place_now(x, "a").trusted);
	assert_int_equal(place_now(x, "a").count, 1);
	static const char *const keys[] = { "a/f", "a/f", "a/unknown" };
	for (size_t i = 0; i < 3; i++)
		index_apply(x, calm_record(keys[i]));
	assert_true(place_now(x, "a").trusted);
	assert_int_equal(object_now(x, "a/f", &row), 1);
	assert_false(row.racy);
	assert_slice(row.version, "v1");
}

static void test_empty_directory_is_known_once_it_was_read(void **state)
{
	struct index *x = *state;
	struct place_digest d;
	index_apply(x, directory_record("", 0));
	assert_int_equal(view_place(index_view(x), S("drop"), S("empty"), &d, &x->err), 0);
	index_apply(x, directory_record("empty", 3));
	index_apply(x, directory_record("empty", 2));
	d = place_now(x, "empty");
	assert_true(d.count == 0 && d.skipped == 2 && d.trusted);
	assert_place(x, "", 1, (const char *[]){ "empty" }, (const char *[]){ "/" });
	assert_int_equal(source_now(x).skipped, 2);
}

static void test_a_file_may_become_a_directory_and_back(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	two_items(x);
	index_apply(x, object_record("x", "v1", 1, 1));
	index_apply(x, gone_record("x", false));
	index_apply(x, object_record("x/y", "v1", 2, 2));
	assert_int_equal(object_now(x, "x", &row), 1);
	assert_true(row.directory);
	assert_place(x, "", 1, (const char *[]){ "x" }, (const char *[]){ "/" });
	index_apply(x, gone_record("x", true));
	assert_int_equal(object_now(x, "x", &row), 1);
	assert_true(!row.directory && row.state == OBJECT_GONE); /* of two that are gone, the file */
	index_apply(x, object_record("x", "v2", 1, 1));
	assert_int_equal(object_now(x, "x", &row), 1);
	assert_true(!row.directory && row.state == OBJECT_PRESENT && row.object == 1);
	assert_place(x, "", 1, (const char *[]){ "x" }, (const char *[]){ "v2" });
}

static void test_keys_that_are_no_paths_are_refused(void **state)
{
	struct index *x = *state;
	static const struct slice bad[] = { { "/f", 2 }, { "a\0b", 3 } };
	two_items(x);
	index_commit(x);
	for (size_t i = 0; i < 2; i++) {
		struct record r = object_record("", "v", 1, 1);
		r.object.key = bad[i];
		assert_int_equal(index_try(x, r), -1);
		index_abort(x);
	}
}

static void test_sources_and_passes(void **state)
{
	struct index *x = *state;
	struct record r = { .kind = RECORD_SOURCE };
	r.source = (struct record_source){ S("drop"), S("folder"), S("8:1:77") };
	index_apply(x, r);
	r = (struct record){ .kind = RECORD_PASS };
	r.pass = (struct record_pass){ .source = S("drop"),
		.state = S("live"),
		.message = S(""),
		.complete = true,
		.time_ms = 5 };
	index_apply(x, r);
	r.pass = (struct record_pass){ .source = S("drop"),
		.state = S("offline"),
		.message = S("root is missing"),
		.time_ms = 9 };
	index_apply(x, r);
	struct source_row s = source_now(x);
	assert_slice(s.kind, "folder");
	assert_slice(s.root, "8:1:77");
	assert_slice(s.state, "offline");
	assert_slice(s.message, "root is missing");
	assert_int_equal(s.last_pass_ms, 5);
}

static void test_apply_find_sees_the_transaction(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	two_items(x);
	assert_int_equal(apply_find_object(index_txn(x), S("drop"), LAYOUT_TREE, S("a/f"), &row), 0);
	index_apply(x, object_record("a/f", "v", 1, 1));
	assert_int_equal(apply_find_object(x->txn, S("drop"), LAYOUT_TREE, S("a/f"), &row), 1);
	assert_int_equal(row.object, 1);
	assert_int_equal(apply_find_object(x->txn, S("drop"), LAYOUT_TREE, S("a/g"), &row), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_object_is_present_with_its_item),
		T(test_a_manifest_carries_no_item),
		T(test_objects_make_their_directories_known),
		T(test_changed_object_moves_to_its_new_item),
		T(test_gone_object_keeps_version_and_item),
		T(test_gone_directory_takes_all_below_and_returns),
		T(test_gone_root_takes_everything),
		T(test_retrying_object_keeps_its_item_and_has_work),
		T(test_new_object_that_cannot_be_fetched),
		T(test_object_without_number_is_refused),
		T(test_failed_return_of_a_gone_object_stays_gone_for_its_item),
		T(test_racy_rows_are_not_trusted_until_calm),
		T(test_empty_directory_is_known_once_it_was_read),
		T(test_a_file_may_become_a_directory_and_back),
		T(test_keys_that_are_no_paths_are_refused),
		T(test_sources_and_passes),
		T(test_apply_find_sees_the_transaction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
