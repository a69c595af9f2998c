/* csv.c - the CSV scanner: 64 bytes a step, one bit for each byte that can end something. */
#include "daemon/manifest/csv.h"

#include "daemon/base/mem.h"

#include <stdarg.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64U /* bytes looked at in one step, at most WINDOW_SLACK: the last block reaches into the slack */
#define NOT_THERE SIZE_MAX
#define RAW_KEPT 4096U
#define FIELDS_MAX 65536U

void csv_init(struct csv *c, struct window *w, char delimiter, size_t field_max, size_t record_max)
{
	*c = (struct csv){ .window = w, .delimiter = delimiter, .field_max = field_max,
		.record_max = record_max };
	csv_moved(c);
}

void csv_done(struct csv *c)
{
	free(c->parts);
	free(c->fields);
	buf_done(&c->undoubled);
	buf_done(&c->kept);
	*c = (struct csv){ 0 };
}

/* ---- the scan ---- */

#ifdef __SSE2__
static inline uint64_t specials(const char *p, char delimiter)
{
	const __m128i lf = _mm_set1_epi8('\n');
	const __m128i cr = _mm_set1_epi8('\r');
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i comma = _mm_set1_epi8(delimiter);
	uint64_t mask = 0;
	for (unsigned int i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr));
		__m128i other = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, comma));
		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(ends, other)) << i;
	}
	return mask;
}
#else
static inline uint64_t specials(const char *p, char delimiter)
{
	uint64_t mask = 0;
	for (unsigned int i = 0; i < BLOCK; i++)
		mask |= (uint64_t)(p[i] == '\n' || p[i] == '\r' || p[i] == '"' || p[i] == delimiter) << i;
	return mask;
}
#endif

static void scan_from(struct csv *c, size_t index)
{
	c->block = index;
	c->special = index < c->window->end ? specials(c->window->data + index, c->delimiter) : 0;
}

void csv_moved(struct csv *c)
{
	scan_from(c, c->window->at);
}

/* Index in the window of the next special byte, which is taken; NOT_THERE where the window has no more. */
static inline size_t scan_next(struct csv *c)
{
	while (c->special == 0) {
		c->block += BLOCK;
		if (c->block >= c->window->end) {
			c->block = c->window->end;
			return NOT_THERE;
		}
		c->special = specials(c->window->data + c->block, c->delimiter);
	}
	size_t index = c->block + (size_t)__builtin_ctzll(c->special);
	c->special &= c->special - 1;
	return index;
}

static inline bool is_alone(const struct csv *c, char b)
{
	return b == c->delimiter || b == '\n';
}

enum seen { SEEN_END, SEEN_BYTE, SEEN_LIMIT };

/* The next special byte, counted from the record's beginning; behind a quote and a CR the next byte is in the window too,
 * or the text ends there. SEEN_LIMIT: the record is longer than it may be and goes on: strictly, or as far as the window must hold
 * it. -1 fails. */
static inline int next_special(struct csv *c, bool strict, size_t *ret, struct err *err)
{
	struct window *w = c->window;
	for (;;) {
		size_t index = scan_next(c);
		if (index != NOT_THERE && (index + 1 < w->end || w->ended || is_alone(c, w->data[index]))) {
			*ret = index - w->at;
			if (!strict || *ret <= c->record_max)
				return SEEN_BYTE;
			scan_from(c, index);
			return SEEN_LIMIT;
		}
		if (w->ended)
			return strict && window_left(w) > c->record_max ? SEEN_LIMIT : SEEN_END;
		size_t known = (index == NOT_THERE ? w->end : index) - w->at;
		if (known > c->record_max)
			return SEEN_LIMIT;
		if (window_more(w, err) < 0)
			return -1;
		scan_from(c, w->at + known);
	}
}

static inline char byte_at(const struct csv *c, size_t i)
{
	return c->window->data[c->window->at + i]; /* behind the end: a zero of the slack */
}

/* i is a CR or LF that was just taken: where the next line begins. */
static inline size_t behind_line_end(struct csv *c, size_t i)
{
	if (byte_at(c, i) != '\r' || byte_at(c, i + 1) != '\n')
		return i + 1;
	(void)scan_next(c);
	return i + 2;
}

/* ---- a record ---- */

/* All offsets count from the record's beginning, which is the window's `at` until the record ends. */
struct reading {
	struct csv_record *r;
	size_t field;        /* where the field begins */
	bool lines;          /* a quoted field has line ends in it */
	bool is_bad;
};

