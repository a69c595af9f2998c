/* fetch.c - lanes of fetch threads: one that all folders share, one for each bucket, so that what is far away and slow holds
 * nobody else up. */
#include "daemon/stages/fetch.h"

#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/flow/intake.h"
#include "daemon/stages/fetch_worker.h"
#include "daemon/stages/fetch_ways.h"
#include "daemon/stages/source.h"

#include <stdlib.h>
#include <unistd.h>

struct lane {
	struct fetcher *f;
	const struct source *source; /* NULL: whoever has none of its own */
	struct queue *queue;         /* of struct fetch_batch */
	size_t batch_objects;        /* what one thread takes at once */
	size_t wanted;               /* threads */
	struct threads threads;
};

struct fetch_batch {
	struct source *source;
	struct lane *lane;
	size_t count;
	uint64_t bytes;
	struct fetch_job *jobs[];    /* lane->batch_objects */
};

struct fetcher {
	struct pipeline *p;
	struct lane *lanes;          /* the first is the folders' */
	size_t lane_count;
	struct fetch_ways ways;
	struct intake *intake;       /* whether there is room for more */
};

/* ---- batches ---- */

static struct lane *lane_of(struct fetcher *f, const struct source *s)
{
	size_t i = f->lane_count - 1;
	while (i > 0 && f->lanes[i].source != s)
		i--;
	return &f->lanes[i];
}

struct fetch_batch *fetch_batch_new(struct source *s)
{
	struct lane *lane = lane_of(source_pipeline(s)->fetcher, s);
	struct fetch_batch *b = mem_zero(1, sizeof(*b) + lane->batch_objects * sizeof(*b->jobs));
	b->source = s;
	b->lane = lane;
	return b;
}

bool fetch_batch_add(struct fetch_batch *b, const struct object *o, uint32_t attempts)
{
	struct fetch_job *job = flight_enter(b->lane->f->ways.flight, b->source, o, attempts, 0);
	if (job) {
		b->jobs[b->count++] = job;
		b->bytes += o->bytes;
	}
	return b->count == b->lane->batch_objects || b->bytes >= FETCH_BATCH_BYTES;
}

struct fetch_batch *fetch_batch_retry(struct fetcher *f, struct source *s, const struct object *o, uint32_t attempts,
	uint64_t claim)
{
	struct fetch_job *job = flight_enter(f->ways.flight, s, o, attempts, claim);
	if (!job)
		return NULL;
	struct fetch_batch *b = fetch_batch_new(s);
	b->jobs[b->count++] = job;
	return b;
}

static void batch_free(void *item)
{
	struct fetch_batch *b = item;
	free(b);
}

static int submit(struct fetcher *f, struct fetch_batch *b, int (*push)(struct queue *q, void *item), struct err *err)
{
	if (!b || b->count == 0) {
		batch_free(b);
		return 0;
	}
	account_take(f->p->account, b->count);
	if (push(b->lane->queue, b) == 0)
		return 0;
	for (size_t i = 0; i < b->count; i++)
		fetch_job_end(&f->ways, b->jobs[i]);
	batch_free(b);
	return err_set(err, ERR_RETRY, 0, "stopping");
}

int fetch_submit(struct fetcher *f, struct fetch_batch *b, struct err *err)
{
	return submit(f, b, queue_push, err);
}

int fetch_submit_retry(struct fetcher *f, struct fetch_batch *b, struct err *err)
{
	return submit(f, b, queue_push_over, err);
}

/* ---- threads ---- */

/* Is there room for it in the store? Waits with nothing in hand. A manifest is small, and brings in what its rows name. */
static bool has_room(struct fetcher *f, struct fetch_worker *w, const struct fetch_job *job)
{
	bool brings_more = source_config(job->source)->manifest && job->object.bytes < ARENA_MEMBER_MAX;
	uint64_t bytes = brings_more ? ARENA_MEMBER_MAX : job->object.bytes;
	if (fetch_worker_fits(w, bytes))
		return true;
	fetch_worker_flush(w);
	return intake_wait(f->intake, bytes) == 0;
}

