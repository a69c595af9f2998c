/* view_internal.h - a view's inside, shared by view_*.c: one transaction and the memory of what it returned. */
#ifndef INLET_STORE_VIEW_INTERNAL_H
#define INLET_STORE_VIEW_INTERNAL_H

#include "daemon/base/buf.h"
#include "daemon/store/ledger.h"
#include "daemon/store/view.h"

struct view_chunk;

struct view {
	struct kv_txn *txn;
	bool borrowed;                /* a writer's transaction: its pending rows are flushed before they are read */
	bool rests;                   /* view_rest(): no snapshot */
	struct hash_key digest_key;
	struct view_chunk *chunks;    /* the newest first; released by view_renew() */
	struct buf scratch;           /* a path under way */
};

/* Memory that lives until view_renew() or view_close(), 8-aligned. */
void *view_alloc(struct view *v, size_t n);
struct slice view_copy(struct view *v, struct slice s);
/* One more element in an array of the view's memory that grows. */
void *view_more(struct view *v, void *array, size_t count, size_t *cap, size_t size);
/* Before counters or directories are read. 0, -1. */
int view_settle(struct view *v);
/* What the transaction says of a failed call: fills err, returns -1. */
int view_failed_call(struct view *v, struct err *err);
/* The source's name and whole key of an object number, copied; ret_row may lie in the map. 1, 0, -1. */
int view_locate(struct view *v, uint64_t object, struct slice *ret_source, struct slice *ret_key,
	struct object_row *ret_row, struct slice *ret_name);
/* The first max annotations that stand now. 0, -1. */
int view_annotations_some(struct view *v, uint64_t item, size_t max, const struct annotation **ret, size_t *ret_n, struct err *err);
/* The item's first reference that is present, else the first of those that are gone. 1, 0 none, -1. */
int view_first_reference(struct view *v, uint64_t item, struct reference *ret);

#endif
