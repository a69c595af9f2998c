/* settled.c - a few items; the one that was asked for longest ago makes room. */
#include "daemon/store/settled.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

struct settled_item {
	uint64_t item;
	uint64_t asked;
	struct conflict *says;
};
struct settled {
	struct settled_item items[SETTLED_MAX];
	size_t count;            /* of those in use */
	uint64_t asked;
};

struct settled *settled_new(void)
{
	return mem_zero(1, sizeof(struct settled));
}

void settled_free(struct settled *s)
{
	if (s)
		settled_clear(s);
	free(s);
}

static struct settled_item *find(struct settled *s, uint64_t item)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].item == item)
			return &s->items[i];
	return NULL;
}

const struct conflict *settled_get(struct settled *s, uint64_t item)
{
	struct settled_item *at = find(s, item);
	if (!at)
		return NULL;
	at->asked = ++s->asked;
	return at->says;
}

static void drop(struct settled *s, struct settled_item *at)
{
	conflict_free(at->says);
	*at = s->items[--s->count];
}

static struct settled_item *oldest(struct settled *s)
{
	struct settled_item *least = &s->items[0];
	for (size_t i = 1; i < s->count; i++)
		if (s->items[i].asked < least->asked)
			least = &s->items[i];
	return least;
}

void settled_put(struct settled *s, uint64_t item, struct conflict *says)
{
	settled_drop(s, item);
	if (s->count == SETTLED_MAX)
		drop(s, oldest(s));
	s->items[s->count++] = (struct settled_item){ item, ++s->asked, says };
}

void settled_drop(struct settled *s, uint64_t item)
{
	struct settled_item *at = find(s, item);
	if (at)
		drop(s, at);
}

void settled_clear(struct settled *s)
{
	while (s->count > 0)
		drop(s, &s->items[0]);
}
