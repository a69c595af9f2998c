/* s3_endpoint.h - where a bucket's requests go: host, style of URL, region to sign for, and the HTTP clients that may go there
 * and nowhere else. Never changed once made: a region that is learned makes a new one. */
#ifndef INLET_CONNECTORS_S3_ENDPOINT_H
#define INLET_CONNECTORS_S3_ENDPOINT_H

#include "config/config.h"
#include "daemon/net/http.h"

struct s3_endpoint {
	bool https;
	bool path_style;          /* host/bucket/key; else bucket.host/key */
	char region[64];
	char host[300];           /* with its port where that is not the scheme's: "s3.eu-west-1.amazonaws.com", "127.0.0.1:9000" */
	char authority[380];      /* what the Host header says */
	struct guard *guard;
	struct http *objects;
	struct http *listings;    /* more patient: over many delete markers a page takes minutes to begin */
	struct s3_endpoint *older;
};

/* config and stopping are borrowed. Without an endpoint Amazon's of this region. A bucket whose name no host can have goes by path,
 * and where TLS is spoken one with dots: no wildcard certificate covers it otherwise. ERR_REJECT: the configured endpoint is not a URL of a host. */
int s3_endpoint_new(const struct s3_config *config, const char *region, const atomic_bool *stopping, struct s3_endpoint **ret,
	struct err *err);
void s3_endpoint_free(struct s3_endpoint *e); /* NULL allowed; `older` is not touched */

#endif
