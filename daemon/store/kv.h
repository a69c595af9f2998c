/* kv.h - LMDB, wrapped once: typed tables, transactions with a sticky error. The only file that includes lmdb.h is kv.c.
 *
 * The first failure of a transaction aborts it; later calls do nothing and return -1, kv_commit() reports it: callers read
 * as a straight list of steps. Returned slices point into the map: valid until the next write in the same transaction or
 * its end. Default flags + MDB_NOTLS; a write transaction begins and ends in one thread; read transactions may change
 * thread. Errors: MDB_MAP_FULL is ERR_RETRY with sys ENOSPC; EIO of a commit while the disk is full is ERR_RETRY with sys
 * ENOSPC (LMDB reports a short write so); any other commit error is ERR_FATAL. MDB_READERS_FULL: retried after a reader
 * check. */
#ifndef INLET_STORE_KV_H
#define INLET_STORE_KV_H

#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum table {
	TABLE_META,       /* name -> value: format, store uuid, high-water mark, band digests */
	TABLE_COUNTER,    /* what -> u64, changed in the same transaction as what it counts */
	TABLE_SOURCE,     /* source name -> id, kind, root identity, last pass */
	TABLE_OBJECT,     /* (source, node, name) -> the sync ledger */
	TABLE_DIRECTORY,  /* (source, node) -> parent, name, count and digest of its rows */
	TABLE_REF,        /* (item, object number) -> nothing */
	TABLE_OBJECT_KEY, /* (0, object number) -> the object's key in TABLE_OBJECT; in the file these rows are "ref"'s as well, but a cursor
			   * that goes to and fro between the two finds neither where it left it */
	TABLE_CONTENT,    /* sha256 -> item */
	TABLE_ITEM,       /* item -> what is known of it */
	TABLE_RUN,        /* (item, model version) -> scores */
	TABLE_ANNOTATION, /* (item, n) -> label */
	TABLE_WORK,       /* (stage, media, due ms, number) -> attempts */
	TABLE_BY_STATE,   /* (state, item) -> nothing */
	TABLE_FAILURE,    /* (subject, number) -> stage, reason, attempts */
	TABLE_DERIVED,    /* (item, kind) -> where its derived bytes lie */
	TABLE_IMPORT,     /* import -> source, counts of its last pass */
	TABLE_IMPORT_ROW, /* (object, row) -> what a row of a manifest says of the object */
	TABLES
};
const char *table_name(enum table t); /* "item", for messages */

struct kv;
struct kv_txn;
struct kv_cursor;

/* dir exists. map_bytes: address space reserved once. A new environment is made durable in its directory. */
int kv_open(const char *dir, uint64_t map_bytes, struct kv **ret, struct err *err);
void kv_close(struct kv *kv);                                   /* NULL allowed; no transaction may be open */
CLEANUP_FN(struct kv *, kv_close)
int kv_used_percent(struct kv *kv);                             /* of the map; 90 pauses intake */
void kv_drop_cache(struct kv *kv);                              /* MADV_DONTNEED over the map: bounds RssFile of long passes */

int kv_begin(struct kv *kv, bool write, struct kv_txn **ret, struct err *err);
int kv_commit(struct kv_txn *txn, struct err *err);             /* ends it, also on failure */
void kv_abort(struct kv_txn *txn);                              /* NULL allowed */
void kv_reset(struct kv_txn *txn);                              /* read transaction: release the snapshot... */
int kv_renew(struct kv_txn *txn, struct err *err);              /* ...and take a fresh one */

int kv_get(struct kv_txn *txn, enum table t, struct slice key, struct slice *ret);      /* 1 found, 0 not, -1 failed */
int kv_put(struct kv_txn *txn, enum table t, struct slice key, struct slice value);     /* 0, -1 */
/* 1 put; 0 was there, *ret_old is its value; -1. */
int kv_put_new(struct kv_txn *txn, enum table t, struct slice key, struct slice value, struct slice *ret_old);
int kv_delete(struct kv_txn *txn, enum table t, struct slice key);                      /* 1 deleted, 0 was not there, -1 */
/* The first row with key >= from: 1, 0 none, -1. For single steps; a walk over many rows wants a cursor. */
int kv_seek(struct kv_txn *txn, enum table t, struct slice from, struct slice *ret_key, struct slice *ret_value);

/* Ordered walk from the first key >= from. Next returns 1 with key and value, 0 at the end, -1. */
int kv_cursor_open(struct kv_txn *txn, enum table t, struct slice from, struct kv_cursor **ret);
int kv_cursor_next(struct kv_cursor *c, struct slice *ret_key, struct slice *ret_value);
void kv_cursor_close(struct kv_cursor *c);                      /* NULL allowed; before its transaction ends */

int kv_failed(struct kv_txn *txn, struct err *err);             /* the sticky error: -1 with err filled, or 0 */
/* A row or a record that contradicts the index: make this the sticky error (unless one stands already), return -1. */
int kv_fail(struct kv_txn *txn, enum err_class class, int sys, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What the layer above keeps in memory during one write transaction (pending.h). */
struct kv_hook {
	int (*flush)(struct kv_txn *txn, void *kept); /* kv_commit() calls it first; it may put rows; -1: sticky error set */
	void (*drop)(void *kept);                     /* at the end of the transaction, however it ended */
};
void kv_keep(struct kv_txn *txn, const struct kv_hook *hook, void *kept);
void *kv_kept(const struct kv_txn *txn);                        /* NULL: nothing yet */
bool kv_writes(const struct kv_txn *txn);                       /* a write transaction */

#endif