/* One more than may be is kept, and shows that there are too many. */
static void add_field(struct csv *c, size_t begin, size_t len, bool quoted, bool doubled)
{
	if (c->count > FIELDS_MAX)
		return;
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 16;
		c->parts = mem_resize(c->parts, c->room, sizeof(*c->parts));
		c->fields = mem_resize(c->fields, c->room, sizeof(*c->fields));
	}
	c->parts[c->count++] = (struct csv_field){ begin, len, quoted, doubled };
}

/* Notes what is wrong at offset `at`; the first finding stays. */
__attribute__((format(printf, 5, 6))) static void note(struct csv *c, struct reading *g, size_t at, const char *cure,
	const char *fmt, ...)
{
	if (g->is_bad)
		return;
	g->is_bad = true;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(g->r->reason, sizeof(g->r->reason), fmt, ap);
	va_end(ap);
	(void)snprintf(g->r->cure, sizeof(g->r->cure), "%s", cure);
	g->r->bad_at = window_place(c->window, c->window->at + at);
}

/* The record is raw[0..len); the next begins at `next`. */
static void end_record(struct csv *c, struct reading *g, size_t len, size_t next)
{
	struct window *w = c->window;
	g->r->raw = (struct slice){ w->data + w->at, len };
	size_t last = next;
	if (g->lines || g->is_bad)
		w->line += count_lines((struct slice){ w->data + w->at, next }, &last);
	else
		w->line += next > len;
	if (next > len || last < next)
		w->line_offset = window_offset(w) + last;
	w->at += next;
}

/* What is left of a line that was found bad before `from`: 1, -1. */
static int skip_line(struct csv *c, struct reading *g, struct err *err)
{
	for (;;) {
		size_t i = 0;
		int seen = next_special(c, false, &i, err);
		if (seen < 0)
			return -1;
		if (seen == SEEN_END) {
			end_record(c, g, window_left(c->window), window_left(c->window));
			return CSV_BAD;
		}
		if (seen == SEEN_LIMIT) { /* nobody can hold it: its beginning is kept, the rest passes by */
			if (!g->r->raw_cut) {
				c->kept.len = 0;
				size_t left = window_left(c->window);
				buf_add(&c->kept, c->window->data + c->window->at, left < RAW_KEPT ? left : RAW_KEPT);
				g->r->raw_cut = true;
			}
			window_pass(c->window, window_left(c->window));
			csv_moved(c);
			continue;
		}
		if (byte_at(c, i) == '\n' || byte_at(c, i) == '\r') {
			size_t next = behind_line_end(c, i);
			end_record(c, g, i, next);
			return CSV_BAD;
		}
	}
}

/* A quote that never closes swallows the rest of the text: the next record is taken to begin on the next line. */
static int unclosed(struct csv *c, struct reading *g, size_t quote, bool limit, struct err *err)
{
	note(c, g, quote, "close it, or double it if it is a character of the field",
		"the quote that opens here is not closed%s", limit ? " within the limit of a row" : "");
	scan_from(c, c->window->at + quote + 1);
	return skip_line(c, g, err);
}

/* A quoted field, whose opening quote was just taken: SEEN_BYTE: it was added and a delimiter, a line end or the end of
 * the text follows; else what csv_next() returns, plus FINISHED. */
#define FINISHED 16
static int quoted_field(struct csv *c, struct reading *g, struct err *err)
{
	size_t begin = g->field + 1;
	bool doubled = false;
	for (;;) {
		size_t i = 0;
		int seen = next_special(c, true, &i, err);
		if (seen < 0)
			return -1;
		if (seen != SEEN_BYTE) {
			int r = unclosed(c, g, g->field, seen == SEEN_LIMIT, err);
			return r < 0 ? -1 : r + FINISHED;
		}
		char b = byte_at(c, i);
		if (b == '\n' || b == '\r')
			g->lines = true;
		if (b != '"')
			continue;
		if (byte_at(c, i + 1) == '"') {
			(void)scan_next(c);
			doubled = true;
			continue;
		}
		add_field(c, begin, i - begin, true, doubled);
		char after = byte_at(c, i + 1);
		if (after == c->delimiter || after == '\n' || after == '\r' || i + 1 >= window_left(c->window))
			return SEEN_BYTE;
		note(c, g, i + 1, "double the quotes inside the field", "text follows the quote that closes a field");
		int r = skip_line(c, g, err);
		return r < 0 ? -1 : r + FINISHED;
	}
}