static void take_batch(struct fetcher *f, struct fetch_worker *w, struct fetch_batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct fetch_job *job = b->jobs[i];
		if (account_stopping(f->p->account) || source_paused(b->source)) {
			fetch_job_end(&f->ways, job); /* the pass after the pause finds it again */
		} else if (!has_room(f, w, job)) {
			fetch_job_left(&f->ways, 1);
			fetch_job_end(&f->ways, job);
		} else {
			fetch_worker_take(w, job);
		}
	}
	batch_free(b);
}

/* What follows at once shares a change; nobody waits with an arena in hand, or what is in it would wait as well. */
static struct fetch_batch *next_batch(struct lane *lane, struct fetch_worker *w)
{
	struct fetch_batch *b = fetch_worker_holds(w) ? queue_pop_until(lane->queue, 0) : NULL;
	if (b)
		return b;
	fetch_worker_flush(w);
	return queue_pop(lane->queue);
}

static void *fetch_thread(void *arg)
{
	struct lane *lane = arg;
	struct fetch_worker w;
	struct fetch_batch *b;
	fetch_worker_init(&w, lane->f->p, &lane->f->ways);
	while ((b = next_batch(lane, &w)) != NULL)
		take_batch(lane->f, &w, b);
	fetch_worker_done(&w);
	return NULL;
}

static void lane_open(struct lane *lane, struct fetcher *f, const struct source *s, size_t threads)
{
	*lane = (struct lane){ .f = f, .source = s, .wanted = threads };
	lane->batch_objects = s ? FETCH_FAR_OBJECTS : FETCH_BATCH_OBJECTS;
	lane->queue = queue_new(s ? FETCH_QUEUE_FAR : FETCH_QUEUE_BATCHES, batch_free);
}

static void lane_close(struct lane *lane)
{
	threads_join(&lane->threads);
	queue_free(lane->queue);
}

static void open_lanes(struct fetcher *f)
{
	struct pipeline *p = f->p;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	f->lanes = mem_zero(1 + p->source_count, sizeof(*f->lanes));
	lane_open(&f->lanes[f->lane_count++], f, NULL,
		p->config->fetch_threads ? p->config->fetch_threads : (size_t)(cores > 1 ? 2 * cores : 2));
	for (size_t i = 0; i < p->source_count; i++)
		if (source_threads(p->sources[i]) > 0)
			lane_open(&f->lanes[f->lane_count++], f, p->sources[i], source_threads(p->sources[i]));
}

static int start(struct fetcher *f, struct err *err)
{
	for (size_t i = 0; i < f->lane_count; i++) {
		struct lane *lane = &f->lanes[i];
		if (threads_start(&lane->threads, lane->wanted, fetch_thread, lane, "the threads that fetch", err) < 0)
			return -1;
	}
	return 0;
}

int fetcher_open(struct pipeline *p, struct fetcher **ret, struct err *err)
{
	struct fetcher *f = mem_zero(1, sizeof(*f));
	f->p = p;
	f->ways.account = p->account;
	f->ways.flight = flight_new();
	f->intake = intake_new(p->store, p->account, p->mode == PIPELINE_DAEMON);
	open_lanes(f);
	f->ways.retries = feed_new(p->feeds, STAGE_FETCH, MEDIAS);
	if (start(f, err) < 0) {
		fetcher_stop(f);
		fetcher_close(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void fetcher_stop(struct fetcher *f)
{
	intake_stop(f->intake);
	feed_stop(f->ways.retries);
	for (size_t i = 0; i < f->lane_count; i++)
		queue_close(f->lanes[i].queue);
}

void fetcher_close(struct fetcher *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->lane_count; i++)
		lane_close(&f->lanes[i]);
	free(f->lanes);
	feed_free(f->ways.retries);
	flight_free(f->ways.flight);
	intake_free(f->intake);
	free(f);
}

bool fetcher_pending(struct fetcher *f, uint32_t attempts)
{
	return feed_pending(f->ways.retries, attempts);
}

struct feed *fetcher_retries(struct fetcher *f)
{
	return f->ways.retries;
}

const char *fetcher_paused(struct fetcher *f, char *buf, size_t n)
{
	return intake_text(f->intake, buf, n);
}

uint64_t fetcher_left(struct fetcher *f)
{
	return atomic_load(&f->ways.left);
}

bool fetcher_made_room(struct fetcher *f)
{
	if (intake_wait(f->intake, 0) < 0)
		return false;
	atomic_store(&f->ways.left, 0);
	return true;
}
