/* sums.h - what the rows of an index add up to, beside what is counted for them: check_sums(). */
#ifndef INLET_TESTS_STORE_SUMS_H
#define INLET_TESTS_STORE_SUMS_H

#include "tests/unit/store/index_fixture.h"

#include <endian.h>

#define SOURCES 2

static const char *const source_names[SOURCES] = { "drop", "other" };

static struct slice source_of(size_t s)
{
	return slice_of(source_names[s]);
}

struct sums {
	uint64_t states[ITEM_STATES], by_state_rows, items, stored, large;
	uint64_t work[STAGES][MEDIAS][2], failures[3], standing[STATUSES];
	uint64_t objects[SOURCES][OBJECT_STATES], skipped[SOURCES], refs, carried;
	struct {
		uint32_t source;
		uint64_t node, count, unsettled;
		struct digest128 digest;
	} places[256];
	size_t place_count;
};

static size_t place_index(struct sums *t, uint32_t source, uint64_t node)
{
	for (size_t i = 0; i < t->place_count; i++)
		if (t->places[i].source == source && t->places[i].node == node)
			return i;
	assert_true(t->place_count < 256);
	t->places[t->place_count].source = source;
	t->places[t->place_count].node = node;
	return t->place_count++;
}

static size_t source_index(struct kv_txn *txn, uint32_t word)
{
	struct slice name;
	assert_int_equal(rows_word(txn, word, &name), 0);
	return slice_eq(name, slice_of(source_names[0])) ? 0 : 1;
}

typedef void row_fn(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t);

static void sum_item(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	struct item_row row;
	struct key k;
	struct slice nothing;
	uint64_t id = read_be64(key.p);
	assert_int_equal(rows_read_item(txn, key, value, &row), 0);
	t->items++;
	t->states[row.state]++;
	t->stored += row.bytes;
	t->large += row.at.kind == LOCATION_LARGE;
	assert_int_equal(kv_get(txn, TABLE_BY_STATE, key_by_state(&k, row.state, id), &nothing), 1);
	enum stage stage = item_state_work(row.state);
	if (stage != STAGE_NONE)
		assert_int_equal(kv_get(txn, TABLE_WORK, key_work(&k, stage, row.media, row.due_ms, id), &nothing), 1);
}

static void sum_work(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	(void)txn;
	uint32_t attempts;
	memcpy(&attempts, value.p, sizeof(attempts));
	t->work[(int)key.p[0]][(int)key.p[1]][attempts != 0]++;
}

static void sum_failure(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	struct failure_row row;
	assert_int_equal(rows_read_failure(txn, key, value, &row), 0);
	t->failures[row.archived ? 2 : row.retry]++;
}

static void sum_annotation(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	struct annotation_row row;
	assert_int_equal(rows_read_annotation(txn, key, value, &row), 0);
	t->standing[row.status] += row.until == 0;
}

static void sum_object(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	struct object_row row;
	struct hash_key digest_key;
	struct key k;
	struct slice nothing;
	char text[128];
	assert_int_equal(rows_read_object(txn, key, value, &row), 0);
	assert_int_equal(rows_digest_key(txn, &digest_key), 1);
	size_t at = place_index(t, read_be32(key.p), read_be64(key.p + 4)), name_len = key.len - OBJECT_KEY_HEAD;
	struct slice version = row.version;
	if (row.kind == OBJECT_DIRECTORY) {
		name_len--;
		version = S("/");
	} else {
		t->objects[source_index(txn, read_be32(key.p))][row.state]++;
		t->places[at].unsettled += row.state == OBJECT_RETRYING || row.state == OBJECT_QUARANTINED ||
			row.state == OBJECT_ARCHIVED || row.racy;
		t->carried += row.item != 0;
		if (row.item)
			assert_int_equal(kv_get(txn, TABLE_REF, key_ref(&k, row.item, row.number), &nothing), 1);
		assert_int_equal(kv_get(txn, TABLE_REF, key_ref(&k, 0, row.number), &nothing), 1);
		assert_true(slice_eq(nothing, key));
	}
	if (row.state != OBJECT_PRESENT)
		return;
	memcpy(text, key.p + OBJECT_KEY_HEAD, name_len);
	text[name_len] = '\0';
	memcpy(text + name_len + 1, version.p, version.len);
	digest128_add(&t->places[at].digest, &digest_key, text, name_len + 1 + version.len);
	t->places[at].count++;
}

