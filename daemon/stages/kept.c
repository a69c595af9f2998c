/* kept.c - a list in the order of arrival: what is asked for lies near its begin, for normalization goes in that order too. */
#include "daemon/stages/kept.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define COUNT_MAX 4096 /* a search is no longer than that */

struct entry {
	struct entry *next;
	struct content_id id;
	uint8_t *data;
	size_t bytes;
	uint64_t since_ns;
};
struct kept {
	size_t budget;
	uint64_t stale_ns;
	pthread_mutex_t lock;        /* guards all below */
	struct entry *first, **last;
	size_t count, bytes;         /* bytes: with the room that is given out */
};

struct kept *kept_new(size_t budget_bytes, uint64_t stale_ns)
{
	struct kept *k = mem_zero(1, sizeof(*k));
	k->budget = budget_bytes;
	k->stale_ns = stale_ns;
	k->last = &k->first;
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

static struct entry *unlink_entry(struct kept *k, struct entry **at)
{
	struct entry *e = *at;
	*at = e->next;
	if (!*at)
		k->last = at;
	k->count--;
	k->bytes -= e->bytes;
	return e;
}

static void entry_free(struct entry *e)
{
	free(e->data);
	free(e);
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	while (k->first)
		entry_free(unlink_entry(k, &k->first));
	pthread_mutex_destroy(&k->lock);
	free(k);
}

uint8_t *kept_room(struct kept *k, size_t bytes)
{
	pthread_mutex_lock(&k->lock);
	bool fits = k->count < COUNT_MAX && k->bytes + bytes <= k->budget;
	if (fits)
		k->bytes += bytes;
	pthread_mutex_unlock(&k->lock);
	return fits ? mem_alloc(bytes) : NULL;
}

void kept_drop(struct kept *k, uint8_t *room, size_t bytes)
{
	if (!room)
		return;
	pthread_mutex_lock(&k->lock);
	k->bytes -= bytes;
	pthread_mutex_unlock(&k->lock);
	free(room);
}

static struct entry **find(struct kept *k, const struct content_id *id)
{
	struct entry **at = &k->first;
	while (*at && !content_id_eq(&(*at)->id, id))
		at = &(*at)->next;
	return at;
}

bool kept_put(struct kept *k, const struct content_id *id, uint8_t *room, size_t bytes)
{
	pthread_mutex_lock(&k->lock);
	bool is_here = *find(k, id) != NULL;
	if (!is_here) {
		struct entry *e = mem_alloc(sizeof(*e));
		*e = (struct entry){ .id = *id, .data = room, .bytes = bytes, .since_ns = clock_mono_ns() };
		*k->last = e;
		k->last = &e->next;
		k->count++;
	}
	bool is_only = k->count == 1;
	pthread_mutex_unlock(&k->lock);
	if (is_here)
		kept_drop(k, room, bytes);
	return is_only;
}

int kept_open(struct kept *k, const struct content_id *id)
{
	pthread_mutex_lock(&k->lock);
	struct entry **at = find(k, id);
	struct entry *e = *at ? unlink_entry(k, at) : NULL;
	pthread_mutex_unlock(&k->lock);
	if (!e)
		return -1;
	CLEANUP(close_fdp) int fd = memfd_create("inlet-object", MFD_CLOEXEC);
	bool ok = fd >= 0 && file_write_at(fd, e->data, e->bytes, 0, NULL) == 0;
	entry_free(e);
	return ok ? take_fd(&fd) : -1;
}

uint64_t kept_expire(struct kept *k)
{
	uint64_t now_ns = clock_mono_ns();
	pthread_mutex_lock(&k->lock);
	while (k->first && now_ns >= k->first->since_ns + k->stale_ns)
		entry_free(unlink_entry(k, &k->first));
	uint64_t due_ns = k->first ? k->first->since_ns + k->stale_ns : UINT64_MAX;
	pthread_mutex_unlock(&k->lock);
	return due_ns;
}
