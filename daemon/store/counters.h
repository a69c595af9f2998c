/* counters.h - what the index counts, so that status costs no scan, and the highest numbers given. */
#ifndef INLET_STORE_COUNTERS_H
#define INLET_STORE_COUNTERS_H

#include "daemon/store/keys.h"

/* TABLE_COUNTER: u64 id -> u64. An id is what is counted with its arguments. */
enum counter {
	COUNTER_REVISION = 1,  /* the highest revision applied */
	COUNTER_LAST_ITEM,     /* the highest number given, ... */
	COUNTER_LAST_OBJECT,
	COUNTER_LAST_NODE,
	COUNTER_LAST_WORD,
	COUNTER_LAST_SEGMENT,  /* ..., seen in an item's location */
	COUNTER_ITEMS,
	COUNTER_BY_STATE,      /* a: item state */
	COUNTER_BY_STATUS,     /* a: annotation status; those that stand */
	COUNTER_WORK,          /* a: stage, b: media << 1 | attempts > 0 */
	COUNTER_FAILURES,      /* a: 0 quarantined, 1 retrying, 2 archived */
	COUNTER_LARGE,         /* items at LOCATION_LARGE */
	COUNTER_STORED_BYTES,  /* of items in segments and large blobs */
	COUNTER_OBJECTS,       /* a: object state, word: source */
	COUNTER_SKIPPED,       /* word: source; sum over its directories */
	COUNTER_LAST_IMPORT,   /* the highest number given */
	COUNTER_LAST_ROW,
};
uint64_t counter_id(enum counter what, unsigned a, unsigned b, uint32_t word);
int rows_counter(struct kv_txn *txn, uint64_t id, uint64_t *ret); /* 0: *ret, 0 where there is no row; -1 */
int rows_put_counter(struct kv_txn *txn, uint64_t id, uint64_t value);

#endif
