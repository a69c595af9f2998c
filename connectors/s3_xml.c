/* s3_xml.c - a state machine over bytes; text is taken in runs. */
#include "connectors/s3_xml.h"

#include "daemon/base/utf8.h"

#include <ctype.h>

enum state {
	IN_TEXT,
	IN_REFERENCE,   /* behind '&' */
	IN_OPEN,        /* behind '<' */
	IN_NAME,
	IN_ATTRIBUTES,
	IN_QUOTES,
	IN_EMPTY,       /* behind "/" of "<x/" */
	IN_END,         /* behind "</" */
	IN_INSTRUCTION, /* behind "<?" */
	IN_BANG,        /* behind "<!", until it shows what it is */
	IN_COMMENT,
	IN_CDATA,
};

void s3_xml_init(struct s3_xml *x, s3_xml_fn *end, void *arg)
{
	*x = (struct s3_xml){ .end = end, .arg = arg };
}

void s3_xml_done(struct s3_xml *x)
{
	buf_done(&x->path);
	buf_done(&x->text);
	buf_done(&x->token);
}

void s3_xml_reset(struct s3_xml *x)
{
	x->path.len = x->text.len = x->token.len = 0;
	x->state = IN_TEXT;
	x->depth = 0;
	x->bytes = 0;
	x->begun = x->closed = false;
}

bool s3_xml_whole(const struct s3_xml *x)
{
	return x->closed && x->state == IN_TEXT;
}

static int refuse(const struct s3_xml *x, const char *why, struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "not the XML of an S3 server: %s at byte %llu", why, (unsigned long long)x->bytes);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_of_bom(char c)
{
	return c == '\xEF' || c == '\xBB' || c == '\xBF';
}

/* ---- elements ---- */

static int element_begin(struct s3_xml *x, struct err *err)
{
	if (x->closed || (x->begun && x->depth == 0))
		return refuse(x, "a second root", err);
	if (x->depth == S3_XML_DEPTH)
		return refuse(x, "elements nested too deeply", err);
	x->at[x->depth] = (uint16_t)x->path.len;
	if (x->depth++ > 0)
		buf_char(&x->path, '/');
	buf_add(&x->path, x->token.data, x->token.len);
	x->text.len = 0;
	x->begun = true;
	return 0;
}

static int element_end(struct s3_xml *x, struct err *err)
{
	buf_char(&x->text, '\0'); /* data is not NULL then */
	if (x->end(x->arg, x->path.data, (struct slice){ x->text.data, x->text.len - 1 }, err) < 0)
		return -1;
	x->text.len = 0;
	x->path.len = x->at[--x->depth];
	if (x->path.data)
		x->path.data[x->path.len] = '\0';
	x->closed = x->depth == 0;
	return 0;
}

/* token is the name in "</name". */
static int element_match(struct s3_xml *x, struct err *err)
{
	size_t from = x->depth == 0 ? 0 : x->at[x->depth - 1] + (x->depth > 1 ? 1U : 0U);
	while (x->token.len > 0 && is_blank(x->token.data[x->token.len - 1]))
		x->token.len--;
	if (x->depth == 0 || !slice_eq(buf_slice(&x->token), (struct slice){ x->path.data + from, x->path.len - from }))
		return refuse(x, "an end tag that nothing began", err);
	return element_end(x, err);
}

/* ---- text ---- */

static int add_text(struct s3_xml *x, struct slice s, struct err *err)
{
	if (x->depth == 0) {
		for (size_t i = 0; i < s.len; i++)
			if (!is_blank(s.p[i]) && (x->begun || !is_of_bom(s.p[i])))
				return refuse(x, "text outside the root", err);
		return 0;
	}
	if (x->text.len + s.len > S3_XML_TEXT_MAX)
		return refuse(x, "a text that is too long", err);
	buf_add(&x->text, s.p, s.len);
	return 0;
}

/* "#10" or "#xA"; -1: no character. */
static int64_t character(struct slice name)
{
	unsigned int base = name.len > 1 && (name.p[1] == 'x' || name.p[1] == 'X') ? 16 : 10;
	size_t i = base == 16 ? 2 : 1;
	int64_t c = 0;
	if (i >= name.len)
		return -1;
	for (; i < name.len; i++) {
		int digit = (unsigned char)name.p[i];
		if (!(base == 16 ? isxdigit(digit) : isdigit(digit)))
			return -1;
		c = c * base + (isdigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
		if (c > 0x10FFFF)
			return -1;
	}
	return c >= 0xD800 && c < 0xE000 ? -1 : c;
}

static int add_reference(struct s3_xml *x, struct err *err)
{
	static const struct {
		struct slice name;
		const char *text;
	} known[] = { { SLICE_LIT("amp"), "&" }, { SLICE_LIT("lt"), "<" }, { SLICE_LIT("gt"), ">" }, { SLICE_LIT("quot"), "\"" },
		{ SLICE_LIT("apos"), "'" } };
	struct slice name = buf_slice(&x->token);
	char text[4];
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_eq(name, known[i].name))
			return add_text(x, slice_of(known[i].text), err);
	int64_t c = name.len > 0 && name.p[0] == '#' ? character(name) : -1;
	if (c < 0)
		return refuse(x, "an unknown reference", err);
	return add_text(x, (struct slice){ text, (size_t)(utf8_put(text, (uint32_t)c) - text) }, err);
}

/* ---- bytes ---- */

/* Keeps c; reading goes on in `next`. */
static int keep(struct s3_xml *x, char c, enum state next, struct err *err)
{
	if (x->token.len == S3_XML_NAME_MAX)
		return refuse(x, "a name that is too long", err);
	buf_char(&x->token, c);
	x->state = (int)next;
	return 0;
}

