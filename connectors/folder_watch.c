/* folder_watch.c - inotify and the due set. What each event means was tried on a real kernel: a hard link or O_TMPFILE + linkat
 * gives CREATE only, truncate() MODIFY only, a rename over an existing directory no DELETE for the victim, so every event
 * about a name makes its directory due, and anything about a directory's name makes that directory's knowledge void. */
#include "connectors/folder_watch.h"

#include "connectors/folder_names.h"
#include "connectors/folder_tree.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/inotify.h>

#define SELF_MASK (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define NAME_MASK (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define NODE_MASK (SELF_MASK | NAME_MASK | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_EXCL_UNLINK)

#define DEBOUNCE_NS (100 * NS_PER_MS)      /* names that go, and directories: nothing has to settle */
#define POLL_NS (30 * NS_PER_SEC)          /* of one unwatched directory */
#define POLL_EACH_NS NS_PER_MS             /* at most one unwatched directory a millisecond */
#define REST_FACTOR 4                      /* a look that took t is not repeated within 4t */
#define COLLAPSE 512                       /* more directories due than this, and a good part of all: a full pass is cheaper */
#define COLLAPSE_PART 4
#define READS_MAX 64                       /* a drain; the main loop has other things to do */

struct watch {
	int fd;
	int problem;
	uint64_t settle_ns, debounce_ns;
	pthread_mutex_t adding;

	pthread_mutex_t lock;
	struct tree tree;
	struct node *anchor;           /* not in the tree: holds the watch of a directory above the root */
	char *anchor_name;             /* the name in it that leads to the root */
	int max_wd;                    /* wds only ever grow: a greater one belongs to a watch that is just being added */
	uint64_t full_due_ns, full_rest_ns;
	uint64_t overflows, events;
	uint32_t stamp;
};

