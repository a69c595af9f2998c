/* queue.c - the bounded queue: a ring under one mutex, with one condition for each kind of waiter. */
#include "daemon/base/queue.h"

#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t lock; /* guards all below; nothing is called while it is held */
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	void (*free_item)(void *item);
	size_t capacity; /* queue_push() waits at this length */
	size_t size;     /* of the ring: capacity, or more after queue_push_over() */
	size_t first;    /* oldest item, when length > 0 */
	size_t length;
	bool closed;
	void **items;
};

struct queue *queue_new(size_t capacity, void (*free_item)(void *item))
{
	assert(capacity > 0);
	struct queue *q = mem_zero(1, sizeof(*q));
	q->capacity = q->size = capacity;
	q->items = mem_alloc(capacity * sizeof(*q->items));
	q->free_item = free_item;
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_cond_init(&q->not_empty, &monotonic);
	(void)pthread_cond_init(&q->not_full, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; q->free_item && i < q->length; i++)
		q->free_item(q->items[(q->first + i) % q->size]);
	free(q->items);
	(void)pthread_cond_destroy(&q->not_full);
	(void)pthread_cond_destroy(&q->not_empty);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

/* A ring of twice the size, its oldest item first. Lock held. */
static void grow(struct queue *q)
{
	assert(q->size > 0);
	void **items = mem_alloc(2 * q->size * sizeof(*items));
	for (size_t i = 0; i < q->length; i++)
		items[i] = q->items[(q->first + i) % q->size];
	free(q->items);
	q->items = items;
	q->first = 0;
	q->size *= 2;
}

/* Lock held. */
static int put(struct queue *q, void *item)
{
	if (q->closed)
		return -1;
	if (q->length == q->size)
		grow(q);
	q->items[(q->first + q->length) % q->size] = item;
	q->length++;
	(void)pthread_cond_signal(&q->not_empty);
	return 0;
}

int queue_push(struct queue *q, void *item)
{
	assert(item); /* NULL is queue_pop()'s word for the end */
	(void)pthread_mutex_lock(&q->lock);
	while (q->length >= q->capacity && !q->closed)
		(void)pthread_cond_wait(&q->not_full, &q->lock);
	int accepted = put(q, item);
	(void)pthread_mutex_unlock(&q->lock);
	return accepted;
}

int queue_push_over(struct queue *q, void *item)
{
	assert(item);
	(void)pthread_mutex_lock(&q->lock);
	int accepted = put(q, item);
	(void)pthread_mutex_unlock(&q->lock);
	return accepted;
}

/* The oldest item, or NULL when there is none. Lock held. */
static void *take(struct queue *q)
{
	if (q->length == 0)
		return NULL;
	void *item = q->items[q->first];
	q->first = (q->first + 1) % q->size;
	q->length--;
	if (q->length <= q->capacity / 2)
		(void)pthread_cond_signal(&q->not_full);
	return item;
}

void *queue_pop(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	while (q->length == 0 && !q->closed)
		(void)pthread_cond_wait(&q->not_empty, &q->lock);
	void *item = take(q);
	(void)pthread_mutex_unlock(&q->lock);
	return item;
}

void *queue_pop_until(struct queue *q, uint64_t deadline_ns)
{
	struct timespec until = clock_spec(deadline_ns);
	(void)pthread_mutex_lock(&q->lock);
	int waited = 0;
	while (q->length == 0 && !q->closed && waited == 0)
		waited = pthread_cond_timedwait(&q->not_empty, &q->lock, &until);
	void *item = take(q);
	(void)pthread_mutex_unlock(&q->lock);
	return item;
}

void queue_close(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	q->closed = true;
	(void)pthread_cond_broadcast(&q->not_empty);
	(void)pthread_cond_broadcast(&q->not_full);
	(void)pthread_mutex_unlock(&q->lock);
}
