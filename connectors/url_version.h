/* url_version.h - what a server says that tells versions of a URL apart: ETag, or Last-Modified with the length. */
#ifndef INLET_CONNECTORS_URL_VERSION_H
#define INLET_CONNECTORS_URL_VERSION_H

#include "connectors/connector.h"
#include "daemon/net/http.h"

#define URL_VERSION_CONDITION (VERSION_TOKEN_MAX + 32) /* room for a header */

struct url_version {
	/* "etag:" and the ETag as sent (W/ and quotes included), "date:" and Last-Modified, ';' and the length or '-'; "": neither
	 * was given, or none that fits. */
	char token[VERSION_TOKEN_MAX + 1];
	/* The validator that If-Range takes, in `token` or `date`: byte for byte the same while it is equal; NULL: there is none
	 * (RFC 9110, 8.8.1: a weak ETag, a date less than a minute older than the answer). */
	const char *strong;
	char date[40];
};
void url_version_read(const struct http_reply *r, struct url_version *ret);

/* "If-None-Match: …" or "If-Modified-Since: …"; false: the token holds neither. */
bool url_version_condition(const char *token, char ret_header[static URL_VERSION_CONDITION]);
/* Content-Range: "bytes 5-9/10" is 5 and 10, "bytes 5-9/ *" is 5 and -1. -1: none that reaches to the end of the whole. */
int url_version_range(const struct http_reply *r, uint64_t *ret_first, int64_t *ret_whole);

#endif
