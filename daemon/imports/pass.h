/* pass.h - what the files of daemon/imports share: a pass under way. Seen only by them. */
#ifndef INLET_IMPORTS_PASS_H
#define INLET_IMPORTS_PASS_H

#include "daemon/base/bitset.h"
#include "daemon/imports/internal.h"
#include "daemon/imports/place.h"

#include <stdatomic.h>

/* Changed in the committer's thread (prepare), read by others when all of their changes are durable. */
struct import_pass {
	struct import_pass *next;
	uint64_t id, import;
	char *name;              /* owned */
	_Atomic unsigned users;  /* uploads and an end that use it: freed when ended and unused */
	_Atomic bool ended;
	uint64_t last_row;       /* rows with higher numbers are this pass's */
	pthread_mutex_t lock;
	struct bitset seen;      /* guarded by lock: numbers of rows that were there before and were seen again */
	struct bitset moved;     /* guarded by lock: of those, the ones that stand in another line than they did */
	bool folder;             /* of a folder's files, not of a manifest's rows */
	bool mending;            /* of rows that failed (import.h) */
	struct bitset told;      /* guarded by lock: mending: lines whose rows it tells */
	struct failure_places places;
	_Atomic uint64_t written;
	_Atomic bool names_urls; /* among the rows that were seen again are some of URLs */
	/* Uploads come one after the other, and what they carry lands behind them, in order. Guarded by lock: */
	bool uploading;
	uint64_t frames;         /* of uploads that have ended */
	uint64_t durable;        /* frames before this one have landed */
	unsigned flying;         /* cargoes under way */
	size_t flying_bytes;     /* of their lines */
	struct buf refused;      /* as noted (refusal.h), not told yet */
	struct err failed;       /* of the first cargo of which nothing was kept; class 0: none */
	pthread_cond_t landed;
};

struct import_pass *import_pass_new(uint64_t import, struct slice name);
void import_pass_free(struct import_pass *pass); /* one never added */
/* Returns its number; ends others of its import. 0: it would only mend, and a pass over all of the import is under way. */
uint64_t import_pass_add(struct imports *i, struct import_pass *pass);
bool import_is_read(struct imports *imports, uint64_t import); /* is a pass over all of the import under way? */
/* NULL: there is none of that number (any more). The caller gives it back. */
struct import_pass *import_pass_get(struct imports *imports, uint64_t id, struct err *err);
void import_pass_put(struct imports *imports, struct import_pass *pass);

/* One upload at a time: *ret_frames is the number of its first frame. Unclaimed in any case, once claimed; frames: of the pass by then; refused: to be
 * told like what lands (refusal.h).
 * ERR_REJECT: another one is under way; or what failed before. */
int import_pass_claim(struct import_pass *pass, uint64_t *ret_frames, struct err *err);
void import_pass_unclaim(struct import_pass *pass, uint64_t frames, struct slice refused);
/* A cargo leaves, and lands in the committer's thread: durable, or with err nothing of it was kept, which ends the pass. */
struct import_landing {
	size_t bytes;            /* as launched */
	uint64_t frames;         /* of the pass, up to its last */
	struct slice refused;
};
void import_pass_launch(struct imports *imports, struct import_pass *pass, size_t bytes);
void import_pass_land(struct imports *imports, struct import_pass *pass, const struct import_landing *l, const struct err *err);
/* Until no more than so many bytes are under way; 0: nothing at all. -1: what failed. */
int import_pass_await(struct import_pass *pass, size_t bytes, struct err *err);
int import_pass_failed(struct import_pass *pass, struct err *err);
/* Frames before *ret_durable are durable; *ret_refused, the caller's, is what was noted and not told so far. */
void import_pass_tell(struct import_pass *pass, uint64_t *ret_durable, struct buf *ret_refused);

/* Has this row been met in this pass? */
static inline bool import_saw(struct import_pass *pass, uint64_t row)
{
	if (row > pass->last_row)
		return true;
	pthread_mutex_lock(&pass->lock);
	bool seen = bitset_has(&pass->seen, row);
	pthread_mutex_unlock(&pass->lock);
	return seen;
}
static inline void import_see(struct import_pass *pass, uint64_t row, bool moved)
{
	pthread_mutex_lock(&pass->lock);
	bitset_set(&pass->seen, row);
	if (moved)
		bitset_set(&pass->moved, row);
	pthread_mutex_unlock(&pass->lock);
}
static inline void import_tell(struct import_pass *pass, uint64_t line)
{
	pthread_mutex_lock(&pass->lock);
	bitset_set(&pass->told, line);
	pthread_mutex_unlock(&pass->lock);
}
static inline bool import_told(struct import_pass *pass, uint64_t line)
{
	pthread_mutex_lock(&pass->lock);
	bool told = bitset_has(&pass->told, line);
	pthread_mutex_unlock(&pass->lock);
	return told;
}
static inline bool import_has_moved(struct import_pass *pass, uint64_t row)
{
	pthread_mutex_lock(&pass->lock);
	bool moved = bitset_has(&pass->moved, row);
	pthread_mutex_unlock(&pass->lock);
	return moved;
}

/* mend.c: objects that could not be fetched, and that only lines named which a mending pass told otherwise, go. */
int mend_objects(struct imports *imports, struct import_pass *pass, uint64_t *ret_gone, struct err *err);

#endif
