/* bitset.h - a set of numbers as bits, in pages that are made when a number in them is first set: dense runs anywhere cost a
 * bit a number. One thread at a time. */
#ifndef INLET_BASE_BITSET_H
#define INLET_BASE_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITSET_MAX (1ULL << 40) /* numbers are below it */

struct bitset {
	uint64_t **pages; /* owned; NULL: none of its numbers is set */
	size_t page_count;
};

void bitset_done(struct bitset *b);
void bitset_set(struct bitset *b, uint64_t n);
bool bitset_has(const struct bitset *b, uint64_t n);

#endif
