/* mem.c - checked allocation. */
#include "daemon/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *must(void *p)
{
	if (!p) {
		(void)fputs("<2>out of memory, stopping; the store is safe and the queue resumes at the next start\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *mem_zero(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *mem_resize(void *p, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total))
		return must(NULL);
	return must(realloc(p, total ? total : 1));
}

void *mem_dup(const void *p, size_t size)
{
	void *copy = mem_alloc(size);
	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

char *mem_strndup(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : text);
}

/* Mapped with room to begin on a huge page; what is before and after goes back. */
void *mem_map(size_t n)
{
	uint8_t *p = mmap(NULL, n + MEM_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p == MAP_FAILED ? NULL : p);
	size_t before = -(uintptr_t)p & (MEM_HUGE - 1);
	mem_unmap(p, before);
	mem_unmap(p + before + n, MEM_HUGE - before);
	(void)madvise(p + before, n, MADV_HUGEPAGE); /* a hint */
	return p + before;
}

void mem_unmap(void *p, size_t n)
{
	if (n > 0)
		(void)munmap(p, n);
}