static void sum_ref(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	(void)txn;
	(void)value;
	t->refs += read_be64(key.p) != 0;
}

static void check_directory(struct kv_txn *txn, struct slice key, struct slice value, struct sums *t)
{
	(void)value;
	struct directory_row row;
	uint32_t source = read_be32(key.p);
	size_t at = place_index(t, source, read_be64(key.p + 4));
	assert_int_equal(rows_get_directory(txn, source, read_be64(key.p + 4), &row), 1);
	t->skipped[source_index(txn, source)] += row.skipped;
	assert_int_equal(row.count, t->places[at].count);
	assert_int_equal(row.unsettled, t->places[at].unsettled);
	assert_true(row.digest.lo == t->places[at].digest.lo && row.digest.hi == t->places[at].digest.hi);
}

static void each_row(struct kv_txn *txn, enum table table, row_fn *fn, struct sums *t)
{
	struct kv_cursor *c;
	struct slice key, value;
	assert_int_equal(kv_cursor_open(txn, table, S(""), &c), 0);
	while (kv_cursor_next(c, &key, &value) > 0)
		if (fn)
			fn(txn, key, value, t);
		else
			t->by_state_rows++;
	kv_cursor_close(c);
	assert_int_equal(kv_failed(txn, NULL), 0);
}

static void check_totals(struct view *v, const struct sums *t)
{
	struct totals got;
	assert_int_equal(view_totals(v, &got, NULL), 0);
	assert_memory_equal(got.by_state, t->states, sizeof(t->states));
	assert_memory_equal(got.by_status, t->standing, sizeof(t->standing));
	assert_int_equal(got.items, t->items);
	assert_int_equal(got.items, t->by_state_rows);
	assert_int_equal(got.stored_bytes, t->stored);
	assert_int_equal(got.large, t->large);
	assert_int_equal(got.quarantined, t->failures[0]);
	assert_int_equal(got.retrying, t->failures[1]);
	assert_int_equal(got.archived, t->failures[2]);
	assert_int_equal(t->refs, t->carried);
	for (int s = 0; s < STAGES; s++)
		for (int m = 0; m < MEDIAS; m++)
			for (int r = 0; r < 2; r++)
				assert_int_equal(view_work_count(v, s, m, r), t->work[s][m][r]);
	for (size_t s = 0; s < SOURCES; s++) {
		struct source_row row;
		if (view_source(v, source_of(s), &row, NULL) == 0)
			continue;
		assert_int_equal(row.present, t->objects[s][OBJECT_PRESENT]);
		assert_int_equal(row.gone, t->objects[s][OBJECT_GONE]);
		assert_int_equal(row.retrying, t->objects[s][OBJECT_RETRYING]);
		assert_int_equal(row.quarantined, t->objects[s][OBJECT_QUARANTINED]);
		assert_int_equal(row.archived, t->objects[s][OBJECT_ARCHIVED]);
		assert_int_equal(row.skipped, t->skipped[s]);
	}
}

static inline void check_sums(struct index *x)
{
	struct kv_txn *txn;
	struct sums *t = mem_zero(1, sizeof(*t));
	struct view *v = index_view(x);
	assert_int_equal(kv_begin(x->kv, false, &txn, &x->err), 0);
	each_row(txn, TABLE_ITEM, sum_item, t);
	each_row(txn, TABLE_BY_STATE, NULL, t);
	each_row(txn, TABLE_WORK, sum_work, t);
	each_row(txn, TABLE_FAILURE, sum_failure, t);
	each_row(txn, TABLE_ANNOTATION, sum_annotation, t);
	each_row(txn, TABLE_OBJECT, sum_object, t);
	each_row(txn, TABLE_REF, sum_ref, t);
	each_row(txn, TABLE_DIRECTORY, check_directory, t);
	kv_abort(txn);
	check_totals(v, t);
	free(t);
}

#endif
