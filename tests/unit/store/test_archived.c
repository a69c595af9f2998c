/* test_archived.c - objects that must be restored before they can be read: no failure, no work, back when they are fetched. */
#include "tests/unit/store/index_fixture.h"

static struct record archived_record(struct slice key, const char *version, uint64_t object, int64_t due_ms)
{
	struct record r = object_failure("", version, object, false, 0, due_ms);
	r.failure.source = S("bucket");
	r.failure.key = key;
	r.failure.layout = LAYOUT_FLAT;
	r.failure.archived = true;
	return r;
}

static struct source_row bucket_now(struct index *x)
{
	struct source_row row;
	assert_int_equal(view_source(index_view(x), S("bucket"), &row, &x->err), 1);
	return row;
}

static void test_an_archived_object_waits_for_nobody(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	struct failure f;
	index_apply(x, item_record(1, 1));
	index_apply(x, archived_record(S("cold.jpg"), "e1", 5, 777));
	assert_int_equal(bucket_now(x).archived, 1);
	assert_int_equal(bucket_now(x).quarantined + bucket_now(x).retrying + bucket_now(x).present, 0);
	struct totals t = totals_now(x);
	assert_true(t.archived == 1 && t.quarantined == 0 && t.retrying == 0);
	assert_int_equal(work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, true) + work_now(x, STAGE_FETCH, MEDIA_UNKNOWN, false), 0);
	assert_int_equal(view_object(x->view, S("bucket"), LAYOUT_FLAT, S("cold.jpg"), &row, &x->err), 1);
	assert_true(row.state == OBJECT_ARCHIVED && row.item == 0 && row.due_ms == 777);
	assert_slice(row.version, "e1"); /* the next listing shows the same: nothing is written again */
	assert_int_equal(view_failure(x->view, SUBJECT_OBJECT, 5, &f, &x->err), 1);
	assert_true(f.archived && !f.retry);
	struct record restored = flat_record(S("cold.jpg"), 5, 1);
	index_apply(x, restored);
	assert_int_equal(bucket_now(x).archived, 0);
	assert_int_equal(bucket_now(x).present, 1);
	assert_int_equal(totals_now(x).archived, 0);
	assert_int_equal(view_failure(x->view, SUBJECT_OBJECT, 5, &f, &x->err), 0);
}

static void test_an_older_version_stays_while_the_new_one_is_archived(void **state)
{
	struct index *x = *state;
	const struct reference *refs;
	size_t n;
	index_apply(x, item_record(1, 1));
	index_apply(x, flat_record(S("k"), 1, 1));
	index_apply(x, archived_record(S("k"), "e2", 1, 0));
	assert_int_equal(view_references(index_view(x), 1, false, &refs, &n, &x->err), 0);
	assert_int_equal(n, 1);
	assert_slice(refs[0].version, "etag");
	struct record gone = { .kind = RECORD_GONE };
	gone.gone = (struct record_gone){ .source = S("bucket"), .key = S("k"), .layout = LAYOUT_FLAT };
	index_apply(x, gone);
	assert_int_equal(bucket_now(x).archived, 0);
	assert_int_equal(bucket_now(x).gone, 1);
	assert_int_equal(totals_now(x).archived, 0);
}

static void test_one_that_was_never_read_leaves_nothing_behind(void **state)
{
	struct index *x = *state;
	struct ledger_row row;
	index_apply(x, archived_record(S("k"), "e", 1, 0));
	struct record gone = { .kind = RECORD_GONE };
	gone.gone = (struct record_gone){ .source = S("bucket"), .key = S("k"), .layout = LAYOUT_FLAT };
	index_apply(x, gone);
	assert_int_equal(view_object(index_view(x), S("bucket"), LAYOUT_FLAT, S("k"), &row, &x->err), 0);
	assert_int_equal(bucket_now(x).archived + bucket_now(x).gone, 0);
}

static void test_the_log_does_not_hold_it(void **state)
{
	(void)state;
	struct record r = archived_record(S("k"), "e", 1, 0);
	assert_false(record_logged(&r)); /* the next listing finds it again */
	r.failure.archived = false;
	assert_true(record_logged(&r));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, index_setup, index_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_archived_object_waits_for_nobody),
		T(test_an_older_version_stays_while_the_new_one_is_archived),
		T(test_one_that_was_never_read_leaves_nothing_behind),
		T(test_the_log_does_not_hold_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
