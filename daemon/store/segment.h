/* segment.h - one file of the log, segments/NNNNNNNN.tar: its name, first member, padding, end mark, and how it is walked.
 *
 *   offset 0      __inlet__                 {"format":1,"store":"<uuid>","segment":N}, padded to SEGMENT_ALIGN
 *   then appends, each starting and ending on SEGMENT_ALIGN; a __pad__ member fills the gap (zeros would end the tar):
 *                 <sha256-hex>.<ext> ...    blobs, in one or more appends
 *                 __batch-<revision>__      the batch member that makes them count (batch.h)
 *   sealed:       zero blocks, SEGMENT_ALIGN bytes of them
 *
 * A batch never spans segments: the next one begins before a group does, once this one has reached its size. Names in
 * underscores are skipped by the webdataset package, so a segment is a shard that it reads as it is. Any thread. */
#ifndef INLET_STORE_SEGMENT_H
#define INLET_STORE_SEGMENT_H

#include "daemon/base/err.h"
#include "daemon/base/tar.h"

#include <stdbool.h>

#define SEGMENT_ALIGN 4096U
#define SEGMENT_FORMAT 1 /* of the log: first member, batch lines. A newer one is refused */
#define SEGMENT_FIRST SEGMENT_ALIGN /* offset of the first append */
#define SEGMENT_NAME_BYTES 16
#define STORE_UUID_BYTES 37 /* 36 characters and NUL */

void segment_name(uint32_t number, char ret[SEGMENT_NAME_BYTES]);
/* Pads an append of n bytes (whole blocks): fills the gap after it, returns the gap's bytes, 0 .. SEGMENT_ALIGN - TAR_BLOCK. */
size_t segment_pad(void *gap, size_t n);
/* A new file with its first member, durable with its directory. One of that name is replaced: the caller knows that it
 * holds no batch. */
int segment_create(int dir, uint32_t number, const char *uuid, struct err *err);
int segment_open(int dir, uint32_t number, int flags, int *ret_fd, struct err *err);
/* Reads the first member. ERR_FATAL: a newer format (names both), or of another number; ERR_REJECT: no readable head. */
int segment_head(int dir, uint32_t number, char ret_uuid[STORE_UUID_BYTES], struct err *err);
/* The lowest and highest number in dir; both 0: none. */
int segment_range(int dir, uint32_t *ret_first, uint32_t *ret_last, struct err *err);

enum segment_step {
	SEGMENT_MEMBER, /* *ret filled, *offset moved to the next header */
	SEGMENT_SEALED, /* the end mark */
	SEGMENT_END,    /* the file ends here: the open segment */
	SEGMENT_TORN,   /* no whole member lies here */
};
struct segment_member {
	struct tar_member tar;
	uint64_t payload; /* offset of its first byte */
};
/* The member at *offset of a file of size bytes. -1: could not be read. */
int segment_next(int fd, uint64_t size, uint64_t *offset, struct segment_member *ret, struct err *err);

#endif
