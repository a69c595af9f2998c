/* view.c - a snapshot of the index and what it says of items: rows, references, annotations, runs (view.h). */
#include "daemon/store/view.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/store/internal.h"
#include "daemon/store/pending.h"
#include "daemon/store/view_internal.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#define CHUNK_BYTES 4096U
#define REF_KEY_BYTES 16
#define RUN_KEY_BYTES 12 /* also of an annotation */

struct view_chunk {
	struct view_chunk *next;
	size_t used, size;
	uint64_t data[];
};

/* Memory */

void *view_alloc(struct view *v, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	struct view_chunk *c = v->chunks;
	if (!c || c->size - c->used < n) {
		size_t size = c ? 2 * c->size : CHUNK_BYTES;
		size = size < n ? n : size;
		c = mem_alloc(sizeof(*c) + size);
		*c = (struct view_chunk){ .next = v->chunks, .size = size };
		v->chunks = c;
	}
	void *p = (char *)c->data + c->used;
	c->used += n;
	return p;
}

struct slice view_copy(struct view *v, struct slice s)
{
	char *p = view_alloc(v, s.len + 1);
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return (struct slice){ p, s.len };
}

/* Keeps the newest chunk, which is the largest, unless one long answer has made it very large. */
static void forget(struct view *v, size_t keep_bytes)
{
	struct view_chunk *c = v->chunks, *keep = NULL;
	while (c) {
		struct view_chunk *next = c->next;
		if (!keep && c->size <= keep_bytes)
			keep = c;
		else
			free(c);
		c = next;
	}
	v->chunks = keep;
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
}

/* Opening and closing */

int view_open_kv(struct kv *kv, struct view **ret, struct err *err)
{
	CLEANUP(view_closep) struct view *v = mem_zero(1, sizeof(*v));
	if (kv_begin(kv, false, &v->txn, err) < 0)
		return -1;
	int is_there = rows_digest_key(v->txn, &v->digest_key);
	if (is_there < 0)
		return view_failed_call(v, err);
	if (is_there == 0)
		return err_set(err, ERR_FATAL, 0, "the index has no digest key: it was never set up (apply_init)");
	*ret = TAKE_PTR(v);
	return 0;
}

int view_open(struct store *s, struct view **ret, struct err *err)
{
	return view_open_kv(store_kv(s), ret, err);
}

struct view *view_of_txn(struct kv_txn *txn)
{
	struct pending *p = pending_of(txn);
	if (!p)
		return NULL;
	struct view *v = mem_zero(1, sizeof(*v));
	v->txn = txn;
	v->borrowed = true;
	v->digest_key = *pending_digest_key(p);
	return v;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	if (!v->borrowed)
		kv_abort(v->txn);
	forget(v, 0);
	buf_done(&v->scratch);
	free(v);
}

void view_rest(struct view *v)
{
	assert(!v->borrowed);
	if (!v->rests)
		kv_reset(v->txn);
	v->rests = true;
}

int view_renew(struct view *v, struct err *err)
{
	view_rest(v);
	forget(v, 64 * CHUNK_BYTES);
	if (kv_renew(v->txn, err) < 0)
		return -1;
	v->rests = false;
	return 0;
}

int view_settle(struct view *v)
{
	return v->borrowed ? pending_flush(v->txn) : 0;
}

int view_failed_call(struct view *v, struct err *err)
{
	return kv_failed(v->txn, err);
}

const struct hash_key *view_digest_key(struct view *v)
{
	return &v->digest_key;
}

uint64_t view_revision(struct view *v)
{
	uint64_t revision;
	if (view_settle(v) < 0 || rows_counter(v->txn, counter_id(COUNTER_REVISION, 0, 0, 0), &revision) < 0)
		return 0;
	return revision;
}

int view_meta(struct view *v, const char *name, struct slice *ret)
{
	return kv_get(v->txn, TABLE_META, slice_of(name), ret);
}

/* Items */

static int item_fill(struct view *v, uint64_t id, const struct item_row *row, struct item *ret)
{
	*ret = (struct item){ .id = id,
		.content = row->content,
		.bytes = row->bytes,
		.at = row->at,
		.state = row->state,
		.failed_stage = row->failed_stage,
		.media = row->media,
		.width = row->width,
		.height = row->height,
		.normalizer = row->normalizer,
		.canonical = row->canonical,
		.facts = row->facts };
	return rows_word(v->txn, row->media_type, &ret->media_type);
}

int view_item(struct view *v, uint64_t id, struct item *ret, struct err *err)
{
	struct item_row row;
	int is_there = rows_get_item(v->txn, id, &row);
	if (is_there < 0 || (is_there && item_fill(v, id, &row, ret) < 0))
		return view_failed_call(v, err);
	return is_there;
}

uint64_t view_item_by_content(struct view *v, const struct content_id *id)
{
	struct slice value;
	uint64_t item;
	if (kv_get(v->txn, TABLE_CONTENT, (struct slice){ (const char *)id->sha256, SHA256_BYTES }, &value) <= 0 ||
		value.len != sizeof(item))
		return 0;
	memcpy(&item, value.p, sizeof(item));
	return le64toh(item);
}

