/* gcs_list.h - the listing of a bucket: objects.list in pages of up to 1,000, in byte order.
 *
 * Keys are UTF-8 of 1 to 1,024 bytes; the version token is the object's generation, in decimal. */
#ifndef INLET_CONNECTORS_GCS_LIST_H
#define INLET_CONNECTORS_GCS_LIST_H

#include "connectors/bucket_page.h"
#include "connectors/gcs_api.h"

/* Reads one answer into the page. known: a key that was seen already and may stand first (startOffset is inclusive). *ret_token
 * (emptied first) becomes nextPageToken. ERR_RETRY: it is no listing, or bucket_page_add() does not believe it. */
int gcs_list_parse(struct slice body, struct slice known, struct bucket_page *to, struct buf *ret_token, struct err *err);

/* Lists the whole bucket below the prefix. ERR_RETRY: conclude nothing. */
int gcs_list(struct gcs_api *api, struct bucket *b, page_fn *emit, void *arg, struct err *err);
/* The first object whose key begins with prefix: one request. *ret_key empty (both emptied first): there is none. */
int gcs_list_first(struct gcs_api *api, struct bucket *b, struct slice prefix, struct buf *ret_key, struct buf *ret_version,
	uint64_t *ret_bytes, struct err *err);

#endif
