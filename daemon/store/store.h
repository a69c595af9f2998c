/* store.h - one dataset on disk: log, index, large blobs and derived data under state_dir, owned by one process.
 *
 *   state_dir/lock               flock of the owner; holds "daemon <pid>" or "attend <pid>"
 *   state_dir/store/segments/NNNNNNNN.tar   the log (segment.h)
 *   state_dir/store/large/ab/<sha256>       blobs above ARENA_MEMBER_MAX (large.h)
 *   state_dir/store/derived/                thumbnails and canonical forms; may be deleted (derived.h)
 *   state_dir/index/             LMDB: a function of the log; rebuilt when missing
 */
#ifndef INLET_STORE_STORE_H
#define INLET_STORE_STORE_H

#include "daemon/base/err.h"
#include "daemon/model/item.h"
#include "daemon/store/committer.h"

struct store;

struct store_options {
	uint64_t map_bytes;      /* limits.map */
	uint64_t reserve_bytes;  /* limits.reserve: intake pauses below it */
	uint64_t segment_bytes;  /* sealed at this size; 1 GiB, tests use less */
	uint64_t arena_bytes;    /* budget of the arena pool */
	uint64_t memory_bytes;   /* limits.memory: how large a group may grow; 0: as small as groups get */
};
struct store_report {        /* what opening found */
	bool created, rebuilt;
	uint64_t revision;
	uint64_t batches_recovered;   /* past the high-water mark, applied */
	uint64_t bytes_cut;           /* torn tail, dropped */
};

/* The owner's lock. 0: held by us now (fd in *ret_fd, kept until exit). -1 with err ERR_RETRY: held, sys is 0, and *ret_pid and
 * *ret_attend say by whom; or it cannot be taken at all, sys says why. role: "daemon" or "attend". Creates state_dir when
 * absent. */
int store_lock(const char *state_dir, const char *role, int *ret_fd, long *ret_pid, bool *ret_attend, struct err *err);
/* Is the store that was locked still the one at this path? -1 with ERR_FATAL: it was deleted, moved away or unmounted, and what is
 * written now would be seen by nobody. Cheap. */
int store_lock_stands(const char *state_dir, int fd, struct err *err);

/* The caller holds the lock. Creates an empty store where there is none; rebuilds a missing index; recovers; refuses a newer
 * format (ERR_FATAL, names both versions). Starts the committer. */
int store_open(const char *state_dir, const struct store_options *o, struct store **ret, struct store_report *ret_report,
	struct err *err);
/* Finishes the running group, stops the committer, closes. Changes still queued are dropped (done() gets ERR_RETRY). */
void store_close(struct store *s);                  /* NULL allowed */

struct arena_pool *store_arenas(struct store *s);
/* May intake go on? 0: yes; -1 with ERR_RETRY and the reason: disk below its reserve, map 90 % full. Cheap. */
int store_ready(struct store *s, uint64_t more_bytes, struct err *err);
/* Lets go of the index's pages where this process has more than 64 MiB of file-backed memory: between the parts of long work. */
void store_trim(struct store *s);
/* A sync or commit failed: the daemon must stop. 0 while all is well; else -1 with that error. */
int store_failed(struct store *s, struct err *err);
/* An unlinked file on the store's file system for a large blob; sized_bytes 0: unknown. The caller owns the fd. */
int large_create(struct store *s, uint64_t sized_bytes, int *ret_fd, struct err *err);
/* Where an item's stored bytes are: a descriptor the caller closes, and the range in it. ERR_REJECT: only by reference. */
int store_blob(struct store *s, const struct item *item, int *ret_fd, uint64_t *ret_offset, struct err *err);
/* Derived bytes into `to`; 1 found and intact, 0 none (or damaged: make it again), -1. */
int store_derived(struct store *s, uint64_t item, enum derived_kind kind, struct buf *to, struct err *err);

struct store_usage {
	uint64_t segments, large, bytes, revision;
};
void store_usage(struct store *s, struct store_usage *ret);
const char *store_uuid(struct store *s);            /* 36 characters */

/* Called with what is wrong, one object a call; text is one line. */
typedef void verify_fn(void *arg, const char *text);
#define VERIFY_SLICES_MAX 1000000U
struct verify_report {
	uint64_t batches, blobs, bytes, items, problems;
};
/* Re-hash every blob, check the chain of batch digests, cross-check every index row with the log (each item's location,
 * every reference's item, by_state, counters). slice of slices: only that share of the blobs (0 of 1: all). Runs beside the
 * committer. -1: could not finish. Problems are reported, not failures. */
int store_verify(struct store *s, unsigned slice, unsigned slices, verify_fn *fn, void *arg, struct verify_report *ret,
	struct err *err);
/* The daemon is stopping: a verify that runs, or comes, ends soon with ERR_RETRY. Any thread. */
void store_interrupt(struct store *s);
/* Build a fresh index from the log and swap it in. Not while the store is open; the caller holds the lock. */
int store_rebuild(const char *state_dir, const struct store_options *o, struct store_report *ret, struct err *err);

/* For long passes over the index: lets go of its pages, which are read again when they are needed. Any thread. */
void store_drop_cache(struct store *s);

#endif
