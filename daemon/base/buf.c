/* buf.c - growable byte buffer. */
#include "daemon/base/buf.h"

#include "daemon/base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

char *buf_grow(struct buf *b, size_t n)
{
	assert(n < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
	if (b->cap - b->len <= n || !b->data) {
		size_t cap = b->cap ? b->cap : 64;
		while (cap - b->len <= n)
			cap *= 2;
		b->data = mem_resize(b->data, cap, 1);
		b->cap = cap;
	}
	b->data[b->len] = '\0';
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_grow(b, n);
	if (n)
		memcpy(to, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	char *to = b->cap - b->len > 1 ? b->data + b->len : buf_grow(b, 1);
	to[0] = c;
	to[1] = '\0';
	b->len++;
}

void buf_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	char *to = buf_grow(b, (size_t)n);
	(void)vsnprintf(to, (size_t)n + 1, fmt, again);
	va_end(again);
	b->len += (size_t)n;
}

char *buf_take(struct buf *b)
{
	(void)buf_grow(b, 0);
	char *s = b->data;
	*b = (struct buf){ 0 };
	return s;
}
