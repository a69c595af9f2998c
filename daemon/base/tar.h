/* tar.h - ustar headers, written and read: the only tar that the log needs (plain files, names under 100 bytes); and whole
 * members of any name, for exports.
 *
 * A member is one header block, then the payload padded with zeros to whole blocks. Headers are deterministic: mode 0644,
 * owner 0, one fixed time, so that the same content has the same member everywhere. GNU tar, libarchive and the webdataset
 * package read them without a warning. Pure functions, any thread. */
#ifndef INLET_BASE_TAR_H
#define INLET_BASE_TAR_H

#include "daemon/base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK 512U
#define TAR_NAME_MAX 99                  /* bytes of a member name */
#define TAR_BYTES_MAX ((1ULL << 33) - 1) /* eleven octal digits */

struct tar_member {
	char name[TAR_NAME_MAX + 1];
	uint64_t bytes; /* of the payload */
};

void tar_header(void *block, const char *name, uint64_t bytes); /* fills TAR_BLOCK bytes */
/* 1: a header of a plain file, *ret filled; 0: a block of zeros (the end mark); -1: neither. */
int tar_parse(const void *block, struct tar_member *ret);
/* Fills a gap of n bytes (whole blocks, at least one) with a member of the given name and zeros. */
void tar_fill(void *gap, size_t n, const char *name);
/* Appends a whole member: a plain file, or a folder where the name ends in '/' and there are no bytes. A name of more than
 * TAR_NAME_MAX bytes goes before it in a pax header, as POSIX.1-2001 has it; tar_parse() knows none of these. */
void tar_put(struct buf *to, const char *name, struct slice bytes);
void tar_end(struct buf *to); /* the two blocks of zeros */

static inline uint64_t tar_padded(uint64_t bytes)
{
	return (bytes + TAR_BLOCK - 1) & ~(uint64_t)(TAR_BLOCK - 1);
}

#endif
