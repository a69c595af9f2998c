/* test_rows.c - row formats: what is put comes back, keys keep their order, and damaged rows fail with their name. */
#include "tests/unit/store/index_fixture.h"

#include <endian.h>

static void test_item_comes_back(void **state)
{
	struct index *x = *state;
	struct item_row in = { .state = ITEM_QUARANTINED, .failed_stage = STAGE_INFER, .media = MEDIA_TEXT,
		.at = { LOCATION_SEGMENT, 7, 1ULL << 40 }, .bytes = 1ULL << 41, .content = content_of(5), .due_ms = -3,
		.annotations = 9, .media_type = 4, .width = 1, .height = 2, .normalizer = 3, .canonical = content_of(6),
		.facts = S("{}") }, out;
	assert_int_equal(rows_get_item(index_txn(x), 8, &out), 0);
	assert_int_equal(rows_put_item(x->txn, 8, &in), 0);
	assert_int_equal(rows_get_item(x->txn, 8, &out), 1);
	assert_int_equal(out.state, in.state);
	assert_int_equal(out.failed_stage, in.failed_stage);
	assert_int_equal(out.media, in.media);
	assert_int_equal(out.at.kind, LOCATION_SEGMENT);
	assert_int_equal(out.at.segment, 7);
	assert_int_equal(out.at.offset, 1ULL << 40);
	assert_int_equal(out.bytes, in.bytes);
	assert_true(content_id_eq(&out.content, &in.content) && content_id_eq(&out.canonical, &in.canonical));
	assert_int_equal(out.due_ms, -3);
	assert_int_equal(out.annotations, 9);
	assert_int_equal(out.media_type + 10 * out.width + 100 * out.height + 1000 * out.normalizer, 3214);
	assert_slice(out.facts, "{}");
}

static void test_fresh_item_is_short(void **state)
{
	struct index *x = *state;
	struct item_row in = { .state = ITEM_COMMITTED, .at = { LOCATION_LARGE, 0, 0 } }, out;
	struct key k;
	struct slice value;
	assert_int_equal(rows_put_item(index_txn(x), 8, &in), 0);
	assert_int_equal(kv_get(x->txn, TABLE_ITEM, key_item(&k, 8), &value), 1);
	assert_true(value.len <= 80);
	assert_int_equal(rows_get_item(x->txn, 8, &out), 1);
	assert_int_equal(out.facts.len, 0);
}

static void test_object_comes_back(void **state)
{
	struct index *x = *state;
	struct object_row in = { .kind = OBJECT_FILE, .state = OBJECT_RETRYING, .layout = LAYOUT_FLAT, .racy = true,
		.ref_gone = true, .number = 3, .item = 4, .bytes = 5, .version = S("v1") }, out;
	assert_int_equal(rows_put_object(index_txn(x), S("key"), &in), 0);
	assert_int_equal(rows_get_object(x->txn, S("key"), &out), 1);
	assert_true(out.kind == OBJECT_FILE && out.state == OBJECT_RETRYING && out.racy && out.ref_gone);
	assert_int_equal(out.layout, LAYOUT_FLAT);
	assert_true(out.number == 3 && out.item == 4 && out.bytes == 5);
	assert_slice(out.version, "v1");
	in = (struct object_row){ .kind = OBJECT_DIRECTORY, .state = OBJECT_GONE, .node = 77 };
	assert_int_equal(rows_put_object(x->txn, S("key"), &in), 0);
	assert_int_equal(rows_get_object(x->txn, S("key"), &out), 1);
	assert_true(out.kind == OBJECT_DIRECTORY && out.state == OBJECT_GONE && out.node == 77 &&
		out.layout == LAYOUT_TREE);
}

static void test_directory_comes_back(void **state)
{
	struct index *x = *state;
	struct directory_row in = { .continued = true,
		.parent = 2,
		.count = 3,
		.digest = { 4, 5 },
		.unsettled = 6,
		.skipped = 7,
		.name = S("a dir") },
			     out;
	assert_int_equal(rows_put_directory(index_txn(x), 1, 9, &in), 0);
	assert_int_equal(rows_get_directory(x->txn, 1, 8, &out), 0);
	assert_int_equal(rows_get_directory(x->txn, 1, 9, &out), 1);
	assert_true(out.continued && out.parent == 2 && out.count == 3 && out.digest.lo == 4 && out.digest.hi == 5);
	assert_true(out.unsettled == 6 && out.skipped == 7);
	assert_slice(out.name, "a dir");
}

