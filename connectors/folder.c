/* folder.c - the watched folder: a pass is root, look, root again; between passes events say where to look. */
#include "connectors/connector.h"

#include "config/config.h"
#include "connectors/folder_read.h"
#include "connectors/folder_root.h"
#include "connectors/folder_scan.h"
#include "connectors/folder_watch.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define POLL_MS 30000U            /* of a file system that sends no events, unless poll_ms is set */
#define OFFLINE_BASE_MS 1000U
#define OFFLINE_CAP_MS 30000U
#define AGAIN_NS NS_PER_SEC       /* after a pass that was broken off */

struct connector {
	const struct folder_config *config;
	struct watch *watch;
	struct reader *reader;
	int events;                   /* epoll over the watches, the mounts, the reader's timer and poke */
	int mounts;                   /* /proc/self/mountinfo; -1: no /proc */
	int poke;                     /* written when a pass has changed when the next is due */
	atomic_bool stopping;
	uint32_t offline_looks;       /* discover() only */
	dev_t device;                 /* of the root the watch tree is about; discover() only */
	ino_t inode;

	pthread_mutex_t lock;         /* guards what follows */
	char path[PATH_MAX];          /* of the root with symlinks resolved, as of the last look */
	struct digest128 mounted;
	char root[ROOT_IDENTITY_MAX]; /* at the last look */
	char known_root[256];         /* at the last complete pass */
	bool had_objects;
	bool offline, polled;
	char why[sizeof(((struct err *)0)->text)]; /* offline: what is wrong */
};

_Static_assert(sizeof(((struct connector *)0)->why) == sizeof(((struct source_status *)0)->message), "why is a message");

static void add_event(const struct connector *c, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };
	if (fd >= 0)
		(void)epoll_ctl(c->events, EPOLL_CTL_ADD, fd, &e);
}

static void folder_close(struct connector *c);

static int folder_open(const void *config, const char *root, bool had_objects, struct connector **ret, struct err *err)
{
	const struct folder_config *f = config;
	struct connector *c = mem_zero(1, sizeof(*c));
	c->config = f;
	c->had_objects = had_objects;
	c->polled = f->poll_ms > 0;
	(void)snprintf(c->path, sizeof(c->path), "%s", f->path);
	(void)snprintf(c->known_root, sizeof(c->known_root), "%s", root ? root : "");
	pthread_mutex_init(&c->lock, NULL);
	c->watch = watch_new(f->settle_ms * NS_PER_MS);
	c->reader = reader_new(f->path, f->settle_ms * NS_PER_MS, &c->stopping);
	c->events = epoll_create1(EPOLL_CLOEXEC);
	c->poke = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (c->events < 0 || c->poke < 0 || reader_timer(c->reader) < 0) {
		int sys = errno;
		folder_close(c);
		return err_set(err, ERR_RETRY, sys, "watch folder '%s'", f->path);
	}
	add_event(c, watch_fd(c->watch), EPOLLIN);
	add_event(c, c->poke, EPOLLIN);
	add_event(c, reader_timer(c->reader), EPOLLIN);
	/* mountinfo is always readable and wakes its pollers at each change. Its EPOLLPRI would be taken by the outer loop's look
	 * into this epoll, before ours. */
	add_event(c, c->mounts, EPOLLIN | EPOLLET);
	c->mounted = root_mounts(c->path);
	watch_want_full(c->watch, clock_mono_ns());
	*ret = c;
	return 0;
}

