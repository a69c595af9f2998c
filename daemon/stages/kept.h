/* kept.h - the bytes of objects that are taken by reference, from their fetch to their normalization: a bucket is read once. Bounded
 * memory, keyed by content; what is not here (no room, a restart, kept too long) is read at its source again. Any thread. */
#ifndef INLET_STAGES_KEPT_H
#define INLET_STAGES_KEPT_H

#include "daemon/model/content_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_BYTES_MAX (8U << 20) /* of one object */

struct kept;

struct kept *kept_new(size_t budget_bytes, uint64_t stale_ns);
void kept_free(struct kept *k);    /* NULL allowed */

/* Room for an object's bytes; NULL: the budget is spent. It ends in kept_put() or kept_drop(). */
uint8_t *kept_room(struct kept *k, size_t bytes);
void kept_drop(struct kept *k, uint8_t *room, size_t bytes); /* NULL allowed */
/* They are this content's. One of each is kept. True: it is the only one here, kept_expire() has something to wait for again. */
bool kept_put(struct kept *k, const struct content_id *id, uint8_t *room, size_t bytes);

/* Takes a content out, into a new memory file of the caller's. -1: it is not here. */
int kept_open(struct kept *k, const struct content_id *id);
/* Drops what nobody came for within stale_ns: bytes that were known already, an item that was not normalized. When to call it again:
 * clock_mono_ns(); UINT64_MAX: nothing is here. */
uint64_t kept_expire(struct kept *k);

#endif
