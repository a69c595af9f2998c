/* unpack.h - the stored bytes of a manifest without their compression: plain, gzip (any number of members) or zstd (any
 * number of frames), recognised by the first bytes. Bounded: so many bytes of text, and so much text per stored byte.
 * One thread at a time. */
#ifndef INLET_MANIFEST_UNPACK_H
#define INLET_MANIFEST_UNPACK_H

#include "daemon/manifest/manifest.h"

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct unpack;

/* Reads nothing yet. */
struct unpack *unpack_new(manifest_read_fn *read, void *arg, uint64_t text_max);
void unpack_free(struct unpack *u); /* NULL allowed */
/* Up to n bytes: > 0, 0 at the end, -1. ERR_REJECT: damaged or cut short, or a limit; other classes come from read. */
ssize_t unpack_read(struct unpack *u, void *p, size_t n, struct err *err);
enum packing unpack_packing(const struct unpack *u); /* known after the first unpack_read() */
/* The next byte given is `offset` of the text. Only where nothing is packed. */
int unpack_seek(struct unpack *u, manifest_seek_fn *seek, uint64_t offset, struct err *err);
uint64_t unpack_stored_bytes(const struct unpack *u); /* taken from read so far */

#endif
