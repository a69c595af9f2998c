/* s3_get.h - reads one object whole into a sink: pinned to the version that was listed, resumed where a transfer broke off, checked.
 *
 * The bytes of one object always come from one version: every request carries If-Match, every answer's ETag and length are compared
 * (a server may ignore the condition), and a resumed answer must begin where the last one ended. In order, so that the sink's hash
 * goes on where it stopped.
 *
 * One connection at first, and to the end where the sink is as slow as the bytes come. Where it is seen to wait for them, the object
 * is large, and no other is being read by any source, the rest comes through s3_window.h: the process holds S3_WINDOW_BYTES more for
 * the one object that was alone when it began. Ranges that fail, or bring no more than the one connection did, are given up for it. */
#ifndef INLET_CONNECTORS_S3_GET_H
#define INLET_CONNECTORS_S3_GET_H

#include "connectors/connector.h"
#include "connectors/s3_client.h"

#include <stdatomic.h>

/* As connector_ops.fetch(). Without a version the first answer says which one it is, and pins what follows. */
int s3_get(struct s3_client *c, const struct object *obj, struct sink *into, const atomic_bool *stopping, struct object *ret_seen,
	struct err *err);

#endif
