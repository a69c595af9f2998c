/* capitals.c - case by the C library's own Unicode tables (the locale C.UTF-8, which is part of it). */
#include "daemon/infer/capitals.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t unicode;

static void make_locale(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!unicode)
		abort(); /* not a matter of installation: glibc 2.35 and later carry it inside */
}

/* The character at p, its bytes in *ret_len; what is no UTF-8 is one byte of no case. */
static wchar_t decode(const unsigned char *p, size_t left, size_t *ret_len)
{
	static const unsigned char lead_mask[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
	*ret_len = 1;
	if (len == 0 || len > left)
		return 0;
	wchar_t c = p[0] & lead_mask[len];
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3F);
	}
	*ret_len = len;
	return c;
}

static void encode(struct buf *to, wchar_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	char *p = buf_grow(to, 4);
	for (int i = len - 1; i > 0; i--, c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3F));
	p[0] = (char)(lead[len] | c);
	to->len += (size_t)len;
}

static bool all_capitals(const unsigned char *p, size_t n)
{
	bool any = false;
	for (size_t i = 0, len; i < n; i += len) {
		wint_t c = (wint_t)decode(p + i, n - i, &len);
		if (iswlower_l(c, unicode))
			return false; /* nearly always within a few bytes */
		any = any || iswupper_l(c, unicode);
	}
	return any;
}

bool capitals_lower(struct slice text, struct buf *to)
{
	const unsigned char *p = (const unsigned char *)text.p;
	(void)pthread_once(&once, make_locale);
	if (!all_capitals(p, text.len))
		return false;
	for (size_t i = 0, len; i < text.len; i += len) {
		wint_t c = (wint_t)decode(p + i, text.len - i, &len);
		wint_t small = towlower_l(c, unicode);
		if (small == c)
			buf_add(to, p + i, len);
		else
			encode(to, (wchar_t)small);
	}
	return true;
}
