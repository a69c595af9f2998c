/* http_frame.h - where the parts of one HTTP/1.1 answer begin and end in the bytes of a connection (RFC 9112, section 6).
 *
 * Strict where two readers could see two answers: lengths that differ or are no number, a transfer coding that is not chunked, a
 * NUL or a line without a colon among the headers are no HTTP. Bytes in any pieces; no I/O. One thread at a time. */
#ifndef INLET_NET_HTTP_FRAME_H
#define INLET_NET_HTTP_FRAME_H

#include "daemon/base/buf.h"

enum http_part {
	HTTP_MORE,   /* all bytes were taken, and the answer goes on */
	HTTP_HEAD,   /* of the answer proper: frame->status, and its header lines as piece, valid until the next call */
	HTTP_BODY,   /* piece is bytes of the body, at least one, without their chunks */
	HTTP_END,    /* the answer is whole; what is left in rest is not its own */
	HTTP_BAD,    /* no HTTP: frame->why */
};
enum frame_at { FRAME_HEAD, FRAME_LENGTH, FRAME_CLOSE, FRAME_SIZE, FRAME_DATA, FRAME_DATA_END, FRAME_TRAILER, FRAME_END };
struct http_frame {
	enum frame_at at;
	bool bodiless;       /* the request was a HEAD */
	bool keep;           /* the connection may serve another request, once this answer is whole */
	int status;
	size_t limit, taken; /* bytes of heads and trailers: at most, and so far */
	uint64_t left;       /* of the body, or of this chunk */
	size_t line;         /* bytes of the line that is not whole yet */
	bool after_cr;       /* the byte before was a CR */
	unsigned int digits; /* of this chunk's size, so far */
	bool extension;      /* behind them, up to the end of the line */
	struct buf head;
	const char *why;     /* static text */
};

void http_frame_init(struct http_frame *f, bool bodiless, size_t limit);
void http_frame_done(struct http_frame *f);
/* Takes the next part off the front of rest. Not to be called again after HTTP_END or HTTP_BAD. */
enum http_part http_frame_next(struct http_frame *f, struct slice *rest, struct slice *ret_piece);
/* The other side has closed: was that the end of the answer? */
bool http_frame_closed(const struct http_frame *f);

#endif
