/* gcs_check.h - what `inlet doctor` says of a Cloud Storage bucket. */
#ifndef INLET_CONNECTORS_GCS_CHECK_H
#define INLET_CONNECTORS_GCS_CHECK_H

#include "connectors/bucket.h"
#include "connectors/gcs_api.h"

/* connector_ops.check(): endpoint, credentials and where they come from, the right to list, the clock, one read. What depends on
 * something that failed is left out. */
void gcs_check(struct gcs_api *api, struct bucket *b, check_fn *tell, void *arg);

#endif
