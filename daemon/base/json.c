/* json.c - the JSON writer. */
#include "daemon/base/json.h"

#include "daemon/base/text.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 40 /* bytes of any number as text, NUL included */

/* Comma and name, in one reservation; returns where the value goes, with room for value_max bytes. */
static char *member_begin(struct json *j, const char *name, size_t value_max)
{
	size_t len = name ? strlen(name) : 0;
	char *to = buf_grow(j->to, len + sizeof(",\"\":") + value_max);
	if (j->comma)
		*to++ = ',';
	j->comma = true;
	if (name) {
		*to++ = '"';
		to = mempcpy(to, name, len);
		*to++ = '"';
		*to++ = ':';
	}
	return to;
}

static void member_end(struct json *j, char *to)
{
	*to = '\0';
	j->to->len = (size_t)(to - j->to->data);
}

/* text is at most NUMBER_MAX bytes: a number or a word. */
static void put_plain(struct json *j, const char *name, const char *text, size_t len)
{
	char *to = member_begin(j, name, len);
	memcpy(to, text, len);
	member_end(j, to + len);
}

void json_open(struct json *j, const char *name, char bracket)
{
	put_plain(j, name, &bracket, 1);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_char(j->to, bracket);
	j->comma = true;
}

static const bool needs_escape[UCHAR_MAX + 1] = { [0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f] = true };

static void put_escaped(struct buf *to, char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char short_for[] = "\"\\\b\f\n\r\t";
	static const char short_name[] = "\"\\bfnrt";
	const char *at = c ? strchr(short_for, c) : NULL;
	if (at) {
		const char two[] = { '\\', short_name[at - short_for] };
		buf_add(to, two, sizeof(two));
	} else {
		const char six[] = { '\\', 'u', '0', '0', digits[(unsigned char)c >> 4], digits[c & 15] };
		buf_add(to, six, sizeof(six));
	}
}

void json_str(struct json *j, const char *name, struct slice s)
{
	char *to = member_begin(j, name, s.len + 2);
	*to++ = '"';
	member_end(j, to);
	size_t run = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!needs_escape[(unsigned char)s.p[i]])
			continue;
		buf_add(j->to, s.p + run, i - run);
		put_escaped(j->to, s.p[i]);
		run = i + 1;
	}
	if (run < s.len)
		buf_add(j->to, s.p + run, s.len - run);
	buf_char(j->to, '"');
}

void json_u64(struct json *j, const char *name, uint64_t n)
{
	member_end(j, member_begin(j, name, 0));
	buf_u64(j->to, n);
}

void json_i64(struct json *j, const char *name, int64_t n)
{
	char *to = member_begin(j, name, 1);
	if (n < 0)
		*to++ = '-';
	member_end(j, to);
	buf_u64(j->to, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void json_bool(struct json *j, const char *name, bool b)
{
	put_plain(j, name, b ? "true" : "false", b ? 4 : 5);
}

void json_nil(struct json *j, const char *name)
{
	put_plain(j, name, "null", 4);
}

/* printf obeys LC_NUMERIC, JSON does not. -0 keeps its sign only as a real: readers take "-0" for an integer. */
static void put_number(struct json *j, const char *name, double value, char *text)
{
	char *point = strchr(text, ',');
	if (point)
		*point = '.';
	const char *shown = value == 0 && signbit(value) ? "-0.0" : text;
	put_plain(j, name, shown, strlen(shown));
}

/* Read back as a double and rounded to float, as JSON readers do: nine digits always suffice. */
/* The fewest digits that read back as f, and the double that they are. */
static double shortest(float f, char ret_text[NUMBER_MAX])
{
	double value = f;
	assert(isfinite(f));
	for (int digits = 6; digits <= 9; digits++) {
		(void)snprintf(ret_text, NUMBER_MAX, "%.*g", digits, (double)f);
		value = strtod(ret_text, NULL);
		if ((float)value == f)
			break;
	}
	return value;
}

void json_float(struct json *j, const char *name, float f)
{
	char text[NUMBER_MAX];
	(void)shortest(f, text);
	put_number(j, name, (double)f, text);
}

double json_float_value(float f)
{
	char text[NUMBER_MAX];
	return shortest(f, text);
}

void json_double(struct json *j, const char *name, double d)
{
	assert(isfinite(d));
	char text[NUMBER_MAX];
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	put_number(j, name, d, text);
}

void json_hex(struct json *j, const char *name, const uint8_t *bytes, size_t n)
{
	char *to = member_begin(j, name, 2 * n + 2);
	*to++ = '"';
	text_hex(bytes, n, to);
	to += 2 * n;
	*to++ = '"';
	member_end(j, to);
}

void json_raw(struct json *j, const char *name, struct slice json_text)
{
	assert(json_text.len > 0);
	char *to = member_begin(j, name, json_text.len);
	memcpy(to, json_text.p, json_text.len);
	member_end(j, to + json_text.len);
}

void json_bytes(struct json *j, const char *name, struct slice bytes)
{
	assert(name);
	if (text_is_utf8(bytes)) {
		json_str(j, name, bytes);
		return;
	}
	static const char suffix[] = "_base64\":\"";
	char *to = member_begin(j, name, sizeof(suffix)) - 2; /* over the name's closing quote and colon */
	memcpy(to, suffix, sizeof(suffix) - 1);
	member_end(j, to + sizeof(suffix) - 1);
	text_base64(j->to, bytes);
	buf_char(j->to, '"');
}

void json_one_line(struct buf *text, size_t from)
{
	for (size_t i = from; i < text->len; i++)
		if (text->data[i] == '\n' || text->data[i] == '\r')
			text->data[i] = ' ';
}
