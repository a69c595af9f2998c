/* committer.h - the one writer: turns changes into batches, durable in the segment, then in the index.
 *
 * Group commit: the committer takes all that wait, at once when idle; under load for at most 200 ms (50 ms where somebody
 * waits) and 3,000 to 12,000 records, as memory allows. Blobs and then the batch member are appended, one fdatasync, one LMDB
 * transaction, then done() of every change in the group. A group of index-only records writes no segment bytes and keeps the
 * revision. */
#ifndef INLET_STORE_COMMITTER_H
#define INLET_STORE_COMMITTER_H

#include "daemon/model/record.h"
#include "daemon/store/arena.h"

struct store;
struct view;
struct change;

/* One fetched object. The committer decides whether its content is new (the dedup), gives item and object numbers and
 * writes the item and object records. */
enum arrival_how {
	ARRIVAL_ARENA,     /* its member lies in the change's arena at `place` */
	ARRIVAL_FILE,      /* its bytes are the whole of fd, a large_create() file; the change owns fd */
	ARRIVAL_REFERENCE, /* its bytes stay at the source */
	ARRIVAL_NONE,      /* taken back */
};
struct arrival {
	struct slice source, key, version;
	enum layout layout;
	bool racy;
	struct content_id content;
	uint64_t bytes;
	enum arrival_how how;
	size_t place;
	int fd;
};
/* Bytes that can be made again, kept beside the log: a thumbnail, a canonical form. The change owns data (free()). */
struct derived_blob {
	uint64_t item;
	enum derived_kind kind;
	void *data;
	size_t bytes;
};

/* Runs in the committer's thread inside the write transaction, before the change's records are applied: sees all that was
 * decided before, so it may compute the change's records from it (change_add). -1: the change is dropped, done() gets err.
 * Must be short and touch no file. */
typedef int prepare_fn(struct change *c, struct view *now, void *arg, struct err *err);
/* Runs once, in the committer's thread, when the change's group is durable: revision > 0 is the batch it is in (0: it
 * changed nothing in the log); or -1 with err: ERR_RETRY (the store is paused: disk below its reserve, or full; nothing was
 * kept, submit again later), ERR_REJECT (prepare refused), ERR_FATAL (a sync failed: the daemon must stop). Must be short;
 * must not submit. */
typedef void committed_fn(void *arg, int64_t revision, const struct err *err);

struct change *change_new(void);
void change_free(struct change *c);                                    /* one never submitted; NULL allowed */
struct slice change_copy(struct change *c, struct slice s);            /* bytes that live as long as the change */
void *change_alloc(struct change *c, size_t bytes);                    /* the same, uninitialised, 8-aligned */
struct record *change_add(struct change *c, enum record_kind kind);    /* a zeroed record; valid until the next call */
void change_arena(struct change *c, struct arena *a);                  /* the change owns a from now on */
size_t change_arrive(struct change *c, const struct arrival *a);       /* copies a and its slices; returns its number */
void change_unarrive(struct change *c, size_t number);                 /* from prepare: nothing of it is kept */
/* From prepare: its bytes, max of them at most, where they lie in the change's arena; else none. They live until it returns. */
struct slice change_arrived(const struct change *c, size_t number, size_t max);
void change_derive(struct change *c, const struct derived_blob *d);
void change_prepare(struct change *c, prepare_fn *fn, void *arg);
size_t change_records(const struct change *c);                         /* records and arrivals so far */

/* Queue one change; blocks only while the queue is full. The committer owns c from now on, also on failure (-1 only when
 * the committer is closed: done() is not called). Any thread but the committer's own. */
int committer_submit(struct store *s, struct change *c, committed_fn *done, void *arg, struct err *err);
int64_t committer_wait(struct store *s, struct change *c, struct err *err); /* the blocking form: revision or -1 */
/* A small named value in the index (index-only). Blocking. */
int committer_set_meta(struct store *s, const char *name, struct slice value, struct err *err);

#endif
