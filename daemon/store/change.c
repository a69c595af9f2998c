/* change.c - builds changes: lists and the memory that their slices point into. */
#include "daemon/store/change.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/tar.h"

#include <assert.h>

#define CHUNK_BYTES 4000
#define FIRST_CAPACITY 4

struct change_chunk {
	struct change_chunk *next;
	size_t used, capacity;
	_Alignas(8) char bytes[];
};

struct change *change_new(void)
{
	return mem_zero(1, sizeof(struct change));
}

void change_free(struct change *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->arrivals.count; i++) {
		if (c->arrivals.at[i].how == ARRIVAL_FILE)
			close_fdp(&c->arrivals.at[i].fd);
	}
	for (size_t i = 0; i < c->derived.count; i++)
		free(c->derived.at[i].data);
	while (c->chunks) {
		struct change_chunk *next = c->chunks->next;
		free(c->chunks);
		c->chunks = next;
	}
	arena_put(c->arena);
	free(c->records.at);
	free(c->arrivals.at);
	free(c->derived.at);
	free(c->metas.at);
	free(c->touched.at);
	free(c);
}

void *change_alloc(struct change *c, size_t bytes)
{
	struct change_chunk *chunk = c->chunks;
	size_t need = (bytes + 7) & ~(size_t)7;
	if (!chunk || chunk->capacity - chunk->used < need) {
		size_t capacity = need > CHUNK_BYTES ? need : CHUNK_BYTES;
		chunk = mem_alloc(sizeof(*chunk) + capacity);
		*chunk = (struct change_chunk){ .next = c->chunks, .capacity = capacity };
		c->chunks = chunk;
	}
	void *p = chunk->bytes + chunk->used;
	chunk->used += need;
	c->bytes += need;
	return p;
}

struct slice change_copy(struct change *c, struct slice s)
{
	if (s.len == 0)
		return (struct slice){ "", 0 };
	char *copy = change_alloc(c, s.len);
	memcpy(copy, s.p, s.len);
	return (struct slice){ copy, s.len };
}

/* A pointer to one more, uninitialised element. */
#define LIST_ADD(list)                                                                                                 \
	({                                                                                                             \
		if ((list)->count == (list)->capacity) {                                                               \
			(list)->capacity = (list)->capacity ? 2 * (list)->capacity : FIRST_CAPACITY;                   \
			(list)->at = mem_resize((list)->at, (list)->capacity, sizeof(*(list)->at));                    \
		}                                                                                                      \
		&(list)->at[(list)->count++];                                                                          \
	})

struct record *change_add(struct change *c, enum record_kind kind)
{
	struct record *r = LIST_ADD(&c->records);
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	return r;
}

void change_arena(struct change *c, struct arena *a)
{
	assert(!c->arena);
	c->arena = a;
}

size_t change_arrive(struct change *c, const struct arrival *a)
{
	struct arrival *own = LIST_ADD(&c->arrivals);
	*own = *a;
	own->source = change_copy(c, a->source);
	own->key = change_copy(c, a->key);
	own->version = change_copy(c, a->version);
	return c->arrivals.count - 1;
}

void change_unarrive(struct change *c, size_t number)
{
	struct arrival *a = &c->arrivals.at[number];
	if (a->how == ARRIVAL_FILE)
		close_fdp(&a->fd);
	a->how = ARRIVAL_NONE;
}

struct slice change_arrived(const struct change *c, size_t number, size_t max)
{
	const struct arrival *a = &c->arrivals.at[number];
	if (a->how != ARRIVAL_ARENA || !c->arena)
		return SLICE_LIT("");
	return (struct slice){ (const char *)arena_memory(c->arena) + a->place + TAR_BLOCK, a->bytes < max ? (size_t)a->bytes : max };
}

void change_derive(struct change *c, const struct derived_blob *d)
{
	*LIST_ADD(&c->derived) = *d;
}

void change_meta(struct change *c, struct slice name, struct slice value)
{
	struct change_meta *m = LIST_ADD(&c->metas);
	m->name = change_copy(c, name);
	m->value = change_copy(c, value);
}

void change_touch(struct change *c, uint64_t item, uint64_t fresh)
{
	if (item)
		*LIST_ADD(&c->touched) = (struct change_touch){ item, fresh };
}

void change_prepare(struct change *c, prepare_fn *fn, void *arg)
{
	c->prepare = fn;
	c->prepare_arg = arg;
}

size_t change_records(const struct change *c)
{
	return c->records.count + c->arrivals.count;
}
