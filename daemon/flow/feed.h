/* feed.h - takes due work of one stage from the durable queue (the index's work table) and hands each piece to one thread.
 *
 * A piece is *claimed* from feed_next() until feed_release(): it stays in the table until its result is committed, so a
 * crash repeats it. Claims are bounded by the number of threads and batches that take. */
#ifndef INLET_FLOW_FEED_H
#define INLET_FLOW_FEED_H

#include "daemon/store/view.h"

struct account;
struct store;

/* All feeds of one store. */
struct feeds;
struct feeds *feeds_new(struct store *s, struct account *a);
void feeds_free(struct feeds *all); /* NULL allowed; none is left */
void feeds_kick(struct feeds *all); /* something is durable: each looks for work again. Any thread */

struct feed;
/* media: MEDIAS means every kind. */
struct feed *feed_new(struct feeds *all, enum stage stage, enum media media);
void feed_free(struct feed *f);    /* NULL allowed; no thread waits in it */
void feed_stop(struct feed *f);    /* feed_next() returns false from now on */
void feed_wake(struct feed *f);    /* one feed_next() that waits, or the next one, returns false: its caller has to look at something else */
/* Waits for the next due piece, until deadline_ns (clock_mono_ns; UINT64_MAX: for ever). True: *ret is claimed and counted
 * in the account. False: stopped, woken, or nothing by the deadline. */
bool feed_next(struct feed *f, uint64_t deadline_ns, struct work *ret);
void feed_release(struct feed *f, uint64_t number); /* its result is durable, or it goes back to the queue */
/* True when something is due now, or a piece with fewer than `attempts` attempts waits for its time. */
bool feed_pending(struct feed *f, uint32_t attempts);

#endif
