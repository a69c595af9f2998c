/* committer.c - the one writer's thread: collects changes into groups, commits each, answers. */
#include "daemon/store/committer.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/store/group.h"
#include "daemon/store/large.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#define QUEUE_MAX 256
/* A group's new content ids fall on as many pages of the index as it has ids, until it is large beside the index: twice the
 * group is up to half the writing. LMDB keeps the memory of a group's pages for ever, so the size follows the memory there is. */
#define GROUP_RECORDS_MIN 3000
#define GROUP_RECORDS_MAX 12000
#define RECORD_MEMORY (40U << 10) /* of store_options.memory_bytes, for each record of a group */
#define GROUP_TEXT_MAX (8U << 20)
#define GROUP_NS (200 * NS_PER_MS)
#define WAITED_NS (50 * NS_PER_MS)   /* the same while somebody waits for a change in it */
#define BUSY_RECORDS 64        /* a group of so many is load: it is worth a moment's wait for more, ... */
#define LINGER_NS (4 * NS_PER_MS) /* ...but no longer than this with nothing coming */
#define PAUSE_NS NS_PER_SEC    /* of intake after the disk was found full: quotas do not show in free bytes */

struct committer {
	struct store *store;
	struct queue *queue;     /* of struct change */
	struct appender *log;
	struct batch *batch;
	size_t group_records;    /* at most */
	uint64_t busy_until_ns;  /* load was seen within the last WAITED_NS */
	struct change **taken;   /* of the running group */
	size_t taken_count, taken_capacity;
	atomic_bool stopping;
	pthread_t thread;
	pthread_mutex_t lock;    /* for the rest */
	struct mark mark;
	struct err failed;       /* class 0: all is well. Sticky */
};

static void answer(struct change *c, int64_t revision, const struct err *err)
{
	if (c->refused.class != 0)
		c->done(c->done_arg, -1, &c->refused);
	else
		c->done(c->done_arg, revision < 0 ? -1 : c->logged ? revision : 0, err);
	change_free(c);
}

static void answer_all(struct committer *w, int64_t revision, const struct err *err)
{
	for (size_t i = 0; i < w->taken_count; i++)
		answer(w->taken[i], revision, err);
	w->taken_count = 0;
}

/* Conditions that pass by themselves: the group is undone and its makers try again. All else is fatal. */
static bool passing(const struct err *err)
{
	switch (err->sys) {
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return err->class == ERR_RETRY;
	default:
		return false;
	}
}

static void fail_for_good(struct committer *w, struct err *err)
{
	err->class = ERR_FATAL;
	(void)err_wrap(err, "the store has stopped, nothing that was acknowledged is lost; start again to re-verify");
	(void)pthread_mutex_lock(&w->lock);
	w->failed = *err;
	(void)pthread_mutex_unlock(&w->lock);
}

/* The group cannot be committed: nothing of it stays. */
static void group_fail(struct committer *w, struct group *g, struct err *err)
{
	struct err undo;
	bool pass = passing(err);
	group_abort(g);
	if (pass && group_undo(g, &undo) < 0) {
		*err = undo;
		pass = false;
	}
	if (pass) {
		atomic_store(&w->store->paused_until_ns, clock_mono_ns() + PAUSE_NS);
		(void)err_wrap(err, "the store is paused");
	} else {
		fail_for_good(w, err);
	}
	answer_all(w, -1, err);
}

static void taken_add(struct committer *w, struct change *c)
{
	if (w->taken_count == w->taken_capacity) {
		w->taken_capacity = w->taken_capacity ? 2 * w->taken_capacity : 16;
		w->taken = mem_resize(w->taken, w->taken_capacity, sizeof(struct change *));
	}
	w->taken[w->taken_count++] = c;
}

/* One more change for the running group, or NULL: it is full, its time is up, or nothing waits and nothing is likely to. */
static struct change *next_change(struct committer *w, const struct group *g, uint64_t deadline_ns)
{
	uint64_t now = clock_mono_ns();
	if (g->records >= w->group_records || w->taken_count >= w->group_records || batch_bytes(g->batch) >= GROUP_TEXT_MAX ||
	    now >= deadline_ns || atomic_load(&w->stopping))
		return NULL;
	if (g->records >= BUSY_RECORDS)
		w->busy_until_ns = now + WAITED_NS;
	uint64_t until = now >= w->busy_until_ns ? now : now + LINGER_NS;
	return queue_pop_until(w->queue, until < deadline_ns ? until : deadline_ns);
}

static void group_run(struct committer *w, struct change *first)
{
	uint64_t start_ns = clock_mono_ns(), deadline_ns = start_ns + GROUP_NS;
	struct group g;
	struct err err = { 0 };
	struct mark mark = w->mark; /* only this thread writes it */
	int result = group_begin(&g, w->store, w->log, w->batch, &mark, &err);
	for (struct change *c = first; c; c = result < 0 ? NULL : next_change(w, &g, deadline_ns)) {
		taken_add(w, c);
		if (c->waited)
			deadline_ns = start_ns + WAITED_NS;
		if (result == 0)
			result = group_take(&g, c, &err);
	}
	if (result == 0)
		result = group_commit(&g, &mark, &err);
	if (result < 0) {
		group_fail(w, &g, &err);
		return;
	}
	(void)pthread_mutex_lock(&w->lock);
	w->mark = mark;
	(void)pthread_mutex_unlock(&w->lock);
	answer_all(w, (int64_t)mark.revision, NULL);
}

