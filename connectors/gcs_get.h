/* gcs_get.h - one object's bytes as they are stored, of the generation that was listed, checked. */
#ifndef INLET_CONNECTORS_GCS_GET_H
#define INLET_CONNECTORS_GCS_GET_H

#include "connectors/bucket.h"
#include "connectors/gcs_api.h"

/* connector_ops.fetch(). Without a version the first answer says which generation it is, and pins what follows. A transfer that
 * breaks off goes on by range where it stopped. The length must be the listing's, and the CRC-32C the server's, where it sends
 * one. Objects stored with Content-Encoding: gzip arrive as gzip. ERR_RETRY: ENOENT it is gone or was replaced; FETCH_CHANGED it
 * was replaced while it was read; FETCH_THROTTLED; EIO other bytes came than the server says. */
int gcs_get(struct gcs_api *api, struct bucket *b, const struct object *obj, struct sink *into, struct object *ret_seen,
	struct err *err);

#endif
