/* internal.h - what the files of daemon/store share behind their contracts; nobody outside includes it. */
#ifndef INLET_STORE_INTERNAL_H
#define INLET_STORE_INTERNAL_H

#include "daemon/store/kv.h"
#include "daemon/store/view.h"

/* The open index of a store (store.c). */
struct kv *store_kv(struct store *s);

/* A view over an index that is not a store's: tests, verify of a copy. Closed with view_close(). */
int view_open_kv(struct kv *kv, struct view **ret, struct err *err);

/* A view over a running transaction: a committer's prepare sees what was decided before it. view_close() leaves the
 * transaction running; close it before the transaction ends. The index has been through apply_init(). NULL: the
 * transaction failed (kv_failed()). */
struct view *view_of_txn(struct kv_txn *txn);

/* Names in TABLE_META begin with a printable character; the keys of rows.h in that table do not. */

#endif
