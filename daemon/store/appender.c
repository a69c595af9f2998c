/* appender.c - writer thread behind the open segment. */
#include "daemon/store/appender.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>

#define JOBS_MAX 64
#define AHEAD_BYTES (64ULL << 20) /* allocated beyond the end, so that an append changes no extent tree */

struct job {
	const void *p;
	size_t n;
	uint64_t offset;
	void (*release)(void *arg);
	void *arg;
};

struct appender {
	int dir;
	char uuid[STORE_UUID_BYTES];
	uint64_t segment_bytes;
	/* The caller's thread; the writer reads fd, direct and allocated only while jobs are there. */
	uint32_t segment;
	uint64_t offset;
	uint64_t allocated;
	int fd;
	bool direct; /* fd is O_DIRECT */
	/* Under lock: */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job jobs[JOBS_MAX];
	size_t head, count; /* the job at head is being written */
	bool stopping;
	struct err failed;  /* class 0: none */
	pthread_t thread;
};

static int open_tail(struct appender *a, uint32_t segment, int *ret_fd, bool *ret_direct, struct err *err)
{
	*ret_direct = segment_open(a->dir, segment, O_WRONLY | O_DIRECT, ret_fd, NULL) == 0;
	return *ret_direct ? 0 : segment_open(a->dir, segment, O_WRONLY, ret_fd, err);
}

/* Best effort: what it cannot allocate, the write itself allocates or reports. */
static void allocate_ahead(struct appender *a, uint64_t end)
{
	if (end <= a->allocated)
		return;
	uint64_t limit = a->segment_bytes > end ? a->segment_bytes : end;
	uint64_t upto = end + AHEAD_BYTES < limit ? end + AHEAD_BYTES : limit;
	(void)fallocate(a->fd, FALLOC_FL_KEEP_SIZE, (off_t)a->allocated, (off_t)(upto - a->allocated));
	a->allocated = upto;
}

static int job_write(struct appender *a, const struct job *job, struct err *err)
{
	allocate_ahead(a, job->offset + job->n);
	int done = file_write_at(a->fd, job->p, job->n, job->offset, err);
	if (done < 0 && a->direct && err->sys == EINVAL && file_direct(a->fd, false) == 0) { /* blocks larger than SEGMENT_ALIGN */
		a->direct = false;
		done = file_write_at(a->fd, job->p, job->n, job->offset, err);
	}
	if (done == 0 && !a->direct)
		(void)sync_file_range(a->fd, (off_t)job->offset, (off_t)job->n, SYNC_FILE_RANGE_WRITE);
	return done;
}

