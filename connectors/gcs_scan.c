/* gcs_scan.c - ranges of keys, shared out among threads while they are listed. */
#include "connectors/gcs_scan.h"

#include "connectors/gcs_list.h"
#include "connectors/gcs_split.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <assert.h>

#define PAGES_ALONE 8U        /* pages of the bucket before it is worth a second thread */
#define PAGES_BETWEEN 2U      /* pages of a range before it is cut, or cut again: so at most every third request finds little */
#define EMPTY_PAGES_MAX 1000U /* in a row, each with a token for the next: legal, but not for ever */

/* The keys in [start, end). */
struct range {
	struct range *next;
	struct buf start, end; /* empty: from the first, to the last */
	uint32_t pages;        /* since it was begun or cut */
};

struct scan {
	struct gcs_api *api;
	struct bucket *bucket;
	page_fn *emit;
	void *arg;
	size_t fixed;          /* bytes that all keys begin with: the prefix */
	uint32_t threads;

	pthread_mutex_t lock;  /* guards what follows */
	pthread_cond_t news;
	struct range *waiting;
	uint32_t waiting_count, running, idle;
	uint64_t pages;
	struct gcs_alphabet alphabet;
	bool failed;
	struct err err;        /* the first one */
	pthread_t pool[GCS_SCAN_THREADS - 1];
	uint32_t pool_count;
};

static void range_free(struct range *r)
{
	buf_done(&r->start);
	buf_done(&r->end);
	free(r);
}

static void *work(void *arg);

/* Locked. Threads are begun when there is something for them. */
static void push(struct scan *s, struct range *r)
{
	r->next = s->waiting;
	s->waiting = r;
	s->waiting_count++;
	if (s->idle >= s->waiting_count)
		(void)pthread_cond_signal(&s->news);
	else if (s->pool_count + 1 < s->threads && pthread_create(&s->pool[s->pool_count], NULL, work, s) == 0)
		s->pool_count++;
}