static int too_long(struct csv *c, struct reading *g, struct err *err)
{
	note(c, g, 0, "split it", "the row is longer than %zu bytes", c->record_max);
	return skip_line(c, g, err);
}

/* From the first field to the record's end: CSV_RECORD, CSV_BAD or -1. */
static int read_fields(struct csv *c, struct reading *g, struct err *err)
{
	bool after_quoted = false; /* the field that ends next was added already */
	for (;;) {
		size_t i = 0;
		int seen = next_special(c, true, &i, err);
		if (seen < 0)
			return -1;
		if (seen == SEEN_LIMIT)
			return too_long(c, g, err);
		if (seen == SEEN_END)
			i = window_left(c->window);
		char b = seen == SEEN_END ? '\n' : byte_at(c, i);
		if (b == '"') {
			if (i != g->field)
				continue;
			int r = quoted_field(c, g, err);
			if (r != SEEN_BYTE)
				return r < 0 ? -1 : r - FINISHED;
			after_quoted = true;
			continue;
		}
		if (!after_quoted)
			add_field(c, g->field, i - g->field, false, false);
		after_quoted = false;
		if (b != c->delimiter) {
			size_t next = seen == SEEN_END ? i : behind_line_end(c, i);
			end_record(c, g, i, next);
			return CSV_RECORD;
		}
		g->field = i + 1;
	}
}

/* The fields' values; and what can be wrong with a record whose shape is right. */
static bool take_values(struct csv *c, struct csv_record *r, size_t *ret_at)
{
	c->undoubled.len = 0;
	char *to = NULL;
	bool fits = true;
	for (size_t k = 0; k < c->count; k++) {
		const struct csv_field *part = &c->parts[k];
		const char *p = r->raw.p + part->begin;
		c->fields[k] = (struct slice){ p, part->len };
		if (part->len > c->field_max && fits) {
			*ret_at = part->begin - part->quoted;
			fits = false;
		}
		if (!part->doubled)
			continue;
		if (!to)
			to = buf_grow(&c->undoubled, r->raw.len); /* once: what points into it stays */
		char *begin = to;
		for (const char *end = p + part->len; p < end; p++) {
			*to++ = *p;
			p += *p == '"';
		}
		c->fields[k] = (struct slice){ begin, (size_t)(to - begin) };
	}
	r->fields = c->fields;
	r->count = c->count;
	return fits;
}

static int refuse(struct csv_record *r, struct manifest_place at, const char *reason, const char *cure)
{
	r->bad_at = at;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
	(void)snprintf(r->cure, sizeof(r->cure), "%s", cure);
	return CSV_BAD;
}

static int check(struct csv *c, struct csv_record *r)
{
	size_t at = 0;
	const char *nul = memchr(r->raw.p, '\0', r->raw.len);
	if (nul)
		return refuse(r, csv_place(r, (size_t)(nul - r->raw.p)), "there is a NUL byte",
			"take it out; a file full of them is not text");
	if (!take_values(c, r, &at)) {
		refuse(r, csv_place(r, at), "", "shorten it, or raise import.field");
		(void)snprintf(r->reason, sizeof(r->reason), "the field is longer than %zu bytes", c->field_max);
		return CSV_BAD;
	}
	if (r->count > FIELDS_MAX)
		return refuse(r, r->at, "there are more than 65536 fields", "is the delimiter right?");
	return CSV_RECORD;
}

int csv_next(struct csv *c, struct csv_record *r, struct err *err)
{
	struct window *w = c->window;
	for (;;) {
		if (window_left(w) == 0) {
			int more = window_more(w, err);
			if (more <= 0)
				return more < 0 ? -1 : CSV_END;
			csv_moved(c);
			continue;
		}
		*r = (struct csv_record){ .at = { w->line, window_offset(w) - w->line_offset + 1, window_offset(w) } };
		struct reading g = { .r = r };
		c->count = 0;
		int result = read_fields(c, &g, err);
		if (result == CSV_BAD && r->raw_cut)
			r->raw = buf_slice(&c->kept);
		if (result != CSV_RECORD)
			return result;
		if (r->raw.len > 0)
			return check(c, r);
	}
}

struct manifest_place csv_place(const struct csv_record *r, size_t i)
{
	return place_in(r->at, r->raw, i);
}

struct manifest_place csv_field_place(const struct csv *c, const struct csv_record *r, size_t i)
{
	return i < c->count ? csv_place(r, c->parts[i].begin - c->parts[i].quoted) : r->at;
}
