/* worker_text.c - canonical text in one streaming pass.
 *
 *   charset_convert --UTF-8--> take: held back until a place where normalization cannot reach across
 *                              |  normalize: NFC
 *                              v  put: CR, CRLF -> LF; hash, counts, head, form
 *
 * An ASCII character composes with nothing before it: NFC of a text is the concatenation of the NFC of pieces cut in
 * front of ASCII characters. */
#include "daemon/decode/worker_text.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/decode/worker_charset.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define HELD_MAX (16U << 20) /* of text without one ASCII character: no line break, no blank */

struct canonical {
	struct task *t;
	struct sha256 *hash;
	struct buf held;      /* an ASCII character, or none, and what may combine with it */
	struct buf head;      /* the first TEXT_INPUT_MAX bytes, for models */
	struct buf unwritten; /* of the form */
	bool head_full;
	bool differs;	   /* from the original's bytes, at or before `size` */
	bool form_dropped; /* larger than a form may be */
	bool after_cr;
	char last;
	uint64_t size, lines, characters;
};

/* ---- what becomes of canonical text ---- */

#define WRITE_BYTES (256U << 10)

static int write_form(struct canonical *c, const void *p, size_t n, struct err *err)
{
	if (c->form_dropped || c->t->job->inputs_only)
		return 0;
	if (!output_fits(c->t->out, WIRE_FORM, n)) {
		output_drop(c->t->out, WIRE_FORM);
		c->form_dropped = true;
		return 0;
	}
	return output_add(c->t->out, WIRE_FORM, p, n, err);
}

static int flush_form(struct canonical *c, struct err *err)
{
	int failed = write_form(c, c->unwritten.data, c->unwritten.len, err);
	c->unwritten.len = 0;
	return failed;
}

/* As long as the text is the original's bytes, nothing is written; at the first difference, what was alike so far. */
static int put_form(struct canonical *c, const char *p, size_t n, struct err *err)
{
	if (!c->differs) {
		bool alike = c->size + n <= c->t->size && memcmp(c->t->bytes + c->size, p, n) == 0;
		if (alike)
			return 0;
		c->differs = true;
		if (write_form(c, c->t->bytes, c->size, err) < 0)
			return -1;
	}
	buf_add(&c->unwritten, p, n);
	return c->unwritten.len >= WRITE_BYTES ? flush_form(c, err) : 0;
}

static void put_head(struct canonical *c, const char *p, size_t n)
{
	if (c->head_full)
		return;
	size_t room = TEXT_INPUT_MAX - c->head.len;
	if (n > room) {
		c->head_full = true;
		for (n = room; n && (p[n] & 0xc0) == 0x80;)
			n--; /* cut at a character */
	}
	buf_add(&c->head, p, n);
}

static int put_plain(struct canonical *c, const char *p, size_t n, struct err *err)
{
	if (!n)
		return 0;
	if (put_form(c, p, n, err) < 0)
		return -1;
	put_head(c, p, n);
	sha256_add(c->hash, p, n);
	for (size_t i = 0; i < n; i++) {
		c->lines += p[i] == '\n';
		c->characters += (p[i] & 0xc0) != 0x80;
	}
	c->size += n;
	c->last = p[n - 1];
	return 0;
}

/* Normalized text with its line ends as they are. */
static int put(struct canonical *c, const char *p, size_t n, struct err *err)
{
	while (n) {
		if (c->after_cr && *p == '\n') { /* the LF of a CRLF whose CR has been put as LF */
			p++;
			n--;
		}
		c->after_cr = false;
		const char *cr = n ? memchr(p, '\r', n) : NULL;
		size_t run = cr ? (size_t)(cr - p) : n;
		if (put_plain(c, p, run, err) < 0 || (cr && put_plain(c, "\n", 1, err) < 0))
			return -1;
		c->after_cr = cr;
		run += cr != NULL;
		p += run;
		n -= run;
	}
	return 0;
}

/* ---- normalization ---- */

