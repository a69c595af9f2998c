/* s3_version.h - the version token of an object in a bucket that speaks S3, and what pins a read to it.
 *
 * Token: "ETAG:BYTES", the ETag without its quotes. A listing gives no version id (only one of all versions does, at one row for
 * each), so the ETag is what there is: it changes with the bytes, except that the same bytes put again keep it, which is no change.
 * It is opaque: neither a hash of the bytes (multipart, KMS) nor a time. Where a server lists none, "@SECONDS:BYTES" of
 * Last-Modified stands in. Pure functions. */
#ifndef INLET_CONNECTORS_S3_VERSION_H
#define INLET_CONNECTORS_S3_VERSION_H

#include "daemon/base/buf.h"

#include <stdint.h>

/* Appends the token. etag as received, quoted or not; modified_s: seconds since the epoch, -1 unknown. */
void s3_version(struct buf *to, struct slice etag, int64_t modified_s, uint64_t bytes);
struct slice s3_etag(struct slice token); /* without quotes; empty: made of Last-Modified, nothing can pin it */

#endif
