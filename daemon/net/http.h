/* http.h - one HTTP request at a time over libcurl: guarded addresses, verified TLS, limits counted by us, no hidden state.
 *
 * A client is a pool of kept-alive connections under one set of rules. Redirects are followed by us, hop by hop, each checked by
 * the guard, and credentials never cross to another host. The environment's proxies, netrc and cookies are ignored. Bodies are
 * never decoded (Content-Encoding is the caller's to see). Error texts name method, host and path, never the query or a header:
 * both carry secrets. */
#ifndef INLET_NET_HTTP_H
#define INLET_NET_HTTP_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/net/guard.h"

#include <stdatomic.h>

struct http_rules {
	const struct guard *guard;        /* borrowed; required */
	const char *ca_file, *proxy;      /* borrowed; NULL: the system's, none */
	const char *user_agent;           /* NULL: "inlet/VERSION" */
	uint32_t connect_ms, idle_ms;     /* 0: 10 s to connect, 30 s without a byte */
	uint32_t redirects;               /* at most; 0: a redirect is an answer like any other */
	size_t connections;               /* kept open; 0: 16 */
	bool http2;                       /* where the server offers it over TLS */
	const atomic_bool *stopping;      /* true ends running requests soon (ERR_RETRY, ECANCELED); NULL */
};
struct http;
struct http *http_new(const struct http_rules *rules);
void http_free(struct http *h);           /* NULL allowed; no request may be running */

struct http_reply {
	int status;                       /* of the last hop; 0: no answer came */
	struct buf headers;               /* raw lines of the last hop, for http_header() */
	struct buf body;                  /* where the request has no sink */
	uint64_t bytes;                   /* of the body, as they came */
	uint32_t wait_ms;                 /* Retry-After in seconds or as a date, at most a day; 0: none */
	int64_t date_ms;                  /* the server's Date; 0: none */
};
void http_reply_done(struct http_reply *r);
/* The last header of that name (any case), without the spaces around it; empty when absent. Valid while r is. */
struct slice http_header(const struct http_reply *r, const char *name);

struct http_request {
	const char *method;               /* NULL: GET */
	const char *url;
	const char *const *headers;       /* "Name: value", NULL-terminated; may be NULL */
	struct slice body;                /* sent when p is not NULL */
	uint64_t limit;                   /* bytes of the body; 0: 1 MiB. More is ERR_REJECT with sys EFBIG */
	uint64_t total_ms;                /* for the whole of it; 0: 60 s without a sink, none with one */
	/* Both optional. head() runs once, when the headers of the last hop are there; body() takes the bytes of a 2xx answer as
	 * they come (of others: kept in reply.body up to 64 KiB). -1 ends the request and http_send() passes err on. */
	int (*head)(void *arg, const struct http_reply *r, struct err *err);
	int (*sink)(void *arg, const uint8_t *p, size_t n, struct err *err);
	void *arg;
};

/* Blocking; any thread. 0: an answer came and was whole (ret->status says which; 4xx and 5xx are answers). -1: ERR_RETRY (sys
 * ETIMEDOUT, ECONNREFUSED, EPIPE for a body that broke off, ...: ret->bytes says how far it came) or ERR_REJECT (refused by the
 * guard, over a limit, not a URL, a certificate that is not trusted: sys EKEYREJECTED). ret is filled in both cases and needs
 * http_reply_done(). */
int http_send(struct http *h, const struct http_request *q, struct http_reply *ret, struct err *err);

/* The class of an answer that is not what was hoped for: 408, 425, 429 and 5xx are ERR_RETRY (429 and 503 with sys EBUSY and
 * wait_ms), the rest ERR_REJECT. Text: "METHOD host/path: 403 Forbidden". Returns -1. */
int http_refused(const struct http_request *q, const struct http_reply *r, struct err *err);

#endif