static void *writer(void *arg)
{
	struct appender *a = arg;
	(void)pthread_mutex_lock(&a->lock);
	for (;;) {
		while (a->count == 0 && !a->stopping)
			(void)pthread_cond_wait(&a->changed, &a->lock);
		if (a->count == 0)
			break;
		struct job job = a->jobs[a->head];
		bool failed = a->failed.class != 0;
		(void)pthread_mutex_unlock(&a->lock);
		struct err err = { 0 };
		if (!failed)
			failed = job_write(a, &job, &err) < 0;
		if (job.release)
			job.release(job.arg);
		(void)pthread_mutex_lock(&a->lock);
		if (failed && a->failed.class == 0)
			a->failed = err;
		a->head = (a->head + 1) % JOBS_MAX;
		a->count--;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Waits until the writer rests; the sticky failure, if there is one. */
static int settle(struct appender *a, struct err *err)
{
	(void)pthread_mutex_lock(&a->lock);
	while (a->count > 0)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	struct err failed = a->failed;
	(void)pthread_mutex_unlock(&a->lock);
	if (failed.class == 0)
		return 0;
	if (err)
		*err = failed;
	return err_wrap(err, "segment %08" PRIu32 ".tar", a->segment);
}

/* Cuts the file to offset, which also gives back what was allocated beyond it. */
static int cut(struct appender *a, uint64_t offset, struct err *err)
{
	if (ftruncate(a->fd, (off_t)offset) < 0)
		return err_set(err, ERR_FATAL, errno, "cut segment %08" PRIu32 ".tar at %" PRIu64, a->segment, offset);
	a->allocated = offset;
	return 0;
}

int appender_open(int dir, const char *uuid, uint64_t segment_bytes, uint32_t segment, uint64_t offset,
	struct appender **ret, struct err *err)
{
	assert(offset % SEGMENT_ALIGN == 0);
	struct appender *a = mem_zero(1, sizeof(*a));
	*a = (struct appender){ .dir = dir, .segment_bytes = segment_bytes, .segment = segment, .offset = offset, .fd = -1 };
	memcpy(a->uuid, uuid, STORE_UUID_BYTES);
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	if (open_tail(a, segment, &a->fd, &a->direct, err) < 0 || cut(a, offset, err) < 0 || file_sync(a->fd, "segment", err) < 0)
		goto undo;
	int failed = pthread_create(&a->thread, NULL, writer, a);
	if (failed) {
		(void)err_set(err, ERR_RETRY, failed, "start the segment writer");
		goto undo;
	}
	*ret = a;
	return 0;
undo:
	close_fdp(&a->fd);
	free(a);
	return -1;
}

void appender_close(struct appender *a)
{
	if (!a)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->stopping = true;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	if (a->failed.class == 0)
		(void)cut(a, a->offset, NULL);
	close_fdp(&a->fd);
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

uint32_t appender_segment(const struct appender *a)
{
	return a->segment;
}

uint64_t appender_offset(const struct appender *a)
{
	return a->offset;
}

/* The end mark, durable; the writer rests. */
static int seal(struct appender *a, struct err *err)
{
	_Alignas(SEGMENT_ALIGN) static const uint8_t zeros[SEGMENT_ALIGN];
	if (file_write_at(a->fd, zeros, sizeof(zeros), a->offset, err) < 0)
		return -1;
	if (ftruncate(a->fd, (off_t)(a->offset + sizeof(zeros))) < 0)
		return err_set(err, ERR_RETRY, errno, "ftruncate");
	return file_sync(a->fd, "segment", err);
}

int appender_roll(struct appender *a, struct err *err)
{
	if (a->offset < a->segment_bytes)
		return 0;
	if (settle(a, err) < 0)
		return -1;
	int fd = -1;
	bool direct = false;
	if (seal(a, err) < 0 || segment_create(a->dir, a->segment + 1, a->uuid, err) < 0 ||
	    open_tail(a, a->segment + 1, &fd, &direct, err) < 0) {
		(void)err_wrap(err, "seal segment %08" PRIu32 ".tar", a->segment);
		struct err again;
		if (cut(a, a->offset, &again) < 0)
			*err = again;
		return -1;
	}
	(void)close(a->fd);
	a->fd = fd;
	a->direct = direct;
	a->segment++;
	a->offset = a->allocated = SEGMENT_FIRST;
	return 0;
}

void appender_put(struct appender *a, const void *p, size_t n, void (*release)(void *arg), void *arg)
{
	assert(((uintptr_t)p | n) % SEGMENT_ALIGN == 0);
	(void)pthread_mutex_lock(&a->lock);
	while (a->count == JOBS_MAX)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	a->jobs[(a->head + a->count++) % JOBS_MAX] = (struct job){ p, n, a->offset, release, arg };
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	a->offset += n;
}

int appender_sync(struct appender *a, struct err *err)
{
	if (settle(a, err) < 0)
		return -1;
	return file_sync(a->fd, "segment", err) < 0 ? err_wrap(err, "segment %08" PRIu32 ".tar", a->segment) : 0;
}

int appender_cut(struct appender *a, uint64_t offset, struct err *err)
{
	(void)settle(a, NULL);
	if (cut(a, offset, err) < 0)
		return -1;
	a->offset = offset;
	a->failed = (struct err){ 0 };
	return 0;
}
