/* import_pass.h - what the files of daemon/stages/import share: a pass under way. Seen only by them and pipeline.c. */
#ifndef INLET_STAGES_IMPORT_PASS_H
#define INLET_STAGES_IMPORT_PASS_H

#include "daemon/base/bitset.h"
#include "daemon/stages/import.h"
#include "daemon/stages/import_place.h"
#include "daemon/stages/internal.h"

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
	struct failure_places places;
	_Atomic uint64_t written;
};

struct imports {
	pthread_mutex_t lock;
	struct import_pass *passes; /* guarded by lock */
	uint64_t next_id;
};

/* NULL: there is none of that number (any more). The caller gives it back. */
struct import_pass *import_pass_get(struct pipeline *p, uint64_t id, struct err *err);
void import_pass_put(struct pipeline *p, struct import_pass *pass);
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
static inline bool import_has_moved(struct import_pass *pass, uint64_t row)
{
	pthread_mutex_lock(&pass->lock);
	bool moved = bitset_has(&pass->moved, row);
	pthread_mutex_unlock(&pass->lock);
	return moved;
}

struct imports *imports_new(void);
void imports_free(struct imports *i); /* NULL allowed */

#endif
