/* batch.h - the member __batch-<revision>__: what one commit changed, as JSON lines, chained by digests.
 *
 *   {"batch":N,"prev":"<hex digest of batch N-1, zeros for the first>","time":<wall clock, ms>}
 *   one line a logged record (record.h), in the order in which they are applied
 *
 * The digest of a batch is SHA-256 over prev's 32 raw bytes and then, for each line including the first, the line's raw
 * SHA-256 (without its newline). A line can be erased by putting {"erased":"<its digest in hex>"} in its place: the digest
 * of the batch stays what it was. One thread at a time. */
#ifndef INLET_STORE_BATCH_H
#define INLET_STORE_BATCH_H

#include "daemon/base/hash.h"
#include "daemon/model/record.h"
#include "daemon/base/tar.h"

#define BATCH_BYTES_MAX (256U << 20) /* of text; a group is closed long before (committer.c) */

/* Writing: one batch at a time, its memory reused. */
struct batch;
struct batch *batch_new(void);
void batch_free(struct batch *b);               /* NULL allowed */
void batch_begin(struct batch *b, uint64_t revision, const uint8_t prev[SHA256_BYTES], int64_t time_ms);
void batch_add(struct batch *b, const struct record *r); /* a logged one */
size_t batch_lines(const struct batch *b);      /* records added */
size_t batch_bytes(const struct batch *b);      /* of text so far */
/* The finished append, aligned and padded to SEGMENT_ALIGN; lives until batch_begin(). */
const void *batch_end(struct batch *b, size_t *ret_n, uint8_t ret_digest[SHA256_BYTES]);

/* Reading what is on disk: any bytes. */
struct batch_head {
	uint64_t revision;
	uint8_t prev[SHA256_BYTES];
	int64_t time_ms;
};
uint64_t batch_name(const char *member_name);   /* its revision; 0: not a batch member */
/* Checks the form of the text and computes its digest. *ret_lines: the lines after the first. ERR_REJECT: not a batch. */
int batch_open(struct slice text, struct sha256 *hash, struct batch_head *ret, uint8_t ret_digest[SHA256_BYTES],
	struct slice *ret_lines, struct err *err);
enum batch_line { BATCH_END, BATCH_RECORD, BATCH_ERASED };
enum batch_line batch_next(struct slice *lines, struct slice *ret_line); /* without its newline */

#endif