static void test_annotation_comes_back(void **state)
{
	struct index *x = *state;
	struct annotation_row in = { .status = STATUS_REVIEW_DENIED,
		.confidence = 0.12345678901234566,
		.concept = 2,
		.worker = 3,
		.model = 4,
		.version = 5,
		.object = 6,
		.time_ms = 7,
		.since = 8,
		.until = 9,
		.geometry = S("{\"k\":[]}"),
		.attributes = S("{\"a\":1}") },
			      out;
	assert_int_equal(rows_put_annotation(index_txn(x), 1, 2, &in), 0);
	assert_int_equal(rows_get_annotation(x->txn, 1, 2, &out), 1);
	assert_int_equal(out.status, STATUS_REVIEW_DENIED);
	assert_true(out.confidence == 0.12345678901234566);
	assert_true(out.concept == 2 && out.worker == 3 && out.model == 4 && out.version == 5 && out.object == 6);
	assert_true(out.time_ms == 7 && out.since == 8 && out.until == 9);
	assert_slice(out.geometry, "{\"k\":[]}");
	assert_slice(out.attributes, "{\"a\":1}");
}

/* As the versions before attributes wrote them: a float, and nothing behind the geometry. */
static void test_annotation_and_import_of_the_first_form(void **state)
{
	struct index *x = *state;
	struct annotation_row out;
	struct import_value import;
	struct key k;
	struct slice value;
	char annotation[56 + 8] = { 1, STATUS_SUCCESS, BY_HUMAN, REASON_CONFLICT, 0x7b, 0x14, 0x6e, 0x3f, 2, 0, 0, 0, 3 };
	char imported[44 + 5] = { 1, 1, 0, 0, 7, 0, 0, 0, 12 };
	annotation[24] = 9;
	memcpy(annotation + 56, "{\"k\":[]}", 8);
	assert_int_equal(kv_put(index_txn(x), TABLE_ANNOTATION, key_annotation(&k, 1, 2), (struct slice){ annotation, sizeof(annotation) }), 0);
	assert_int_equal(rows_get_annotation(x->txn, 1, 2, &out), 1);
	assert_true(out.status == STATUS_SUCCESS && out.maker == BY_HUMAN && out.reason == REASON_CONFLICT);
	assert_true(out.confidence == 0.93 && out.concept == 2 && out.worker == 3 && out.object == 9 && out.attributes.len == 0);
	assert_slice(out.geometry, "{\"k\":[]}");
	imported[40] = 3;
	memcpy(imported + 44, "csvh\n", 5);
	assert_int_equal(kv_put(x->txn, TABLE_IMPORT, key_item(&k, 1), (struct slice){ imported, sizeof(imported) }), 0);
	assert_int_equal(kv_get(x->txn, TABLE_IMPORT, key_item(&k, 1), &value), 1);
	assert_int_equal(rows_read_import(x->txn, key_slice(&k), value, &import), 0);
	assert_true(import.complete && import.source == 7 && import.rows == 12 && import.attributes.len == 0);
	assert_slice(import.format, "csv");
	assert_slice(import.header, "h\n");
}

static void test_failure_and_source_come_back(void **state)
{
	struct index *x = *state;
	struct failure_row in = { .stage = STAGE_FETCH,
		.retry = true,
		.attempts = 3,
		.due_ms = 4,
		.bytes = 5,
		.version = S("v"),
		.reason = S("why"),
		.cure = S("") },
			   out;
	assert_int_equal(rows_put_failure(index_txn(x), SUBJECT_OBJECT, 1, &in), 0);
	assert_int_equal(rows_get_failure(x->txn, SUBJECT_ITEM, 1, &out), 0);
	assert_int_equal(rows_get_failure(x->txn, SUBJECT_OBJECT, 1, &out), 1);
	assert_true(out.stage == STAGE_FETCH && out.retry && out.attempts == 3 && out.due_ms == 4 && out.bytes == 5);
	assert_slice(out.version, "v");
	assert_slice(out.reason, "why");
	assert_slice(out.cure, "");
	in.retry = false;
	in.archived = true;
	assert_int_equal(rows_put_failure(x->txn, SUBJECT_OBJECT, 1, &in), 0);
	assert_int_equal(rows_get_failure(x->txn, SUBJECT_OBJECT, 1, &out), 1);
	assert_true(out.archived && !out.retry && out.due_ms == 4);
	struct source_value source = { .last_pass_ms = 11, .kind = S("folder"), .root = S("8:1"), .message = S("m") },
			    back;
	assert_int_equal(rows_put_source(x->txn, S("drop"), &source), 0);
	assert_int_equal(rows_get_source(x->txn, S("drop"), &back), 1);
	assert_int_equal(back.last_pass_ms, 11);
	assert_slice(back.kind, "folder");
	assert_slice(back.root, "8:1");
	assert_slice(back.state, "");
	assert_slice(back.message, "m");
}