struct watch *watch_new(uint64_t settle_ns)
{
	struct watch *w = mem_zero(1, sizeof(*w));
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->problem = w->fd < 0 ? errno : 0;
	w->settle_ns = settle_ns;
	w->debounce_ns = settle_ns < DEBOUNCE_NS ? settle_ns : DEBOUNCE_NS;
	w->full_due_ns = UINT64_MAX;
	w->anchor = mem_zero(1, sizeof(*w->anchor) + 1);
	w->anchor->wd = NODE_UNWATCHED;
	w->anchor_name = mem_strdup("");
	tree_init(&w->tree);
	pthread_mutex_init(&w->adding, NULL);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		(void)close(w->fd);
	tree_done(&w->tree);
	free(w->anchor);
	free(w->anchor_name);
	pthread_mutex_destroy(&w->adding);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

int watch_problem(const struct watch *w)
{
	return w->problem;
}

static void unwatch(void *arg, int wd)
{
	struct watch *w = arg;
	(void)inotify_rm_watch(w->fd, wd); /* EINVAL: the kernel was faster; its IN_IGNORED is on the way all the same */
}

static void want_full(struct watch *w, uint64_t due_ns)
{
	if (due_ns < w->full_rest_ns)
		due_ns = w->full_rest_ns;
	if (due_ns < w->full_due_ns)
		w->full_due_ns = due_ns;
}

static void name_event(struct watch *w, struct node *n, const struct inotify_event *e, uint64_t now_ns)
{
	struct slice name = slice_of(e->name);
	bool directory = e->mask & IN_ISDIR, gone = e->mask & (IN_DELETE | IN_MOVED_FROM);
	if (!directory && !gone && names_ignored(name.p, name.len, false, NULL))
		return;
	if (directory && (e->mask & IN_ATTRIB)) {
		struct node *child = tree_child(&w->tree, n, name);
		if (child)
			n = child;
	}
	tree_due(&w->tree, n, now_ns + (directory || gone ? w->debounce_ns : w->settle_ns));
}

static void anchor_event(struct watch *w, const struct inotify_event *e, uint64_t now_ns)
{
	if ((e->mask & (SELF_MASK | IN_UNMOUNT | IN_IGNORED)) || (e->len > 0 && strcmp(e->name, w->anchor_name) == 0))
		want_full(w, now_ns + w->debounce_ns);
}

static void node_event(struct watch *w, struct node *n, const struct inotify_event *e, uint64_t now_ns)
{
	if (n->dead)
		return;
	if (n == w->anchor)
		anchor_event(w, e, now_ns);
	else if (e->len > 0)
		name_event(w, n, e, now_ns);
	else if (n == w->tree.root && (e->mask & (SELF_MASK | IN_UNMOUNT)))
		want_full(w, now_ns + w->debounce_ns);
	else if (e->mask & (IN_ATTRIB | IN_UNMOUNT))
		tree_due(&w->tree, n, now_ns + w->debounce_ns);
}

/* The name of a directory came, went or was taken by another: what was known below it is void. */
static void forget_child(struct watch *w, const struct inotify_event *e)
{
	for (struct node *n = tree_holder(&w->tree, e->wd, NULL); n;) {
		struct node *child = n->dead || n == w->anchor ? NULL : tree_child(&w->tree, n, slice_of(e->name));
		if (child)
			tree_remove(&w->tree, child, unwatch, w);
		n = tree_holder(&w->tree, e->wd, child ? NULL : n); /* removing may have removed holders: begin anew */
	}
}

static void take_event(struct watch *w, const struct inotify_event *e, uint64_t now_ns)
{
	w->events++;
	if (e->mask & IN_Q_OVERFLOW) {
		w->overflows++;
		tree_forget_dead(&w->tree); /* the acknowledgements may be among what was lost */
		want_full(w, now_ns);
		return;
	}
	/* Nobody holds a watch that is being added, whose directory has yet to be read, and one that has gone: the kernel may let
	 * an event pass after its IN_IGNORED, which has already made who held it due. */
	for (struct node *n = tree_holder(&w->tree, e->wd, NULL); n; n = tree_holder(&w->tree, e->wd, n))
		node_event(w, n, e, now_ns);
	if (e->mask & IN_IGNORED) {
		tree_lost(&w->tree, e->wd, now_ns);
		tree_clean(&w->tree, w->anchor);
	} else if ((e->mask & IN_ISDIR) && (e->mask & NAME_MASK)) {
		forget_child(w, e);
	}
}

void watch_drain(struct watch *w)
{
	_Alignas(struct inotify_event) char data[32 * 1024];
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = read(w->fd, data, sizeof(data));
		uint64_t now_ns = clock_mono_ns();
		if (n <= 0)
			return;
		pthread_mutex_lock(&w->lock);
		for (char *p = data; p < data + n;) {
			const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
			take_event(w, e, now_ns);
			p += sizeof(*e) + e->len;
		}
		pthread_mutex_unlock(&w->lock);
	}
}

uint64_t watch_next(struct watch *w, bool *ret_full)
{
	uint64_t now_ns = clock_mono_ns();
	pthread_mutex_lock(&w->lock);
	if (w->tree.first_due_ns <= now_ns)
		tree_first_due(&w->tree);
	uint64_t due_ns = w->full_due_ns;
	*ret_full = due_ns <= w->tree.first_due_ns || due_ns <= now_ns;
	if (!*ret_full)
		due_ns = w->tree.first_due_ns;
	pthread_mutex_unlock(&w->lock);
	return due_ns;
}

void watch_counts(struct watch *w, struct watch_counts *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = (struct watch_counts){
		.directories = w->tree.nodes,
		.watched = w->tree.watched,
		.remote = w->tree.remote,
		.denied = w->tree.denied,
		.overflows = w->overflows,
		.events = w->events,
	};
	ret->starved = w->tree.nodes + (w->anchor->wd != NODE_UNWATCHED) - w->tree.watched - w->tree.remote - w->tree.denied;
	pthread_mutex_unlock(&w->lock);
}

void watch_want_full(struct watch *w, uint64_t due_ns)
{
	pthread_mutex_lock(&w->lock);
	want_full(w, due_ns);
	pthread_mutex_unlock(&w->lock);
}

static void take_due(struct tree *t, uint64_t now_ns, struct buf *places)
{
	for (struct node *n = t->due, *next; n; n = next) {
		next = n->due_next;
		if (n->due_ns <= now_ns) {
			tree_path(n, places);
			buf_char(places, '\0');
			tree_clean(t, n);
		}
	}
	tree_first_due(t);
}

