/* s3_window.c - threads that read ranges into a ring of slots, and the caller who empties it. */
#include "connectors/s3_window.h"

#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*  ranges:   taken | full  being read  full | not begun ...
 *                  ^taken                   ^next           next - taken <= S3_WINDOW_RANGES; range i lies in slot i mod that */
struct window {
	const struct s3_window_work *work;
	uint64_t count;              /* ranges */
	uint8_t *slots[S3_WINDOW_RANGES];
	atomic_bool over;            /* one failed, or the taker has enough */

	pthread_mutex_t lock;        /* guards what follows */
	pthread_cond_t moved;
	uint64_t next, taken;
	bool full[S3_WINDOW_RANGES];
	struct err err;              /* of the read that failed first; class 0: none did */
};

static uint64_t range_from(const struct window *w, uint64_t i)
{
	return w->work->from + i * S3_WINDOW_RANGE_BYTES;
}

static size_t range_bytes(const struct window *w, uint64_t i)
{
	uint64_t left = w->work->to - range_from(w, i);
	return left < S3_WINDOW_RANGE_BYTES ? (size_t)left : S3_WINDOW_RANGE_BYTES;
}

/* ---- readers ---- */

/* Waits for room; false: there is nothing more to read. Under the lock. */
static bool next_range(struct window *w, uint64_t *ret)
{
	while (!atomic_load(&w->over) && w->next < w->count && w->next - w->taken == S3_WINDOW_RANGES)
		(void)pthread_cond_wait(&w->moved, &w->lock);
	if (atomic_load(&w->over) || w->next == w->count)
		return false;
	*ret = w->next++;
	return true;
}

static void *read_thread(void *arg)
{
	struct window *w = arg;
	uint64_t i;
	(void)pthread_mutex_lock(&w->lock);
	while (next_range(w, &i)) {
		struct err err = { 0 };
		(void)pthread_mutex_unlock(&w->lock);
		int done = w->work->read(w->work->arg, &w->over, range_from(w, i), w->slots[i % S3_WINDOW_RANGES], range_bytes(w, i), &err);
		(void)pthread_mutex_lock(&w->lock);
		if (done == 0)
			w->full[i % S3_WINDOW_RANGES] = true;
		else if (!atomic_exchange(&w->over, true))
			w->err = err;
		(void)pthread_cond_broadcast(&w->moved);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- the taker ---- */

static bool wait_full(struct window *w, size_t slot)
{
	bool full;
	(void)pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->over) && !w->full[slot])
		(void)pthread_cond_wait(&w->moved, &w->lock);
	full = !atomic_load(&w->over);
	(void)pthread_mutex_unlock(&w->lock);
	return full;
}

static void empty(struct window *w, size_t slot)
{
	(void)pthread_mutex_lock(&w->lock);
	w->full[slot] = false;
	w->taken++;
	(void)pthread_cond_broadcast(&w->moved);
	(void)pthread_mutex_unlock(&w->lock);
}

static void end(struct window *w)
{
	(void)pthread_mutex_lock(&w->lock);
	atomic_store(&w->over, true);
	(void)pthread_cond_broadcast(&w->moved);
	(void)pthread_mutex_unlock(&w->lock);
}

/* 1: a reader has failed, its err is the window's. */
static int take_all(struct window *w, struct err *err)
{
	for (uint64_t i = 0; i < w->count; i++) {
		size_t slot = i % S3_WINDOW_RANGES;
		if (!wait_full(w, slot))
			return 1;
		if (w->work->take(w->work->arg, w->slots[slot], range_bytes(w, i), err) < 0)
			return -1;
		empty(w, slot);
	}
	return 0;
}

int s3_window_read(const struct s3_window_work *work, struct err *err)
{
	struct window w = { .work = work, .count = (work->to - work->from + S3_WINDOW_RANGE_BYTES - 1) / S3_WINDOW_RANGE_BYTES,
		.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	pthread_t threads[S3_WINDOW_RANGES];
	size_t n = 0;
	int done;
	for (size_t i = 0; i < S3_WINDOW_RANGES; i++)
		w.slots[i] = mem_alloc(S3_WINDOW_RANGE_BYTES);
	while (n < S3_WINDOW_RANGES && pthread_create(&threads[n], NULL, read_thread, &w) == 0)
		n++;
	done = n > 0 ? take_all(&w, err) : err_set(err, ERR_RETRY, EAGAIN, "start a thread to read ahead");
	end(&w);
	while (n > 0)
		(void)pthread_join(threads[--n], NULL);
	if (done > 0)
		*err = w.err;
	for (size_t i = 0; i < S3_WINDOW_RANGES; i++)
		free(w.slots[i]);
	(void)pthread_cond_destroy(&w.moved);
	(void)pthread_mutex_destroy(&w.lock);
	return done == 0 ? 0 : -1;
}
