/* arena.h - memory for one row: given out piece by piece, taken back all at once. { 0 } is empty. One thread at a time. */
#ifndef INLET_MANIFEST_ARENA_H
#define INLET_MANIFEST_ARENA_H

#include "daemon/base/slice.h"

struct arena_block;
struct arena {
	struct arena_block *blocks; /* the newest first; the oldest is kept by arena_reset() */
	size_t used;                /* of the newest */
};

void *arena_alloc(struct arena *a, size_t n); /* aligned for anything, uninitialised */
struct slice arena_copy(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a);            /* what was given out is gone */
void arena_done(struct arena *a);

#endif
