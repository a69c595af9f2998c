/* s3_list.h - one page of ListObjectsV2, read from its XML as it streams in and believed only when it was whole.
 *
 * Keys are decoded at the end: whether they are URL-encoded is said by the page itself, behind them (a server may ignore that it
 * was asked). About 50 bytes a key beside key and ETag; the buffers are used again for the next page. One thread at a time. */
#ifndef INLET_CONNECTORS_S3_LIST_H
#define INLET_CONNECTORS_S3_LIST_H

#include "connectors/s3_xml.h"

#define S3_LIST_KEYS_MAX 10000   /* of a page; servers give 1,000 unless they are asked for less */
#define S3_LIST_TOKEN_MAX 3000   /* bytes of a continuation token */

struct s3_listed {
	size_t key_at, key_len, etag_at, etag_len; /* in text */
	int64_t modified_s;          /* -1: not given */
	uint64_t bytes;
	bool archived;               /* must be restored before it can be read, and was not */
};
struct s3_list {
	struct s3_xml xml;
	struct buf text;             /* keys and ETags */
	struct s3_listed *keys;      /* in the server's order */
	size_t count, cap;
	struct buf next;             /* continuation token; empty: none given */
	bool truncated;              /* more follows */
	bool encoded;
	bool ended;                  /* </ListBucketResult> was seen */
	bool has_key, has_bytes, cold, restoring, restored; /* of the entry being read */
	struct s3_listed entry;
};

void s3_list_init(struct s3_list *l);
void s3_list_done(struct s3_list *l);
void s3_list_reset(struct s3_list *l);   /* for the next page, or the same page again */
int s3_list_add(struct s3_list *l, struct slice p, struct err *err); /* ERR_RETRY: not a page */
/* The answer has ended: ERR_RETRY if it was not a whole page. */
int s3_list_end(struct s3_list *l, struct err *err);
struct slice s3_list_key(const struct s3_list *l, size_t i);
struct slice s3_list_etag(const struct s3_list *l, size_t i);    /* as the server wrote it, with or without quotes */

#endif
