/* http_frame.c - a state machine over heads, lengths and chunks. */
#include "daemon/net/http_frame.h"

#include "daemon/base/text.h"

#include <strings.h>

#define PROTOCOL "HTTP/1."
#define PROTOCOL_LEN (sizeof(PROTOCOL) - 1)
#define DIGITS_MAX 15 /* hexadecimal, of a chunk's size: no overflow */

void http_frame_init(struct http_frame *f, bool bodiless, size_t limit)
{
	*f = (struct http_frame){ .bodiless = bodiless, .limit = limit };
}

void http_frame_done(struct http_frame *f)
{
	buf_done(&f->head);
}

static enum http_part bad(struct http_frame *f, const char *why)
{
	f->why = why;
	return HTTP_BAD;
}

static struct slice take(struct slice *rest, size_t n)
{
	struct slice taken = { rest->p, n };
	*rest = (struct slice){ rest->p + n, rest->len - n };
	return taken;
}

static bool is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.p, word, s.len) == 0;
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		(void)take(&s, 1);
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t' || s.p[s.len - 1] == '\r' || s.p[s.len - 1] == '\n'))
		s.len--;
	return s;
}

/* ---- the head ---- */

/* What the headers say of the body. */
struct framing {
	bool chunked, coded, declared, close;
	uint64_t length;
};

static bool has_close(struct slice list)
{
	while (list.len > 0) {
		const char *comma = memchr(list.p, ',', list.len);
		struct slice word = take(&list, comma ? (size_t)(comma - list.p) : list.len);
		if (is_word(trim(word), "close"))
			return true;
		if (comma)
			(void)take(&list, 1);
	}
	return false;
}

static const char *read_header(struct framing *m, struct slice name, struct slice value)
{
	uint64_t length;
	if (is_word(name, "Content-Length")) {
		if (text_u64(value, &length) < 0 || (m->declared && length != m->length))
			return "a Content-Length that is none";
		m->declared = true;
		m->length = length;
	} else if (is_word(name, "Transfer-Encoding")) {
		if (m->coded || !is_word(value, "chunked"))
			return "a Transfer-Encoding other than chunked";
		m->coded = m->chunked = true;
	} else if (is_word(name, "Connection")) {
		m->close |= has_close(value);
	}
	return NULL;
}

static const char *read_headers(struct framing *m, struct slice lines)
{
	bool first = true;
	if (memchr(lines.p, '\0', lines.len))
		return "a NUL in its headers";
	while (lines.len > 0) {
		const char *end = memchr(lines.p, '\n', lines.len);
		struct slice line = take(&lines, end ? (size_t)(end - lines.p) + 1 : lines.len);
		const char *colon = memchr(line.p, ':', line.len);
		bool folded = line.p[0] == ' ' || line.p[0] == '\t'; /* the rest of the line before */
		if (folded ? first : !colon)
			return "a header without a colon";
		size_t name = colon ? (size_t)(colon - line.p) : 0;
		const char *why = folded ? NULL
			: read_header(m, (struct slice){ line.p, name }, trim((struct slice){ colon + 1, line.len - name - 1 }));
		if (why)
			return why;
		first = false;
	}
	return NULL;
}

/* "HTTP/1.1 200 OK"; 0: it is none. */
static int read_status(struct slice line, bool *ret_new)
{
	uint64_t status;
	if (line.len < 12 || memcmp(line.p, PROTOCOL, PROTOCOL_LEN) != 0 || (line.p[7] != '0' && line.p[7] != '1') || line.p[8] != ' ' ||
	    text_u64((struct slice){ line.p + 9, 3 }, &status) < 0 || status < 100 ||
	    (line.len > 12 && line.p[12] != ' ' && line.p[12] != '\r' && line.p[12] != '\n'))
		return 0;
	*ret_new = line.p[7] == '1';
	return (int)status;
}

static void set_body(struct http_frame *f, const struct framing *m)
{
	f->left = 0;
	if (f->bodiless || f->status == 204 || f->status == 304)
		f->at = FRAME_END;
	else if (m->chunked)
		f->at = FRAME_SIZE;
	else if (m->declared)
		f->at = m->length > 0 ? FRAME_LENGTH : FRAME_END;
	else
		f->at = FRAME_CLOSE;
	if (f->at == FRAME_LENGTH)
		f->left = m->length;
	f->keep = f->keep && !m->close && f->at != FRAME_CLOSE && !(m->chunked && m->declared);
}

/* The head is whole. HTTP_MORE: of an interim answer. */
static enum http_part end_head(struct http_frame *f, struct slice *ret_piece)
{
	struct slice lines = buf_slice(&f->head);
	struct framing m = { .length = 0 };
	struct slice status = take(&lines, (size_t)((const char *)memchr(lines.p, '\n', lines.len) - lines.p) + 1);
	f->status = read_status(status, &f->keep);
	while (lines.len > 0 && (lines.p[lines.len - 1] == '\n' || lines.p[lines.len - 1] == '\r'))
		lines.len--;
	const char *why = lines.len > 0 ? read_headers(&m, lines) : NULL;
	if (f->status == 0 || f->status == 101)
		return bad(f, f->status ? "another protocol, which nobody asked for" : "not HTTP");
	if (why)
		return bad(f, why);
	if (f->status < 200) {
		f->head.len = 0;
		return HTTP_MORE;
	}
	set_body(f, &m);
	*ret_piece = lines;
	return HTTP_HEAD;
}

