/* apply_ledger.h - records about sources and objects, applied. All return 0, or -1 with the transaction failed. */
#ifndef INLET_STORE_APPLY_LEDGER_H
#define INLET_STORE_APPLY_LEDGER_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"

int apply_object(struct kv_txn *txn, const struct record_object *r);
int apply_gone(struct kv_txn *txn, const struct record_gone *r);
int apply_object_failure(struct kv_txn *txn, const struct record_failure *r);
int apply_calm(struct kv_txn *txn, const struct record_calm *r);
int apply_directory(struct kv_txn *txn, const struct record_directory *r);
int apply_source(struct kv_txn *txn, const struct record_source *r);
int apply_pass(struct kv_txn *txn, const struct record_pass *r);

#endif