static uint64_t count_due(const struct tree *t, uint64_t now_ns)
{
	uint64_t due = 0;
	for (const struct node *n = t->due; n; n = n->due_next)
		due += n->due_ns <= now_ns;
	return due;
}

bool watch_begin(struct watch *w, bool all, struct buf *places)
{
	uint64_t now_ns = clock_mono_ns();
	pthread_mutex_lock(&w->lock);
	uint64_t due = all ? 0 : count_due(&w->tree, now_ns);
	bool full = all || !w->tree.root || w->full_due_ns <= now_ns ||
		(due > COLLAPSE && due > w->tree.nodes / COLLAPSE_PART);
	if (full)
		w->full_due_ns = UINT64_MAX;
	else
		take_due(&w->tree, now_ns, places);
	pthread_mutex_unlock(&w->lock);
	return full;
}

void watch_end(struct watch *w, bool full, uint64_t began_ns)
{
	uint64_t now_ns = clock_mono_ns();
	pthread_mutex_lock(&w->lock);
	if (full) {
		w->full_rest_ns = now_ns + REST_FACTOR * (now_ns - began_ns);
		if (w->full_due_ns < w->full_rest_ns)
			w->full_due_ns = w->full_rest_ns;
	}
	pthread_mutex_unlock(&w->lock);
}

/* Splits at the last '/', in place; the name, or NULL when nothing is above. */
static char *cut_last(char *path)
{
	char *slash;
	while ((slash = strrchr(path, '/')) && slash[1] == '\0' && slash != path)
		*slash = '\0';
	if (!slash || slash[1] == '\0')
		return NULL;
	*slash = '\0';
	return slash + 1;
}

void watch_anchor(struct watch *w, const char *root)
{
	CLEANUP(freep) char *path = mem_strdup(root);
	char *name;
	pthread_mutex_lock(&w->adding);
	while (w->fd >= 0 && (name = cut_last(path))) {
		int wd = inotify_add_watch(w->fd, *path ? path : "/", NAME_MASK | SELF_MASK | IN_MASK_ADD);
		if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		pthread_mutex_lock(&w->lock);
		if (wd != w->anchor->wd)
			tree_release(&w->tree, w->anchor, unwatch, w);
		if (wd >= 0 && w->anchor->wd == NODE_UNWATCHED)
			tree_bind(&w->tree, w->anchor, wd);
		if (wd > w->max_wd)
			w->max_wd = wd;
		free(w->anchor_name);
		w->anchor_name = mem_strdup(name);
		pthread_mutex_unlock(&w->lock);
		break;
	}
	pthread_mutex_unlock(&w->adding);
}

void watch_reset(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	if (w->tree.root)
		tree_remove(&w->tree, w->tree.root, unwatch, w);
	pthread_mutex_unlock(&w->lock);
}

