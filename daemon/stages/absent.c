/* absent.c - the keys that a pass did not see: bounded memory, the rest in an unlinked file. */
#include "daemon/stages/absent.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#define ABSENT_MEMORY (1U << 20) /* bytes held before they go to the file */

/* One entry: u8 directory, u32 length, the key; native byte order, it never leaves the process. */
struct absent {
	pthread_mutex_t lock;
	char *spool_dir;
	struct buf held;
	int fd;              /* -1 until needed */
	uint64_t spooled;    /* bytes in the file */
	uint64_t count;
};

struct absent *absent_new(const char *spool_dir)
{
	struct absent *a = mem_zero(1, sizeof(*a));
	pthread_mutex_init(&a->lock, NULL);
	a->spool_dir = mem_strdup(spool_dir);
	a->fd = -1;
	return a;
}

void absent_free(struct absent *a)
{
	if (!a)
		return;
	close_fdp(&a->fd);
	buf_done(&a->held);
	free(a->spool_dir);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int spool(struct absent *a, struct err *err)
{
	if (a->fd < 0)
		a->fd = open(a->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (a->fd < 0)
		return err_set(err, ERR_RETRY, errno, "create a spool file in '%s'", a->spool_dir);
	if (file_write_at(a->fd, a->held.data, a->held.len, a->spooled, err) < 0)
		return -1;
	a->spooled += a->held.len;
	a->held.len = 0;
	return 0;
}

int absent_add(struct absent *a, struct slice key, bool directory, struct err *err)
{
	uint32_t len = (uint32_t)key.len;
	int ok = 0;
	pthread_mutex_lock(&a->lock);
	buf_char(&a->held, (char)directory);
	buf_add(&a->held, &len, sizeof(len));
	buf_add(&a->held, key.p, key.len);
	a->count++;
	if (a->held.len >= ABSENT_MEMORY)
		ok = spool(a, err);
	pthread_mutex_unlock(&a->lock);
	return ok;
}

uint64_t absent_count(struct absent *a)
{
	pthread_mutex_lock(&a->lock);
	uint64_t n = a->count;
	pthread_mutex_unlock(&a->lock);
	return n;
}

/* Calls fn for every whole entry of [p, p + n); returns the bytes consumed, -1 when fn stopped. */
static ssize_t walk(const char *p, size_t n, absent_fn *fn, void *arg, struct err *err)
{
	size_t at = 0;
	uint32_t len;
	while (n - at >= 1 + sizeof(len)) {
		memcpy(&len, p + at + 1, sizeof(len));
		if (n - at - 1 - sizeof(len) < len)
			break;
		if (fn(arg, (struct slice){ p + at + 1 + sizeof(len), len }, p[at] != 0, err) < 0)
			return -1;
		at += 1 + sizeof(len) + len;
	}
	return (ssize_t)at;
}

int absent_each(struct absent *a, absent_fn *fn, void *arg, struct err *err)
{
	CLEANUP(freep) char *window = a->spooled ? mem_alloc(ABSENT_MEMORY) : NULL;
	for (uint64_t at = 0; at < a->spooled;) {
		size_t n = a->spooled - at < ABSENT_MEMORY ? (size_t)(a->spooled - at) : ABSENT_MEMORY;
		if (file_read_at(a->fd, window, n, at, err) < 0)
			return -1;
		ssize_t used = walk(window, n, fn, arg, err);
		if (used <= 0)
			return -1;
		at += (uint64_t)used;
	}
	return walk(a->held.data, a->held.len, fn, arg, err) < 0 ? -1 : 0;
}