static int next_of_state(struct view *v, uint64_t after, enum item_state state, uint64_t *ret)
{
	struct key k;
	struct slice key, value;
	int is_there = kv_seek(v->txn, TABLE_BY_STATE, key_by_state(&k, state, after + 1), &key, &value);
	if (is_there <= 0 || key.len != k.len || (uint8_t)key.p[0] != state)
		return is_there < 0 ? -1 : 0;
	*ret = read_be64(key.p + 1);
	return 1;
}

static int next_of_all(struct view *v, uint64_t after, uint64_t *ret)
{
	struct key k;
	struct slice key, value;
	int is_there = kv_seek(v->txn, TABLE_ITEM, key_item(&k, after + 1), &key, &value);
	if (is_there > 0 && key.len != k.len)
		return rows_corrupt(v->txn, TABLE_ITEM, key);
	if (is_there > 0)
		*ret = read_be64(key.p);
	return is_there;
}

int view_item_next(struct view *v, uint64_t after, enum item_state state, struct item *ret, struct err *err)
{
	uint64_t id;
	if (after == UINT64_MAX)
		return 0;
	int is_there = state == ITEM_NONE ? next_of_all(v, after, &id) : next_of_state(v, after, state, &id);
	if (is_there < 0)
		return view_failed_call(v, err);
	return is_there ? view_item(v, id, ret, err) : 0;
}

/* Rows of one item: those whose key begins with its number */

struct item_rows {
	struct view *v;
	struct kv_cursor *cursor;
	enum table table;
	size_t key_len; /* of each key: the item and what numbers its rows */
	struct key prefix;
	struct slice key, value;
};

static int item_rows_open(struct view *v, enum table t, uint64_t item, size_t key_len, struct item_rows *ret)
{
	ret->v = v;
	ret->table = t;
	ret->key_len = key_len;
	return kv_cursor_open(v->txn, t, key_item(&ret->prefix, item), &ret->cursor);
}

static int item_rows_next(struct item_rows *rows)
{
	int is_there = kv_cursor_next(rows->cursor, &rows->key, &rows->value);
	if (is_there > 0 && rows->key.len != rows->key_len)
		return rows_corrupt(rows->v->txn, rows->table, rows->key);
	if (is_there > 0 && memcmp(rows->key.p, rows->prefix.bytes, rows->prefix.len) != 0)
		return 0;
	return is_there;
}

void *view_more(struct view *v, void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 4;
	void *to = view_alloc(v, *cap * size);
	if (count > 0)
		memcpy(to, array, count * size);
	return to;
}

static int reference_fill(struct view *v, uint64_t object, bool gone_too, struct reference *ret)
{
	struct slice source, key, name;
	struct object_row row;
	int is_there = view_locate(v, object, &source, &key, &row, &name);
	if (is_there <= 0 || (row.ref_gone && !gone_too))
		return is_there < 0 ? -1 : 0;
	*ret = (struct reference){ .source = source, .key = key, .version = row.version, .object = object,
		.layout = row.layout, .state = row.ref_gone ? OBJECT_GONE : OBJECT_PRESENT,
		.racy = row.racy };
	return 1;
}

int view_references(struct view *v, uint64_t item, bool gone_too, const struct reference **ret, size_t *ret_n,
	struct err *err)
{
	struct reference *array = NULL;
	size_t count = 0, cap = 0;
	struct item_rows rows;
	int ok = item_rows_open(v, TABLE_REF, item, REF_KEY_BYTES, &rows);
	if (ok < 0)
		return view_failed_call(v, err);
	while (item > 0 && (ok = item_rows_next(&rows)) > 0) {
		array = view_more(v, array, count, &cap, sizeof(*array));
		ok = reference_fill(v, read_be64(rows.key.p + sizeof(uint64_t)), gone_too, &array[count]);
		if (ok < 0)
			break;
		count += (size_t)ok;
	}
	kv_cursor_close(rows.cursor);
	if (ok < 0)
		return view_failed_call(v, err);
	*ret = array;
	*ret_n = count;
	return 0;
}

int view_first_reference(struct view *v, uint64_t item, struct reference *ret)
{
	struct reference r;
	struct item_rows rows;
	bool any = false;
	int ok;
	if (item_rows_open(v, TABLE_REF, item, REF_KEY_BYTES, &rows) < 0)
		return -1;
	while ((ok = item_rows_next(&rows)) > 0) {
		if ((ok = reference_fill(v, read_be64(rows.key.p + sizeof(uint64_t)), true, &r)) < 0)
			break;
		if (ok > 0 && (!any || r.state == OBJECT_PRESENT)) {
			*ret = r;
			any = true;
			if (r.state == OBJECT_PRESENT)
				break;
		}
	}
	kv_cursor_close(rows.cursor);
	return ok < 0 ? -1 : any;
}

