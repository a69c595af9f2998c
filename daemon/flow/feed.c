/* feed.c - claims on the durable queue. */
#include "daemon/flow/feed.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/flow/account.h"
#include "daemon/store/store.h"

#include <pthread.h>
#include <stdlib.h>

#define AHEAD 64          /* rows read at a time */
#define CLAIMS_MAX 4096   /* pieces in hand of one feed */

struct feeds {
	struct store *store;
	struct account *account;
	pthread_mutex_t lock;   /* taken before a feed's */
	struct feed *first;     /* guarded by lock */
};

struct feed {
	struct feeds *all;
	struct feed *sibling;   /* guarded by all->lock */
	enum stage stage;
	enum media media;       /* MEDIAS: every kind */

	pthread_mutex_t lock;   /* guards all below */
	pthread_cond_t changed; /* new work, a release, or a stop */
	struct work ahead[AHEAD]; /* read, not yet claimed: ahead[next .. count) */
	size_t next, count;
	uint64_t *claims;       /* numbers in hand, unordered */
	size_t claim_count;
	bool stopping, woken;
};

/* --- all of them --- */

struct feeds *feeds_new(struct store *s, struct account *a)
{
	struct feeds *all = mem_zero(1, sizeof(*all));
	all->store = s;
	all->account = a;
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

void feeds_free(struct feeds *all)
{
	if (all)
		pthread_mutex_destroy(&all->lock);
	free(all);
}

static void feed_kick(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void feeds_kick(struct feeds *all)
{
	pthread_mutex_lock(&all->lock);
	for (struct feed *f = all->first; f; f = f->sibling)
		feed_kick(f);
	pthread_mutex_unlock(&all->lock);
}

static void join(struct feed *f)
{
	pthread_mutex_lock(&f->all->lock);
	f->sibling = f->all->first;
	f->all->first = f;
	pthread_mutex_unlock(&f->all->lock);
}

static void leave(struct feed *f)
{
	pthread_mutex_lock(&f->all->lock);
	struct feed **at = &f->all->first;
	while (*at != f)
		at = &(*at)->sibling;
	*at = f->sibling;
	pthread_mutex_unlock(&f->all->lock);
}

/* --- one --- */

struct feed *feed_new(struct feeds *all, enum stage stage, enum media media)
{
	struct feed *f = mem_zero(1, sizeof(*f));
	f->all = all;
	f->stage = stage;
	f->media = media;
	f->claims = mem_alloc(CLAIMS_MAX * sizeof(*f->claims));
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &attr);
	pthread_condattr_destroy(&attr);
	join(f);
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	leave(f);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f->claims);
	free(f);
}

void feed_stop(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void feed_wake(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->woken = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static bool claimed(const struct feed *f, uint64_t number)
{
	for (size_t i = 0; i < f->claim_count; i++)
		if (f->claims[i] == number)
			return true;
	return false;
}

static void media_range(const struct feed *f, enum media *ret_first, enum media *ret_last)
{
	*ret_first = f->media == MEDIAS ? 0 : f->media;
	*ret_last = f->media == MEDIAS ? MEDIAS - 1 : f->media;
}

/* When the earliest unclaimed row becomes due, as a clock_mono_ns() deadline; UINT64_MAX: there is none. */
static uint64_t next_due_ns(const struct feed *f, struct view *view)
{
	enum media first, last;
	media_range(f, &first, &last);
	int64_t now_ms = clock_wall_ms(), due_ms = INT64_MAX;
	for (enum media m = first; m <= last; m++) {
		struct work row, after = { .stage = f->stage, .media = m, .due_ms = now_ms, .number = UINT64_MAX };
		struct err err;
		if (view_work(view, f->stage, m, INT64_MAX, &after, &row, 1, &err) > 0 && row.due_ms < due_ms)
			due_ms = row.due_ms;
	}
	if (due_ms == INT64_MAX)
		return UINT64_MAX;
	return clock_mono_ns() + (uint64_t)(due_ms > now_ms ? due_ms - now_ms : 1) * NS_PER_MS;
}

/* Reads due rows that nobody has claimed into ahead[]. Claimed rows stand in front of the table until their commit, so the
 * walk passes over at most claim_count of them. */
static int refill(struct feed *f, uint64_t *ret_due_ns, struct err *err)
{
	CLEANUP(view_closep) struct view *view = NULL; /* no snapshot is held while waiting */
	f->next = f->count = 0;
	if (view_open(f->all->store, &view, err) < 0)
		return -1;
	int64_t now_ms = clock_wall_ms();
	enum media first, last;
	media_range(f, &first, &last);
	for (enum media m = first; m <= last && f->count < AHEAD; m++) {
		struct work rows[AHEAD], after;
		const struct work *from = NULL;
		int n;
		while (f->count < AHEAD && (n = view_work(view, f->stage, m, now_ms, from, rows, AHEAD, err)) > 0) {
			for (int i = 0; i < n && f->count < AHEAD; i++)
				if (!claimed(f, rows[i].number))
					f->ahead[f->count++] = rows[i];
			after = rows[n - 1];
			from = &after;
		}
	}
	if (f->count == 0)
		*ret_due_ns = next_due_ns(f, view);
	return (int)f->count;
}

static void wait_until(struct feed *f, uint64_t ns)
{
	if (ns == UINT64_MAX) {
		pthread_cond_wait(&f->changed, &f->lock);
		return;
	}
	struct timespec at = clock_spec(ns);
	pthread_cond_timedwait(&f->changed, &f->lock, &at);
}

bool feed_next(struct feed *f, uint64_t deadline_ns, struct work *ret)
{
	bool got = false;
	pthread_mutex_lock(&f->lock);
	while (!f->stopping) {
		if (f->next < f->count && f->claim_count < CLAIMS_MAX) {
			*ret = f->ahead[f->next++];
			f->claims[f->claim_count++] = ret->number;
			got = true;
			break;
		}
		uint64_t due_ns = UINT64_MAX;
		struct err err;
		int n = f->claim_count < CLAIMS_MAX ? refill(f, &due_ns, &err) : 0;
		if (n > 0)
			continue;
		if (n < 0) {
			account_fail(f->all->account, &err);
			break;
		}
		if (f->woken || clock_mono_ns() >= deadline_ns)
			break;
		wait_until(f, due_ns < deadline_ns ? due_ns : deadline_ns);
	}
	f->woken = false;
	pthread_mutex_unlock(&f->lock);
	if (got)
		account_take(f->all->account, 1);
	return got;
}

void feed_release(struct feed *f, uint64_t number)
{
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->claim_count; i++) {
		if (f->claims[i] == number) {
			f->claims[i] = f->claims[--f->claim_count];
			break;
		}
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	account_give(f->all->account, 1);
}

bool feed_pending(struct feed *f, uint32_t attempts)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct err err;
	if (view_open(f->all->store, &v, &err) < 0)
		return false;
	enum media first, last;
	media_range(f, &first, &last);
	bool pending = false;
	for (enum media m = first; m <= last && !pending; m++) {
		struct work rows[AHEAD], after;
		const struct work *from = NULL;
		int n;
		while (!pending && (n = view_work(v, f->stage, m, DUE_NEVER - 1, from, rows, AHEAD, &err)) > 0) {
			for (int i = 0; i < n; i++)
				pending = pending || rows[i].attempts < attempts;
			after = rows[n - 1];
			from = &after;
		}
	}
	return pending;
}
