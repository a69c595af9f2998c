/* fuzz_http_frame.c - any bytes as an answer: in pieces of any size it is the same one, and no byte is lost or made up. The first
 * byte: the size of the pieces (0: whole), its top bit whether a HEAD was asked. */
#include "daemon/base/cleanup.h"
#include "daemon/net/http_frame.h"

#include <stdlib.h>

#define LIMIT 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct answer {
	enum http_part last;
	bool keep, closes;
	int status;
	struct buf head, body;
};

static void answer_done(struct answer *a)
{
	buf_done(&a->head);
	buf_done(&a->body);
}

static void hear(struct answer *a, struct slice text, bool bodiless, size_t piece)
{
	CLEANUP(http_frame_done) struct http_frame f;
	size_t heads = 0;
	http_frame_init(&f, bodiless, LIMIT);
	a->last = HTTP_MORE;
	for (size_t at = 0; at < text.len && a->last == HTTP_MORE; at += piece) {
		struct slice part = { "", 0 };
		struct slice rest = { text.p + at, text.len - at < piece ? text.len - at : piece };
		while ((a->last = http_frame_next(&f, &rest, &part)) == HTTP_HEAD || a->last == HTTP_BODY) {
			heads += a->last == HTTP_HEAD;
			if (heads != 1 || (a->last == HTTP_BODY && part.len == 0))
				abort();
			buf_add(a->last == HTTP_HEAD ? &a->head : &a->body, part.p, part.len);
		}
		if ((a->last == HTTP_MORE && rest.len > 0) || (a->last == HTTP_BAD && !f.why) || (a->last == HTTP_END && heads != 1))
			abort();
	}
	a->keep = f.keep;
	a->closes = http_frame_closed(&f);
	a->status = f.status;
	if (a->head.len > LIMIT || (bodiless && a->body.len > 0) || a->body.len > text.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	CLEANUP(answer_done) struct answer whole = { .status = 0 };
	CLEANUP(answer_done) struct answer pieces = { .status = 0 };
	struct slice text = { (const char *)data + 1, size - 1 };
	bool bodiless = data[0] & 0x80;
	hear(&whole, text, bodiless, size);
	hear(&pieces, text, bodiless, data[0] & 0x7f ? data[0] & 0x7f : size);
	if (whole.last != pieces.last || !slice_eq(buf_slice(&whole.body), buf_slice(&pieces.body)))
		abort();
	if (whole.last != HTTP_BAD && (whole.status != pieces.status || whole.closes != pieces.closes || whole.keep != pieces.keep ||
		!slice_eq(buf_slice(&whole.head), buf_slice(&pieces.head))))
		abort();
	return 0;
}
