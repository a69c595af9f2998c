/* derived.h - packs of bytes that can be made again (thumbnails, canonical forms): store/derived/NNNNNNNN.pack.
 *
 * Packs are only appended to and never synced: each piece carries a check, and one that does not match is remade. The
 * directory may be deleted while no daemon runs. derived_put(): the committer's thread; derived_get(): any. */
#ifndef INLET_STORE_DERIVED_H
#define INLET_STORE_DERIVED_H

#include "daemon/model/record.h"

struct derived;

#define DERIVED_PACK_BYTES (256U << 20) /* the next pack begins at this size */
#define DERIVED_BYTES_MAX (256U << 20)  /* of one piece */

int derived_open(int dir, uint64_t pack_bytes, struct derived **ret, struct err *err); /* dir: borrowed */
void derived_close(struct derived *d);   /* NULL allowed */
/* Appends; fills pack, offset, bytes and check of *ret. */
int derived_put(struct derived *d, const void *p, size_t n, struct record_derived *ret, struct err *err);
/* 1: found and intact, appended to `to`; 0: gone or damaged. */
int derived_get(const struct derived *d, const struct record_derived *at, struct buf *to);

#endif
