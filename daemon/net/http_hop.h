/* http_hop.h - one request to one URL on one lane: no redirects followed, every limit counted. */
#ifndef INLET_NET_HTTP_HOP_H
#define INLET_NET_HTTP_HOP_H

#include "daemon/net/http.h"
#include "daemon/net/http_lane.h"

struct http_hop {
	const struct http_rules *rules;    /* limits filled in: no 0 means "default" here */
	const struct http_request *request; /* its url and headers are those of the first hop */
	const char *url;
	const struct url *at;              /* the same, taken apart */
	const struct curl_slist *headers;
	uint64_t deadline_ns;              /* clock_mono_ns(); UINT64_MAX: none */
	uint64_t limit;                    /* bytes of a 2xx body */
	bool follows;                      /* a redirect is not delivered: head() does not run and its body is dropped */
};

/* 0: an answer is in r (url is not touched); -1 as http_send(). */
int http_hop_run(const struct http_hop *hop, struct http_lane *lane, struct http_reply *r, struct err *err);
bool http_hop_redirects(int status); /* 301, 302, 303, 307, 308 */
bool http_hop_is(const struct http_hop *hop, const char *method);

#endif
