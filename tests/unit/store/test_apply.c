/* test_apply.c - what each kind of record does to the index, and that a record which contradicts it is refused. */
#include "tests/unit/store/index_fixture.h"

/* The earliest of a stage and kind; INT64_MAX: none. */
static int64_t next_due(struct view *v, enum stage stage, enum media media)
{
	struct work first;
	return view_work(v, stage, media, INT64_MAX, NULL, &first, 1, NULL) > 0 ? first.due_ms : INT64_MAX;
}

/* Items */

static void test_new_item_is_committed_and_has_work(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	struct item it = item_now(x, 1);
	assert_int_equal(it.state, ITEM_COMMITTED);
	assert_int_equal(it.bytes, 1000);
	assert_int_equal(it.at.kind, LOCATION_SEGMENT);
	assert_int_equal(it.at.offset, 512);
	struct content_id content = content_of(10);
	assert_int_equal(view_item_by_content(x->view, &content), 1);
	struct totals t = totals_now(x);
	assert_int_equal(t.items, 1);
	assert_int_equal(t.by_state[ITEM_COMMITTED], 1);
	assert_int_equal(t.stored_bytes, 1000);
	assert_int_equal(t.segments, 1);
	struct work w[2];
	assert_int_equal(view_work(x->view, STAGE_NORMALIZE, MEDIA_UNKNOWN, 0, NULL, w, 2, &x->err), 1);
	assert_int_equal(w[0].number, 1);
	assert_int_equal(w[0].attempts, 0);
}

static void test_item_number_is_given_once(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	assert_int_equal(index_try(x, item_record(1, 10)), -1);
	assert_int_equal(x->err.class, ERR_FATAL);
	assert_non_null(strstr(x->err.text, "item 1"));
	assert_non_null(strstr(x->err.text, "rebuild-index"));
}

static void test_two_items_never_carry_one_content(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	assert_int_equal(index_try(x, item_record(2, 10)), -1);
	assert_non_null(strstr(x->err.text, "another item"));
}

static void test_item_by_reference_is_upgraded(void **state)
{
	struct index *x = *state;
	struct record r = item_record(1, 10);
	r.item.at = (struct location){ .kind = LOCATION_REFERENCE };
	index_apply(x, r);
	assert_int_equal(totals_now(x).stored_bytes, 0);
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	r.item.at = (struct location){ .kind = LOCATION_LARGE };
	index_apply(x, r);
	struct item it = item_now(x, 1);
	assert_int_equal(it.at.kind, LOCATION_LARGE);
	assert_int_equal(it.state, ITEM_NORMALIZED);
	assert_int_equal(totals_now(x).stored_bytes, 1000);
	assert_int_equal(totals_now(x).large, 1);
	assert_int_equal(totals_now(x).items, 1);
	assert_int_equal(index_try(x, r), -1);
}

static void test_claim_gives_one_number_a_content(void **state)
{
	struct index *x = *state;
	struct content_id a = content_of(1), b = content_of(2);
	uint64_t n;
	assert_int_equal(apply_claim_content(index_txn(x), &a, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(apply_claim_content(x->txn, &b, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(apply_claim_content(x->txn, &a, &n), 0);
	assert_int_equal(n, 1);
	index_apply(x, item_record(1, 1));
	index_apply(x, item_record(2, 2));
	index_commit(x);
	assert_int_equal(apply_claim_content(index_txn(x), &b, &n), 0);
	assert_int_equal(n, 2);
}

static void test_facts_move_the_item_to_its_model(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	struct item it = item_now(x, 1);
	assert_int_equal(it.state, ITEM_NORMALIZED);
	assert_slice(it.media_type, "image/jpeg");
	assert_int_equal(it.width, 640);
	assert_slice(it.facts, "{\"a\":1}");
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 0);
	assert_int_equal(work_now(x, STAGE_INFER, MEDIA_IMAGE, false), 1);
	assert_int_equal(next_due(x->view, STAGE_INFER, MEDIA_IMAGE), 0);
	assert_true(next_due(x->view, STAGE_INFER, MEDIA_TEXT) == INT64_MAX);
	assert_int_equal(totals_now(x).by_state[ITEM_COMMITTED], 0);
	assert_int_equal(totals_now(x).by_state[ITEM_NORMALIZED], 1);
}

static void test_parked_item_has_no_work_until_a_decoder_comes(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	index_apply(x, facts_record(1, ITEM_PARKED, MEDIA_VIDEO));
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 0);
	index_apply(x, state_record(1, ITEM_COMMITTED));
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_VIDEO, false), 1);
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_VIDEO));
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_VIDEO, false), 0);
}

