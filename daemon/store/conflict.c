/* conflict.c - sets of concepts, compared in pairs while they are few. */
#include "daemon/store/conflict.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

/* One of the different sets; one allocation, with the bytes. */
struct kept_set {
	struct concept_set set;
	bool *contradicted;      /* by place in the set */
};
struct conflict {
	struct kept_set *sets[CONFLICT_SETS_MAX];
	size_t count;
	bool many;               /* there are more */
	struct kept_set *shared; /* what every set has; NULL: none was added */
};

static int by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

void concept_set_order(struct concept_set *s)
{
	size_t n = 0;
	if (s->count > 1)
		qsort(s->of, s->count, sizeof(*s->of), by_name);
	for (size_t i = 0; i < s->count; i++)
		if (n == 0 || !slice_eq(s->of[n - 1], s->of[i]))
			s->of[n++] = s->of[i];
	s->count = n;
}

static struct kept_set *keep(struct concept_set s)
{
	size_t bytes = 0;
	for (size_t i = 0; i < s.count; i++)
		bytes += s.of[i].len;
	struct kept_set *k = mem_zero(1, sizeof(*k) + s.count * (sizeof(*s.of) + sizeof(bool)) + bytes);
	k->set.of = (struct slice *)(k + 1);
	k->contradicted = (bool *)(k->set.of + s.count);
	char *at = (char *)(k->contradicted + s.count);
	for (size_t i = 0; i < s.count; i++) {
		if (s.of[i].len)
			memcpy(at, s.of[i].p, s.of[i].len);
		k->set.of[k->set.count++] = (struct slice){ at, s.of[i].len };
		at += s.of[i].len;
	}
	return k;
}

struct conflict *conflict_new(void)
{
	return mem_zero(1, sizeof(struct conflict));
}

void conflict_free(struct conflict *c)
{
	for (size_t i = 0; c && i < c->count; i++)
		free(c->sets[i]);
	if (c)
		free(c->shared);
	free(c);
}

size_t concept_set_place(struct concept_set s, struct slice concept)
{
	size_t from = 0, to = s.count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (slice_cmp(s.of[middle], concept) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < s.count && slice_eq(s.of[from], concept) ? from : s.count;
}

static bool has(struct concept_set s, struct slice concept)
{
	return concept_set_place(s, concept) < s.count;
}

static bool has_all(struct concept_set s, struct concept_set of)
{
	for (size_t i = 0; i < of.count; i++)
		if (!has(s, of.of[i]))
			return false;
	return true;
}

static const struct kept_set *find(const struct conflict *c, struct concept_set s)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->sets[i]->set.count == s.count && has_all(c->sets[i]->set, s))
			return c->sets[i];
	return NULL;
}

/* What both have stays in s. */
static void intersect(struct concept_set *s, struct concept_set with)
{
	size_t n = 0;
	for (size_t i = 0; i < s->count; i++)
		if (has(with, s->of[i]))
			s->of[n++] = s->of[i];
	s->count = n;
}

void conflict_add(struct conflict *c, struct concept_set s)
{
	if (c->shared)
		intersect(&c->shared->set, s);
	else
		c->shared = keep(s);
	if (c->many || find(c, s))
		return;
	if (c->count < CONFLICT_SETS_MAX)
		c->sets[c->count++] = keep(s);
	else
		c->many = true;
}

static void compare(struct kept_set *with, struct concept_set other)
{
	if (has_all(with->set, other))
		return;
	for (size_t i = 0; i < with->set.count; i++)
		if (!has(other, with->set.of[i]))
			with->contradicted[i] = true;
}

void conflict_conclude(struct conflict *c)
{
	for (size_t i = 0; i < c->count && !c->many; i++)
		for (size_t k = 0; k < c->count; k++)
			compare(c->sets[i], c->sets[k]->set);
}

bool conflict_any(const struct conflict *c)
{
	return c->count > 1;
}

bool conflict_covers(const struct conflict *c, struct concept_set s)
{
	return c->many ? has_all(s, c->shared->set) : find(c, s) != NULL;
}

void conflict_of(const struct conflict *c, struct concept_set s, bool *ret)
{
	const struct kept_set *k = c->many ? NULL : find(c, s);
	for (size_t i = 0; i < s.count; i++) /* both are in one order */
		ret[i] = c->many ? !has(c->shared->set, s.of[i]) : k && k->contradicted[i];
}
