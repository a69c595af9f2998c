/* text.c - hex, base64, UTF-8 checks and other small text conversions. */
#include "daemon/base/text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_hex(const uint8_t *bytes, size_t n, char *ret_hex)
{
	for (size_t i = 0; i < n; i++) {
		ret_hex[2 * i] = hex_digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = hex_digits[bytes[i] & 15];
	}
	ret_hex[2 * n] = '\0';
}

#define NO_HEX 16U

static unsigned int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return NO_HEX;
}

int text_unhex(struct slice hex, uint8_t *ret_bytes, size_t n)
{
	if (hex.len / 2 != n || hex.len % 2 != 0)
		return -1;
	for (size_t i = 0; i < hex.len; i++) {
		if (hex_value(hex.p[i]) == NO_HEX)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		ret_bytes[i] = (uint8_t)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]));
	return 0;
}

void text_base64(struct buf *to, struct slice bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	char *out = buf_grow(to, (bytes.len + 2) / 3 * 4);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0U);
		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = left > 1 ? base64_digits[v >> 6 & 63] : '=';
		*out++ = left > 2 ? base64_digits[v & 63] : '=';
	}
	*out = '\0';
	to->len = (size_t)(out - to->data);
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;
	return at ? (int)(at - base64_digits) : -1;
}

/* Decodes one group of four; returns its bytes (1..3), or -1. Bits that padding leaves over must be zero, so that every
 * value has one spelling. */
static int base64_group(const char *group, bool last, uint8_t ret_bytes[3])
{
	int digits = 4;
	if (last && group[3] == '=')
		digits = group[2] == '=' ? 2 : 3;
	uint32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int digit = i < digits ? base64_value(group[i]) : 0;
		if (digit < 0)
			return -1;
		v = v << 6 | (uint32_t)digit;
	}
	if ((digits == 2 && (v & 0xffff)) || (digits == 3 && (v & 0xff)))
		return -1;
	ret_bytes[0] = (uint8_t)(v >> 16);
	ret_bytes[1] = (uint8_t)(v >> 8);
	ret_bytes[2] = (uint8_t)v;
	return digits - 1;
}

int text_unbase64(struct buf *to, struct slice text)
{
	size_t start = to->len;
	if (text.len % 4 != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += 4) {
		uint8_t bytes[3];
		int n = base64_group(text.p + i, i + 4 == text.len, bytes);
		if (n < 0) {
			to->len = start;
			return -1;
		}
		buf_add(to, bytes, (size_t)n);
	}
	return 0;
}

/* Length of the well-formed sequence at p, 0 when there is none. The second byte's range depends on the first: that is
 * what shuts out overlong forms, surrogates and code points above U+10FFFF. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool text_is_utf8(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t i = 0;
	while (i < s.len) {
		uint64_t eight;
		if (s.len - i >= sizeof(eight)) { /* keys are mostly ASCII: eight bytes at a time */
			memcpy(&eight, p + i, sizeof(eight));
			if ((eight & 0x8080808080808080ULL) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		size_t len = utf8_length(p + i, s.len - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

void text_percent(struct buf *to, struct slice bytes)
{
	char *out = buf_grow(to, 3 * bytes.len);
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = (uint8_t)bytes.p[i];
		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
			c == '~') {
			*out++ = (char)c;
			continue;
		}
		*out++ = '%';
		*out++ = "0123456789ABCDEF"[c >> 4];
		*out++ = "0123456789ABCDEF"[c & 15];
	}
	*out = '\0';
	to->len = (size_t)(out - to->data);
}

int text_u64(struct slice digits, uint64_t *ret_n)
{
	uint64_t n = 0;
	if (digits.len == 0)
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return -1;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(digits.p[i] - '0'), &n))
			return -1;
	}
	*ret_n = n;
	return 0;
}

/* C1 controls (U+0080..U+009F) steer terminals as C0 does. */
static bool is_plain(const uint8_t *p, size_t len)
{
	if (len == 1)
		return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '"' && p[0] != '\'' && p[0] != '\\';
	return len > 0 && !(p[0] == 0xc2 && p[1] < 0xa0);
}

void text_printable(struct buf *to, struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	(void)buf_grow(to, s.len);
	for (size_t i = 0; i < s.len;) {
		size_t len = utf8_length(p + i, s.len - i);
		if (is_plain(p + i, len)) {
			buf_add(to, p + i, len);
			i += len;
			continue;
		}
		const char escape[] = { '\\', 'x', hex_digits[p[i] >> 4], hex_digits[p[i] & 15] };
		buf_add(to, escape, sizeof(escape));
		i++;
	}
}

#define SHOWN_MAX 80 /* bytes of a key in a message */

void text_shown(struct buf *to, struct slice s)
{
	struct buf whole = { 0 };
	text_printable(&whole, s);
	size_t from = whole.len > SHOWN_MAX ? whole.len - SHOWN_MAX : 0;
	while (from < whole.len && ((uint8_t)whole.data[from] & 0xC0) == 0x80) /* not within a character */
		from++;
	buf_str(to, from > 0 ? "..." : "");
	buf_add(to, whole.data + from, whole.len - from);
	buf_done(&whole);
}

#define WORD_MAX 63 /* longer words are not compared */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words of at most WORD_MAX bytes. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1]; /* of the matrix: this one and the two before it, i modulo 3 */
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				size_t swapped = rows[(i - 2) % 3][j - 2] + 1;
				row[j] = swapped < row[j] ? swapped : row[j];
			}
		}
	}
	return rows[a_len % 3][b_len];
}

const char *text_nearest(const char *word, const char *const *options)
{
	const char *best = NULL;
	size_t best_distance = 3;
	size_t len = strlen(word);
	for (; len <= WORD_MAX && *options; options++) {
		size_t option_len = strlen(*options);
		if (option_len > WORD_MAX)
			continue;
		size_t distance = edit_distance(word, len, *options, option_len);
		if (distance < best_distance && distance < option_len) { /* "ab" is not near to "cd" */
			best = *options;
			best_distance = distance;
		}
	}
	return best;
}