static void test_run_keeps_the_state_and_states_move_on(void **state)
{
	struct index *x = *state;
	const struct score scores[] = { { S("cat"), 0.75F }, { S("dog"), 0.1F } };
	index_apply(x, item_record(1, 10));
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	index_apply(x, run_record(1, 77, scores, 2));
	assert_int_equal(item_now(x, 1).state, ITEM_NORMALIZED);
	index_apply(x, state_record(1, ITEM_INFERRED));
	assert_int_equal(work_now(x, STAGE_ROUTE, MEDIA_IMAGE, false), 1);
	index_apply(x, state_record(1, ITEM_ROUTED));
	assert_int_equal(work_now(x, STAGE_ROUTE, MEDIA_IMAGE, false), 0);
	index_apply(x, state_record(1, ITEM_ROUTED)); /* staying is no move */
	const struct run *runs;
	size_t n;
	assert_int_equal(view_runs(index_view(x), 1, &runs, &n, &x->err), 0);
	assert_int_equal(n, 1);
	assert_slice(runs[0].model, "image-default");
	assert_int_equal(runs[0].score_count, 2);
	assert_slice(runs[0].scores[0].concept, "cat");
	assert_true(runs[0].scores[0].confidence == 0.75F && runs[0].scores[1].confidence == 0.1F);
}

static void test_forbidden_move_is_refused_with_both_names(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	assert_int_equal(index_try(x, state_record(1, ITEM_ROUTED)), -1);
	assert_non_null(strstr(x->err.text, "from committed to routed"));
	assert_int_equal(kv_commit(x->txn, &x->err), -1); /* and nothing of the transaction stays */
	x->txn = NULL;
	struct item it;
	assert_int_equal(view_item(index_view(x), 1, &it, &x->err), 0);
}

static void test_item_retry_is_timed_again(void **state)
{
	struct index *x = *state;
	struct work w;
	struct failure f;
	index_apply(x, item_record(1, 10));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 1, 5000));
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 0);
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, true), 1);
	assert_int_equal(view_work(x->view, STAGE_NORMALIZE, MEDIA_UNKNOWN, 4999, NULL, &w, 1, &x->err), 0);
	assert_int_equal(view_work(x->view, STAGE_NORMALIZE, MEDIA_UNKNOWN, 5000, NULL, &w, 1, &x->err), 1);
	assert_int_equal(w.attempts, 1);
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 2, 9000));
	assert_int_equal(next_due(index_view(x), STAGE_NORMALIZE, MEDIA_UNKNOWN), 9000);
	assert_int_equal(view_failure(x->view, SUBJECT_ITEM, 1, &f, &x->err), 1);
	assert_true(f.retry && f.attempts == 2 && f.due_ms == 9000);
	assert_slice(f.reason, "it is cut short");
	assert_int_equal(totals_now(x).retrying, 1);
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	assert_int_equal(view_failure(index_view(x), SUBJECT_ITEM, 1, &f, &x->err), 0);
	assert_int_equal(totals_now(x).retrying, 0);
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, true), 0);
}

static void test_a_run_ends_the_failure_of_its_attempts(void **state)
{
	struct index *x = *state;
	struct failure f;
	index_apply(x, item_record(1, 10));
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	index_apply(x, item_failure(1, STAGE_INFER, true, 1, 5000));
	index_apply(x, run_record(1, 77, NULL, 0));
	assert_int_equal(view_failure(index_view(x), SUBJECT_ITEM, 1, &f, &x->err), 0);
	assert_int_equal(totals_now(x).retrying, 0);
	assert_int_equal(work_now(x, STAGE_INFER, MEDIA_IMAGE, true), 1); /* until its state moves on */
}

static void test_stale_item_retry_changes_nothing(void **state)
{
	struct index *x = *state;
	struct failure f;
	index_apply(x, item_record(1, 10));
	index_apply(x, facts_record(1, ITEM_NORMALIZED, MEDIA_IMAGE));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 1, 5000));
	assert_int_equal(view_failure(index_view(x), SUBJECT_ITEM, 1, &f, &x->err), 0);
	assert_int_equal(work_now(x, STAGE_INFER, MEDIA_IMAGE, false), 1);
}

