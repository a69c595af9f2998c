/* view_work.c - what a view says of the durable queue, of failures, and in total (view.h). */
#include "daemon/store/view.h"

#include "daemon/store/view_internal.h"

#include <endian.h>

#define WORK_KEY_BYTES 18

/* The queue */

static int work_read(struct view *v, struct slice key, struct slice value, struct work *ret)
{
	uint32_t attempts;
	if (key.len != WORK_KEY_BYTES || value.len != sizeof(attempts))
		return rows_corrupt(v->txn, TABLE_WORK, key);
	memcpy(&attempts, value.p, sizeof(attempts));
	*ret = (struct work){ .stage = (uint8_t)key.p[0], .media = (uint8_t)key.p[1], .due_ms = read_due(key.p + 2),
		.number = read_be64(key.p + 10), .attempts = le32toh(attempts) };
	return 0;
}

static struct slice work_after(struct key *k, enum stage stage, enum media media, const struct work *after)
{
	if (!after)
		return key_work(k, stage, media, INT64_MIN, 0);
	(void)key_work(k, stage, media, after->due_ms, after->number);
	k->bytes[k->len++] = 0; /* keys are of one length: the first one behind it */
	return key_slice(k);
}

int view_work(struct view *v, enum stage stage, enum media media, int64_t now_ms, const struct work *after,
	struct work *ret, size_t max, struct err *err)
{
	struct key k;
	struct kv_cursor *c;
	struct slice key, value;
	size_t n = 0;
	if (max == 0)
		return 0;
	if (kv_cursor_open(v->txn, TABLE_WORK, work_after(&k, stage, media, after), &c) < 0)
		return view_failed_call(v, err);
	int is_there;
	while (n < max && (is_there = kv_cursor_next(c, &key, &value)) != 0) {
		if (is_there < 0 || (is_there = work_read(v, key, value, &ret[n])) < 0)
			break;
		if (ret[n].stage != stage || ret[n].media != media || ret[n].due_ms > now_ms)
			break;
		n++;
	}
	kv_cursor_close(c);
	return is_there < 0 ? view_failed_call(v, err) : (int)n;
}

uint64_t view_work_count(struct view *v, enum stage stage, enum media media, bool retrying)
{
	uint64_t n;
	uint64_t id = counter_id(COUNTER_WORK, stage, (unsigned)media << 1 | retrying, 0);
	return view_settle(v) < 0 || rows_counter(v->txn, id, &n) < 0 ? 0 : n;
}

/* Failures */

static int failure_import(struct view *v, struct failure *f, uint64_t import, uint64_t line)
{
	struct import i = { 0 };
	int found = view_import(v, import, &i, NULL);
	f->import = import;
	f->line = line;
	f->source = found > 0 ? i.source : f->source;
	f->file = i.file.len ? i.file : i.source;
	return found < 0 ? -1 : 0;
}

/* An object that is a row of a manifest: the first one that names it. */
static int failure_row_of(struct view *v, struct failure *f)
{
	const struct import_row *rows;
	size_t n;
	if (view_rows(v, f->number, &rows, &n, NULL) < 0)
		return -1;
	if (n == 0)
		return 0;
	f->row = rows[0].origin;
	f->more = rows + 1;
	f->more_count = n - 1;
	return failure_import(v, f, rows[0].import, rows[0].line);
}

/* Where the object itself is, or the item's first reference, or which manifest the row is of. */
static int failure_where(struct view *v, struct failure *f)
{
	struct object_row row;
	struct slice name;
	if (f->subject == SUBJECT_OBJECT) {
		int found = view_locate(v, f->number, &f->source, &f->key, &row, &name);
		return found > 0 && row.layout == LAYOUT_FLAT ? failure_row_of(v, f) : found < 0 ? -1 : 0;
	}
	if (f->subject == SUBJECT_ROW)
		return failure_import(v, f, row_import(f->number), row_line(f->number));
	struct reference first;
	int is_there = view_first_reference(v, f->number, &first);
	if (is_there > 0) {
		f->source = first.source;
		f->key = first.key;
	}
	return is_there < 0 ? -1 : 0;
}

static int failure_fill(struct view *v, enum failure_subject subject, uint64_t number, const struct failure_row *row,
	struct failure *ret)
{
	*ret = (struct failure){ .subject = subject, .number = number, .stage = row->stage, .retry = row->retry,
		.archived = row->archived, .attempts = row->attempts, .due_ms = row->due_ms, .reason = row->reason, .cure = row->cure,
		.row = row->row };
	return failure_where(v, ret);
}

int view_failure(struct view *v, enum failure_subject subject, uint64_t number, struct failure *ret, struct err *err)
{
	struct failure_row row;
	int is_there = rows_get_failure(v->txn, subject, number, &row);
	if (is_there < 0 || (is_there && failure_fill(v, subject, number, &row, ret) < 0))
		return view_failed_call(v, err);
	return is_there;
}

int view_failure_next(struct view *v, enum failure_subject subject, uint64_t number, struct failure *ret,
	struct err *err)
{
	struct key k;
	struct slice key, value;
	struct failure_row row;
	(void)key_failure(&k, subject, number);
	k.bytes[k.len++] = 0;
	int is_there = kv_seek(v->txn, TABLE_FAILURE, key_slice(&k), &key, &value);
	if (is_there > 0 && key.len != k.len - 1)
		is_there = rows_corrupt(v->txn, TABLE_FAILURE, key);
	if (is_there == 0)
		return 0;
	if (is_there < 0 || rows_read_failure(v->txn, key, value, &row) < 0 ||
		failure_fill(v, (uint8_t)key.p[0], read_be64(key.p + 1), &row, ret) < 0)
		return view_failed_call(v, err);
	return 1;
}

/* Totals */

int view_totals(struct view *v, struct totals *ret, struct err *err)
{
	const struct {
		uint64_t id;
		uint64_t *to;
	} plain[] = {
		{ counter_id(COUNTER_ITEMS, 0, 0, 0), &ret->items },
		{ counter_id(COUNTER_STORED_BYTES, 0, 0, 0), &ret->stored_bytes },
		{ counter_id(COUNTER_LAST_SEGMENT, 0, 0, 0), &ret->segments },
		{ counter_id(COUNTER_LARGE, 0, 0, 0), &ret->large },
		{ counter_id(COUNTER_FAILURES, 0, 0, 0), &ret->quarantined },
		{ counter_id(COUNTER_FAILURES, 1, 0, 0), &ret->retrying },
		{ counter_id(COUNTER_FAILURES, 2, 0, 0), &ret->archived },
	};
	(void)view_settle(v);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		(void)rows_counter(v->txn, plain[i].id, plain[i].to);
	for (unsigned s = 0; s < ITEM_STATES; s++)
		(void)rows_counter(v->txn, counter_id(COUNTER_BY_STATE, s, 0, 0), &ret->by_state[s]);
	for (unsigned s = 0; s < STATUSES; s++)
		(void)rows_counter(v->txn, counter_id(COUNTER_BY_STATUS, s, 0, 0), &ret->by_status[s]);
	return view_failed_call(v, err); /* 0 when all went well */
}
