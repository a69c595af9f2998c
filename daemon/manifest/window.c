/* window.c - the stretch of text in memory, and UTF-16. */
#include "daemon/manifest/window.h"

#include "daemon/base/mem.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>

#define PIECE (256U << 10)

static void make_room(struct window *w, size_t n)
{
	if (w->at > 0) {
		memmove(w->data, w->data + w->at, w->end - w->at);
		w->base += w->at;
		w->end -= w->at;
		w->at = 0;
	}
	if (w->room - w->end >= n)
		return;
	while (w->room - w->end < n)
		w->room = w->room ? 2 * w->room : PIECE;
	w->data = mem_resize(w->data, w->room + WINDOW_SLACK, 1);
}

static uint32_t unit_at(const struct window *w, size_t i)
{
	const unsigned char *p = (const unsigned char *)w->coded.data + i;
	return w->encoding == ENCODING_UTF16LE ? (uint32_t)(p[0] | p[1] << 8) : (uint32_t)(p[0] << 8 | p[1]);
}

/* Converts what is whole; three bytes of UTF-8 a unit suffice. At the end an odd byte becomes one that is not UTF-8. */
static void convert(struct window *w, bool last)
{
	make_room(w, w->coded.len / 2 * 3 + 3);
	char *to = w->data + w->end;
	size_t i = 0;
	while (i + 2 <= w->coded.len) {
		uint32_t c = unit_at(w, i);
		if ((c & 0xfc00) == 0xd800) {
			if (i + 4 > w->coded.len && !last)
				break;
			uint32_t low = i + 4 <= w->coded.len ? unit_at(w, i + 2) : 0;
			if ((low & 0xfc00) == 0xdc00) {
				c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
				i += 2;
			}
		}
		i += 2;
		to = utf8_put(to, c);
	}
	if (last && i < w->coded.len) {
		*to++ = (char)0xff;
		i = w->coded.len;
	}
	memmove(w->coded.data, w->coded.data + i, w->coded.len - i);
	w->coded.len -= i;
	w->end = (size_t)(to - w->data);
}

static int more_utf16(struct window *w, struct err *err)
{
	ssize_t n = unpack_read(w->from, buf_grow(&w->coded, PIECE), PIECE, err);
	if (n < 0)
		return -1;
	w->coded.len += (size_t)n;
	size_t had = w->end - w->at;
	convert(w, n == 0);
	w->ended = n == 0;
	return n > 0 || w->end > had;
}

static int more_utf8(struct window *w, struct err *err)
{
	make_room(w, PIECE);
	ssize_t n = unpack_read(w->from, w->data + w->end, w->room - w->end, err);
	if (n < 0)
		return -1;
	w->end += (size_t)n;
	w->ended = n == 0;
	return n > 0;
}

int window_more(struct window *w, struct err *err)
{
	if (w->ended)
		return 0;
	int r = w->encoding >= ENCODING_UTF16LE ? more_utf16(w, err) : more_utf8(w, err);
	memset(w->data + w->end, 0, WINDOW_SLACK);
	return r;
}

int window_init(struct window *w, struct unpack *from, struct err *err)
{
	*w = (struct window){ .from = from, .line = 1 };
	make_room(w, PIECE);
	while (w->end < 4 && !w->ended)
		if (window_more(w, err) < 0)
			return -1;
	if (w->end >= 3 && memcmp(w->data, "\xef\xbb\xbf", 3) == 0) {
		w->encoding = ENCODING_UTF8_BOM;
		w->at = w->line_offset = 3;
		return 0;
	}
	if (w->end < 2 || (memcmp(w->data, "\xff\xfe", 2) != 0 && memcmp(w->data, "\xfe\xff", 2) != 0))
		return 0;
	if (w->end >= 4 && memcmp(w->data, "\xff\xfe\0\0", 4) == 0)
		return err_set(err, ERR_REJECT, 0, "it is UTF-32; save it as UTF-8");
	w->encoding = w->data[0] == '\xff' ? ENCODING_UTF16LE : ENCODING_UTF16BE;
	buf_add(&w->coded, w->data + 2, w->end - 2);
	w->end = 0;
	convert(w, w->ended);
	memset(w->data + w->end, 0, WINDOW_SLACK);
	return 0;
}

void window_done(struct window *w)
{
	free(w->data);
	buf_done(&w->coded);
	unpack_free(w->from);
	*w = (struct window){ 0 };
}

int window_goto(struct window *w, uint64_t offset, manifest_seek_fn *seek, struct err *err)
{
	bool seekable = seek && w->encoding < ENCODING_UTF16LE && unpack_packing(w->from) == PACKING_NONE;
	if (seekable && offset > w->base + w->end) {
		if (unpack_seek(w->from, seek, offset, err) < 0)
			return -1;
		w->base = offset;
		w->at = w->end = 0;
		w->ended = false;
		return 0;
	}
	while (offset > w->base + w->end) {
		w->at = w->end;
		int more = window_more(w, err);
		if (more < 0)
			return -1;
		uint64_t end = w->base + w->end;
		if (more == 0)
			return err_set(err, ERR_REJECT, 0, "it is shorter than it was: it ends at byte %llu, and byte %llu "
				"was reached before; import it anew", (unsigned long long)end, (unsigned long long)offset);
	}
	w->at = (size_t)(offset - w->base);
	return 0;
}

uint64_t count_lines(struct slice text, size_t *ret_last)
{
	uint64_t n = 0;
	const char *end = text.p + text.len;
	if (text.len == 0)
		return 0;
	for (const char *p = text.p; p < end; n++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *cr = memchr(p, '\r', (size_t)((lf ? lf : end) - p));
		if (!lf && !cr)
			break;
		p = cr && cr + 1 != lf ? cr + 1 : lf + 1;
		*ret_last = (size_t)(p - text.p);
	}
	return n;
}

struct manifest_place window_place(const struct window *w, size_t index)
{
	struct manifest_place place = { .line = w->line, .offset = w->base + index };
	size_t last = 0;
	uint64_t lines = count_lines((struct slice){ w->data + w->at, index - w->at }, &last);
	place.line += lines;
	place.column = place.offset - (lines ? w->base + w->at + last : w->line_offset) + 1;
	return place;
}

void window_pass(struct window *w, size_t n)
{
	size_t last = 0;
	uint64_t lines = count_lines((struct slice){ w->data + w->at, n }, &last);
	w->line += lines;
	if (lines)
		w->line_offset = window_offset(w) + last;
	w->at += n;
}

struct manifest_place place_in(struct manifest_place at, struct slice text, size_t i)
{
	size_t last = 0;
	uint64_t lines = count_lines((struct slice){ text.p, i }, &last);
	at.line += lines;
	at.offset += i;
	at.column = lines ? i - last + 1 : at.column + i;
	return at;
}
