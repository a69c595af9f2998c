/* folder_read.c - open beneath the root, probe, read, compare. */
#include "connectors/folder_read.h"

#include "connectors/folder_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#define READ_BYTES (256U << 10)       /* a read: what was just read is hashed while it is in the cache */
#define BIG_BYTES (1U << 20)          /* from here on the kernel is told that reading is sequential */
#define TICK_NS (20 * NS_PER_MS)      /* no kernel's time stamps are coarser (CONFIG_HZ=100 gives 10 ms) */
#define IDLE_NS (2 * NS_PER_SEC)

struct reader {
	const char *path;
	uint64_t settle_ns;
	const atomic_bool *stopping;
	atomic_bool atime;            /* O_NOATIME was refused once: files of other owners */
	atomic_bool used;             /* since the last reader_idle() */
	int timer;
	pthread_rwlock_t lock;        /* guards root; held for reading while opening below it */
	int root;                     /* -1: not open */
};

struct reader *reader_new(const char *path, uint64_t settle_ns, const atomic_bool *stopping)
{
	struct reader *r = mem_zero(1, sizeof(*r));
	r->path = path;
	r->settle_ns = settle_ns;
	r->stopping = stopping;
	r->root = -1;
	r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	(void)signal(SIGIO, SIG_IGN); /* it kills by default, and is sent where somebody breaks a probing lease (is_written_to()) */
	pthread_rwlock_init(&r->lock, NULL);
	return r;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	close_fdp(&r->root);
	close_fdp(&r->timer);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

int reader_timer(const struct reader *r)
{
	return r->timer;
}

static void set_timer(struct reader *r, uint64_t in_ns)
{
	struct itimerspec at = { .it_value = clock_spec(in_ns) };
	(void)timerfd_settime(r->timer, 0, &at, NULL);
}

void reader_reset(struct reader *r)
{
	pthread_rwlock_wrlock(&r->lock);
	close_fdp(&r->root);
	r->root = -1;
	pthread_rwlock_unlock(&r->lock);
}

void reader_idle(struct reader *r)
{
	uint64_t rings;
	if (read(r->timer, &rings, sizeof(rings)) < 0)
		return;
	if (atomic_exchange(&r->used, false) || pthread_rwlock_trywrlock(&r->lock) != 0) {
		set_timer(r, IDLE_NS);
		return;
	}
	close_fdp(&r->root);
	r->root = -1;
	pthread_rwlock_unlock(&r->lock);
}

static int open_root(struct reader *r)
{
	pthread_rwlock_wrlock(&r->lock);
	if (r->root < 0) {
		r->root = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		set_timer(r, IDLE_NS);
	}
	int sys = r->root < 0 ? errno : 0;
	pthread_rwlock_unlock(&r->lock);
	errno = sys;
	return sys ? -1 : 0;
}

/* -1 with errno. */
static int open_below(struct reader *r, const char *path)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	if (!atomic_load_explicit(&r->used, memory_order_relaxed))
		atomic_store(&r->used, true);
	pthread_rwlock_rdlock(&r->lock);
	while (r->root < 0) {
		pthread_rwlock_unlock(&r->lock);
		if (open_root(r) < 0)
			return -1;
		pthread_rwlock_rdlock(&r->lock);
	}
	int fd = file_open_beneath(r->root, path, flags | (atomic_load_explicit(&r->atime, memory_order_relaxed) ? 0 : O_NOATIME));
	if (fd < 0 && errno == EPERM) {
		atomic_store(&r->atime, true);
		fd = file_open_beneath(r->root, path, flags);
	}
	int sys = errno;
	pthread_rwlock_unlock(&r->lock);
	errno = sys;
	return fd;
}

/* An error about one file, with its name as a person can read it. */
static int file_error(struct err *err, enum err_class class, int sys, struct slice key, const char *what)
{
	CLEANUP(buf_done) struct buf name = { 0 };
	text_shown(&name, key);
	return err_set(err, class, sys, "file '%s' %s", name.data ? name.data : "", what);
}

/* Somebody is at it: no failed call, and nothing that a person has to mend. */
static int unfinished(struct err *err, struct slice key, const char *what)
{
	(void)file_error(err, ERR_RETRY, 0, key, what);
	err->sys = FETCH_UNFINISHED;
	return -1;
}

static int open_error(struct err *err, int sys, struct slice key)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENXIO: /* a socket has taken its name */
	case EXDEV:
		return file_error(err, ERR_RETRY, ENOENT, key, "is gone");
	case EACCES:
	case EPERM:
		return file_error(err, ERR_RETRY, sys, key, "cannot be read");
	default:
		return file_error(err, ERR_RETRY, sys, key, "cannot be opened");
	}
}

/* EAGAIN says that somebody has the file open for writing or mapped writable, success that nobody has, and that it is a regular
 * file. Other refusals (not the owner, no leases on this file system) say nothing. */
enum use { USE_UNKNOWN, USE_NONE, USE_WRITTEN };

static enum use use_of(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? USE_WRITTEN : USE_UNKNOWN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return USE_NONE;
}

static int still_written(const struct object *obj, struct err *err)
{
	return unfinished(err, obj->key, "is still being written");
}

/* While the last change lies within the clock's tick, another one could leave the same time stamp: lets the tick pass. */
static int let_tick_pass(int fd, const struct object *obj, const struct stat *st, struct err *err)
{
	uint64_t now_ns = clock_wall_ns(), ctime_ns = version_ctime_ns(st);
	struct stat later;
	if (ctime_ns > now_ns || ctime_ns + TICK_NS <= now_ns)
		return 0;
	struct timespec rest = clock_spec(ctime_ns + TICK_NS - now_ns);
	(void)nanosleep(&rest, NULL);
	if (fstat(fd, &later) < 0 || !version_same(st, &later))
		return unfinished(err, obj->key, "is just being changed");
	return 0;
}

