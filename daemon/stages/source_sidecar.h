/* source_sidecar.h - `sidecars: json` of a source: NAME.json beside NAME holds labels and metadata of it, and is no item.
 *
 * A sidecar is an object of the ledger that carries no item. What it says is a row of no import beside its file's object
 * (daemon/store/settle.h makes labels of it), in the commit that makes this version of the sidecar known. One whose file is not
 * in the dataset waits: a retry that is never due, until the commit that brings the file makes it due. So either may come first,
 * and nobody looks in between. A sidecar that goes leaves what it said; one that cannot be used leaves what the one before said. */
#ifndef INLET_STAGES_SOURCE_SIDECAR_H
#define INLET_STAGES_SOURCE_SIDECAR_H

#include "daemon/base/buf.h"
#include "daemon/stages/internal.h"

#include <errno.h>

bool source_sidecars(const struct source *s); /* is it on? */
/* Is the object at key a sidecar, by its name and the option? */
bool source_sidecar_is(const struct source *s, struct slice key);

#define SIDECAR_BYTES_MAX (16U << 20) /* of one file: what the reader takes of a row */
#define SIDECAR_BROKEN EILSEQ         /* err.sys, with ERR_REJECT */
/* *ret: what the sidecar in fd says from its first byte on, as the body that its row keeps. */
int source_sidecar_read(struct slice key, int fd, struct buf *ret, struct err *err);

/* All in a change's prepare. What the sidecar at key says, beside its file. 1; 0: the file is not in the dataset; -1. */
int source_sidecar_put(const struct source *s, struct change *c, struct view *now, struct slice key, struct slice body, struct err *err);
/* Of a sidecar that has been read: is nothing of it beside its file, which is in the dataset? 1, 0, -1. */
int source_sidecar_unsaid(const struct source *s, struct view *now, struct slice key, struct err *err);
/* The sidecar waits for its file. */
int source_sidecar_wait(const struct source *s, struct change *c, struct view *now, const struct object *sidecar, uint32_t attempts,
	struct err *err);
/* The sidecar failed, as *r says: if it came as a file before the option was switched on, it is none any more. */
int source_sidecar_failed(const struct source *s, struct change *c, struct view *now, const struct record_failure *r, struct err *err);
/* The file at key comes, or comes back, with the change: its sidecar, if it waits, is due. Does nothing while the option is off. */
int source_sidecar_wake(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err);
/* The file at key goes with the change, and its sidecar is there still: that waits from now on. */
int source_sidecar_left(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err);

#endif
