/* folder_scan.c - the work stack and its threads, and one directory from open to page.
 *
 * A directory's names are read first and looked at in inode order: on a cold disk that is the order of its inode tables.
 * Lock order: none is held while calling out; the stack's lock is taken alone. */
#include "connectors/folder_scan.h"

#include "connectors/folder_names.h"
#include "connectors/folder_listing.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#define HELP_FROM 8 /* directories waiting before a second thread is worth starting */

struct place {
	struct place *next;
	dev_t device;        /* of the parent: where it differs, the file system is asked what it is */
	enum watch_how how;  /* of the parent */
	uint16_t depth;
	bool deep;           /* look at everything below, not only at what is new */
	size_t len;
	char path[];         /* and a NUL */
};

struct crew {
	const struct scan *scan;
	pthread_mutex_t lock;
	pthread_cond_t changed;      /* a place came, or the last worker rests */
	struct place *stack;
	size_t waiting, working;
	bool failed;                 /* everybody ends; err is set */
	struct err err;
	struct pass pass;
	pthread_t helper;
	bool helped;
};

static void push(struct crew *c, struct place *p)
{
	p->next = c->stack;
	c->stack = p;
	c->waiting++;
	pthread_cond_signal(&c->changed);
}

static struct place *place_new(struct slice parent, struct slice name, const struct place *like)
{
	size_t slash = parent.len > 0 && name.len > 0, len = parent.len + slash + name.len;
	struct place *p = mem_alloc(sizeof(*p) + len + 1);
	*p = (struct place){ .device = like->device, .how = like->how, .depth = like->depth, .deep = like->deep, .len = len };
	memcpy(mempcpy(p->path, parent.p, parent.len), "/", slash);
	memcpy(p->path + parent.len + slash, name.p, name.len);
	p->path[len] = '\0';
	return p;
}

/* One directory while it is looked at. */
struct look {
	const struct place *place;
	struct slice path;
	int fd;                      /* owned */
	dev_t device;
	enum watch_how how;
	struct watch_look seen;
	struct listing *listing;     /* borrowed: the thread's own */
	struct err err;              /* why it failed */
	bool failed;
};

static int look_fails(const struct scan *s, struct look *l, int sys, const char *doing)
{
	CLEANUP(buf_done) struct buf name = { 0 };
	text_shown(&name, l->path);
	l->failed = true;
	return err_set(&l->err, ERR_RETRY, sys, "cannot %s folder '%s' below '%s'%s", doing, name.data ? name.data : "", s->path,
		sys == EACCES ? " (let the daemon's user list it: setfacl -m u:USER:rx on it)" :
		sys == ENAMETOOLONG ? " (it lies too deep: move it up)" : "");
}

static bool is_gone(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == ELOOP;
}

/* It will be so until somebody changes it. */
static bool is_denied(int sys)
{
	return sys == EACCES || sys == EPERM || sys == ENAMETOOLONG;
}

/* Nothing can be said of what is in it. */
static void look_away(const struct scan *s, const struct look *l, int sys)
{
	if (is_denied(sys))
		watch_denied(s->watch, l->path);
	else
		watch_gone(s->watch, l->path, is_gone(sys) && !l->place->deep);
}

