/* apply_import.h - records about imports and their rows, applied. All return 0, or -1 with the transaction failed. */
#ifndef INLET_STORE_APPLY_IMPORT_H
#define INLET_STORE_APPLY_IMPORT_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"

int apply_import(struct kv_txn *txn, const struct record_import *r);
int apply_row(struct kv_txn *txn, const struct record_row *r);
int apply_row_gone(struct kv_txn *txn, const struct record_row_gone *r);
int apply_row_failure(struct kv_txn *txn, const struct record_failure *r);
int apply_mended(struct kv_txn *txn, const struct record_mended *r);

#endif
