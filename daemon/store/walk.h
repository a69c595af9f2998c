/* walk.h - reads the log batch by batch, over segments, trusting nothing: for recovery, rebuild and verify.
 *
 * A walk judges form only: whole members, a batch member whose lines hash to a digest. Whether a batch is the right one
 * (revision, chain) and whether its blobs are what their names say, the caller asks. One thread. */
#ifndef INLET_STORE_WALK_H
#define INLET_STORE_WALK_H

#include "daemon/base/cleanup.h"
#include "daemon/store/batch.h"

struct walk;

struct walk_blob {
	struct content_id content; /* as its member is named */
	uint64_t offset, bytes;    /* of the payload */
};
/* Lives until the next call. */
struct walk_batch {
	struct batch_head head;
	uint8_t digest[SHA256_BYTES];
	struct slice lines;            /* for batch_next() */
	const struct walk_blob *blobs; /* those before the batch member, by offset */
	size_t blob_count;
	uint32_t segment;
	uint64_t end;                  /* where the next append goes */
};

/* dir: of the segments, borrowed. Begins between batches. */
int walk_open(int dir, uint32_t segment, uint64_t offset, struct walk **ret, struct err *err);
void walk_close(struct walk *w);                /* NULL allowed */
CLEANUP_FN(struct walk *, walk_close)
/* 1: a whole batch. 0: the log ends here: nothing follows, or bytes that are no batch. -1: a segment could not be read, or is of a newer format. */
int walk_next(struct walk *w, struct walk_batch *ret, struct err *err);
uint32_t walk_segment(const struct walk *w);    /* where the walk is */
int walk_fd(const struct walk *w);              /* of that segment: the batch's blobs are read through it */
/* The blob whose payload lies at offset, or NULL. */
const struct walk_blob *walk_blob_at(const struct walk_batch *b, uint64_t offset);

#endif
