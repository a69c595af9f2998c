/* reply.h - one HTTP answer: a text, an error, bytes of a file, or a stream made page by page. */
#ifndef INLET_API_REPLY_H
#define INLET_API_REPLY_H

#include "daemon/api/request.h"
#include "daemon/base/buf.h"

#include <microhttpd.h>

#define TYPE_JSON "application/json"
#define TYPE_JSONL "application/jsonl"

struct reply {
	unsigned status;
	struct MHD_Response *response; /* owned by whoever holds the reply */
	struct stream *stream;         /* of reply_stream(), else NULL */
};

/* Takes text's bytes: it is empty after. */
struct reply reply_text(unsigned status, const char *type, struct buf *text);
struct reply reply_problem(unsigned status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct reply reply_err(const struct err *err, unsigned reject_status);        /* problem_status() decides */
struct reply reply_empty(unsigned status);
/* bytes at offset of fd, which the reply owns from now on. */
struct reply reply_file(int fd, uint64_t offset, uint64_t bytes);
void reply_header(struct reply *r, const char *name, const char *value); /* a value that HTTP forbids is left out */

/* A body that is made while it is sent. fill appends some text to `to` and returns 1 (call again), 0 (that was all) or
 * -1; it may append nothing and return 1. It holds no snapshot of the index between two calls, because a reader may
 * take hours. One thread at a time. */
typedef int fill_fn(void *arg, struct buf *to, struct err *err);
/* Fills once before answering, so that an early failure is a proper problem; a later one cuts the transfer off, which
 * every client notices. free_arg(arg) runs in any case. */
struct reply reply_stream(
	const struct request *r, const char *type, fill_fn *fill, void *arg, void (*free_arg)(void *arg));

/* A trailer of a stream: what foot appends to `to` when all is sent; nothing: there is none. */
typedef void foot_fn(void *arg, struct buf *to);
void reply_footer(struct reply *r, const char *name, foot_fn *foot); /* name: a literal */

#endif