/* No change since st can be hidden from a later fstat, and nobody is writing. In this order: who opens the file for writing after
 * the probe changes its time stamp when he writes. */
static int vouch(const struct reader *r, int fd, const struct object *obj, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return file_error(err, ERR_RETRY, ENOENT, obj->key, "is gone: its name is no longer a regular file's");
	if (version_settles_in(st, clock_wall_ns(), r->settle_ns) > 0)
		return unfinished(err, obj->key, "changed just now and has to settle");
	if (let_tick_pass(fd, obj, st, err) < 0)
		return -1;
	return use_of(fd) == USE_WRITTEN ? still_written(obj, err) : 0;
}

/* What a file was before it is read. */
struct before {
	struct slice version;  /* the object's, or text */
	uint64_t bytes;
	char text[VERSION_TEXT_MAX];
};

static int look(const struct reader *r, int fd, const struct object *obj, struct before *ret, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return file_error(err, ERR_RETRY, errno, obj->key, "cannot be looked at");
	if (vouch(r, fd, obj, &st, err) < 0)
		return -1;
	ret->version = (struct slice){ ret->text, version_format(&st, ret->text) };
	ret->bytes = (uint64_t)st.st_size;
	return 0;
}

/* Was the listing's look at it as good as one now: of a settled file, whose time stamp was old by then? */
static bool was_looked_at(const struct reader *r, const struct object *obj)
{
	return !obj->racy && obj->version.len > 0 && !atomic_load_explicit(&r->atime, memory_order_relaxed);
}

/* Opens obj and finds it fit to be read. */
static int begin(struct reader *r, const struct object *obj, struct before *ret, struct err *err)
{
	char path[PATH_MAX];
	if (obj->key.len >= sizeof(path))
		return file_error(err, ERR_REJECT, ENAMETOOLONG, obj->key, "has too long a path");
	memcpy(path, obj->key.p, obj->key.len);
	path[obj->key.len] = '\0';
	CLEANUP(close_fdp) int fd = open_below(r, path);
	if (fd < 0)
		return open_error(err, errno, obj->key);
	enum use use = was_looked_at(r, obj) ? use_of(fd) : USE_UNKNOWN;
	if (use == USE_WRITTEN)
		return still_written(obj, err);
	if (use == USE_NONE)
		*ret = (struct before){ .version = obj->version, .bytes = obj->bytes };
	else if (look(r, fd, obj, ret, err) < 0)
		return -1;
	return take_fd(&fd);
}

/* After reading: it is still what it was. */
static int finish(const struct object *obj, int fd, const struct before *before, struct object *ret_seen, struct err *err)
{
	static _Thread_local char text[VERSION_TEXT_MAX];
	struct stat after;
	if (fstat(fd, &after) < 0)
		return file_error(err, ERR_RETRY, errno, obj->key, "cannot be looked at");
	struct slice version = { text, version_format(&after, text) };
	if (!slice_eq(version, before->version))
		return unfinished(err, obj->key, "changed while it was read");
	*ret_seen = (struct object){
		.key = obj->key,
		.version = version,
		.bytes = before->bytes,
		.racy = version_racy(&after, clock_wall_ns()),
	};
	return 0;
}

/* As many bytes as the file had at first, no more however fast it grows. */
static int read_all(const struct reader *r, const struct object *obj, int fd, uint64_t bytes, struct sink *into,
	struct err *err)
{
	for (uint64_t at = 0; at < bytes;) {
		size_t room = 0;
		uint8_t *to = into->ops->space(into, &room, err);
		if (!to)
			return -1;
		if (room > READ_BYTES)
			room = READ_BYTES;
		ssize_t n = pread(fd, to, room < bytes - at ? room : (size_t)(bytes - at), (off_t)at); /* read() locks the position */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_error(err, ERR_RETRY, errno, obj->key, "cannot be read");
		if (n == 0)
			return unfinished(err, obj->key, "became shorter while it was read");
		if (into->ops->wrote(into, (size_t)n, err) < 0)
			return -1;
		at += (uint64_t)n;
		if (atomic_load_explicit(r->stopping, memory_order_relaxed))
			return file_error(err, ERR_RETRY, 0, obj->key, "was not read to its end: stopping");
	}
	return 0;
}

int reader_fetch(struct reader *r, const struct object *obj, struct sink *into, struct object *ret_seen, struct err *err)
{
	struct before before;
	CLEANUP(close_fdp) int fd = begin(r, obj, &before, err);
	if (fd < 0)
		return -1;
	if (before.bytes >= BIG_BYTES)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (read_all(r, obj, fd, before.bytes, into, err) < 0)
		return -1;
	return finish(obj, fd, &before, ret_seen, err);
}

int reader_clone(struct reader *r, const struct object *obj, int to_fd, struct object *ret_seen, struct err *err)
{
	struct before before;
	CLEANUP(close_fdp) int fd = begin(r, obj, &before, err);
	if (fd < 0)
		return -1;
	if (ioctl(to_fd, FICLONE, fd) < 0) {
		if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOTTY)
			return file_error(err, ERR_REJECT, errno, obj->key,
				"cannot reflink (the folder and the store must lie on one file system that can, as btrfs and xfs do)");
		return file_error(err, ERR_RETRY, errno, obj->key, "cannot be cloned");
	}
	return finish(obj, fd, &before, ret_seen, err);
}