/* -1 with errno. */
static int open_place(const struct scan *s, const struct place *p)
{
	int fd;
	if (p->depth > SCAN_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	do
		fd = file_open_beneath(s->root->fd, p->len ? p->path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	while (fd < 0 && errno == EAGAIN); /* something above was renamed while the kernel walked */
	return fd;
}

/* False: there is nothing (any more) to make a page of. A failure is a page too. */
static bool look_open(const struct scan *s, struct look *l)
{
	struct stat st;
	l->fd = open_place(s, l->place);
	if (l->fd < 0 || fstat(l->fd, &st) < 0) {
		int sys = errno;
		look_away(s, l, sys);
		if (is_gone(sys))
			return false;
		(void)look_fails(s, l, sys, "open");
		return true;
	}
	l->device = st.st_dev;
	l->how = l->place->how;
	if (!s->poll_all && st.st_dev != l->place->device)
		l->how = root_events(l->fd) ? WATCH_EVENTS : WATCH_REMOTE;
	return watch_enter(s->watch, l->path, l->fd, l->device, l->how, &l->seen);
}

/* Names and tokens of what is in the directory. -1: it could not be read to the end. */
static int look_read(const struct scan *s, struct look *l, uint64_t *ret_settles_in_ns)
{
	struct listing_rules rules = {
		.ignore = s->ignore,
		.settle_ns = s->settle_ns,
		.stopping = s->stopping,
	};
	if (listing_read(l->listing, l->fd, &rules) < 0)
		return look_fails(s, l, errno, "read");
	*ret_settles_in_ns = l->listing->settles_in_ns;
	if (l->seen.lost_mount && l->listing->count == 0 && l->listing->skipped == 0)
		return look_fails(s, l, 0, "believe the emptiness of (a file system was mounted there: mount it again, or remove the "
			"directory if it is to go)");
	return 0;
}

static void push_children(struct crew *c, const struct look *l)
{
	bool deep = l->place->deep || l->seen.fresh;
	struct place like = { .device = l->device, .how = l->how, .depth = (uint16_t)(l->place->depth + 1), .deep = true };
	struct place *first = NULL;
	for (size_t i = 0; i < l->listing->count; i++) { /* the first comes to lie on top: new rows are behind the older ones */
		const struct entry *e = &l->listing->entries[i];
		if (e->kind != ENTRY_DIRECTORY || (!deep && watch_knows(c->scan->watch, l->path, e->name)))
			continue;
		struct place *p = place_new(l->path, e->name, &like);
		p->next = first;
		first = p;
	}
	pthread_mutex_lock(&c->lock);
	for (struct place *next; first; first = next) {
		next = first->next;
		push(c, first);
	}
	pthread_mutex_unlock(&c->lock);
}

static void count(struct crew *c, const struct look *l)
{
	pthread_mutex_lock(&c->lock);
	if (l->failed) {
		c->pass.unreadable++;
		/* A lasting state the page tells; anything else may be a moment's trouble. */
		if (!is_denied(l->err.sys))
			c->pass.complete = false;
	} else {
		c->pass.settling += l->listing->settling;
		c->pass.unreadable += l->listing->unreadable;
	}
	pthread_mutex_unlock(&c->lock);
}

static bool is_stopping(const struct scan *s)
{
	return atomic_load_explicit(s->stopping, memory_order_relaxed);
}

static int look_page(struct crew *c, struct look *l, struct err *err)
{
	const struct scan *s = c->scan;
	uint64_t began_ns = clock_mono_ns(), settles_in_ns = UINT64_MAX;
	struct page page = { .place = l->path };
	if (!look_open(s, l))
		return 0;
	if (!l->failed && look_read(s, l, &settles_in_ns) < 0 && !l->seen.lost_mount) {
		/* Forgotten, so that the next look at its parent tries it again. */
		look_away(s, l, l->err.sys);
		if (is_gone(l->err.sys))
			return 0;
	}
	if (is_stopping(s))
		return err_set(err, ERR_RETRY, 0, "stopping");
	if (l->failed) {
		page.failed = &l->err;
	} else {
		page.entries = l->listing->entries;
		page.count = l->listing->count;
		page.skipped = l->listing->skipped;
		page.mounted = l->seen.mount;
	}
	watch_leave(s->watch, &page, l->how, settles_in_ns, clock_mono_ns() - began_ns);
	count(c, l);
	if (s->emit(s->arg, &page, err) < 0)
		return -1;
	if (!l->failed)
		push_children(c, l);
	return 0;
}

static int work_on(struct crew *c, const struct place *p, struct listing *listing, struct err *err)
{
	struct look l = { .place = p, .path = { p->path, p->len }, .fd = -1, .listing = listing };
	int r = look_page(c, &l, err);
	close_fdp(&l.fd);
	return r;
}

/* The next place; NULL: all is done, or somebody failed. Called and returns with the lock held. */
static struct place *pop(struct crew *c)
{
	while (!c->failed && !c->stack && c->working > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	if (c->failed || !c->stack)
		return NULL;
	struct place *p = c->stack;
	c->stack = p->next;
	c->waiting--;
	return p;
}

static void *work(void *arg);

static void call_help(struct crew *c)
{
	if (!c->helped && c->waiting >= HELP_FROM)
		c->helped = pthread_create(&c->helper, NULL, work, c) == 0; /* else alone: slower, that is all */
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct listing listing;
	struct place *p;
	listing_init(&listing);
	pthread_mutex_lock(&c->lock);
	while ((p = pop(c))) {
		struct err err;
		c->working++;
		call_help(c);
		pthread_mutex_unlock(&c->lock);
		int r = work_on(c, p, &listing, &err);
		free(p);
		pthread_mutex_lock(&c->lock);
		c->working--;
		if (r < 0 && !c->failed) {
			c->failed = true;
			c->err = err;
		}
	}
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	listing_done(&listing);
	return NULL;
}

static void push_seeds(struct crew *c, bool all, const struct buf *places)
{
	const struct scan *s = c->scan;
	struct place like = {
		.device = s->root->device,
		.how = s->poll_all ? WATCH_POLL_ALL : WATCH_EVENTS,
		.deep = all,
	};
	if (all)
		push(c, place_new(SLICE_LIT(""), SLICE_LIT(""), &like));
	for (const char *p = places->data; !all && p < places->data + places->len; p += strlen(p) + 1) {
		like.depth = 0;
		for (const char *q = p; *q; q++)
			like.depth = (uint16_t)(like.depth + (q == p) + (*q == '/'));
		push(c, place_new(SLICE_LIT(""), slice_of(p), &like));
	}
}

int scan_run(const struct scan *s, bool all, const struct buf *places, struct pass *ret, struct err *err)
{
	struct crew c = { .scan = s, .pass.complete = true };
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.changed, NULL);
	push_seeds(&c, all, places);
	(void)work(&c);
	if (c.helped)
		(void)pthread_join(c.helper, NULL);
	for (struct place *next; c.stack; c.stack = next) {
		next = c.stack->next;
		free(c.stack);
	}
	pthread_cond_destroy(&c.changed);
	pthread_mutex_destroy(&c.lock);
	ret->complete &= c.pass.complete;
	ret->unreadable += c.pass.unreadable;
	ret->settling += c.pass.settling;
	if (c.failed && err)
		*err = c.err;
	return c.failed ? -1 : 0;
}
