/* apply.h - the one function that turns a record into index rows. The committer calls it for new batches, recovery for
 * batches past the high-water mark, rebuild from revision 1: so the index is a function of the log.
 *
 * It keeps, in the same transaction: counters, by_state, work (an item in a state with work has one row), references,
 * directory digests and failures (gone with a success of the failed stage, or with the last file: carrier.h). Numbers of items, objects and
 * annotations are explicit in the records; apply raises the counters to them, so rebuild gives the same numbers. */
#ifndef INLET_STORE_APPLY_H
#define INLET_STORE_APPLY_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"
#include "daemon/store/view.h"

/* Gives a fresh index what it must hold before anyone reads it (the key of the directory digests). Call after
 * kv_open(), before the first view. Does nothing to an index that has it. */
int apply_init(struct kv *kv, struct err *err);

/* revision: of the batch the record belongs to (index-only records: the current one). ERR_FATAL: the record contradicts
 * the index (a dangling item, a move that the table forbids): the log and the index disagree; the message names both
 * and says "inlet rebuild-index". */
int apply_record(struct kv_txn *txn, const struct record *r, uint64_t revision, struct err *err);

/* For the committer, before it applies: numbers and the dedup. Numbers start at 1, each is given once in a transaction
 * and, when the transaction commits with a record that carries it, never again. 0 or -1: the transaction failed
 * (kv_failed()). */
uint64_t apply_next_object(struct kv_txn *txn);
uint64_t apply_next_annotation(struct kv_txn *txn, uint64_t item); /* n for one more; the item must exist */
uint64_t apply_next_import(struct kv_txn *txn);
uint64_t apply_next_row(struct kv_txn *txn);
/* Is this content known? 1: no, *ret_item is a fresh number and the content is claimed for it: a RECORD_ITEM with that
 * number must follow. 0: yes, *ret_item carries it (perhaps claimed earlier in this transaction). -1. */
int apply_claim_content(struct kv_txn *txn, const struct content_id *id, uint64_t *ret_item);
/* The object at a key, as view_object() shows it, with what this transaction has changed. 1, 0, -1. Slices live until
 * the next write in the transaction. */
int apply_find_object(struct kv_txn *txn, struct slice source, enum layout layout, struct slice key,
	struct ledger_row *ret);
int apply_item_of(struct kv_txn *txn, uint64_t object, uint64_t *ret_item); /* that it carries, or did; 0: none. 0, -1 */

#endif