static void folder_close(struct connector *c)
{
	if (!c)
		return;
	watch_free(c->watch);
	reader_free(c->reader);
	close_fdp(&c->events);
	close_fdp(&c->poke);
	close_fdp(&c->mounts);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void resolve(struct connector *c, int fd)
{
	char link[32], path[PATH_MAX];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	pthread_mutex_lock(&c->lock);
	if (strcmp(path, c->path) != 0) {
		memcpy(c->path, path, (size_t)n + 1);
		c->mounted = root_mounts(path);
	}
	pthread_mutex_unlock(&c->lock);
}

/* An empty root that is not the one of the last complete pass: what was there has been unmounted or moved away, or the folder
 * was made anew. Both look alike, so nothing is concluded until it has an entry. */
static int check_emptiness(struct connector *c, const struct root *root, struct err *err)
{
	pthread_mutex_lock(&c->lock);
	bool other = c->had_objects && c->known_root[0] && strcmp(c->known_root, root->identity) != 0;
	char known[sizeof(c->known_root)];
	memcpy(known, c->known_root, sizeof(known));
	pthread_mutex_unlock(&c->lock);
	if (!other)
		return 0;
	int r = root_has_entries(root->fd, c->config->ignore);
	if (r < 0)
		return err_set(err, ERR_RETRY, errno, "folder '%s' cannot be read", c->config->path);
	if (r > 0)
		return 0;
	return err_set(err, ERR_RETRY, 0, "folder '%s' is empty and is not the one seen before (%s, was %s): mount it again; if it was "
		"made anew, it is taken up as soon as it has a file", c->config->path, root->identity, known);
}

static void went_offline(struct connector *c, const struct err *why)
{
	pthread_mutex_lock(&c->lock);
	c->offline = true;
	memcpy(c->why, why->text, sizeof(c->why));
	pthread_mutex_unlock(&c->lock);
	watch_want_full(c->watch,
		clock_mono_ns() + backoff_ms(c->offline_looks++, OFFLINE_BASE_MS, OFFLINE_CAP_MS) * NS_PER_MS);
}

static bool is_offline(struct connector *c)
{
	pthread_mutex_lock(&c->lock);
	bool offline = c->offline;
	pthread_mutex_unlock(&c->lock);
	return offline;
}

static bool polls(const struct connector *c, const struct root *root)
{
	return c->config->poll_ms > 0 || !root->events || watch_fd(c->watch) < 0;
}

/* True: the root has become another one, and all that was known below it is void. */
static bool adopt(struct connector *c, const struct root *root)
{
	bool other = c->device != root->device || c->inode != root->inode;
	if (other) {
		watch_reset(c->watch);
		reader_reset(c->reader);
	}
	c->device = root->device;
	c->inode = root->inode;
	pthread_mutex_lock(&c->lock);
	c->polled = polls(c, root);
	(void)snprintf(c->root, sizeof(c->root), "%s", root->identity);
	pthread_mutex_unlock(&c->lock);
	resolve(c, root->fd);
	return other;
}

/* The root, watched and found to be worth a pass. Watching comes first: what happens after the look at it is announced. */
static int look_at_root(struct connector *c, struct root *root, bool *ret_other, struct err *err)
{
	struct watch_look ignored;
	watch_anchor(c->watch, c->config->path);
	if (root_open(c->config->path, root, err) < 0)
		return -1;
	*ret_other = adopt(c, root);
	if (check_emptiness(c, root, err) == 0)
		return 0;
	if (polls(c, root))
		return -1;
	/* Its first entry shall be noticed at once: watch it, and look again because it may have come in between. */
	(void)watch_enter(c->watch, SLICE_LIT(""), root->fd, root->device, WATCH_EVENTS, &ignored);
	return check_emptiness(c, root, err);
}

struct relay {
	page_fn *emit;
	void *arg;
	atomic_bool found;            /* an entry */
};

static int relay_page(void *arg, const struct page *page, struct err *err)
{
	struct relay *r = arg;
	if (page->count > 0)
		atomic_store_explicit(&r->found, true, memory_order_relaxed);
	return r->emit(r->arg, page, err);
}

static uint64_t full_pass_after_ns(const struct connector *c, const struct root *root, const struct pass *pass)
{
	uint64_t ms = c->config->reconcile_ms;
	if (polls(c, root))
		ms = c->config->poll_ms ? c->config->poll_ms : POLL_MS;
	if (!pass->complete && ms > OFFLINE_CAP_MS)
		ms = OFFLINE_CAP_MS;
	return clock_mono_ns() + ms * NS_PER_MS;
}

static void went_through(struct connector *c, const struct root *root, const struct pass *pass, bool found)
{
	if (pass->full)
		watch_want_full(c->watch, full_pass_after_ns(c, root, pass));
	else if (!pass->complete)
		watch_want_full(c->watch, clock_mono_ns() + OFFLINE_CAP_MS * NS_PER_MS);
	c->offline_looks = 0;
	pthread_mutex_lock(&c->lock);
	c->offline = false;
	c->had_objects |= found;
	if (pass->full && pass->complete)
		(void)snprintf(c->known_root, sizeof(c->known_root), "%s", root->identity);
	pthread_mutex_unlock(&c->lock);
}

static int run_pass(struct connector *c, const struct root *root, const struct buf *places, struct relay *relay,
	struct pass *pass, struct err *err)
{
	uint64_t began_ns = clock_mono_ns();
	struct scan scan = {
		.path = c->config->path,
		.root = root,
		.watch = c->watch,
		.ignore = c->config->ignore,
		.settle_ns = c->config->settle_ms * NS_PER_MS,
		.poll_all = polls(c, root),
		.stopping = &c->stopping,
		.emit = relay_page,
		.arg = relay,
	};
	if (scan_run(&scan, pass->full, places, pass, err) < 0) {
		watch_want_full(c->watch, clock_mono_ns() + AGAIN_NS);
		return -1;
	}
	watch_end(c->watch, pass->full, began_ns);
	if (!root_same(c->config->path, root)) {
		pass->complete = false;
		watch_want_full(c->watch, clock_mono_ns());
	}
	went_through(c, root, pass, relay->found);
	return 0;
}

static void poke(const struct connector *c)
{
	(void)eventfd_write(c->poke, 1);
}

static int folder_discover(struct connector *c, enum discover_scope scope, page_fn *emit, void *arg, struct pass *ret_pass,
	struct err *err)
{
	CLEANUP(root_close) struct root root = { .fd = -1 };
	CLEANUP(buf_done) struct buf places = { 0 };
	struct relay relay = { .emit = emit, .arg = arg };
	struct pass pass = { .complete = true };
	struct err why = { 0 };
	bool other = false;
	int r;
	pass.full = watch_begin(c->watch, scope == DISCOVER_ALL, &places);
	if (look_at_root(c, &root, &other, &why) < 0) {
		went_offline(c, &why);
		if (err)
			*err = why;
		r = -1;
	} else {
		pass.full |= other || is_offline(c);
		r = run_pass(c, &root, &places, &relay, &pass, err);
	}
	poke(c);
	if (r == 0)
		*ret_pass = pass;
	return r;
}

static int folder_fetch(struct connector *c, const struct object *obj, struct sink *into, struct object *ret_seen,
	struct err *err)
{
	return reader_fetch(c->reader, obj, into, ret_seen, err);
}

static int folder_clone(struct connector *c, const struct object *obj, int to_fd, struct object *ret_seen, struct err *err)
{
	return reader_clone(c->reader, obj, to_fd, ret_seen, err);
}

static int folder_events(const struct connector *c)
{
	return c->events;
}

static void check_mounts(struct connector *c)
{
	pthread_mutex_lock(&c->lock);
	struct digest128 now = root_mounts(c->path);
	bool changed = now.lo != c->mounted.lo || now.hi != c->mounted.hi;
	c->mounted = now;
	pthread_mutex_unlock(&c->lock);
	if (changed)
		watch_want_full(c->watch, clock_mono_ns());
}

static void folder_pump(struct connector *c, uint64_t *ret_due_ns, enum discover_scope *ret_scope)
{
	struct epoll_event events[4];
	eventfd_t pokes;
	bool full;
	int n = epoll_wait(c->events, events, sizeof(events) / sizeof(*events), 0);
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == c->mounts)
			check_mounts(c);
		else if (events[i].data.fd == c->poke)
			(void)eventfd_read(c->poke, &pokes);
		else if (events[i].data.fd == reader_timer(c->reader))
			reader_idle(c->reader);
		else
			watch_drain(c->watch);
	}
	*ret_due_ns = watch_next(c->watch, &full);
	*ret_scope = full ? DISCOVER_ALL : DISCOVER_NEWS;
}

