/* twins.c - a Bloom filter over all names, and exact records of what it lets through. */
#include "daemon/manifest/twins.h"

#include "daemon/base/hash.h"
#include "daemon/base/mem.h"

#include <search.h>
#include <stdlib.h>

#define FILTER_BITS (1ULL << 26) /* 8 MiB, of which a short list touches little: a million names let 11 others through by mistake */
#define FILTER_HASHES 4
#define SUSPECTS_MAX (1U << 20)  /* beyond these names are twice unnoticed: a list of millions of doubles is broken otherwise */

struct named {
	uint64_t hash;
	char *name, *id;          /* owned; NULL: not come yet */
};
struct twins {
	struct hash_key key;
	uint64_t *filter;
	void *suspects;           /* tree of struct named, by hash: names that came twice, or seem to have */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct named *)a)->hash, y = ((const struct named *)b)->hash;
	return (x > y) - (x < y);
}

struct twins *twins_new(void)
{
	struct twins *t = mem_zero(1, sizeof(*t));
	hash_random(&t->key, sizeof(t->key));
	t->filter = mem_zero(FILTER_BITS / 64, sizeof(*t->filter));
	return t;
}

static void named_free(void *arg)
{
	struct named *n = arg;
	free(n->name);
	free(n->id);
	free(n);
}

void twins_free(struct twins *t)
{
	if (!t)
		return;
	tdestroy(t->suspects, named_free);
	free(t->filter);
	free(t);
}

static struct digest128 hash_of(const struct twins *t, struct slice name)
{
	struct digest128 d = { 0 };
	digest128_add(&d, &t->key, name.p, name.len);
	return d;
}

void twins_see(struct twins *t, struct slice name)
{
	struct digest128 d = hash_of(t, name);
	bool before = true;
	for (unsigned i = 0; i < FILTER_HASHES; i++) {
		uint64_t bit = (d.lo + i * (d.hi | 1)) % FILTER_BITS;
		before = before && (t->filter[bit / 64] >> bit % 64 & 1);
		t->filter[bit / 64] |= 1ULL << bit % 64;
	}
	if (!before || t->count == SUSPECTS_MAX)
		return;
	struct named *n = mem_zero(1, sizeof(*n));
	n->hash = d.lo;
	void *found = tsearch(n, &t->suspects, compare);
	if (!found)
		abort(); /* no memory, as mem.h has it */
	if (*(struct named **)found != n)
		free(n);
	else
		t->count++;
}

const char *twins_first(struct twins *t, struct slice name, struct slice id)
{
	struct named wanted = { .hash = hash_of(t, name).lo };
	void *found = tfind(&wanted, &t->suspects, compare);
	struct named *n = found ? *(struct named **)found : NULL;
	if (!n)
		return NULL;
	if (n->name)
		return slice_eq(slice_of(n->name), name) ? n->id : NULL;
	n->name = mem_strndup(name.p, name.len);
	n->id = mem_strndup(id.p, id.len);
	return NULL;
}
