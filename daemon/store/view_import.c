/* view_import.c - what a view says of imports and of the rows of manifests (view.h). */
#include "daemon/store/view_internal.h"

#define ROW_KEY_BYTES 16

static int import_fill(struct view *v, struct slice key, struct slice value, struct import *ret)
{
	struct import_value row;
	struct source_value source = { 0 };
	*ret = (struct import){ 0 };
	if (rows_read_import(v->txn, key, value, &row) < 0 || rows_word(v->txn, row.source, &ret->source) < 0 ||
		rows_get_source(v->txn, ret->source, &source) < 0)
		return -1;
	ret->id = read_be64(key.p);
	ret->file = source.root;
	ret->format = row.format;
	ret->header = row.header;
	ret->attributes = row.attributes;
	ret->rows = row.rows;
	ret->failed = row.failed;
	ret->vanished = row.vanished;
	ret->complete = row.complete;
	ret->time_ms = row.time_ms;
	return 1;
}

int view_import(struct view *v, uint64_t id, struct import *ret, struct err *err)
{
	struct key k;
	struct slice value;
	int is_there = kv_get(v->txn, TABLE_IMPORT, key_item(&k, id), &value);
	if (is_there > 0)
		is_there = import_fill(v, key_slice(&k), value, ret);
	return is_there < 0 ? view_failed_call(v, err) : is_there;
}

int view_import_next(struct view *v, uint64_t after, struct import *ret, struct err *err)
{
	struct key k;
	struct slice key, value;
	int is_there = after < UINT64_MAX ? kv_seek(v->txn, TABLE_IMPORT, key_item(&k, after + 1), &key, &value) : 0;
	if (is_there > 0)
		is_there = import_fill(v, key, value, ret);
	return is_there < 0 ? view_failed_call(v, err) : is_there;
}

int view_import_of(struct view *v, struct slice source, struct import *ret, struct err *err)
{
	struct import i = { 0 };
	int is_there;
	while ((is_there = view_import_next(v, i.id, &i, err)) > 0 && !slice_eq(i.source, source))
		;
	if (is_there > 0)
		*ret = i;
	return is_there;
}

struct row_list {
	struct import_row *of;
	size_t count, cap;
};

/* Appends the rows of one object. */
static int rows_add(struct view *v, uint64_t object, struct row_list *to)
{
	struct import_row_value row;
	struct kv_cursor *c;
	struct key from;
	struct slice key, value;
	int is_there;
	if (kv_cursor_open(v->txn, TABLE_IMPORT_ROW, key_ref(&from, object, 0), &c) < 0)
		return -1;
	while ((is_there = kv_cursor_next(c, &key, &value)) > 0) {
		if (key.len != ROW_KEY_BYTES || read_be64(key.p) != object)
			break;
		if ((is_there = rows_read_import_row(v->txn, key, value, &row)) < 0)
			break;
		to->of = view_more(v, to->of, to->count, &to->cap, sizeof(*to->of));
		to->of[to->count++] = (struct import_row){ .object = object, .row = read_be64(key.p + sizeof(uint64_t)), .import = row.import,
			.line = row.line, .body = row.body, .origin = row.origin };
	}
	kv_cursor_close(c);
	return is_there < 0 ? -1 : 0;
}

int view_rows(struct view *v, uint64_t object, const struct import_row **ret, size_t *ret_n, struct err *err)
{
	struct row_list list = { 0 };
	if (rows_add(v, object, &list) < 0)
		return view_failed_call(v, err);
	*ret = list.of;
	*ret_n = list.count;
	return 0;
}

int view_rows_of(struct view *v, const struct reference *refs, size_t ref_count, const struct import_row **ret, size_t *ret_n,
	struct err *err)
{
	struct row_list list = { 0 };
	for (size_t i = 0; i < ref_count; i++)
		if (rows_add(v, refs[i].object, &list) < 0)
			return view_failed_call(v, err);
	*ret = list.of;
	*ret_n = list.count;
	return 0;
}

uint64_t view_last_row(struct view *v)
{
	uint64_t last;
	if (view_settle(v) < 0 || rows_counter(v->txn, counter_id(COUNTER_LAST_ROW, 0, 0, 0), &last) < 0)
		return 0;
	return last;
}
