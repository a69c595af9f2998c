/* bucket.h - rows of manifests that name objects of buckets. A manifest is somebody else's text, and the credentials are the
 * daemon's: only what lies beneath the bucket and prefix of a configured source is asked for, through that source's connector, at its
 * pace. Any thread. */
#ifndef INLET_IMPORTS_BUCKET_H
#define INLET_IMPORTS_BUCKET_H

#include "connectors/connector.h"

struct imports;

bool import_names_bucket(const char *url); /* "s3://…" or "gs://…" */
/* The object as it is now: a key is taken as it stands, byte for byte. Blocks. ret_seen as from connector_ops.fetch(). ERR_REJECT:
 * EPERM no source covers it; ENOENT there is no such object; FETCH_ARCHIVED. Else as fetch(). */
int import_bucket_get(struct imports *imports, const char *url, struct sink *into, struct object *ret_seen, struct err *err);
const char *import_bucket_cure(const struct err *err); /* for what it said */

#endif
