/* buf.h - a growable byte buffer: { 0 } is empty and valid; buf_done() frees it. One thread at a time. */
#ifndef INLET_BASE_BUF_H
#define INLET_BASE_BUF_H

#include "daemon/base/slice.h"

#include <stdint.h>

struct buf {
	char *data; /* owned; data[len] is '\0' whenever data is not NULL */
	size_t len;
	size_t cap;
};

void buf_done(struct buf *b);                       /* frees and empties */
void buf_wipe(struct buf *b);                       /* the same, overwritten first: secrets. Growing leaves copies: grow before */
char *buf_grow(struct buf *b, size_t n);            /* room for n more bytes; returns where they go; len unchanged */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t n);            /* decimal, without the cost of printf */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *buf_take(struct buf *b);                      /* the caller owns the terminated string; b is empty */

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->data, b->len };
}

#endif