static void folder_stop(struct connector *c)
{
	atomic_store(&c->stopping, true);
}

static uint64_t read_limit(const char *path)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	uint64_t n;
	if (file_slurp(AT_FDCWD, path, 64, &text, NULL) < 0 || text.len == 0 ||
		text_u64((struct slice){ text.data, text.len - 1 }, &n) < 0)
		return 0;
	return n;
}

/* The limit is one of the user namespace we are in, at most that of the host. */
static void describe_starved(const struct watch_counts *n, char *to, size_t size)
{
	uint64_t host = read_limit("/proc/sys/fs/inotify/max_user_watches");
	uint64_t own = read_limit("/proc/sys/user/max_inotify_watches");
	bool inner = own > 0 && own < host;
	uint64_t limit = inner ? own : host, needed = limit + n->starved + n->directories / 4;
	(void)snprintf(to, size, "out of inotify watches: %" PRIu64 " of %" PRIu64 " folder%s %s polled instead; "
		"sysctl -w %s=%" PRIu64 " lets all be watched", n->starved, n->directories, text_s(n->directories),
		n->starved == 1 ? "is" : "are",
		inner ? "user.max_inotify_watches" : "fs.inotify.max_user_watches", (needed + 1023) & ~(uint64_t)1023);
}

static void describe_polled(const struct connector *c, char *to, size_t size)
{
	if (c->config->poll_ms > 0)
		return;
	if (watch_fd(c->watch) < 0)
		(void)snprintf(to, size, "no inotify instance (%s): polled every %u s; raise sysctl fs.inotify.max_user_instances and "
			"restart", strerror(watch_problem(c->watch)), POLL_MS / 1000);
	else
		(void)snprintf(to, size, "the file system sends no events for changes made elsewhere: polled every %u s",
			POLL_MS / 1000);
}

