/* http_transfer.h - one answer while it comes in, whoever reads it off the wire: what is counted, limited, kept and handed on.
 * Inside the HTTP client only. */
#ifndef INLET_NET_HTTP_TRANSFER_H
#define INLET_NET_HTTP_TRANSFER_H

#include "daemon/net/http_hop.h"

#define HTTP_HEAD_MAX (64U << 10)     /* bytes of headers, of interim answers and trailers too */
#define HTTP_HEAD_LARGE "more than 64 KiB of headers"
#define HTTP_BUFFER_BYTES (256L << 10) /* read at once */
#define HTTP_TICK_MS 100              /* how late a limit or `stopping` may be noticed */

struct transfer {
	const struct http_hop *hop;
	struct http_reply *reply;
	CURL *easy;
	struct guard_state guard;
	struct err err;          /* why it was ended, if failed */
	bool failed;
	bool theirs;             /* err is the head()'s or sink()'s: passed on as it is */
	bool enough;             /* ended by us, and what came will do */
	bool in_head;            /* between a status line and its empty line */
	bool head_done;          /* of the answer proper, not of a 1xx */
	size_t head_bytes;
	uint64_t progress_ns;    /* when something moved last */
	uint64_t sent;           /* bytes of our body, as of then */
	uint64_t window_ns;      /* begin of this window of the rate; 0: nothing came yet */
	uint64_t window_bytes;
	uint64_t sink_ns;        /* of this window: time that the sink took for itself */
	char text[CURL_ERROR_SIZE];
};

/* Ends the transfer; sys is for the caller to look at, its words add nothing. Returns -1. */
int transfer_fail(struct transfer *t, enum err_class class, int sys, const char *text);
/* n bytes came: heads and bodies, all of them. */
void transfer_count(struct transfer *t, size_t n);
/* The lines of a head are in t->reply->headers. -1: the transfer is over, t->failed. */
int transfer_head(struct transfer *t, int status);
/* Bytes of the body. -1: the transfer is over, t->failed or t->enough. */
int transfer_body(struct transfer *t, const char *p, size_t n);
/* connected: it waits for an answer, no longer for the connection. -1: a limit was reached, t->failed. */
int transfer_limits(struct transfer *t, bool connected);
/* The words for a transfer that failed. Returns -1. */
int transfer_put_err(const struct transfer *t, struct err *err);

#endif
