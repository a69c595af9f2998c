/* gcs_scan.h - a whole bucket listed by as many threads as it is worth.
 *
 * One thread begins; from 8,000 keys on whoever has a range of keys before it cuts off a part for each idle thread, between two
 * of its pages. Ranges are cut blindly (gcs_split.h), so some are empty: that costs one request each. A page is complete
 * knowledge of (after, upto] whatever the order in which pages come, so they are handed on as they come. */
#ifndef INLET_CONNECTORS_GCS_SCAN_H
#define INLET_CONNECTORS_GCS_SCAN_H

#include "connectors/bucket.h"
#include "connectors/gcs_api.h"

#define GCS_SCAN_THREADS 8 /* what the merge has room for */

/* emit is called from up to `threads` threads. ERR_RETRY: conclude nothing; sys ENOTSUP: the server knows no endOffset: try again with
 * one thread. */
int gcs_scan(struct gcs_api *api, struct bucket *b, uint32_t threads, page_fn *emit, void *arg, struct err *err);

#endif