static void test_value_beyond_a_page_comes_back(void **state)
{
	struct index *x = *state;
	struct failure_row in = { .stage = STAGE_FETCH }, out;
	char *reason = mem_zero(1, 20000);
	memset(reason, 'r', 20000);
	in.reason = (struct slice){ reason, 20000 };
	assert_int_equal(rows_put_failure(index_txn(x), SUBJECT_ITEM, 1, &in), 0);
	assert_int_equal(rows_get_failure(x->txn, SUBJECT_ITEM, 1, &out), 1);
	assert_true(slice_eq(out.reason, in.reason));
	free(reason);
}

static void test_words_are_given_once(void **state)
{
	struct index *x = *state;
	uint32_t word = 99;
	struct slice back;
	char *text = mem_zero(1, 3000);
	memset(text, 'w', 2999);
	struct slice long_word = { text, 2999 }, other = { text, 2998 };
	assert_int_equal(rows_find_word(index_txn(x), S(""), &word), 1);
	assert_int_equal(word, 0);
	assert_int_equal(rows_find_word(x->txn, S("cat"), &word), 0);
	assert_int_equal(rows_put_word(x->txn, S("cat"), 1), 0);
	assert_int_equal(rows_put_word(x->txn, long_word, 2), 0); /* longer than any LMDB key */
	assert_int_equal(rows_find_word(x->txn, S("cat"), &word), 1);
	assert_int_equal(word, 1);
	assert_int_equal(rows_find_word(x->txn, long_word, &word), 1);
	assert_int_equal(word, 2);
	assert_int_equal(rows_find_word(x->txn, other, &word), 0);
	assert_int_equal(rows_word(x->txn, 2, &back), 0);
	assert_true(slice_eq(back, long_word));
	assert_int_equal(rows_word(x->txn, 3, &back), -1);
	free(text);
}

static void test_work_keys_are_in_due_order(void **state)
{
	(void)state;
	static const int64_t due[] = { INT64_MIN, -1, 0, 1, 255, 256, INT64_MAX };
	for (size_t i = 1; i < sizeof(due) / sizeof(*due); i++) {
		struct key a, b;
		(void)key_work(&a, STAGE_INFER, MEDIA_IMAGE, due[i - 1], 500);
		(void)key_work(&b, STAGE_INFER, MEDIA_IMAGE, due[i], 3);
		assert_true(slice_cmp(key_slice(&a), key_slice(&b)) < 0);
		assert_true(read_due(b.bytes + 2) == due[i]);
	}
}

/* Every prefix of a good row, and the row in another format: fatal, or the same row, but never a crash. */
static void damage(struct index *x, enum table t, struct slice key, int (*read)(struct kv_txn *))
{
	struct slice value;
	assert_int_equal(kv_get(index_txn(x), t, key, &value), 1);
	size_t len = value.len;
	char *good = mem_dup(value.p, len);
	const char format = good[0];
	good[0] = 99;
	for (size_t n = 0; n <= len; n++) {
		assert_int_equal(kv_put(x->txn, t, key, (struct slice){ good, n }), 0);
		assert_int_equal(read(x->txn), -1);
		assert_int_equal(kv_failed(x->txn, &x->err), -1);
		assert_int_equal(x->err.class, ERR_FATAL);
		assert_non_null(strstr(x->err.text, table_name(t)));
		assert_non_null(strstr(x->err.text, "rebuild-index"));
		index_abort(x);
		(void)index_txn(x);
	}
	good[0] = format;
	for (size_t n = 0; n < len; n++) {
		assert_int_equal(kv_put(x->txn, t, key, (struct slice){ good, n }), 0);
		(void)read(x->txn);
		index_abort(x);
		(void)index_txn(x);
	}
	free(good);
}

