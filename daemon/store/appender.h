/* appender.h - the open end of the log: a writer thread that appends to the last segment, and its sync, roll and cut.
 *
 * Appends are O_DIRECT where the file system takes it (nothing goes through the page cache), else buffered with write-back
 * started early. The first failure is sticky: later appends are dropped, appender_sync() reports it, appender_cut() clears
 * it. One caller's thread (the committer's). */
#ifndef INLET_STORE_APPENDER_H
#define INLET_STORE_APPENDER_H

#include "daemon/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct appender;

/* dir: of the segments, borrowed. The segment is there and the log ends at offset: what lies behind it is cut off.
 * segment_bytes: size at which a segment is sealed. */
int appender_open(int dir, const char *uuid, uint64_t segment_bytes, uint32_t segment, uint64_t offset,
	struct appender **ret, struct err *err);
void appender_close(struct appender *a);                 /* NULL allowed; drops what was not synced */

uint32_t appender_segment(const struct appender *a);     /* where the next append goes */
uint64_t appender_offset(const struct appender *a);
/* Begin the next segment if this one is full; between batches only. On failure the log ends where it did. */
int appender_roll(struct appender *a, struct err *err);
/* Append n bytes; p and n are multiples of SEGMENT_ALIGN. Returns at once (blocks while many wait); release(arg) is called
 * when the bytes are no longer needed, from any thread. release may be NULL. */
void appender_put(struct appender *a, const void *p, size_t n, void (*release)(void *arg), void *arg);
int appender_sync(struct appender *a, struct err *err);  /* everything put is durable */
/* Forget every append since (segment, offset), which lies in the open segment. */
int appender_cut(struct appender *a, uint64_t offset, struct err *err);

#endif
