/* url_identity.h - a URL without the parameters that a signature adds: the same object signed twice is the same
 * object. */
#ifndef INLET_NET_URL_IDENTITY_H
#define INLET_NET_URL_IDENTITY_H

#include "daemon/base/buf.h"

/* Appends url to `to` without the query parameters of signed URLs: Amazon S3 (V2, V4) and CloudFront, Google Cloud
 * Storage (V2, V4), Azure SAS, Alibaba OSS, Tencent COS, Akamai, Discord. Everything else stays byte for byte, in
 * its order. Names that also mean other things ("Expires", "sig", "ex") go only together with the parameter that
 * carries the signature. Any bytes; pure. */
void url_identity(struct slice url, struct buf *to);

#endif
