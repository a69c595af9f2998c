/* bitset.c - pages of bits. */
#include "daemon/base/bitset.h"

#include "daemon/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define PAGE_BITS (1ULL << 20) /* 128 KiB: a set of the last numbers that there can be has 8 MiB of empty places */

void bitset_done(struct bitset *b)
{
	for (size_t i = 0; i < b->page_count; i++)
		free(b->pages[i]);
	free(b->pages);
	*b = (struct bitset){ 0 };
}

void bitset_set(struct bitset *b, uint64_t n)
{
	assert(n < BITSET_MAX);
	size_t page = (size_t)(n / PAGE_BITS);
	if (page >= b->page_count) {
		b->pages = mem_resize(b->pages, page + 1, sizeof(*b->pages));
		for (size_t i = b->page_count; i <= page; i++)
			b->pages[i] = NULL;
		b->page_count = page + 1;
	}
	if (!b->pages[page])
		b->pages[page] = mem_zero(PAGE_BITS / 64, sizeof(uint64_t));
	b->pages[page][n % PAGE_BITS / 64] |= 1ULL << n % 64;
}

bool bitset_has(const struct bitset *b, uint64_t n)
{
	size_t page = (size_t)(n / PAGE_BITS);
	return page < b->page_count && b->pages[page] && (b->pages[page][n % PAGE_BITS / 64] >> n % 64 & 1);
}
