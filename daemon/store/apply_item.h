/* apply_item.h - records about items, applied: contents, facts, runs, annotations, states. All return 0, or -1 with the
 * transaction failed. */
#ifndef INLET_STORE_APPLY_ITEM_H
#define INLET_STORE_APPLY_ITEM_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"

int apply_item(struct kv_txn *txn, const struct record_item *r);
int apply_facts(struct kv_txn *txn, const struct record_facts *r);
int apply_run(struct kv_txn *txn, const struct record_run *r);
int apply_annotation(struct kv_txn *txn, const struct record_annotation *r, uint64_t revision);
int apply_until(struct kv_txn *txn, const struct record_until *r, uint64_t revision);
int apply_state(struct kv_txn *txn, const struct record_state *r);
int apply_item_failure(struct kv_txn *txn, const struct record_failure *r);
int apply_derived(struct kv_txn *txn, const struct record_derived *r);

#endif