static void folder_status(struct connector *c, struct source_status *ret)
{
	struct watch_counts n;
	watch_counts(c->watch, &n);
	*ret = (struct source_status){
		.health = SOURCE_LIVE,
		.watches = n.watched,
		.denied = n.denied,
		.overflows = n.overflows,
		.events = n.events,
	};
	pthread_mutex_lock(&c->lock);
	(void)snprintf(ret->root, sizeof(ret->root), "%s", c->root);
	if (c->offline) {
		ret->health = SOURCE_OFFLINE;
		memcpy(ret->message, c->why, sizeof(ret->message));
	} else if (c->polled) {
		ret->health = SOURCE_POLLED;
		describe_polled(c, ret->message, sizeof(ret->message));
	} else if (n.starved > 0) {
		ret->health = SOURCE_MIXED;
		describe_starved(&n, ret->message, sizeof(ret->message));
	} else if (n.remote > 0) {
		ret->health = SOURCE_MIXED;
		(void)snprintf(ret->message, sizeof(ret->message), "%" PRIu64 " folder%s on mounted file systems that send no "
			"events: polled", n.remote, n.remote == 1 ? " lies" : "s lie");
	}
	pthread_mutex_unlock(&c->lock);
}

const struct connector_ops folder_connector = {
	.scheme = "folder",
	.layout = LAYOUT_TREE,
	.open = folder_open,
	.discover = folder_discover,
	.fetch = folder_fetch,
	.clone = folder_clone,
	.events = folder_events,
	.pump = folder_pump,
	.status = folder_status,
	.stop = folder_stop,
	.close = folder_close,
};