static void *committer_main(void *arg)
{
	struct committer *w = arg;
	for (struct change *c; (c = queue_pop(w->queue)) != NULL;) {
		struct err why;
		if (committer_failed(w, &why) < 0)
			answer(c, -1, &why);
		else if (!atomic_load(&w->stopping))
			group_run(w, c);
		else {
			(void)err_set(&why, ERR_RETRY, 0, "the store is closing");
			answer(c, -1, &why);
		}
	}
	return NULL;
}

int committer_open(struct store *s, const struct mark *at, struct committer **ret, struct err *err)
{
	struct appender *log;
	if (appender_open(s->segments, s->uuid, s->options.segment_bytes, at->segment, at->offset, &log, err) < 0)
		return -1;
	struct committer *w = mem_zero(1, sizeof(*w));
	w->store = s;
	w->log = log;
	w->mark = *at;
	w->group_records = s->options.memory_bytes / RECORD_MEMORY;
	if (w->group_records < GROUP_RECORDS_MIN)
		w->group_records = GROUP_RECORDS_MIN;
	if (w->group_records > GROUP_RECORDS_MAX)
		w->group_records = GROUP_RECORDS_MAX;
	w->batch = batch_new();
	w->queue = queue_new(QUEUE_MAX, NULL);
	(void)pthread_mutex_init(&w->lock, NULL);
	int failed = pthread_create(&w->thread, NULL, committer_main, w);
	if (failed) {
		appender_close(log);
		batch_free(w->batch);
		queue_free(w->queue);
		free(w);
		return err_set(err, ERR_RETRY, failed, "start the committer");
	}
	*ret = w;
	return 0;
}

void committer_close(struct committer *w)
{
	if (!w)
		return;
	atomic_store(&w->stopping, true);
	queue_close(w->queue);
	(void)pthread_join(w->thread, NULL);
	queue_free(w->queue);
	appender_close(w->log);
	batch_free(w->batch);
	free(w->taken);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

int committer_failed(struct committer *w, struct err *err)
{
	(void)pthread_mutex_lock(&w->lock);
	struct err failed = w->failed;
	(void)pthread_mutex_unlock(&w->lock);
	if (failed.class == 0)
		return 0;
	if (err)
		*err = failed;
	return -1;
}

void committer_mark(struct committer *w, struct mark *ret)
{
	(void)pthread_mutex_lock(&w->lock);
	*ret = w->mark;
	(void)pthread_mutex_unlock(&w->lock);
}

/* Is this content stored already? Then a large file of it need not be made durable. */
static bool content_stored(struct store *s, const struct content_id *id)
{
	struct view *v;
	struct item item;
	if (view_open(s, &v, NULL) < 0)
		return false;
	uint64_t known = view_item_by_content(v, id);
	bool stored = known && view_item(v, known, &item, NULL) == 1 && item.at.kind != LOCATION_REFERENCE;
	view_close(v);
	return stored;
}

/* Large files are synced by whoever submits them, so that small ones do not wait for them. */
static int publish_files(struct store *s, struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->arrivals.count; i++) {
		const struct arrival *a = &c->arrivals.at[i];
		if (a->how == ARRIVAL_FILE && !content_stored(s, &a->content) &&
		    large_publish(s->large, a->fd, &a->content, a->bytes, err) < 0)
			return -1;
	}
	return 0;
}

int committer_submit(struct store *s, struct change *c, committed_fn *done, void *arg, struct err *err)
{
	struct committer *w = s->committer;
	c->done = done;
	c->done_arg = arg;
	if (publish_files(s, c, &c->refused) < 0 && c->refused.class == ERR_FATAL)
		fail_for_good(w, &c->refused);
	if (queue_push(w->queue, c) == 0)
		return 0;
	change_free(c);
	return err_set(err, ERR_RETRY, 0, "the store is closing");
}

/* committer_wait()'s end of a change. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	int64_t revision;
	struct err err;
};

static void wake(void *arg, int64_t revision, const struct err *err)
{
	struct waiter *waiter = arg;
	(void)pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	waiter->revision = revision;
	if (revision < 0)
		waiter->err = *err;
	(void)pthread_cond_signal(&waiter->changed);
	(void)pthread_mutex_unlock(&waiter->lock);
}

int64_t committer_wait(struct store *s, struct change *c, struct err *err)
{
	c->waited = true;
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	if (committer_submit(s, c, wake, &waiter, err) < 0)
		return -1;
	(void)pthread_mutex_lock(&waiter.lock);
	while (!waiter.done)
		(void)pthread_cond_wait(&waiter.changed, &waiter.lock);
	(void)pthread_mutex_unlock(&waiter.lock);
	if (waiter.revision < 0 && err)
		*err = waiter.err;
	return waiter.revision;
}

int committer_set_meta(struct store *s, const char *name, struct slice value, struct err *err)
{
	struct change *c = change_new();
	change_meta(c, slice_of(name), value);
	return committer_wait(s, c, err) < 0 ? -1 : 0;
}
