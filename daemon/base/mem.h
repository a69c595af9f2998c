/* mem.h - allocation that does not fail: the store is durable, so a process out of memory stops (abort) rather than
 * limps. Sizes that an outsider can choose are limited before they come here. Any thread. */
#ifndef INLET_BASE_MEM_H
#define INLET_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));            /* uninitialised */
void *mem_zero(size_t n, size_t size) __attribute__((malloc, returns_nonnull));   /* n * size zero bytes, checked */
void *mem_resize(void *p, size_t n, size_t size) __attribute__((returns_nonnull)); /* n * size bytes, checked */
void *mem_dup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull)); /* copies len bytes, adds NUL */
char *mem_printf(const char *fmt, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* n bytes of zeros (n: whole pages), which begin on a huge page and lie on such where the system has some. O_DIRECT from there is
 * three times as fast: a request is made of a few long pieces, else of one for each 4 KiB. Parts may be given back by themselves. */
#define MEM_HUGE ((size_t)2 << 20)
void *mem_map(size_t n) __attribute__((returns_nonnull));
void mem_unmap(void *p, size_t n);                                                /* n 0: nothing */

#endif