/* Bytes up to the end of a line, or all. true: the line is whole; ret_empty: and there is nothing in it. */
static bool take_line(struct http_frame *f, struct slice *rest, struct slice *ret_taken, bool *ret_empty)
{
	const char *end = memchr(rest->p, '\n', rest->len);
	size_t n = end ? (size_t)(end - rest->p) + 1 : rest->len;
	f->line += n;
	f->taken += n;
	*ret_taken = take(rest, n);
	*ret_empty = end && (f->line == 1 || (f->line == 2 && (n == 1 ? f->after_cr : end[-1] == '\r')));
	f->after_cr = !end && ret_taken->p[n - 1] == '\r';
	if (end)
		f->line = 0;
	return end != NULL;
}

static enum http_part take_head(struct http_frame *f, struct slice *rest, struct slice *ret_piece)
{
	const char *from = rest->p;
	struct slice line;
	bool empty = false;
	while (rest->len > 0 && !empty && f->taken <= f->limit)
		(void)take_line(f, rest, &line, &empty);
	buf_add(&f->head, from, (size_t)(rest->p - from));
	if (memcmp(f->head.data, PROTOCOL, f->head.len < PROTOCOL_LEN ? f->head.len : PROTOCOL_LEN) != 0)
		return bad(f, "not HTTP");
	if (f->taken > f->limit)
		return bad(f, "more headers than are allowed");
	return empty ? end_head(f, ret_piece) : HTTP_MORE;
}

/* ---- the body ---- */

static enum http_part take_bytes(struct http_frame *f, struct slice *rest, struct slice *ret_piece)
{
	size_t n = f->at == FRAME_CLOSE || f->left > rest->len ? rest->len : (size_t)f->left;
	*ret_piece = take(rest, n);
	if (f->at == FRAME_CLOSE)
		return HTTP_BODY;
	f->left -= n;
	if (f->left == 0)
		f->at = f->at == FRAME_LENGTH ? FRAME_END : FRAME_DATA_END;
	return HTTP_BODY;
}

static int digit(char c)
{
	uint8_t byte;
	return text_unhex((struct slice){ (const char[]){ '0', c }, 2 }, &byte, 1) < 0 ? -1 : byte;
}

/* "1a2b;extension\r\n", byte by byte: there are few of them. */
static enum http_part take_size(struct http_frame *f, struct slice *rest)
{
	while (rest->len > 0) {
		char c = take(rest, 1).p[0];
		int value = f->extension ? -1 : digit(c);
		if (++f->line > f->limit)
			return bad(f, "a chunk with an endless extension");
		if (c == '\n') {
			if (f->digits == 0)
				return bad(f, "a chunk without a size");
			f->at = f->left > 0 ? FRAME_DATA : FRAME_TRAILER;
			f->extension = false;
			f->digits = 0;
			f->line = 0;
			return HTTP_MORE;
		}
		if (value >= 0) {
			if (++f->digits > DIGITS_MAX)
				return bad(f, "a chunk of an endless size");
			f->left = f->left * 16 + (uint64_t)value;
		} else if (f->digits == 0) {
			return bad(f, "a chunk without a size");
		} else {
			f->extension = true;
		}
	}
	return HTTP_MORE;
}

/* The line end behind a chunk. */
static enum http_part take_data_end(struct http_frame *f, struct slice *rest)
{
	char c = take(rest, 1).p[0];
	if (c == '\n') {
		f->after_cr = false;
		f->at = FRAME_SIZE;
	} else if (c != '\r' || f->after_cr) {
		return bad(f, "a chunk that does not end where it should");
	} else {
		f->after_cr = true;
	}
	return HTTP_MORE;
}

static enum http_part take_trailer(struct http_frame *f, struct slice *rest)
{
	struct slice line;
	bool empty = false;
	(void)take_line(f, rest, &line, &empty);
	if (f->taken > f->limit)
		return bad(f, "more headers than are allowed");
	if (empty)
		f->at = FRAME_END;
	return HTTP_MORE;
}

enum http_part http_frame_next(struct http_frame *f, struct slice *rest, struct slice *ret_piece)
{
	enum http_part part = HTTP_MORE;
	while (part == HTTP_MORE && f->at != FRAME_END && rest->len > 0) {
		switch (f->at) {
		case FRAME_HEAD: part = take_head(f, rest, ret_piece); break;
		case FRAME_LENGTH:
		case FRAME_CLOSE:
		case FRAME_DATA: part = take_bytes(f, rest, ret_piece); break;
		case FRAME_SIZE: part = take_size(f, rest); break;
		case FRAME_DATA_END: part = take_data_end(f, rest); break;
		case FRAME_TRAILER: part = take_trailer(f, rest); break;
		case FRAME_END: break;
		}
	}
	return part == HTTP_MORE && f->at == FRAME_END ? HTTP_END : part;
}

bool http_frame_closed(const struct http_frame *f)
{
	return f->at == FRAME_CLOSE || f->at == FRAME_END;
}
