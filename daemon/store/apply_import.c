/* apply_import.c - imports, what rows of manifests say, and rows that failed. */
#include "daemon/store/apply_import.h"

#include "daemon/store/apply.h"
#include "daemon/store/apply_ledger.h"
#include "daemon/store/rows.h"
#include "daemon/store/work.h"

#include <inttypes.h>

int apply_import(struct kv_txn *txn, const struct record_import *r)
{
	struct pending *p = pending_of(txn);
	struct import_value row = { .complete = r->complete, .rows = r->rows, .failed = r->failed, .vanished = r->vanished,
		.time_ms = r->time_ms, .format = r->format, .header = r->header, .attributes = r->attributes };
	if (pending_source(p, r->source, true, &row.source) < 0 || rows_put_import(txn, r->import, &row) < 0)
		return -1;
	return pending_raise(p, counter_id(COUNTER_LAST_IMPORT, 0, 0, 0), r->import);
}

/* The object waits for its first fetch, or for another one: a retry that is due at once. */
static int await_fetch(struct kv_txn *txn, const struct record_row *r)
{
	const struct record_failure wait = { .subject = SUBJECT_OBJECT,
		.number = r->object,
		.stage = STAGE_FETCH,
		.retry = true,
		.reason = SLICE_LIT("waits to be fetched"),
		.source = r->source,
		.key = r->key,
		.layout = LAYOUT_FLAT };
	return apply_object_failure(txn, &wait);
}

int apply_row(struct kv_txn *txn, const struct record_row *r)
{
	struct key k;
	struct slice value;
	struct import_row_value row = { .import = r->import, .line = r->line, .body = r->body, .origin = r->origin };
	if (r->pending && await_fetch(txn, r) < 0)
		return -1;
	int is_there = kv_get(txn, TABLE_OBJECT_KEY, key_ref(&k, 0, r->object), &value);
	if (is_there < 0)
		return -1;
	if (!is_there)
		return apply_disagree(txn, "a row of import %" PRIu64 " speaks of object %" PRIu64 ", which does not exist",
			r->import, r->object);
	if (rows_put_import_row(txn, r->object, r->row, &row) < 0)
		return -1;
	return pending_raise(pending_of(txn), counter_id(COUNTER_LAST_ROW, 0, 0, 0), r->row);
}

int apply_row_gone(struct kv_txn *txn, const struct record_row_gone *r)
{
	struct key k;
	int was_there = kv_delete(txn, TABLE_IMPORT_ROW, key_ref(&k, r->object, r->row));
	if (was_there < 0)
		return -1;
	return was_there ? 0 : apply_disagree(txn, "row %" PRIu64 " of object %" PRIu64 " is to go, and does not exist", r->row,
		r->object);
}

int apply_row_failure(struct kv_txn *txn, const struct record_failure *r)
{
	return failure_set(txn, r);
}

int apply_mended(struct kv_txn *txn, const struct record_mended *r)
{
	return failure_clear(txn, SUBJECT_ROW, r->number);
}

uint64_t apply_next_import(struct kv_txn *txn)
{
	struct pending *p = pending_of(txn);
	return p ? pending_next(p, counter_id(COUNTER_LAST_IMPORT, 0, 0, 0)) : 0;
}

uint64_t apply_next_row(struct kv_txn *txn)
{
	struct pending *p = pending_of(txn);
	return p ? pending_next(p, counter_id(COUNTER_LAST_ROW, 0, 0, 0)) : 0;
}
