/* apply.h - the one function that turns a record into index rows. The committer calls it for new batches, recovery for
 * batches past the high-water mark, rebuild from revision 1: so the index is a function of the log.
 *
 * It keeps, in the same transaction: counters, by_state, work (an item in a state with work has one row), references,
 * directory digests and failures (a success of the failed stage removes its failure row). Numbers of items, objects and
 * annotations are explicit in the records; apply raises the counters to them, so rebuild gives the same numbers. */
#ifndef INLET_STORE_APPLY_H
#define INLET_STORE_APPLY_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"

/* revision: of the batch the record belongs to (index-only records: the current one). ERR_FATAL: the record contradicts
 * the index (a dangling item, a move that the table forbids): the log and the index disagree; the message names both and
 * says "inlet rebuild-index". */
int apply_record(struct kv_txn *txn, const struct record *r, uint64_t revision, struct err *err);

#endif