static int add_watch(const struct watch *w, int fd)
{
	char path[32];
	/* By the descriptor, so that what is watched is what will be read, whatever the path leads to by now. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return inotify_add_watch(w->fd, path, NODE_MASK);
}

/* The kernel gave wd again, but it was removed between that and our taking the lock. */
static bool is_stale(const struct watch *w, int wd)
{
	const struct node *holder = tree_holder(&w->tree, wd, NULL);
	return wd >= 0 && wd <= w->max_wd && (!holder || holder->dead);
}

static void bind(struct watch *w, struct node *n, int wd)
{
	if (n->wd == wd)
		return;
	tree_release(&w->tree, n, unwatch, w);
	if (wd >= 0)
		tree_bind(&w->tree, n, wd);
}

static void look_begins(struct watch *w, struct node *n, int wd, dev_t device, bool remote, struct watch_look *ret)
{
	bool mount = n->parent && n->parent->device != device;
	ret->fresh = n->device == 0 || (wd >= 0 && wd != n->wd);
	ret->mount = mount;
	ret->lost_mount = n->mount && !mount;
	n->mount |= mount;
	n->device = device;
	w->tree.remote += remote;
	w->tree.remote -= n->remote;
	n->remote = remote;
	w->tree.denied -= n->denied;
	n->denied = false;
	bind(w, n, wd);
	tree_clean(&w->tree, n);
}

bool watch_enter(struct watch *w, struct slice path, int fd, dev_t device, enum watch_how how, struct watch_look *ret)
{
	bool watchable = how == WATCH_EVENTS && w->fd >= 0;
	int wd, tries = 0;
	pthread_mutex_lock(&w->adding);
	do {
		wd = watchable ? add_watch(w, fd) : -1;
		pthread_mutex_lock(&w->lock);
	} while (is_stale(w, wd) && tries++ < 3 && pthread_mutex_unlock(&w->lock) == 0);
	if (wd > w->max_wd)
		w->max_wd = wd;
	struct node *n = tree_add(&w->tree, path);
	if (n) {
		look_begins(w, n, wd, device, how == WATCH_REMOTE, ret);
	} else if (wd >= 0 && !tree_holder(&w->tree, wd, NULL)) {
		unwatch(w, wd);
		tree_bury(&w->tree, wd);
	}
	pthread_mutex_unlock(&w->lock);
	pthread_mutex_unlock(&w->adding);
	return n != NULL;
}

/* Directories that are no longer there; where events arrive they have told so already. */
static void prune(struct watch *w, struct node *n, const struct page *page)
{
	uint32_t stamp = ++w->stamp;
	for (const struct entry *e = page->entries; e < page->entries + page->count; e++) {
		struct node *child = e->kind == ENTRY_DIRECTORY ? tree_child(&w->tree, n, e->name) : NULL;
		if (child)
			child->stamp = stamp;
	}
	for (struct node *child = n->children, *next; child; child = next) {
		next = child->next;
		if (child->stamp != stamp)
			tree_remove(&w->tree, child, unwatch, w);
	}
}

void watch_leave(struct watch *w, const struct page *page, enum watch_how how, uint64_t settles_in_ns, uint64_t spent_ns)
{
	uint64_t now_ns = clock_mono_ns();
	pthread_mutex_lock(&w->lock);
	struct node *n = tree_find(&w->tree, page->place);
	if (n && !page->failed) {
		prune(w, n, page);
		n->mount = n->parent && n->parent->device != n->device;
		n->rest_until_ns = now_ns + REST_FACTOR * spent_ns;
	}
	if (n && settles_in_ns != UINT64_MAX)
		tree_due(&w->tree, n, now_ns + settles_in_ns);
	if (n && n->wd == NODE_UNWATCHED && !n->denied && how != WATCH_POLL_ALL) {
		uint64_t each_ns = (w->tree.nodes - w->tree.watched) * POLL_EACH_NS;
		tree_due(&w->tree, n, now_ns + (each_ns > POLL_NS ? each_ns : POLL_NS));
	}
	pthread_mutex_unlock(&w->lock);
}

void watch_gone(struct watch *w, struct slice path, bool look_at_parent)
{
	pthread_mutex_lock(&w->lock);
	struct node *n = tree_find(&w->tree, path);
	if (n && n->parent) {
		if (look_at_parent)
			tree_due(&w->tree, n->parent, clock_mono_ns() + w->settle_ns);
		tree_remove(&w->tree, n, unwatch, w);
	}
	pthread_mutex_unlock(&w->lock);
}

void watch_denied(struct watch *w, struct slice path)
{
	pthread_mutex_lock(&w->lock);
	struct node *n = tree_find(&w->tree, path);
	if (n && n->parent)
		tree_remove(&w->tree, n, unwatch, w);
	n = path.len > 0 ? tree_add(&w->tree, path) : NULL;
	if (n) {
		n->denied = true;
		w->tree.denied++;
	}
	pthread_mutex_unlock(&w->lock);
}

bool watch_knows(struct watch *w, struct slice parent, struct slice name)
{
	pthread_mutex_lock(&w->lock);
	const struct node *n = tree_find(&w->tree, parent);
	const struct node *child = n ? tree_child(&w->tree, n, name) : NULL;
	bool known = child && !child->denied;
	pthread_mutex_unlock(&w->lock);
	return known;
}
