/* s3_wire.h - one request to S3: composed by libs3, put into canonical form, signed and sent by us.
 *
 * Debian's libs3 2.0 signs with the dead V2, verifies no certificate, calls a dead transfer OK and overruns its buffers on what a
 * server sends. So it composes, and no more: a copy of its static archive, made by the Makefile, calls s3_wire_* wherever it
 * called libcurl, libxml2, gmtime, strftime or its HMAC (s3_wire.syms), and keeps nothing but S3_* visible. What it has composed (the URL with the
 * encoded key, Range, If-Match) is taken over in "curl_easy_perform"; its Authorization and date are dropped. Nothing that comes
 * back reaches it: neither headers nor bodies, and its verdict is not asked for. Listings get their query here: a prefix or a
 * marker near their limits overflow libs3's buffers. */
#ifndef INLET_CONNECTORS_S3_WIRE_H
#define INLET_CONNECTORS_S3_WIRE_H

#include "connectors/aws_provider.h"
#include "connectors/s3_endpoint.h"
#include "connectors/sigv4_signer.h"

/* libs3 is started with the first user and ends with the last. */
void s3_wire_begin(void);
void s3_wire_end(void);

struct s3_exchange {
	const struct s3_endpoint *at;
	const char *bucket;
	const struct aws_credentials *credentials; /* key_id empty: unsigned */
	struct sigv4_signer *signer;
	int64_t time_s;                  /* seconds since the epoch, by the server's clock */
	struct slice key;                /* an object; empty: the bucket is listed */
	struct sigv4_param *params;      /* of a listing; sorted in place */
	size_t param_count;
	struct slice etag;               /* If-Match, without quotes; empty: none */
	uint64_t from, count;            /* Range: bytes=from-, or as many as count; both 0: none */
	const struct sigv4_header *headers; /* x-amz-... */
	size_t header_count;
	uint64_t limit;                  /* bytes of a 2xx body */
	int (*head)(void *arg, const struct http_reply *r, struct err *err);         /* as in struct http_request */
	int (*body)(void *arg, const uint8_t *p, size_t n, struct err *err);
	void *arg;
};
/* As http_send(): 0: an answer came and was whole. ERR_REJECT also where libs3 cannot compose it. Any thread. */
int s3_wire_send(const struct s3_exchange *x, struct http_reply *ret, struct err *err);

#endif
