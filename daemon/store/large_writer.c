/* large_writer.c - two pieces that take turns between a caller and a thread. */
#include "daemon/store/large_writer.h"

#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/segment.h"
#include "daemon/base/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define PIECES 2

struct large_writer {
	int fd;
	struct arena *arena;
	uint8_t *pieces[PIECES];
	/* The caller's: the piece being filled. */
	unsigned filling;
	size_t filled;
	/* The thread's: */
	bool direct;         /* fd is O_DIRECT */
	uint64_t offset;
	/* Under lock: */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t full[PIECES]; /* bytes that the thread has to write; 0: the piece is the caller's */
	bool closing;
	struct err failed;   /* class 0: none. The thread has ended */
	pthread_t thread;
};

/* O_DIRECT wants whole blocks: the last piece, or all of them where blocks are larger than SEGMENT_ALIGN, go the usual way. */
static int piece_write(struct large_writer *w, const uint8_t *p, size_t n, struct err *err)
{
	if (w->direct && n % SEGMENT_ALIGN != 0 && file_direct(w->fd, false) == 0)
		w->direct = false;
	int done = file_write_at(w->fd, p, n, w->offset, err);
	if (done < 0 && w->direct && err->sys == EINVAL && file_direct(w->fd, false) == 0) {
		w->direct = false;
		done = file_write_at(w->fd, p, n, w->offset, err);
	}
	if (done == 0 && !w->direct) /* early write-back: fdatasync has little left to do */
		(void)sync_file_range(w->fd, (off64_t)w->offset, (off64_t)n, SYNC_FILE_RANGE_WRITE);
	w->offset += n;
	return done;
}

static void *writer(void *arg)
{
	struct large_writer *w = arg;
	struct err err = { 0 };
	(void)pthread_mutex_lock(&w->lock);
	for (unsigned at = 0; err.class == 0; at = (at + 1) % PIECES) {
		while (w->full[at] == 0 && !w->closing)
			(void)pthread_cond_wait(&w->changed, &w->lock);
		if (w->closing)
			break;
		size_t n = w->full[at];
		(void)pthread_mutex_unlock(&w->lock);
		int done = piece_write(w, w->pieces[at], n, &err);
		(void)pthread_mutex_lock(&w->lock);
		w->full[at] = 0;
		if (done < 0)
			w->failed = err;
		(void)pthread_cond_signal(&w->changed);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

int large_writer_open(struct arena_pool *p, int fd, struct large_writer **ret, struct err *err)
{
	struct arena *arena = arena_get(p, PIECES * (size_t)LARGE_PIECE - TAR_BLOCK);
	if (!arena)
		return err_set(err, ERR_RETRY, 0, "stopping");
	struct large_writer *w = mem_zero(1, sizeof(*w));
	w->fd = fd;
	w->arena = arena;
	for (size_t i = 0; i < PIECES; i++)
		w->pieces[i] = arena_memory(arena) + i * LARGE_PIECE;
	w->direct = file_direct(fd, true) == 0;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	int failed = pthread_create(&w->thread, NULL, writer, w);
	if (failed) {
		arena_put(arena);
		free(w);
		return err_set(err, ERR_RETRY, failed, "start a writer of a large blob");
	}
	*ret = w;
	return 0;
}

/* Waits until the piece is the caller's again. */
static int await(struct large_writer *w, unsigned piece, struct err *err)
{
	(void)pthread_mutex_lock(&w->lock);
	while (w->full[piece] > 0 && w->failed.class == 0)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	bool failed = w->failed.class != 0;
	if (failed)
		*err = w->failed;
	(void)pthread_mutex_unlock(&w->lock);
	return failed ? -1 : 0;
}

static void hand_over(struct large_writer *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->full[w->filling] = w->filled;
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	w->filling = (w->filling + 1) % PIECES;
	w->filled = 0;
}

uint8_t *large_writer_space(struct large_writer *w, size_t *ret_space, struct err *err)
{
	if (w->filled == 0 && await(w, w->filling, err) < 0)
		return NULL;
	*ret_space = LARGE_PIECE - w->filled;
	return w->pieces[w->filling] + w->filled;
}

void large_writer_wrote(struct large_writer *w, size_t n)
{
	w->filled += n;
	if (w->filled == LARGE_PIECE)
		hand_over(w);
}

int large_writer_finish(struct large_writer *w, struct err *err)
{
	if (w->filled > 0)
		hand_over(w);
	for (unsigned i = 0; i < PIECES; i++)
		if (await(w, i, err) < 0)
			return -1;
	return 0;
}

void large_writer_close(struct large_writer *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->closing = true;
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	arena_put(w->arena);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}
