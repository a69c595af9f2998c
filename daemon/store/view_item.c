/* view_item.c - what a snapshot says of items: their rows, references, annotations and runs. */
#include "daemon/store/internal.h"
#include "daemon/store/view_internal.h"

#include <endian.h>

#define REF_KEY_BYTES 16
#define RUN_KEY_BYTES 12 /* also of an annotation */

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

/* What the rows of one item give, one element a row or none. fill: 1 filled, 0 left out, -1. */
typedef int fill_fn(const struct item_rows *row, const void *arg, void *ret);
struct elements {
	void *array; /* the view's memory */
	size_t size; /* of one */
	size_t count;
};

static int collect(struct item_rows *rows, size_t max, fill_fn *fill, const void *arg, struct elements *ret)
{
	size_t cap = 0;
	int ok = 0;
	while (ret->count < max && (ok = item_rows_next(rows)) > 0) {
		ret->array = view_more(rows->v, ret->array, ret->count, &cap, ret->size);
		if ((ok = fill(rows, arg, (char *)ret->array + ret->count * ret->size)) < 0)
			break;
		ret->count += (size_t)ok;
	}
	kv_cursor_close(rows->cursor);
	return ok < 0 ? -1 : 0;
}

static int item_elements(struct view *v, enum table t, uint64_t item, size_t key_len, size_t max, fill_fn *fill, const void *arg,
	struct elements *ret, struct err *err)
{
	struct item_rows rows;
	if (item_rows_open(v, t, item, key_len, &rows) < 0 || collect(&rows, max, fill, arg, ret) < 0)
		return view_failed_call(v, err);
	return 0;
}

static int reference_fill(const struct item_rows *rows, const void *gone_too, void *to)
{
	struct view *v = rows->v;
	struct reference *ret = to;
	uint64_t object = read_be64(rows->key.p + sizeof(uint64_t));
	struct slice source, key, name;
	struct object_row row;
	int is_there = view_locate(v, object, &source, &key, &row, &name);
	if (is_there <= 0 || (row.ref_gone && !*(const bool *)gone_too))
		return is_there < 0 ? -1 : 0;
	*ret = (struct reference){ .source = source, .key = key, .version = row.version, .object = object,
		.layout = row.layout, .state = row.ref_gone ? OBJECT_GONE : OBJECT_PRESENT,
		.racy = row.racy };
	return 1;
}

int view_references(struct view *v, uint64_t item, bool gone_too, const struct reference **ret, size_t *ret_n,
	struct err *err)
{
	struct elements e = { .size = sizeof(**ret) };
	if (item > 0 && item_elements(v, TABLE_REF, item, REF_KEY_BYTES, SIZE_MAX, reference_fill, &gone_too, &e, err) < 0)
		return -1;
	*ret = e.array;
	*ret_n = e.count;
	return 0;
}

int view_first_reference(struct view *v, uint64_t item, struct reference *ret)
{
	struct reference r;
	struct item_rows rows;
	const bool gone_too = true;
	bool any = false;
	int ok;
	if (item_rows_open(v, TABLE_REF, item, REF_KEY_BYTES, &rows) < 0)
		return -1;
	while ((ok = item_rows_next(&rows)) > 0) {
		if ((ok = reference_fill(&rows, &gone_too, &r)) < 0)
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

static bool stands(const struct annotation_row *row, uint64_t revision)
{
	if (revision == REVISION_ANY)
		return true;
	if (revision == 0)
		return row->until == 0;
	return row->since <= revision && (row->until == 0 || row->until > revision);
}

static int annotation_fill(const struct item_rows *rows, const void *revision, void *to)
{
	struct view *v = rows->v;
	struct annotation *ret = to;
	struct annotation_row row;
	uint32_t n = read_be32(rows->key.p + sizeof(uint64_t));
	if (rows_read_annotation(v->txn, rows->key, rows->value, &row) < 0)
		return -1;
	if (!stands(&row, *(const uint64_t *)revision))
		return 0;
	*ret = (struct annotation){ .n = n, .confidence = row.confidence, .status = row.status, .maker = row.maker,
		.reason = row.reason, .object = row.object,
		.geometry = row.geometry, .attributes = row.attributes, .time_ms = row.time_ms, .since = row.since, .until = row.until };
	if (rows_word(v->txn, row.concept, &ret->concept) < 0 || rows_word(v->txn, row.worker, &ret->worker) < 0 ||
		rows_word(v->txn, row.model, &ret->model) < 0)
		return -1;
	return rows_version_word(v->txn, row.version, &ret->model_version) < 0 ? -1 : 1;
}

static int annotations(struct view *v, uint64_t item, uint64_t revision, size_t max, const struct annotation **ret, size_t *ret_n,
	struct err *err)
{
	struct elements e = { .size = sizeof(**ret) };
	if (item_elements(v, TABLE_ANNOTATION, item, RUN_KEY_BYTES, max, annotation_fill, &revision, &e, err) < 0)
		return -1;
	*ret = e.array;
	*ret_n = e.count;
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

static int run_fill(const struct item_rows *rows, const void *arg, void *to)
{
	struct view *v = rows->v;
	struct run *ret = to;
	struct run_row row;
	(void)arg;
	if (rows_read_run(v->txn, rows->key, rows->value, &row) < 0 || rows_word(v->txn, row.model, &ret->model) < 0 ||
		rows_version_word(v->txn, read_be32(rows->key.p + sizeof(uint64_t)), &ret->model_version) < 0)
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
	return 1;
}

int view_runs(struct view *v, uint64_t item, const struct run **ret, size_t *ret_n, struct err *err)
{
	struct elements e = { .size = sizeof(**ret) };
	if (item_elements(v, TABLE_RUN, item, RUN_KEY_BYTES, SIZE_MAX, run_fill, NULL, &e, err) < 0)
		return -1;
	*ret = e.array;
	*ret_n = e.count;
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
