/* s3_client.h - requests to one bucket that speaks S3: signed with the credentials of now, and once more where another signature
 * cures a refusal: the bucket lies in another region, the session has expired, our clock is off.
 *
 * Any thread, many at once. What is learned from one answer (region, clock) holds for all that follow. */
#ifndef INLET_CONNECTORS_S3_CLIENT_H
#define INLET_CONNECTORS_S3_CLIENT_H

#include "config/config.h"
#include "connectors/sigv4.h"
#include "daemon/net/http.h"

struct s3_client;

/* config and stopping are borrowed. Touches no network. ERR_REJECT: the endpoint is none. */
int s3_client_new(const struct s3_config *config, const atomic_bool *stopping, struct s3_client **ret, struct err *err);
void s3_client_free(struct s3_client *c); /* NULL allowed; no request may be running */

struct s3_call {
	struct slice key;            /* an object; empty: the bucket is listed */
	struct sigv4_param *params;  /* of a listing; sorted in place */
	size_t param_count;
	struct slice etag;           /* only this one (412 else); without quotes; empty: any */
	uint64_t from;               /* bytes from here on; 0: all */
	uint64_t count;              /* so many of them; 0: to the end */
	bool checksum;               /* ask for the checksum of the whole object */
	bool restore;                /* ask whether archived objects were restored */
	uint64_t limit;              /* bytes of the body */
	int (*head)(void *arg, const struct http_reply *r, struct err *err); /* of a 2xx answer; optional */
	int (*body)(void *arg, const uint8_t *p, size_t n, struct err *err);
	void *arg;
};
/* 0: a 2xx answer came and was whole. -1: ERR_RETRY or ERR_REJECT as http_send(), s3_error_set() or aws_provider_get() say it; the
 * err of head() and body() unchanged. What concerns the source and no object (keys, certificate, permissions) is ERR_RETRY with
 * EACCES. ret is filled in both cases and needs http_reply_done(). err is not NULL. */
int s3_client_send(struct s3_client *c, const struct s3_call *call, struct http_reply *ret, struct err *err);

/* "s3://bucket/key" as a person reads it, for messages. */
void s3_client_describe(const struct s3_client *c, struct slice key, char *ret_text, size_t size);

/* For people: what is known now. */
struct s3_facts {
	char credentials[160];       /* where they come from; "" none were asked for yet */
	char region[64];             /* that requests are signed for */
	char host[380];
	int64_t skew_s;              /* the server's clock is ahead of ours by this, as far as it was learned */
};
void s3_client_facts(struct s3_client *c, struct s3_facts *ret);

#endif
