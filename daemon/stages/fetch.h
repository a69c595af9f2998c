/* fetch.h - the fetch pool: reads objects once, hashes them while they arrive, and submits them to the committer.
 *
 * A small object is read straight into its tar place in an arena that it shares with its neighbours; a large one streams to
 * an unlinked file; by reference only the hash is kept. Folders share one set of threads; each bucket has its own. An object is fetched by one thread at a time: asking again for the
 * same key and version while it is in hand does nothing. */
#ifndef INLET_STAGES_FETCH_H
#define INLET_STAGES_FETCH_H

#include "daemon/stages/internal.h"

#define FETCH_BATCH_OBJECTS 64
#define FETCH_BATCH_BYTES (4U << 20)
#define FETCH_QUEUE_BATCHES 64
#define FETCH_FAR_OBJECTS 1  /* of a bucket: each waits for the network, so no thread takes two that another could fetch */
#define FETCH_QUEUE_FAR 1024

struct fetch_batch; /* objects of one source, handed over together */

int fetcher_open(struct pipeline *p, struct fetcher **ret, struct err *err);
void fetcher_stop(struct fetcher *f);
void fetcher_close(struct fetcher *f);              /* joins; NULL allowed */
struct feed *fetcher_retries(struct fetcher *f);    /* due: taken by refetch.h, released when an object's way ends */
bool fetcher_pending(struct fetcher *f, uint32_t attempts); /* feed_pending() of these */
const char *fetcher_paused(struct fetcher *f, char *buf, size_t n); /* "" or why intake waits */
uint64_t fetcher_left(struct fetcher *f);           /* objects left unread because the store has no room (--once) */
bool fetcher_made_room(struct fetcher *f);           /* waits for room; true: what was left may be asked for again */

struct fetch_batch *fetch_batch_new(struct source *s);
/* One object that comes from the durable queue; claim is its number there. NULL: this very version is in hand already, and the claim
 * is released when its way ends. */
struct fetch_batch *fetch_batch_retry(struct fetcher *f, struct source *s, const struct object *o, uint32_t attempts,
	uint64_t claim);
/* Copies what it needs. True: the batch is full, submit it. */
bool fetch_batch_add(struct fetch_batch *b, const struct object *o, uint32_t attempts);
/* The fetcher owns b from now on. Blocks while its source's queue is full. -1: stopping (ERR_RETRY). NULL and empty are fine. */
int fetch_submit(struct fetcher *f, struct fetch_batch *b, struct err *err);
/* The same for what is claimed from the durable queue, whose claims are bounded: never blocks, so that a slow source's retries
 * do not keep those of the others waiting. */
int fetch_submit_retry(struct fetcher *f, struct fetch_batch *b, struct err *err);

#endif
