/* pending.h - what a write transaction keeps in memory until it commits: counters, and the directories it touches.
 *
 * Thousands of records of a group change the same dozen counters and directory rows: they are read once, changed here,
 * and put when the transaction commits (or pending_flush()). All of it is dropped with the transaction. Functions that
 * return a pointer return NULL when the transaction failed; kv_failed() says why. */
#ifndef INLET_STORE_PENDING_H
#define INLET_STORE_PENDING_H

#include "daemon/store/ledger.h"

struct pending;

/* One directory, or the one place of a flat source. */
struct place {
	struct place *parent;        /* NULL: the root, which is always present */
	uint32_t source;
	uint64_t node;
	struct directory_row row;    /* name is owned */
	enum object_state state;     /* of its row in TABLE_OBJECT: OBJECT_PRESENT or OBJECT_GONE */
	char *path;                  /* owned; below the root */
	size_t path_len;
	uint64_t hash;
	bool dirty;
};

struct pending *pending_of(struct kv_txn *txn);
int pending_flush(struct kv_txn *txn); /* puts what is pending; readers of the same transaction see it then. 0, -1 */

int pending_count(struct pending *p, uint64_t counter, int64_t change); /* a counter below zero fails the transaction */
int pending_raise(struct pending *p, uint64_t counter, uint64_t to);    /* to the higher of the two */
int pending_value(struct pending *p, uint64_t counter, uint64_t *ret);
uint64_t pending_next(struct pending *p, uint64_t counter);             /* one more; 0: failed */
/* The content row that was just put for an item still to be made: its record need not look for it again. */
void pending_claim(struct pending *p, const struct content_id *id, uint64_t item);
bool pending_claimed(const struct pending *p, const struct content_id *id, uint64_t item);
int pending_word(struct pending *p, struct slice bytes, uint32_t *ret); /* finds or makes the word. 0, -1 */

/* Items whose imported labels may not be what their references say any more, in what was applied since it was asked last:
 * an array that lives until the next call. */
void pending_touch(struct pending *p, uint64_t item);
size_t pending_touched(struct pending *p, const uint64_t **ret);

/* The word of a source; make: with its row in TABLE_SOURCE, if need be an empty one. 1, 0 not there (never with make),
 * -1. */
int pending_source(struct pending *p, struct slice name, bool make, uint32_t *ret);

/* The place with this path, made if it is not there: then it is not known yet (state OBJECT_GONE). */
struct place *pending_place(struct pending *p, uint32_t source, struct slice path);
/* The place with this path if there is one, whatever its state. 1, 0, -1. */
int pending_find_place(struct pending *p, uint32_t source, struct slice path, struct place **ret);
/* Key of the row for name below a place, its continued nodes made. 0, -1. */
int pending_slot(struct pending *p, struct place *at, struct slice name, bool directory, struct key *ret);
const struct hash_key *pending_digest_key(struct pending *p);

#endif
