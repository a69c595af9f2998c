/* arena.c - a bounded pool of aligned arenas. */
#include "daemon/store/arena.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/model/signature.h"
#include "daemon/store/segment.h"
#include "daemon/base/tar.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Sizes double from the usual one; the largest holds one member of ARENA_MEMBER_MAX. All are whole SEGMENT_ALIGN units, so
 * padding the end never needs more room. */
#define CLASSES 4
static const size_t class_bytes[CLASSES] = {
	ARENA_BYTES,
	2 * ARENA_BYTES,
	4 * ARENA_BYTES,
	ARENA_MEMBER_MAX + SEGMENT_ALIGN,
};

struct arena {
	struct arena_pool *pool;
	struct arena *next; /* in the pool's spare list */
	uint8_t *bytes;     /* on SEGMENT_ALIGN */
	unsigned class;
	size_t used; /* whole members; the next member's header goes here */
	size_t kept; /* the committer's: members [0, kept) stay */
};

struct arena_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t budget;
	size_t allocated;             /* arenas out and spare; <= budget */
	struct arena *spare[CLASSES]; /* kept for reuse: fresh memory costs page faults */
	uint8_t *half;                /* of a huge page whose other half is a usual arena; NULL: none */
	uint64_t next_ticket;         /* arena_get() is served in order, so a large want is not starved by small ones */
	uint64_t serving;
	bool closed;
};

struct arena_pool *arena_pool_new(size_t budget_bytes)
{
	struct arena_pool *p = mem_zero(1, sizeof(*p));
	size_t least = class_bytes[CLASSES - 1] + 4 * (size_t)ARENA_BYTES;
	p->budget = budget_bytes > least ? budget_bytes : least;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, NULL);
	return p;
}

static void arena_release(struct arena_pool *p, struct arena *a)
{
	p->allocated -= class_bytes[a->class];
	mem_unmap(a->bytes, class_bytes[a->class]);
	free(a);
}

static struct arena *spare_pop(struct arena_pool *p, unsigned class)
{
	struct arena *a = p->spare[class];
	if (a)
		p->spare[class] = a->next;
	return a;
}

void arena_pool_free(struct arena_pool *p)
{
	if (!p)
		return;
	for (unsigned class = 0; class < CLASSES; class ++) {
		for (struct arena *a; (a = spare_pop(p, class)) != NULL;)
			arena_release(p, a);
	}
	assert(p->allocated == 0);
	mem_unmap(p->half, p->half ? ARENA_BYTES : 0);
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void arena_pool_close(struct arena_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->closed = true;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

/* Two of the usual size share a huge page. */
static uint8_t *bytes_new(struct arena_pool *p, unsigned class)
{
	_Static_assert(2 * ARENA_BYTES == MEM_HUGE, "two halves");
	if (class > 0)
		return mem_map(class_bytes[class]);
	if (p->half)
		return TAKE_PTR(p->half);
	uint8_t *both = mem_map(MEM_HUGE);
	p->half = both + ARENA_BYTES;
	return both;
}

static struct arena *arena_new(struct arena_pool *p, unsigned class)
{
	struct arena *a = mem_zero(1, sizeof(*a));
	a->pool = p;
	a->class = class;
	a->bytes = bytes_new(p, class);
	p->allocated += class_bytes[class];
	return a;
}

/* A spare one of this class, or a new one within the budget, for which spares of other classes make room. */
static struct arena *pool_take(struct arena_pool *p, unsigned class)
{
	struct arena *a = spare_pop(p, class);
	for (unsigned other = 0; !a && other < CLASSES; other++) {
		while (p->allocated + class_bytes[class] > p->budget && p->spare[other])
			arena_release(p, spare_pop(p, other));
	}
	if (!a && p->allocated + class_bytes[class] <= p->budget)
		a = arena_new(p, class);
	return a;
}

struct arena *arena_get(struct arena_pool *p, size_t want)
{
	assert(want <= ARENA_MEMBER_MAX);
	unsigned class = 0;
	while (class_bytes[class] < TAR_BLOCK + tar_padded(want))
		class ++;
	struct arena *a = NULL;
	(void)pthread_mutex_lock(&p->lock);
	uint64_t ticket = p->next_ticket++;
	while (!p->closed && (ticket != p->serving || !(a = pool_take(p, class))))
		(void)pthread_cond_wait(&p->changed, &p->lock);
	p->serving++;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	if (a)
		a->used = a->kept = 0;
	return a;
}

void arena_put(struct arena *a)
{
	if (!a)
		return;
	struct arena_pool *p = a->pool;
	(void)pthread_mutex_lock(&p->lock);
	a->next = p->spare[a->class];
	p->spare[a->class] = a;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

size_t arena_room(const struct arena *a)
{
	size_t left = class_bytes[a->class] - a->used;
	return left > TAR_BLOCK ? left - TAR_BLOCK : 0;
}

uint8_t *arena_memory(struct arena *a)
{
	return a->bytes;
}

uint8_t *arena_payload(struct arena *a)
{
	return a->bytes + a->used + TAR_BLOCK;
}

size_t arena_member(struct arena *a, const struct content_id *id, size_t n)
{
	assert(class_bytes[a->class] - a->used >= TAR_BLOCK + tar_padded(n)); /* n 0 in a full arena, too */
	size_t place = a->used;
	uint8_t *payload = arena_payload(a);
	char name[TAR_NAME_MAX + 1];
	text_hex(id->sha256, SHA256_BYTES, name);
	name[CONTENT_ID_HEX] = '.';
	strcpy(name + CONTENT_ID_HEX + 1, signature_extension(payload, n));
	tar_header(a->bytes + place, name, n);
	memset(payload + n, 0, tar_padded(n) - n);
	a->used += TAR_BLOCK + tar_padded(n);
	return place;
}

size_t arena_keep(struct arena *a, size_t place, size_t n)
{
	size_t bytes = TAR_BLOCK + tar_padded(n);
	size_t at = a->kept;
	assert(place >= at && place + bytes <= a->used);
	if (at != place)
		memmove(a->bytes + at, a->bytes + place, bytes);
	a->kept += bytes;
	return at;
}

size_t arena_kept(const struct arena *a)
{
	return a->kept;
}

const void *arena_seal(struct arena *a, size_t *ret_n)
{
	a->kept += segment_pad(a->bytes + a->kept, a->kept);
	*ret_n = a->kept;
	return a->bytes;
}
