/* arena.c - blocks of memory in a list. */
#include "daemon/manifest/arena.h"

#include "daemon/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES (64U << 10)

struct arena_block {
	struct arena_block *older;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!a->blocks || a->blocks->size - a->used < n) {
		size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
		struct arena_block *b = mem_alloc(sizeof(*b) + size);
		b->older = a->blocks;
		b->size = size;
		a->blocks = b;
		a->used = 0;
	}
	void *p = a->blocks->bytes + a->used;
	a->used += n;
	return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return (struct slice){ p, s.len };
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	char *p = arena_alloc(a, len + 1);
	(void)vsnprintf(p, len + 1, fmt, again);
	va_end(again);
	return (struct slice){ p, len };
}

void arena_reset(struct arena *a)
{
	while (a->blocks && a->blocks->older) {
		struct arena_block *b = a->blocks;
		a->blocks = b->older;
		free(b);
	}
	if (a->blocks && a->blocks->size > 16 * BLOCK_BYTES) /* one giant row is no reason to keep so much */
		arena_done(a);
	a->used = 0;
}

void arena_done(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;
		a->blocks = b->older;
		free(b);
	}
	a->used = 0;
}