static int annotation_fill(struct view *v, uint32_t n, const struct annotation_row *row, struct annotation *ret)
{
	*ret = (struct annotation){ .n = n, .confidence = row->confidence, .status = row->status, .maker = row->maker,
		.reason = row->reason, .object = row->object,
		.geometry = row->geometry, .attributes = row->attributes, .time_ms = row->time_ms, .since = row->since, .until = row->until };
	if (rows_word(v->txn, row->concept, &ret->concept) < 0 || rows_word(v->txn, row->worker, &ret->worker) < 0 ||
		rows_word(v->txn, row->model, &ret->model) < 0)
		return -1;
	return rows_version_word(v->txn, row->version, &ret->model_version);
}

static bool stands(const struct annotation_row *row, uint64_t revision)
{
	if (revision == REVISION_ANY)
		return true;
	if (revision == 0)
		return row->until == 0;
	return row->since <= revision && (row->until == 0 || row->until > revision);
}

static int annotations(struct view *v, uint64_t item, uint64_t revision, size_t max, const struct annotation **ret, size_t *ret_n,
	struct err *err)
{
	struct annotation *array = NULL;
	size_t count = 0, cap = 0;
	struct item_rows rows;
	int ok = item_rows_open(v, TABLE_ANNOTATION, item, RUN_KEY_BYTES, &rows);
	if (ok < 0)
		return view_failed_call(v, err);
	while (count < max && (ok = item_rows_next(&rows)) > 0) {
		struct annotation_row row;
		if ((ok = rows_read_annotation(v->txn, rows.key, rows.value, &row)) < 0)
			break;
		if (!stands(&row, revision))
			continue;
		array = view_more(v, array, count, &cap, sizeof(*array));
		if ((ok = annotation_fill(v, read_be32(rows.key.p + sizeof(uint64_t)), &row, &array[count])) < 0)
			break;
		count++;
	}
	kv_cursor_close(rows.cursor);
	if (ok < 0)
		return view_failed_call(v, err);
	*ret = array;
	*ret_n = count;
	return 0;
}

int view_annotations(struct view *v, uint64_t item, uint64_t revision, const struct annotation **ret, size_t *ret_n,
	struct err *err)
{
	return annotations(v, item, revision, SIZE_MAX, ret, ret_n, err);
}

int view_annotations_some(struct view *v, uint64_t item, size_t max, const struct annotation **ret, size_t *ret_n, struct err *err)
{
	return annotations(v, item, 0, max, ret, ret_n, err);
}

static int run_fill(struct view *v, struct slice key, struct slice value, struct run *ret)
{
	struct run_row row;
	if (rows_read_run(v->txn, key, value, &row) < 0 || rows_word(v->txn, row.model, &ret->model) < 0 ||
		rows_version_word(v->txn, read_be32(key.p + sizeof(uint64_t)), &ret->model_version) < 0)
		return -1;
	struct score *scores = view_alloc(v, (row.count + 1) * sizeof(*scores));
	for (size_t i = 0; i < row.count; i++) {
		uint32_t concept;
		run_score(&row, i, &concept, &scores[i].confidence);
		if (rows_word(v->txn, concept, &scores[i].concept) < 0)
			return -1;
	}
	ret->scores = scores;
	ret->score_count = row.count;
	return 0;
}

int view_runs(struct view *v, uint64_t item, const struct run **ret, size_t *ret_n, struct err *err)
{
	struct run *array = NULL;
	size_t count = 0, cap = 0;
	struct item_rows rows;
	int ok = item_rows_open(v, TABLE_RUN, item, RUN_KEY_BYTES, &rows);
	if (ok < 0)
		return view_failed_call(v, err);
	while ((ok = item_rows_next(&rows)) > 0) {
		array = view_more(v, array, count, &cap, sizeof(*array));
		if ((ok = run_fill(v, rows.key, rows.value, &array[count])) < 0)
			break;
		count++;
	}
	kv_cursor_close(rows.cursor);
	if (ok < 0)
		return view_failed_call(v, err);
	*ret = array;
	*ret_n = count;
	return 0;
}

int view_run_next(struct view *v, const struct content_id *model_version, uint64_t after, uint64_t *ret_item,
	struct err *err)
{
	uint32_t version;
	int is_there =
		rows_find_word(v->txn, (struct slice){ (const char *)model_version->sha256, SHA256_BYTES }, &version);
	if (is_there == 0 || after == UINT64_MAX)
		return 0;
	struct kv_cursor *c;
	struct key k;
	struct slice key, value;
	if (is_there < 0 || kv_cursor_open(v->txn, TABLE_RUN, key_item(&k, after + 1), &c) < 0)
		return view_failed_call(v, err);
	while ((is_there = kv_cursor_next(c, &key, &value)) > 0) {
		if (key.len != RUN_KEY_BYTES)
			is_there = rows_corrupt(v->txn, TABLE_RUN, key);
		if (is_there < 0 || read_be32(key.p + sizeof(uint64_t)) == version)
			break;
	}
	kv_cursor_close(c);
	if (is_there < 0)
		return view_failed_call(v, err);
	if (is_there > 0)
		*ret_item = read_be64(key.p);
	return is_there;
}

int view_derived(struct view *v, uint64_t item, enum derived_kind kind, struct record_derived *ret, struct err *err)
{
	int is_there = rows_get_derived(v->txn, item, kind, ret);
	return is_there < 0 ? view_failed_call(v, err) : is_there;
}
