/* window.h - the text of a manifest as UTF-8, of which a stretch is in memory: what parsers scan in place.
 *
 *   data:   [ given already | at: not read yet ... | end: WINDOW_SLACK zeros ]
 *            ^ text offset `base`
 *
 * UTF-16 becomes UTF-8 on the way; what is no character becomes bytes that are not UTF-8, so that its row fails and the
 * next does not. A byte order mark is skipped. The slack lets scanners load whole vectors. One thread at a time. */
#ifndef INLET_MANIFEST_WINDOW_H
#define INLET_MANIFEST_WINDOW_H

#include "daemon/manifest/unpack.h"

#define WINDOW_SLACK 64

enum encoding { ENCODING_UTF8, ENCODING_UTF8_BOM, ENCODING_UTF16LE, ENCODING_UTF16BE };

struct window {
	char *data;
	size_t at, end, room;
	uint64_t base;
	uint64_t line, line_offset;  /* of the byte at `at`; kept by whoever moves `at` */
	bool ended;                  /* nothing comes behind data[end] */
	struct unpack *from;         /* owned */
	enum encoding encoding;
	struct buf coded;            /* UTF-16 not converted yet: an odd byte, half of a pair */
};

/* Takes over `from` in any case and reads the first piece. */
int window_init(struct window *w, struct unpack *from, struct err *err);
void window_done(struct window *w);
/* Reads on behind data[end]: 1 there is more, 0 there is none, -1. Bytes before `at` go and data moves: at is 0 then. */
int window_more(struct window *w, struct err *err);
static inline uint64_t window_offset(const struct window *w)
{
	return w->base + w->at;
}
static inline size_t window_left(const struct window *w)
{
	return w->end - w->at;
}
/* `at` becomes the byte `offset` of the text, which is not before base. seek may be NULL. */
int window_goto(struct window *w, uint64_t offset, manifest_seek_fn *seek, struct err *err);
/* The place of a byte of the window at or behind `at`; at_line and at_line_offset are those of `at`. */
struct manifest_place window_place(const struct window *w, size_t index);

/* `at` moves on by n bytes, which are in the window. */
void window_pass(struct window *w, size_t n);
/* Of byte i of a text that begins at `at`. */
struct manifest_place place_in(struct manifest_place at, struct slice text, size_t i);

/* Lines that end in text: LF, CRLF or a lone CR. *ret_last becomes the index behind the last line end, if there is one. */
uint64_t count_lines(struct slice text, size_t *ret_last);

#endif
