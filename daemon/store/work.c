/* work.c - rows of the durable queue and of failures, kept together with their counters (work.h). */
#include "daemon/store/work.h"

#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

int apply_disagree(struct kv_txn *txn, const char *fmt, ...)
{
	char text[384];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kv_fail(txn, ERR_FATAL, 0, "log and index disagree: %s; \"inlet rebuild-index\" makes the index anew",
		text);
}

static int count_work(struct kv_txn *txn, enum stage stage, enum media media, bool retrying, int change)
{
	uint64_t counter = counter_id(COUNTER_WORK, stage, (unsigned)media << 1 | retrying, 0);
	return pending_count(pending_of(txn), counter, change);
}

int work_put(struct kv_txn *txn, enum stage stage, enum media media, int64_t due_ms, uint64_t number, uint32_t attempts)
{
	struct key k;
	uint32_t value = htole32(attempts);
	if (kv_put(txn, TABLE_WORK, key_work(&k, stage, media, due_ms, number),
		    (struct slice){ (const char *)&value, sizeof(value) }) < 0)
		return -1;
	return count_work(txn, stage, media, attempts > 0, 1);
}

int work_remove(struct kv_txn *txn, enum stage stage, enum media media, int64_t due_ms, uint64_t number)
{
	struct key k;
	struct slice value;
	uint32_t attempts;
	int is_there = kv_get(txn, TABLE_WORK, key_work(&k, stage, media, due_ms, number), &value);
	if (is_there < 0)
		return -1;
	if (!is_there || value.len != sizeof(attempts))
		return rows_corrupt(txn, TABLE_WORK, key_slice(&k));
	memcpy(&attempts, value.p, sizeof(attempts));
	if (kv_delete(txn, TABLE_WORK, key_slice(&k)) < 0)
		return -1;
	return count_work(txn, stage, media, attempts != 0, -1);
}

static int count_failures(struct kv_txn *txn, const struct failure_row *row, int change)
{
	return pending_count(pending_of(txn), counter_id(COUNTER_FAILURES, row->archived ? 2 : row->retry, 0, 0), change);
}

int failure_set(struct kv_txn *txn, const struct record_failure *f)
{
	if (failure_clear(txn, f->subject, f->number) < 0)
		return -1;
	struct failure_row row = { .stage = f->stage,
		.retry = f->retry,
		.archived = f->archived,
		.attempts = f->attempts,
		.due_ms = f->retry || f->archived ? f->due_ms : 0,
		.bytes = f->bytes,
		.version = f->version,
		.reason = f->reason,
		.cure = f->cure,
		.row = f->row };
	if (rows_put_failure(txn, f->subject, f->number, &row) < 0 || count_failures(txn, &row, 1) < 0)
		return -1;
	if (f->subject != SUBJECT_OBJECT || !f->retry)
		return 0;
	return work_put(txn, STAGE_FETCH, MEDIA_UNKNOWN, f->due_ms, f->number, f->attempts);
}

int failure_clear(struct kv_txn *txn, enum failure_subject subject, uint64_t number)
{
	struct key k;
	struct failure_row row;
	int is_there = rows_get_failure(txn, subject, number, &row);
	if (is_there <= 0)
		return is_there;
	if (kv_delete(txn, TABLE_FAILURE, key_failure(&k, subject, number)) < 0 ||
		count_failures(txn, &row, -1) < 0)
		return -1;
	if (subject != SUBJECT_OBJECT || !row.retry)
		return 0;
	return work_remove(txn, STAGE_FETCH, MEDIA_UNKNOWN, row.due_ms, number);
}