/* Blocks while there may still be something to do. NULL: all is listed, or failed. */
static struct range *take(struct scan *s)
{
	struct range *r = NULL;
	pthread_mutex_lock(&s->lock);
	s->idle++;
	while (!s->failed && !s->waiting && s->running > 0)
		(void)pthread_cond_wait(&s->news, &s->lock);
	s->idle--;
	if (!s->failed && s->waiting) {
		r = s->waiting;
		s->waiting = r->next;
		s->waiting_count--;
		s->running++;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

static void finish(struct scan *s, struct range *r, const struct err *failure)
{
	range_free(r);
	pthread_mutex_lock(&s->lock);
	s->running--;
	if (failure && !s->failed) {
		s->failed = true;
		s->err = *failure;
	}
	(void)pthread_cond_broadcast(&s->news);
	pthread_mutex_unlock(&s->lock);
}

/* Cuts off what lies far behind the cursor for threads that have nothing to do. True: the range ends earlier now. -1: another
 * thread failed. */
static int share(struct scan *s, struct range *r, const struct bucket_page *page)
{
	struct buf cut = { 0 };
	int shared = 0;
	pthread_mutex_lock(&s->lock);
	uint32_t free_threads = s->idle + s->threads - 1 - s->pool_count;
	s->pages++;
	r->pages++;
	gcs_alphabet_add(&s->alphabet, buf_slice(&page->text));
	gcs_alphabet_add(&s->alphabet, buf_slice(&page->last));
	while (!s->failed && s->pages >= PAGES_ALONE && r->pages >= PAGES_BETWEEN && free_threads > s->waiting_count &&
		gcs_split(&s->alphabet, s->fixed, buf_slice(&page->last), buf_slice(&r->end), &cut)) {
		struct range *rest = mem_zero(1, sizeof(*rest));
		rest->end = r->end;
		rest->start = cut;
		r->end = cut = (struct buf){ 0 };
		buf_add(&r->end, rest->start.data, rest->start.len);
		free_threads = s->idle + s->threads - 1 - s->pool_count;
		push(s, rest);
		shared = 1;
	}
	if (shared)
		r->pages = 0;
	if (s->failed)
		shared = -1;
	pthread_mutex_unlock(&s->lock);
	buf_done(&cut);
	return shared;
}

/* The place of a range in the bucket, walked page by page. */
struct walk {
	struct bucket_page page;
	struct buf start;        /* a question begins here */
	struct buf token, next;  /* of this question; of the next */
	uint32_t empty;
};

static int distrust(int sys, const char *why, struct err *err)
{
	(void)err_set(err, ERR_RETRY, 0, "the listing cannot be trusted: %s; nothing is concluded from it", why);
	err->sys = sys;
	return -1;
}

static int ask(struct scan *s, const struct range *r, struct walk *w, struct err *err)
{
	struct gcs_question q = { .prefix = slice_of(s->bucket->config->prefix), .start = buf_slice(&w->start),
		.end = buf_slice(&r->end), .token = buf_slice(&w->token) };
	if (gcs_list_page(s->api, &q, &w->page, &w->next, err) < 0)
		return -1;
	w->empty = w->page.listed > 0 ? 0 : w->empty + 1;
	if (w->next.len > 0 && (slice_eq(buf_slice(&w->next), q.token) || w->empty > EMPTY_PAGES_MAX))
		return distrust(EPROTO, "it does not get on", err);
	if (q.end.len > 0 && w->page.listed > 0 && slice_cmp(buf_slice(&w->page.last), q.end) >= 0)
		return distrust(ENOTSUP, "the server does not know endOffset", err);
	return 0;
}

static int emit_page(struct scan *s, const struct range *r, struct walk *w, struct err *err)
{
	CLEANUP(buf_done) struct buf end = { 0 };
	if (w->next.len > 0)
		return w->page.listed == 0 ? 0 : bucket_page_emit(&w->page, buf_slice(&w->page.last), false, s->emit, s->arg, err);
	if (r->end.len == 0)
		return bucket_page_emit(&w->page, buf_slice(&w->page.last), true, s->emit, s->arg, err);
	gcs_before(buf_slice(&r->end), &end);
	return bucket_page_emit(&w->page, buf_slice(&end), false, s->emit, s->arg, err);
}

/* After a cut the question is another one, which its old token does not fit: it begins at the last key. */
static int list_pages(struct scan *s, struct range *r, struct walk *w, struct err *err)
{
	int shared = 0;
	buf_add(&w->start, r->start.data, r->start.len);
	do {
		if (ask(s, r, w, err) < 0)
			return -1;
		CLEANUP(buf_done) struct buf cursor = { 0 };
		buf_add(&cursor, w->page.last.data, w->page.last.len);
		/* The page that was asked for is handed on with the end that it was asked for with: no cut at the last one. */
		shared = w->next.len > 0 && w->page.listed > 0 ? share(s, r, &w->page) : 0;
		if (shared < 0)
			return err_set(err, ERR_RETRY, ECANCELED, "another range failed");
		if (emit_page(s, r, w, err) < 0)
			return -1;
		w->token.len = 0;
		if (shared) {
			w->start.len = 0;
			buf_add(&w->start, cursor.data, cursor.len);
		} else {
			buf_add(&w->token, w->next.data, w->next.len);
		}
	} while (shared || w->token.len > 0);
	return 0;
}

static int list_range(struct scan *s, struct range *r, struct err *err)
{
	CLEANUP(buf_done) struct buf after = { 0 };
	struct walk w = { .empty = 0 };
	if (r->start.len > 0)
		gcs_before(buf_slice(&r->start), &after);
	bucket_page_init(&w.page, s->bucket, buf_slice(&after));
	int result = list_pages(s, r, &w, err);
	bucket_page_done(&w.page);
	buf_done(&w.start);
	buf_done(&w.token);
	buf_done(&w.next);
	return result;
}

static void *work(void *arg)
{
	struct scan *s = arg;
	struct err err;
	for (struct range *r; (r = take(s));)
		finish(s, r, list_range(s, r, &err) < 0 ? &err : NULL);
	return NULL;
}

int gcs_scan(struct gcs_api *api, struct bucket *b, uint32_t threads, page_fn *emit, void *arg, struct err *err)
{
	const char *prefix = b->config->prefix ? b->config->prefix : "";
	struct scan s = { .api = api, .bucket = b, .emit = emit, .arg = arg, .fixed = strlen(prefix), .threads = threads };
	assert(threads >= 1 && threads <= GCS_SCAN_THREADS);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.news, NULL);
	s.waiting = mem_zero(1, sizeof(*s.waiting));
	s.waiting_count = 1;
	(void)work(&s);
	for (uint32_t i = 0; i < s.pool_count; i++) /* no thread is begun any more: nothing runs that could share */
		(void)pthread_join(s.pool[i], NULL);
	for (struct range *r; (r = s.waiting);) {
		s.waiting = r->next;
		range_free(r);
	}
	pthread_cond_destroy(&s.news);
	pthread_mutex_destroy(&s.lock);
	if (s.failed)
		*err = s.err;
	return s.failed ? -1 : 0;
}
