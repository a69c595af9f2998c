/* sigv4.h - AWS Signature Version 4: the canonical form of a request, and the Authorization header that proves it.
 *
 * What is signed is what is sent: path and query are encoded once, here, and go on the wire in that form. S3's rules: a path is
 * escaped once and never normalised ("a/../b" stays). Pure functions; derived keys are wiped. */
#ifndef INLET_CONNECTORS_SIGV4_H
#define INLET_CONNECTORS_SIGV4_H

#include "daemon/base/buf.h"
#include "daemon/base/hash.h"

#define SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* payload hash of no bytes */
#define SIGV4_TIME_BYTES 17 /* "20150830T123600Z" and NUL */
#define SIGV4_DAY_LEN 8     /* of it: "20150830" */
#define SIGV4_HEADERS_MAX 16

/* name=value of a query, neither encoded. */
struct sigv4_param {
	struct slice name, value;
};
struct sigv4_header {
	const char *name;    /* lower case */
	struct slice value;
};
struct sigv4_request {
	const char *method;
	struct slice path;   /* encoded, as on the wire; begins with '/' */
	struct slice query;  /* encoded and sorted, without the '?'; may be empty */
	const struct sigv4_header *headers; /* what is signed, host and x-amz-date among it; any order */
	size_t header_count; /* <= SIGV4_HEADERS_MAX */
	const char *payload; /* hexadecimal SHA-256 of the body */
};
struct sigv4_scope {
	struct slice key_id, secret;
	const char *region, *service;
	const char *time;    /* of sigv4_time(); what x-amz-date says */
};

void sigv4_time(int64_t unix_seconds, char ret_time[static SIGV4_TIME_BYTES]);
/* Appends s with all but A-Z a-z 0-9 - _ . ~ (and '/' where it is a path) as %XX. */
void sigv4_encode(struct buf *to, struct slice s, bool path);
/* Appends the query in canonical order. Sorts params in place. */
void sigv4_query(struct buf *to, struct sigv4_param *params, size_t count);
/* What all signatures of one day, region, service and secret are made with: as secret as the secret. h is reused, whatever was in
 * it is dropped. */
void sigv4_key(const struct sigv4_scope *scope, struct sha256 *h, uint8_t ret_key[static SHA256_BYTES]);
/* Appends the value of the Authorization header. key: of this scope. h as above. */
void sigv4_authorization(struct buf *to, const struct sigv4_request *q, const struct sigv4_scope *scope,
	const uint8_t key[static SHA256_BYTES], struct sha256 *h);

#endif
