/* work.h - rows of the durable queue and of failures, with their counters; the write side. All return 0, or -1 with the
 * transaction failed.
 *
 *   what                          work row                               failure row
 *   item in a state with work     (its stage, its media, due, item)      while an attempt has failed
 *   object RETRYING               (fetch, unknown, due, object)          yes, retry
 *   object or item QUARANTINED    none                                   yes, not retry
 *   object ARCHIVED               none: a listing brings it back         yes, archived
 *   row of a manifest, failed     none                                   yes, not retry */
#ifndef INLET_STORE_WORK_H
#define INLET_STORE_WORK_H

#include "daemon/store/pending.h"

int work_put(struct kv_txn *txn, enum stage stage, enum media media, int64_t due_ms, uint64_t number,
	uint32_t attempts);
/* The row is there. */
int work_remove(struct kv_txn *txn, enum stage stage, enum media media, int64_t due_ms, uint64_t number);
/* In place of the subject's failure, if it has one. */
int failure_set(struct kv_txn *txn, const struct record_failure *f);
int failure_clear(struct kv_txn *txn, enum failure_subject subject, uint64_t number); /* fine when there is none */
/* The record contradicts the index: fails the transaction. text names both sides. */
int apply_disagree(struct kv_txn *txn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
