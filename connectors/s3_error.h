/* s3_error.h - a refusal of a server that speaks S3: what it said, what it means here, and whether another signature cures it. */
#ifndef INLET_CONNECTORS_S3_ERROR_H
#define INLET_CONNECTORS_S3_ERROR_H

#include "daemon/base/err.h"
#include "daemon/net/http.h"

enum s3_cause {
	S3_REFUSED,      /* as it is */
	S3_REGION,       /* the bucket lies in `region`: to be signed for it, and where there is no endpoint asked there */
	S3_EXPIRED,      /* these credentials are of the past */
	S3_SKEWED,       /* our clock is off: to be signed with the server's */
	S3_NO_CHECKSUM,  /* the server does not know x-amz-checksum-mode */
};
struct s3_error {
	enum s3_cause cause;
	int status;
	char code[64];       /* "NoSuchKey"; "" where the body was no error document */
	char message[192];   /* the server's words, one printable line; of a text that is no error document its first */
	char region[64];     /* of the bucket, where the server tells; a name that can be signed with */
};

/* r: an answer that is not 2xx, its body (if any) kept. */
void s3_error_read(struct s3_error *e, const struct http_reply *r);
/* Fills err for an answer about `what` ("s3://bucket/key" or "s3://bucket/") and returns -1:
 *   412, 416: ERR_RETRY, FETCH_CHANGED. No such key: ERR_RETRY, ENOENT. InvalidObjectState: ERR_REJECT, FETCH_ARCHIVED.
 *   SlowDown, 429, 503: ERR_RETRY, FETCH_THROTTLED, wait_ms as Retry-After says. 408, 5xx: ERR_RETRY, FETCH_TROUBLE.
 *   credentials, permissions, region, clock, bucket: ERR_RETRY, EACCES, with the cure: they concern the source, not the object.
 *   another 4xx that is no error document: ERR_RETRY, EPROTO, for no S3 server has judged the object. The rest: ERR_REJECT. */
int s3_error_set(const struct s3_error *e, const char *what, const struct http_reply *r, struct err *err);

#endif