static int go(struct s3_xml *x, enum state next)
{
	x->token.len = 0;
	x->state = (int)next;
	return 0;
}

static int at_open(struct s3_xml *x, char c, struct err *err)
{
	if (c == '/')
		return go(x, IN_END);
	if (c == '?')
		return go(x, IN_INSTRUCTION);
	if (c == '!')
		return go(x, IN_BANG);
	if (is_blank(c) || c == '<' || c == '>')
		return refuse(x, "a '<' that begins nothing", err);
	return keep(x, c, IN_NAME, err);
}

static int at_tag(struct s3_xml *x, char c, struct err *err)
{
	if (c == '<')
		return refuse(x, "a tag inside a tag", err);
	if (x->state == IN_NAME && !is_blank(c) && c != '/' && c != '>')
		return keep(x, c, IN_NAME, err);
	if (x->state == IN_NAME && element_begin(x, err) < 0)
		return -1;
	x->token.len = 0;
	if (c == '"' || c == '\'') {
		x->quote = c;
		x->state = IN_QUOTES;
	} else {
		x->state = c == '>' ? IN_TEXT : c == '/' ? IN_EMPTY : IN_ATTRIBUTES;
	}
	return 0;
}

static int at_bang(struct s3_xml *x, char c, struct err *err)
{
	static const struct slice comment = SLICE_LIT("--"), cdata = SLICE_LIT("[CDATA[");
	if (keep(x, c, IN_BANG, err) < 0)
		return -1;
	if (slice_eq(buf_slice(&x->token), comment))
		return go(x, IN_COMMENT);
	if (slice_eq(buf_slice(&x->token), cdata))
		return go(x, IN_CDATA);
	if (memcmp(x->token.data, comment.p, x->token.len < 2 ? x->token.len : 2) != 0 &&
		memcmp(x->token.data, cdata.p, x->token.len) != 0)
		return refuse(x, "a declaration", err);
	return 0;
}

/* token holds how much of `mark` has just been read; it is its last byte, repeated, and '>' ("-->", "]]>", "?>"). */
static int until(struct s3_xml *x, char c, struct slice mark, bool text, struct err *err)
{
	if (c == mark.p[x->token.len]) {
		buf_char(&x->token, c);
		return x->token.len == mark.len ? go(x, IN_TEXT) : 0;
	}
	if (c == mark.p[0] && x->token.len == mark.len - 1) /* "--->": one of them was none of the mark's */
		return text ? add_text(x, (struct slice){ &c, 1 }, err) : 0;
	struct slice held = buf_slice(&x->token);
	if (text && (add_text(x, held, err) < 0 || add_text(x, (struct slice){ &c, 1 }, err) < 0))
		return -1;
	x->token.len = 0;
	return 0;
}

static int take(struct s3_xml *x, char c, struct err *err)
{
	switch ((enum state)x->state) {
	case IN_TEXT: return go(x, c == '<' ? IN_OPEN : IN_REFERENCE);
	case IN_REFERENCE:
		if (c != ';')
			return keep(x, c, IN_REFERENCE, err);
		return add_reference(x, err) < 0 ? -1 : go(x, IN_TEXT);
	case IN_OPEN: return at_open(x, c, err);
	case IN_NAME:
	case IN_ATTRIBUTES: return at_tag(x, c, err);
	case IN_QUOTES:
		if (c == x->quote)
			x->state = IN_ATTRIBUTES;
		return 0;
	case IN_EMPTY:
		if (c != '>')
			return refuse(x, "a '/' in a tag", err);
		return element_end(x, err) < 0 ? -1 : go(x, IN_TEXT);
	case IN_END:
		if (c != '>')
			return keep(x, c, IN_END, err);
		return element_match(x, err) < 0 ? -1 : go(x, IN_TEXT);
	case IN_INSTRUCTION: return until(x, c, SLICE_LIT("?>"), false, err);
	case IN_BANG: return at_bang(x, c, err);
	case IN_COMMENT: return until(x, c, SLICE_LIT("-->"), false, err);
	case IN_CDATA: return until(x, c, SLICE_LIT("]]>"), true, err);
	}
	return 0;
}

/* How much of p only goes on with what is being read: text, or the letters of a name. */
static size_t run_of(const struct s3_xml *x, struct slice p)
{
	size_t n = 0;
	if (x->state == IN_TEXT)
		while (n < p.len && p.p[n] != '<' && p.p[n] != '&')
			n++;
	else if (x->state == IN_NAME || x->state == IN_END)
		while (n < p.len && (unsigned char)((p.p[n] | 0x20) - 'a') < 26)
			n++;
	return n;
}

static int add_run(struct s3_xml *x, struct slice run, struct err *err)
{
	if (x->state == IN_TEXT)
		return add_text(x, run, err);
	if (x->token.len + run.len > S3_XML_NAME_MAX)
		return refuse(x, "a name that is too long", err);
	buf_add(&x->token, run.p, run.len);
	return 0;
}

int s3_xml_add(struct s3_xml *x, struct slice p, struct err *err)
{
	if (x->bytes + p.len > S3_XML_MAX)
		return refuse(x, "more than 16 MiB", err);
	while (p.len > 0) {
		size_t run = run_of(x, p), n = run ? run : 1;
		if (run ? add_run(x, (struct slice){ p.p, run }, err) < 0 : take(x, p.p[0], err) < 0)
			return -1;
		p = (struct slice){ p.p + n, p.len - n };
		x->bytes += n;
	}
	return 0;
}