static int read_item(struct kv_txn *txn)
{
	struct item_row row;
	return rows_get_item(txn, 1, &row);
}

static int read_object(struct kv_txn *txn)
{
	struct object_row row;
	return rows_get_object(txn, S("key"), &row);
}

static int read_directory(struct kv_txn *txn)
{
	struct directory_row row;
	return rows_get_directory(txn, 1, 1, &row);
}

static int read_annotation(struct kv_txn *txn)
{
	struct annotation_row row;
	return rows_get_annotation(txn, 1, 1, &row);
}

static int read_failure(struct kv_txn *txn)
{
	struct failure_row row;
	return rows_get_failure(txn, SUBJECT_ITEM, 1, &row);
}

static int read_source(struct kv_txn *txn)
{
	struct source_value row;
	return rows_get_source(txn, S("drop"), &row);
}

static int read_derived(struct kv_txn *txn)
{
	struct record_derived row;
	return rows_get_derived(txn, 1, DERIVED_THUMBNAIL, &row);
}

static void test_damaged_rows_are_fatal_and_named(void **state)
{
	struct index *x = *state;
	struct key k;
	struct item_row item = { .state = ITEM_COMMITTED, .normalizer = 1, .facts = S("{}") };
	struct object_row object = { .kind = OBJECT_FILE,
		.state = OBJECT_PRESENT,
		.layout = LAYOUT_TREE,
		.version = S("v") };
	struct directory_row directory = { .name = S("n") };
	struct annotation_row annotation = { .geometry = S("g") };
	struct failure_row failure = { .version = S("v"), .reason = S("r"), .cure = S("c") };
	struct source_value source = { .kind = S("k"), .root = S("r"), .state = S("s"), .message = S("m") };
	struct record_derived derived = { .item = 1, .kind = DERIVED_THUMBNAIL };
	assert_int_equal(rows_put_item(index_txn(x), 1, &item), 0);
	assert_int_equal(rows_put_object(x->txn, S("key"), &object), 0);
	assert_int_equal(rows_put_directory(x->txn, 1, 1, &directory), 0);
	assert_int_equal(rows_put_annotation(x->txn, 1, 1, &annotation), 0);
	assert_int_equal(rows_put_failure(x->txn, SUBJECT_ITEM, 1, &failure), 0);
	assert_int_equal(rows_put_source(x->txn, S("drop"), &source), 0);
	assert_int_equal(rows_put_derived(x->txn, &derived), 0);
	index_commit(x);
	damage(x, TABLE_ITEM, key_item(&k, 1), read_item);
	damage(x, TABLE_OBJECT, S("key"), read_object);
	damage(x, TABLE_DIRECTORY, key_directory(&k, 1, 1), read_directory);
	damage(x, TABLE_ANNOTATION, key_annotation(&k, 1, 1), read_annotation);
	damage(x, TABLE_FAILURE, key_failure(&k, SUBJECT_ITEM, 1), read_failure);
	damage(x, TABLE_SOURCE, S("drop"), read_source);
	damage(x, TABLE_DERIVED, key_derived(&k, 1, DERIVED_THUMBNAIL), read_derived);
}

static void test_out_of_range_states_are_damage(void **state)
{
	struct index *x = *state;
	struct item_row item = { .state = ITEM_COMMITTED };
	struct key k;
	struct slice value;
	assert_int_equal(rows_put_item(index_txn(x), 1, &item), 0);
	assert_int_equal(kv_get(x->txn, TABLE_ITEM, key_item(&k, 1), &value), 1);
	char bad[128];
	memcpy(bad, value.p, value.len);
	bad[1] = ITEM_STATES;
	assert_int_equal(kv_put(x->txn, TABLE_ITEM, key_item(&k, 1), (struct slice){ bad, value.len }), 0);
	assert_int_equal(read_item(x->txn), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_item_comes_back),
		T(test_fresh_item_is_short),
		T(test_object_comes_back),
		T(test_directory_comes_back),
		T(test_annotation_comes_back),
		T(test_annotation_and_import_of_the_first_form),
		T(test_failure_and_source_come_back),
		T(test_value_beyond_a_page_comes_back),
		T(test_words_are_given_once),
		cmocka_unit_test(test_work_keys_are_in_due_order),
		T(test_damaged_rows_are_fatal_and_named),
		T(test_out_of_range_states_are_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
