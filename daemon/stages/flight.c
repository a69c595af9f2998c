/* flight.c - an open-addressing set of 128-bit names with backward-shift deletion. */
#include "daemon/stages/flight.h"

#include "daemon/base/hash.h"
#include "daemon/base/mem.h"

#include <stdlib.h>

struct name {
	uint64_t lo, hi; /* both 0: empty slot */
};

/* Who came for a version that was in hand. */
struct follower {
	struct name name;
	uint64_t claim;
};

struct flight {
	pthread_mutex_t lock;  /* guards all below */
	struct hash_key key;
	struct name *slots;
	size_t cap, count;     /* cap is a power of two, at most half full */
	struct follower *followers; /* few: claims are bounded */
	size_t follower_cap, follower_count;
};

struct flight *flight_new(void)
{
	struct flight *f = mem_zero(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	hash_random(&f->key, sizeof(f->key));
	f->cap = 1024;
	f->slots = mem_zero(f->cap, sizeof(*f->slots));
	return f;
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->slots);
	free(f->followers);
	free(f);
}

static void follow(struct flight *f, struct name n, uint64_t claim)
{
	if (f->follower_count == f->follower_cap) {
		f->follower_cap = f->follower_cap ? 2 * f->follower_cap : 8;
		f->followers = mem_resize(f->followers, f->follower_cap, sizeof(*f->followers));
	}
	f->followers[f->follower_count++] = (struct follower){ n, claim };
}

static uint64_t take_follower(struct flight *f, struct name n)
{
	for (size_t i = 0; i < f->follower_count; i++) {
		struct follower found = f->followers[i];
		if (found.name.lo != n.lo || found.name.hi != n.hi)
			continue;
		f->followers[i] = f->followers[--f->follower_count];
		return found.claim;
	}
	return 0;
}

/* The slot of n, or the empty one where it would go. */
static size_t find(const struct flight *f, struct name n)
{
	size_t i = n.lo & (f->cap - 1);
	while ((f->slots[i].lo || f->slots[i].hi) && (f->slots[i].lo != n.lo || f->slots[i].hi != n.hi))
		i = (i + 1) & (f->cap - 1);
	return i;
}

static void grow(struct flight *f)
{
	struct name *old = f->slots;
	size_t old_cap = f->cap;
	f->cap *= 2;
	f->slots = mem_zero(f->cap, sizeof(*f->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].lo || old[i].hi)
			f->slots[find(f, old[i])] = old[i];
	free(old);
}

static struct name name_of(const struct flight *f, const struct source *s, const struct object *o)
{
	struct digest128 d = { 0, 0 };
	uint64_t where = (uint64_t)(uintptr_t)s;
	digest128_add(&d, &f->key, &where, sizeof(where));
	d.lo *= 3; /* three sums of one key must not be interchangeable */
	digest128_add(&d, &f->key, o->key.p, o->key.len);
	d.lo *= 3;
	digest128_add(&d, &f->key, o->version.p, o->version.len);
	return (struct name){ d.lo | 1, d.hi };
}

struct fetch_job *flight_enter(struct flight *f, struct source *s, const struct object *o, uint32_t attempts, uint64_t claim)
{
	struct name n = name_of(f, s, o);
	pthread_mutex_lock(&f->lock);
	if (f->count * 2 >= f->cap)
		grow(f);
	size_t i = find(f, n);
	bool known = f->slots[i].lo || f->slots[i].hi;
	if (!known) {
		f->slots[i] = n;
		f->count++;
	} else if (claim) {
		follow(f, n, claim);
	}
	pthread_mutex_unlock(&f->lock);
	if (known)
		return NULL;
	struct fetch_job *job = mem_zero(1, sizeof(*job) + o->key.len + o->version.len);
	char *text = (char *)(job + 1);
	job->source = s;
	job->object = *o;
	memcpy(text, o->key.p, o->key.len);
	job->object.key.p = text;
	if (o->version.len)
		memcpy(text + o->key.len, o->version.p, o->version.len);
	job->object.version.p = text + o->key.len;
	job->attempts = attempts;
	job->claim = claim;
	job->hash[0] = n.lo;
	job->hash[1] = n.hi;
	return job;
}

uint64_t flight_leave(struct flight *f, struct fetch_job *job)
{
	struct name n = { job->hash[0], job->hash[1] };
	pthread_mutex_lock(&f->lock);
	size_t mask = f->cap - 1, hole = find(f, n);
	f->count--;
	for (size_t i = (hole + 1) & mask; f->slots[i].lo || f->slots[i].hi; i = (i + 1) & mask) {
		size_t home = f->slots[i].lo & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) { /* may move back into the hole */
			f->slots[hole] = f->slots[i];
			hole = i;
		}
	}
	f->slots[hole] = (struct name){ 0, 0 };
	uint64_t claim = take_follower(f, n);
	pthread_mutex_unlock(&f->lock);
	free(job);
	return claim;
}