/* Every character below U+0300 (lead byte 0xcb) is its own NFC, and combines with none before it. */
static bool is_simple(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] > 0xcb)
			return false;
	}
	return true;
}

static int flush_held(struct canonical *c, struct err *err)
{
	struct buf *h = &c->held;
	int failed;
	if (is_simple(h->data, h->len)) {
		failed = put(c, h->data, h->len, err);
	} else {
		CLEANUP(freep) utf8proc_uint8_t *nfc = NULL;
		utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)h->data, (utf8proc_ssize_t)h->len, &nfc,
						  UTF8PROC_STABLE | UTF8PROC_COMPOSE);
		if (n < 0)
			return err_set(err, ERR_REJECT, 0, "text cannot be normalized: %s; save it again as UTF-8",
				       utf8proc_errmsg(n));
		failed = put(c, (const char *)nfc, (size_t)n, err);
	}
	h->len = 0;
	return failed;
}

static size_t ascii_run(const char *p, size_t n)
{
	size_t i = 0;
	for (uint64_t eight; n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, p + i, sizeof(eight));
		if (eight & 0x8080808080808080ULL)
			break;
	}
	while (i < n && !(p[i] & 0x80))
		i++;
	return i;
}

/* The text_fn that charset_convert() feeds. */
static int take(void *arg, const char *p, size_t n, struct err *err)
{
	struct canonical *c = arg;
	while (n) {
		size_t ascii = ascii_run(p, n);
		if (ascii) { /* all but its last character is free of what follows */
			if (flush_held(c, err) < 0 || put(c, p, ascii - 1, err) < 0)
				return -1;
			buf_char(&c->held, p[ascii - 1]);
			p += ascii;
			n -= ascii;
		}
		size_t other = 0;
		while (other < n && p[other] & 0x80)
			other++;
		if (c->held.len + other > HELD_MAX)
			return err_set(err, ERR_REJECT, 0,
				       "text of more than %u bytes without a line break or blank; break it into lines",
				       HELD_MAX);
		buf_add(&c->held, p, other);
		p += other;
		n -= other;
	}
	return 0;
}

/* ---- the task ---- */

int text_init(struct err *err)
{
	return charset_init(err);
}

static int put_sections(struct canonical *c, const struct charset *charset, struct err *err)
{
	struct task *t = c->t;
	CLEANUP(buf_done) struct buf facts = { 0 };
	struct json j = { .to = &facts };
	/* A shorter text that is alike so far (a cut of the original) differs, too. */
	if (!c->differs && c->size != t->size) {
		c->differs = true;
		if (write_form(c, t->bytes, c->size, err) < 0)
			return -1;
	}
	if (flush_form(c, err) < 0)
		return -1;
	json_open(&j, NULL, '{');
	json_str(&j, "charset", slice_of(charset->name));
	json_bool(&j, "bom", charset->bom_bytes > 0);
	json_u64(&j, "lines", c->lines + (c->size && c->last != '\n'));
	json_u64(&j, "characters", c->characters);
	json_close(&j, '}');
	if (output_add(t->out, WIRE_FACTS, facts.data, facts.len, err) < 0)
		return -1;
	return output_add(t->out, WIRE_TEXT, c->head.data, c->head.len, err);
}

static int convert(struct canonical *c, const struct charset *charset, struct err *err)
{
	if (charset_convert(charset, c->t->bytes, c->t->size, take, c, err) < 0 || flush_held(c, err) < 0)
		return -1;
	if (!c->t->job->inputs_only)
		sha256_end(c->hash, c->t->done->canonical.sha256);
	return put_sections(c, charset, err);
}

int text_decode(struct task *t, struct err *err)
{
	struct charset charset;
	if (charset_detect(t->bytes, t->size, &charset, err) < 0)
		return -1;
	struct canonical c = { .t = t, .hash = sha256_new() };
	int failed = convert(&c, &charset, err);
	sha256_free(c.hash);
	buf_done(&c.held);
	buf_done(&c.head);
	buf_done(&c.unwritten);
	return failed;
}
