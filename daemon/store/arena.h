/* arena.h - reusable, 4 KiB-aligned memory in which fetch threads lay out tar members and hash them in place; the committer
 * cuts duplicates out and the segment writer appends it with one O_DIRECT write.
 *
 * A member is one 512-byte ustar header, then the payload padded with zeros to 512. The pool is bounded in bytes: arena_get()
 * blocks while it is spent, which is the backpressure on fetching. */
#ifndef INLET_STORE_ARENA_H
#define INLET_STORE_ARENA_H

#include "daemon/model/content_id.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct arena_pool;

#define ARENA_BYTES (1U << 20)              /* the usual size */
#define ARENA_MEMBER_MAX (8U << 20)         /* payloads above this go to a large blob of their own */

struct arena_pool *arena_pool_new(size_t budget_bytes); /* at least one ARENA_MEMBER_MAX arena and four usual ones fit */
void arena_pool_free(struct arena_pool *p);             /* every arena is back */
void arena_pool_close(struct arena_pool *p);            /* wakes waiters: arena_get() returns NULL from now on */
/* An empty arena with room for a payload of want bytes (<= ARENA_MEMBER_MAX). Blocks while the budget is spent; NULL:
 * closed. */
struct arena *arena_get(struct arena_pool *p, size_t want);
void arena_put(struct arena *a);                        /* back to its pool; NULL allowed; any thread */

size_t arena_room(const struct arena *a);               /* payload bytes that a further member could have; 0: full */
uint8_t *arena_memory(struct arena *a);                 /* all of it, on SEGMENT_ALIGN: for who lays out no members */
uint8_t *arena_payload(struct arena *a);                /* where the next member's payload goes; arena_room() bytes */
/* Close the member whose payload of n bytes lies at arena_payload(): writes its header and padding. Returns its place
 * (offset of the header), to be given to the committer with the arrival. */
size_t arena_member(struct arena *a, const struct content_id *id, size_t n);

/* The committer's side, in this order. Members not kept are cut out: the kept ones move together. arena_keep(): places in
 * ascending order, each once, n as given to arena_member(); returns where the member lies now. arena_seal(): pads what was kept to SEGMENT_ALIGN and
 * returns it; *ret_n 0: nothing was kept. */
size_t arena_keep(struct arena *a, size_t place, size_t n);
const void *arena_seal(struct arena *a, size_t *ret_n);
size_t arena_kept(const struct arena *a);               /* bytes kept so far: where the next kept member will lie */

#endif
