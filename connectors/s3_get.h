/* s3_get.h - reads one object whole into a sink: pinned to the version that was listed, resumed where a transfer broke off, checked.
 *
 * The bytes of one object always come from one version: every request carries If-Match, every answer's ETag and length are compared
 * (a server may ignore the condition), and a resumed answer must begin where the last one ended. One connection, in order, so that
 * the sink's hash goes on where it stopped. */
#ifndef INLET_CONNECTORS_S3_GET_H
#define INLET_CONNECTORS_S3_GET_H

#include "connectors/connector.h"
#include "connectors/s3_client.h"

#include <stdatomic.h>

/* As connector_ops.fetch(). */
int s3_get(struct s3_client *c, const struct object *obj, struct sink *into, const atomic_bool *stopping, struct object *ret_seen,
	struct err *err);

#endif
