/* literal.c - Python's literals, translated token by token. */
#include "daemon/manifest/literal.h"

#include "daemon/base/text.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>

struct reader {
	const char *p, *end;
	struct buf chars;   /* of the string being read */
};

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* \xNN, \uNNNN, \UNNNNNNNN: n digits at r->p. */
static bool read_code(struct reader *r, size_t n)
{
	char hex[9] = { 0 };
	if ((size_t)(r->end - r->p) < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		hex[i] = r->p[i];
		if (!strchr("0123456789abcdefABCDEF", hex[i]) || hex[i] == '\0')
			return false;
	}
	uint32_t c = (uint32_t)strtoul(hex, NULL, 16);
	if (c > 0x10ffff)
		return false;
	r->p += n;
	char bytes[4];
	buf_add(&r->chars, bytes, (size_t)(utf8_put(bytes, c) - bytes));
	return true;
}

static bool read_escape(struct reader *r)
{
	static const char names[] = "\\'\"abfnrtv";
	static const char chars[] = "\\'\"\a\b\f\n\r\t\v";
	if (r->p == r->end)
		return false;
	char c = *r->p++;
	if (c == 'x' || c == 'u' || c == 'U')
		return read_code(r, c == 'x' ? 2 : c == 'u' ? 4 : 8);
	const char *at = c ? strchr(names, c) : NULL;
	if (!at)
		return false;
	buf_char(&r->chars, chars[at - names]);
	return true;
}

static bool read_string(struct reader *r, struct json *j)
{
	char quote = *r->p++;
	r->chars.len = 0;
	for (;;) {
		const char *run = r->p;
		while (r->p < r->end && *r->p != quote && *r->p != '\\' && *r->p != '\n')
			r->p++;
		buf_add(&r->chars, run, (size_t)(r->p - run));
		if (r->p == r->end || *r->p != '\\')
			break;
		r->p++;
		if (!read_escape(r))
			return false;
	}
	if (!take(r, quote) || !text_is_utf8(buf_slice(&r->chars)))
		return false;
	json_str(j, NULL, buf_slice(&r->chars));
	return true;
}

static bool read_word(struct reader *r, struct json *j)
{
	static const struct {
		const char *python, *json;
	} words[] = { { "None", "null" }, { "True", "true" }, { "False", "false" }, { "null", "null" },
		{ "true", "true" }, { "false", "false" } };
	const char *begin = r->p;
	while (r->p < r->end && !strchr(" \t\r\n,:]})", *r->p))
		r->p++;
	struct slice word = { begin, (size_t)(r->p - begin) };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (slice_eq(word, slice_of(words[i].python))) {
			json_raw(j, NULL, slice_of(words[i].json));
			return true;
		}
	}
	if (!is_json_number(word))
		return false;
	json_raw(j, NULL, word);
	return true;
}

static bool read_value(struct reader *r, struct json *j, unsigned int depth);

static bool read_dict(struct reader *r, struct json *j, unsigned int depth)
{
	r->p++;
	json_open(j, NULL, '{');
	for (;;) {
		skip_blanks(r);
		if (take(r, '}'))
			break;
		if (r->p == r->end || (*r->p != '\'' && *r->p != '"') || !read_string(r, j))
			return false;
		skip_blanks(r);
		if (!take(r, ':'))
			return false;
		buf_char(j->to, ':');
		j->comma = false;
		if (!read_value(r, j, depth + 1))
			return false;
		skip_blanks(r);
		if (!take(r, ',') && (r->p == r->end || *r->p != '}'))
			return false;
	}
	json_close(j, '}');
	return true;
}

static bool read_list(struct reader *r, struct json *j, unsigned int depth)
{
	char close = *r->p++ == '[' ? ']' : ')';
	json_open(j, NULL, '[');
	for (;;) {
		skip_blanks(r);
		if (take(r, close))
			break;
		if (!read_value(r, j, depth + 1))
			return false;
		skip_blanks(r);
		if (!take(r, ',') && (r->p == r->end || *r->p != close))
			return false;
	}
	json_close(j, ']');
	return true;
}

static bool read_value(struct reader *r, struct json *j, unsigned int depth)
{
	skip_blanks(r);
	if (r->p == r->end || depth > DOM_DEPTH_MAX)
		return false;
	switch (*r->p) {
	case '{':
		return read_dict(r, j, depth);
	case '[':
	case '(':
		return read_list(r, j, depth);
	case '\'':
	case '"':
		return read_string(r, j);
	default:
		return read_word(r, j);
	}
}

int literal_json(struct slice text, struct dom *scratch, struct buf *to, const char **ret_why)
{
	struct dom_error e;
	size_t start = to->len;
	*ret_why = NULL;
	if (dom_parse(scratch, text, &e) == 0) {
		struct slice json = node_json(dom_root(scratch));
		buf_add(to, json.p, json.len);
		return 0;
	}
	struct reader r = { .p = text.p, .end = text.p + text.len };
	struct json j = { .to = to };
	bool ok = text.len > 0 && read_value(&r, &j, 0);
	skip_blanks(&r);
	ok = ok && r.p == r.end;
	buf_done(&r.chars);
	if (ok && dom_parse(scratch, (struct slice){ to->data + start, to->len - start }, &e) == 0)
		return 0;
	*ret_why = ok ? e.reason : NULL;
	to->len = start;
	return -1;
}
