/* sidecar.h - NAME.json beside NAME, labels and metadata of that file: how the two find each other, and what it says. Pure.
 *
 * A file whose own name ends in .json has none, so that of "a.txt", "a.txt.json" and "a.txt.json.json" the second speaks of
 * the first, and the third is a file like any other. */
#ifndef INLET_MANIFEST_SIDECAR_H
#define INLET_MANIFEST_SIDECAR_H

#include "daemon/manifest/manifest.h"

#define SIDECAR_ENDING ".json"

/* The path of the file that the one at `path` speaks of, the beginning of it; empty: it is no sidecar by its name. */
struct slice sidecar_subject(struct slice path);
/* May the file at `path` have one? Then it is path and SIDECAR_ENDING. */
bool sidecar_may_be_of(struct slice path);

/* The one row of the sidecar at `path`; *ret_m, the caller's in any case, holds it. -1: *why, and for ERR_REJECT what cures it in
 * *ret_cure, which is left alone where there is nothing better to say. */
int sidecar_read(const char *path, manifest_read_fn *read, void *arg, struct manifest **ret_m, struct manifest_row *ret,
	struct buf *ret_cure, struct err *why);

#endif
