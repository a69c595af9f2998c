/* http.h - one HTTP request at a time over libcurl: guarded addresses, verified TLS, limits counted by us, no hidden state.
 *
 * A client is a pool of kept-alive connections under one set of rules. Redirects of GET and HEAD are followed by us, hop by hop,
 * each checked by the guard; to another scheme, host or port go only headers that carry no secret (Accept, Range, If-...). The
 * environment's proxies, netrc and cookies are ignored. Bodies are never decoded (Content-Encoding is the caller's to see).
 * Paths are sent as written ("a/../b" stays; bytes beyond ASCII go as %XX, as browsers send them). Error texts name method, host
 * and path, never the query or a header: both carry secrets. */
#ifndef INLET_NET_HTTP_H
#define INLET_NET_HTTP_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/net/guard.h"

#include <stdatomic.h>

struct http_rules {
	const struct guard *guard;        /* borrowed; required */
	const char *ca_file;              /* borrowed; PEM of whom to trust instead of the system's; NULL: the system's */
	/* borrowed; "http://", "https://" or "socks5h://", user part allowed; NULL: none. It resolves the names, so addresses
	 * behind names are its to refuse. */
	const char *proxy;
	const char *user_agent;           /* NULL: "inlet/VERSION" */
	uint32_t connect_ms, idle_ms;     /* 0: 10 s to connect (name, TCP, TLS), 30 s without a byte */
	uint32_t rate_min, rate_ms;       /* 0: at least 1024 bytes/s, averaged over each 60 s; the sink's own time not counted */
	uint32_t redirects;               /* at most; 0: a redirect is an answer like any other */
	size_t connections;               /* kept open; 0: 16. More requests at once open more, and close them */
	bool http2;                       /* where the server offers it over TLS */
	/* For many small answers: GET and HEAD without a proxy are spoken by us over a connection that libcurl makes (HTTP/1.1; TLS
	 * and guard as ever), at a fraction of its work for each. http2 does not count for them. */
	bool lean;
	const atomic_bool *stopping;      /* true ends running requests within about 100 ms (ERR_RETRY, ECANCELED); NULL */
};
struct http;
struct http *http_new(const struct http_rules *rules);
void http_free(struct http *h);           /* NULL allowed; no request may be running */

struct http_reply {
	int status;                       /* of the last hop; 0: no answer came */
	struct buf headers;               /* raw lines of the last hop, for http_header(); trailers are not among them */
	struct buf body;                  /* where the request has no sink, or the answer is none of 2xx */
	struct buf url;                   /* the last hop's, where redirects were followed; its query may be a secret */
	uint64_t bytes;                   /* of the body, as they came */
	int64_t length;                   /* as declared for the body; -1: not */
	uint32_t wait_ms;                 /* Retry-After in seconds or as a date, at most a day; 0: none */
	int64_t date_ms;                  /* the server's Date; 0: none */
};
void http_reply_done(struct http_reply *r);
/* The last header of that name (any case), without the spaces around it; empty when absent. Valid while r is. */
struct slice http_header(const struct http_reply *r, const char *name);
/* Several in one look at the head: ret[i] is http_header(r, names[i]). */
void http_headers(const struct http_reply *r, const struct slice *names, size_t count, struct slice *ret);

struct http_request {
	const char *method;               /* NULL: GET */
	const char *url;
	const char *const *headers;       /* "Name: value", NULL-terminated; may be NULL. A line break in one is ERR_REJECT */
	struct slice body;                /* sent when p is not NULL */
	uint64_t limit;                   /* bytes of a 2xx body; 0: 1 MiB. More is ERR_REJECT with sys EFBIG */
	uint64_t total_ms;                /* for the whole of it; 0: 60 s without a sink, none with one */
	/* Both optional. head() runs once, when the headers of the last hop are there; sink() takes the bytes of a 2xx answer as
	 * they come. Other answers' bodies are kept in reply.body, cut at 64 KiB. -1 ends the request and http_send() passes err
	 * on. */
	int (*head)(void *arg, const struct http_reply *r, struct err *err);
	int (*sink)(void *arg, const uint8_t *p, size_t n, struct err *err);
	void *arg;
};

/* Blocking; any thread. 0: an answer came and was whole (ret->status says which; 4xx and 5xx are answers). -1: ERR_RETRY (sys
 * ETIMEDOUT: a time limit or the rate; EHOSTUNREACH: the name does not resolve; ECONNREFUSED and the like; EPIPE: broke off,
 * ret->bytes says how far it came; EPROTO: not HTTP; ECANCELED: stopping) or ERR_REJECT (EACCES: refused by the guard; EINVAL:
 * not a URL; EFBIG: over the limit; ELOOP: too many redirects; EKEYREJECTED: a certificate that is not trusted, the text says
 * what to do). ret is filled in both cases and needs http_reply_done(). */
int http_send(struct http *h, const struct http_request *q, struct http_reply *ret, struct err *err);

/* The class of an answer that is not what was hoped for: 408, 425, 429 and 5xx are ERR_RETRY (429 and 503 with sys EBUSY;
 * err->wait_ms is Retry-After), the rest ERR_REJECT. Text: "METHOD host/path: 403 Forbidden". Returns -1. */
int http_refused(const struct http_request *q, const struct http_reply *r, struct err *err);

#endif
