/* gcs_list.h - pages of a bucket's listing: objects.list, up to 1,000 keys each, in byte order.
 *
 * Keys are UTF-8 of 1 to 1,024 bytes; the version token is the object's generation, in decimal. */
#ifndef INLET_CONNECTORS_GCS_LIST_H
#define INLET_CONNECTORS_GCS_LIST_H

#include "connectors/bucket_page.h"
#include "connectors/gcs_api.h"

/* Reads one answer into the page. known: a key that was seen already and may stand first (startOffset is inclusive). *ret_token
 * (emptied first) becomes nextPageToken. ERR_RETRY: it is no listing, or bucket_page_add() does not believe it. */
int gcs_list_parse(struct slice body, struct slice known, struct bucket_page *to, struct buf *ret_token, struct err *err);

struct gcs_question {
	struct slice prefix;
	struct slice start, end; /* keys in [start, end), but not where the page before ended; empty: not limited */
	struct slice token;      /* of the answer before, to the same question */
	uint32_t max;            /* keys of one answer; 0: 1,000 */
};
/* One page, read into `to`, which begins where the page before ended; a page that is lost is asked for again (not the bucket's first
 * one: whoever waits wants to know that the source is offline). An empty page with a token is legal. */
int gcs_list_page(struct gcs_api *api, const struct gcs_question *q, struct bucket_page *to, struct buf *ret_token,
	struct err *err);
/* The first object whose key begins with prefix: one request, as a rule. *ret_key empty (both emptied first): there is none. */
int gcs_list_first(struct gcs_api *api, struct bucket *b, struct slice prefix, struct buf *ret_key, struct buf *ret_version,
	uint64_t *ret_bytes, struct err *err);

#endif