static void test_quarantined_item_comes_back_by_retry(void **state)
{
	struct index *x = *state;
	struct failure f;
	index_apply(x, item_record(1, 10));
	index_apply(x, object_record("f", "v", 1, 1));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, true, 1, 5000));
	struct record refused = item_failure(1, STAGE_NORMALIZE, false, 0, 0);
	refused.failure.media_type = S("inode/x-empty");
	index_apply(x, refused);
	struct item it = item_now(x, 1);
	assert_int_equal(it.state, ITEM_QUARANTINED);
	assert_int_equal(it.failed_stage, STAGE_NORMALIZE);
	assert_slice(it.media_type, "inode/x-empty");
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, true), 0);
	assert_int_equal(totals_now(x).quarantined, 1);
	assert_int_equal(totals_now(x).retrying, 0);
	index_apply(x, state_record(1, ITEM_COMMITTED));
	assert_int_equal(item_now(x, 1).failed_stage, STAGE_NONE);
	assert_int_equal(view_failure(index_view(x), SUBJECT_ITEM, 1, &f, &x->err), 0);
	assert_int_equal(totals_now(x).quarantined, 0);
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 1);
}

static void test_annotations_stand_until_superseded(void **state)
{
	struct index *x = *state;
	const struct annotation *as;
	size_t n;
	index_apply(x, item_record(1, 10));
	index_commit(x);
	x->revision = 5;
	index_apply(x, annotation_record(1, 1, "cat", STATUS_AWAITING_REVIEW));
	index_apply(x, annotation_record(1, 2, "dog", STATUS_SUCCESS));
	index_commit(x);
	x->revision = 6;
	index_apply(x, until_record(1, 1));
	index_apply(x, annotation_record(1, 3, "tabby", STATUS_SUCCESS));
	assert_int_equal(view_annotations(index_view(x), 1, 0, &as, &n, &x->err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(as[0].n, 2);
	assert_slice(as[1].concept, "tabby");
	assert_slice(as[1].worker, "model");
	assert_int_equal(as[1].since, 6);
	assert_int_equal(view_annotations(x->view, 1, 5, &as, &n, &x->err), 0);
	assert_int_equal(n, 2);
	assert_slice(as[0].concept, "cat");
	assert_int_equal(as[0].until, 6);
	assert_int_equal(view_annotations(x->view, 1, 6, &as, &n, &x->err), 0);
	assert_int_equal(n, 2);
	assert_slice(as[0].concept, "dog");
	assert_int_equal(view_annotations(x->view, 1, REVISION_ANY, &as, &n, &x->err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(view_annotations(x->view, 1, 4, &as, &n, &x->err), 0);
	assert_int_equal(n, 0);
	struct totals t = totals_now(x);
	assert_int_equal(t.by_status[STATUS_SUCCESS], 2);
	assert_int_equal(t.by_status[STATUS_AWAITING_REVIEW], 0);
}

static void test_annotation_numbers(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	assert_int_equal(apply_next_annotation(index_txn(x), 1), 1);
	assert_int_equal(apply_next_annotation(x->txn, 1), 2);
	index_apply(x, annotation_record(1, 1, "cat", STATUS_SUCCESS));
	index_apply(x, annotation_record(1, 7, "dog", STATUS_SUCCESS));
	assert_int_equal(apply_next_annotation(x->txn, 1), 8);
	assert_int_equal(index_try(x, annotation_record(1, 7, "dog", STATUS_SUCCESS)), -1);
	assert_non_null(strstr(x->err.text, "annotation 7 of item 1"));
}

static void test_annotation_without_number_is_refused(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	assert_int_equal(index_try(x, annotation_record(1, 0, "cat", STATUS_SUCCESS)), -1);
}

static void test_until_twice_is_refused(void **state)
{
	struct index *x = *state;
	x->revision = 1;
	index_apply(x, item_record(1, 10));
	index_apply(x, annotation_record(1, 1, "cat", STATUS_SUCCESS));
	index_apply(x, until_record(1, 1));
	assert_int_equal(index_try(x, until_record(1, 1)), -1);
}

static void test_dangling_items_are_refused(void **state)
{
	struct index *x = *state;
	const struct record dangling[] = { facts_record(9, ITEM_NORMALIZED, MEDIA_IMAGE),
		state_record(9, ITEM_NORMALIZED), run_record(9, 1, NULL, 0),
		annotation_record(9, 1, "cat", STATUS_SUCCESS), until_record(9, 1),
		item_failure(9, STAGE_NORMALIZE, false, 0, 0), object_record("a", "v", 1, 9) };
	for (size_t i = 0; i < sizeof(dangling) / sizeof(*dangling); i++) {
		assert_int_equal(index_try(x, dangling[i]), -1);
		assert_int_equal(x->err.class, ERR_FATAL);
		assert_non_null(strstr(x->err.text, "item 9"));
		index_abort(x);
	}
}

static void test_derived_is_replaced(void **state)
{
	struct index *x = *state;
	struct record r = { .kind = RECORD_DERIVED };
	r.derived = (struct record_derived){ .item = 1,
		.kind = DERIVED_CANONICAL,
		.pack = 1,
		.offset = 2,
		.bytes = 3,
		.check = 4 };
	index_apply(x, item_record(1, 10));
	index_apply(x, r);
	r.derived.offset = 20;
	index_apply(x, r);
	struct record_derived d;
	assert_int_equal(view_derived(index_view(x), 1, DERIVED_THUMBNAIL, &d, &x->err), 0);
	assert_int_equal(view_derived(x->view, 1, DERIVED_CANONICAL, &d, &x->err), 1);
	assert_true(d.pack == 1 && d.offset == 20 && d.bytes == 3 && d.check == 4);
}

static void test_abort_leaves_nothing(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 1));
	index_apply(x, object_record("a/f", "v", 1, 1));
	index_commit(x);
	struct totals before = totals_now(x);
	struct place_digest digest = place_now(x, "a");
	index_apply(x, item_record(2, 2));
	index_apply(x, object_record("a/g", "v", 2, 2));
	index_apply(x, object_record("b/c/h", "v", 3, 2));
	index_apply(x, gone_record("a/f", false));
	index_abort(x);
	struct totals after = totals_now(x);
	assert_memory_equal(&before, &after, sizeof(before));
	struct place_digest still = place_now(x, "a"), none;
	assert_true(still.digest.lo == digest.digest.lo && still.digest.hi == digest.digest.hi && still.count == 1);
	assert_int_equal(view_place(x->view, S("drop"), S("b"), &none, &x->err), 0);
	assert_int_equal(apply_next_object(index_txn(x)), 2);
}

static void test_index_never_set_up_is_fatal(void **state)
{
	(void)state;
	char dir[] = "/tmp/inlet-index-XXXXXX";
	struct kv *kv;
	struct view *v;
	struct kv_txn *txn;
	struct err err;
	struct record r = item_record(1, 1);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(kv_open(dir, INDEX_MAP, &kv, &err), 0);
	assert_int_equal(view_open_kv(kv, &v, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_int_equal(kv_begin(kv, true, &txn, &err), 0);
	assert_int_equal(apply_record(txn, &r, 1, &err), -1);
	kv_abort(txn);
	kv_close(kv);
	index_remove_dir(dir);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_new_item_is_committed_and_has_work),
		T(test_item_number_is_given_once),
		T(test_two_items_never_carry_one_content),
		T(test_item_by_reference_is_upgraded),
		T(test_claim_gives_one_number_a_content),
		T(test_facts_move_the_item_to_its_model),
		T(test_parked_item_has_no_work_until_a_decoder_comes),
		T(test_run_keeps_the_state_and_states_move_on),
		T(test_forbidden_move_is_refused_with_both_names),
		T(test_item_retry_is_timed_again),
		T(test_a_run_ends_the_failure_of_its_attempts),
		T(test_stale_item_retry_changes_nothing),
		T(test_quarantined_item_comes_back_by_retry),
		T(test_annotations_stand_until_superseded),
		T(test_annotation_numbers),
		T(test_annotation_without_number_is_refused),
		T(test_until_twice_is_refused),
		T(test_dangling_items_are_refused),
		T(test_derived_is_replaced),
		T(test_abort_leaves_nothing),
		T(test_index_never_set_up_is_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
