/* fetch.c - fetch threads, and the return of what could not be fetched or committed. */
#include "daemon/stages/fetch.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/base/text.h"
#include "daemon/stages/flight.h"
#include "daemon/stages/intake.h"
#include "daemon/stages/refetch.h"
#include "daemon/stages/sinks.h"
#include "daemon/stages/source.h"

#include <errno.h>
#include <stdlib.h>

#define CLONE_MIN (64U << 10)  /* below it a copy in the segment is cheaper than an extent of its own */

struct fetch_batch {
	struct source *source;
	size_t count;
	uint64_t bytes;
	struct fetch_job *jobs[FETCH_BATCH_OBJECTS];
};

struct fetcher {
	struct pipeline *p;
	struct queue *queue;         /* of struct fetch_batch */
	struct flight *flight;
	pthread_t *threads;
	size_t thread_count;
	struct refetch *refetch;     /* retries due */
	struct intake *intake;       /* whether there is room for more */
	_Atomic uint64_t left;
};

/* What one change carries: freed when its commit is done. */
struct cargo {
	struct fetcher *fetcher;
	size_t count, cap;
	struct fetch_job **jobs;
};

/* One fetch thread's things, reused over objects. */
struct fetch_worker {
	struct fetcher *f;
	struct sha256 *hash;
	uint8_t *buffer;             /* SINK_BUFFER */
	struct arena *arena;         /* open: members of change; NULL none */
	struct change *change;
	struct cargo *cargo;
};

struct fetch_batch *fetch_batch_new(struct source *s)
{
	struct fetch_batch *b = mem_zero(1, sizeof(*b));
	b->source = s;
	return b;
}

bool fetch_batch_add(struct fetch_batch *b, const struct object *o, uint32_t attempts)
{
	struct fetcher *f = source_pipeline(b->source)->fetcher;
	struct fetch_job *job = flight_enter(f->flight, b->source, o, attempts, 0);
	if (job) {
		b->jobs[b->count++] = job;
		b->bytes += o->bytes;
	}
	return b->count == FETCH_BATCH_OBJECTS || b->bytes >= FETCH_BATCH_BYTES;
}

struct fetch_batch *fetch_batch_retry(struct fetcher *f, struct source *s, const struct object *o, uint32_t attempts,
	uint64_t claim)
{
	struct fetch_job *job = flight_enter(f->flight, s, o, attempts, claim);
	if (!job)
		return NULL;
	struct fetch_batch *b = fetch_batch_new(s);
	b->jobs[b->count++] = job;
	return b;
}

/* The job's way ends here, whatever became of it. */
static void job_end(struct fetcher *f, struct fetch_job *job)
{
	if (job->claim)
		refetch_release(f->refetch, job->claim);
	flight_leave(f->flight, job);
	account_give(f->p, 1);
}

static void batch_free(void *item)
{
	struct fetch_batch *b = item;
	free(b);
}

int fetch_submit(struct fetcher *f, struct fetch_batch *b, struct err *err)
{
	if (!b || b->count == 0) {
		batch_free(b);
		return 0;
	}
	account_take(f->p, b->count);
	if (queue_push(f->queue, b) == 0)
		return 0;
	for (size_t i = 0; i < b->count; i++)
		job_end(f, b->jobs[i]);
	batch_free(b);
	return err_set(err, ERR_RETRY, 0, "stopping");
}

static struct cargo *cargo_new(struct fetcher *f)
{
	struct cargo *c = mem_zero(1, sizeof(*c));
	c->fetcher = f;
	return c;
}

static void cargo_load(struct cargo *c, struct fetch_job *job)
{
	if (c->count == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->jobs = mem_resize(c->jobs, c->cap, sizeof(*c->jobs));
	}
	c->jobs[c->count++] = job;
}

static void cargo_end(struct cargo *c)
{
	for (size_t i = 0; i < c->count; i++)
		job_end(c->fetcher, c->jobs[i]);
	free(c->jobs);
	free(c);
}

/* Objects that were not kept for want of room are found again by another pass: the retrier asks for it. */
static void leave(struct fetcher *f, uint64_t n)
{
	atomic_fetch_add(&f->left, n);
	refetch_wake(f->refetch);
}

static bool is_want_of_room(const struct err *err)
{
	return err->class == ERR_RETRY && (err->sys == ENOSPC || err->sys == EDQUOT);
}

/* In the committer's thread. */
static void arrived(void *arg, int64_t revision, const struct err *err)
{
	struct cargo *c = arg;
	struct fetcher *f = c->fetcher;
	if (revision < 0 && err->class == ERR_FATAL)
		pipeline_fail(f->p, err);
	if (revision < 0 && err->class != ERR_FATAL)
		leave(f, c->count);
	pipeline_committed(f->p);
	cargo_end(c); /* last: what is in hand keeps the pipeline alive */
}

static void submit(struct fetcher *f, struct change *change, struct cargo *cargo)
{
	struct err err;
	if (committer_submit(f->p->store, change, arrived, cargo, &err) < 0)
		arrived(cargo, -1, &err);
}

/* Hand on what the thread has gathered in its arena. */
static void worker_flush(struct fetch_worker *w)
{
	if (!w->change)
		return;
	change_arena(w->change, TAKE_PTR(w->arena));
	submit(w->f, TAKE_PTR(w->change), TAKE_PTR(w->cargo));
}

static int worker_open(struct fetch_worker *w, uint64_t bytes, struct err *err)
{
	if (w->arena && arena_room(w->arena) > bytes) /* room 0 is a full arena: not even an empty file's header fits */
		return 0;
	worker_flush(w);
	w->arena = arena_get(store_arenas(w->f->p->store), bytes);
	if (!w->arena)
		return err_set(err, ERR_RETRY, 0, "stopping");
	w->change = change_new();
	w->cargo = cargo_new(w->f);
	return 0;
}

static struct arrival arrival_of(const struct fetch_job *job, const struct object *seen, const struct content_id *content)
{
	return (struct arrival){ .source = slice_of(source_name(job->source)), .key = job->object.key, .version = seen->version,
		.layout = source_ops(job->source)->layout, .racy = seen->racy, .content = *content, .bytes = seen->bytes, .fd = -1 };
}

static int fetch_small(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	if (worker_open(w, job->object.bytes, err) < 0)
		return -1;
	struct fetch_sink sink;
	struct object seen;
	struct content_id content;
	sink_arena(&sink, w->f->p, w->hash, w->arena);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = sink.bytes;
	a.how = ARRIVAL_ARENA;
	a.place = arena_member(w->arena, &content, (size_t)sink.bytes);
	change_arrive(w->change, &a);
	cargo_load(w->cargo, job);
	return 0;
}

/* One object, one change: its bytes are in fd, or only at the source (fd -1). */
static void submit_alone(struct fetch_worker *w, struct fetch_job *job, struct arrival *a, int fd)
{
	struct change *change = change_new();
	struct cargo *cargo = cargo_new(w->f);
	a->how = fd >= 0 ? ARRIVAL_FILE : ARRIVAL_REFERENCE;
	a->fd = fd;
	change_arrive(change, a);
	cargo_load(cargo, job);
	submit(w->f, change, cargo);
}

static int hash_file(struct fetch_worker *w, int fd, struct content_id *ret, uint64_t *ret_bytes, struct err *err)
{
	uint64_t at = 0;
	sha256_begin(w->hash);
	for (;;) {
		ssize_t n = pread(fd, w->buffer, SINK_BUFFER, (off_t)at);
		if (n < 0)
			return err_set(err, ERR_RETRY, errno, "read back the clone");
		if (n == 0)
			break;
		sha256_add(w->hash, w->buffer, (size_t)n);
		at += (uint64_t)n;
		account_step(w->f->p);
	}
	sha256_end(w->hash, ret->sha256);
	*ret_bytes = at;
	return 0;
}

/* Clone first, then hash the clone: what is stored is what was hashed. 1: done; 0: this file system cannot, copy; -1. */
static int fetch_clone(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	const struct connector_ops *ops = source_ops(job->source);
	CLEANUP(close_fdp) int fd = -1;
	struct object seen;
	struct content_id content;
	if (large_create(w->f->p->store, 0, &fd, err) < 0)
		return -1;
	if (ops->clone(source_connector(job->source), &job->object, fd, &seen, err) < 0)
		return err->class == ERR_REJECT ? 0 : -1;
	uint64_t bytes = 0;
	if (hash_file(w, fd, &content, &bytes, err) < 0)
		return -1;
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = bytes;
	submit_alone(w, job, &a, take_fd(&fd));
	return 1;
}

static int fetch_large(struct fetch_worker *w, struct fetch_job *job, bool keep, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	if (keep && large_create(w->f->p->store, job->object.bytes, &fd, err) < 0)
		return -1;
	struct fetch_sink sink;
	struct object seen;
	struct content_id content;
	uint64_t limit = w->f->p->config->limits.object_bytes;
	if (keep)
		sink_file(&sink, w->f->p, w->hash, w->buffer, fd, limit);
	else
		sink_hash(&sink, w->f->p, w->hash, w->buffer, limit);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = sink.bytes;
	submit_alone(w, job, &a, take_fd(&fd));
	return 0;
}

static int fetch_one(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	const struct source_config *c = source_config(job->source);
	bool small = c->store == STORE_COPY && job->object.bytes <= ARENA_MEMBER_MAX;
	uint64_t limit = w->f->p->config->limits.object_bytes;
	if (job->object.bytes > limit)
		return err_set(err, ERR_REJECT, 0, "%llu bytes are more than limits.object allows (%llu)",
			(unsigned long long)job->object.bytes, (unsigned long long)limit);
	if (!small)
		worker_flush(w); /* neighbours do not wait for a long read */
	if (c->store == STORE_REFERENCE)
		return fetch_large(w, job, false, err);
	if (c->store == STORE_REFLINK && job->object.bytes >= CLONE_MIN && source_ops(job->source)->clone) {
		int cloned = fetch_clone(w, job, err);
		if (cloned != 0)
			return cloned < 0 ? -1 : 0;
	}
	return job->object.bytes <= ARENA_MEMBER_MAX ? fetch_small(w, job, err) : fetch_large(w, job, true, err);
}

static const char *cure_of(const struct err *err)
{
	switch (err->sys) {
	case EACCES:
	case EPERM: return "let the daemon's user read it (chmod o+r, setfacl -m u:inlet:r, or a group), it is tried again";
	case ENOENT: return "nothing: the next pass over the source decides";
	case 0: return err->class == ERR_REJECT ? "raise limits.object, or leave the file out" : "nothing: it is tried again";
	default: return "look after the disk or the network behind this source; it is tried again";
	}
}

/* The object stays where it is; the ledger says why it is not in the dataset. */
static void fetch_failed(struct fetch_worker *w, struct fetch_job *job, const struct err *err)
{
	struct fetcher *f = w->f;
	if (f->p->stopping || (err->sys == ENOENT && !job->claim)) {
		job_end(f, job);
		return;
	}
	if (err->class == ERR_FATAL) {
		pipeline_fail(f->p, err);
		job_end(f, job);
		return;
	}
	struct change *c = change_new();
	struct record_failure *r = &change_add(c, RECORD_FAILURE)->failure;
	(void)retry_plan(f->p, err, job->attempts, r);
	r->subject = SUBJECT_OBJECT;
	r->number = job->claim;
	r->stage = STAGE_FETCH;
	r->reason = change_copy(c, slice_of(err->text));
	r->cure = slice_of(cure_of(err));
	r->source = slice_of(source_name(job->source));
	r->key = change_copy(c, job->object.key);
	r->version = change_copy(c, job->object.version);
	r->layout = source_ops(job->source)->layout;
	r->bytes = job->object.bytes;
	struct buf key = { 0 };
	text_printable(&key, job->object.key);
	LOG_DEBUG(LOG_DETAIL, "%s: '%s': %s", source_name(job->source), key.data ? key.data : "", err->text);
	buf_done(&key);
	struct cargo *cargo = cargo_new(f);
	cargo_load(cargo, job);
	submit(f, c, cargo);
}

static void fetch_batch(struct fetch_worker *w, struct fetch_batch *b)
{
	struct fetcher *f = w->f;
	for (size_t i = 0; i < b->count; i++) {
		struct fetch_job *job = b->jobs[i];
		struct err err;
		if (f->p->stopping || source_paused(b->source)) {
			job_end(f, job); /* the pass after the pause finds it again */
		} else if (intake_wait(f->intake, job->object.bytes) < 0) {
			leave(f, 1);
			job_end(f, job);
		} else if (fetch_one(w, job, &err) == 0) {
			atomic_fetch_add_explicit(&f->p->read_objects, 1, memory_order_relaxed);
		} else if (is_want_of_room(&err)) {
			leave(f, 1);
			job_end(f, job);
		} else {
			fetch_failed(w, job, &err);
		}
	}
	batch_free(b);
}

/* What follows at once shares a change; nobody waits with an arena in hand, or what is in it would wait as well. */
static struct fetch_batch *next_batch(struct fetch_worker *w)
{
	struct fetch_batch *b = w->change ? queue_pop_until(w->f->queue, 0) : NULL;
	if (b)
		return b;
	worker_flush(w);
	return queue_pop(w->f->queue);
}

static void *fetch_thread(void *arg)
{
	struct fetch_worker w = { .f = arg, .hash = sha256_new(), .buffer = mem_alloc(SINK_BUFFER) };
	struct fetch_batch *b;
	while ((b = next_batch(&w)) != NULL)
		fetch_batch(&w, b);
	worker_flush(&w);
	arena_put(w.arena);
	sha256_free(w.hash);
	free(w.buffer);
	return NULL;
}

struct fetcher *fetcher_open(struct pipeline *p)
{
	struct fetcher *f = mem_zero(1, sizeof(*f));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	f->p = p;
	f->queue = queue_new(FETCH_QUEUE_BATCHES, batch_free);
	f->flight = flight_new();
	f->intake = intake_new(p);
	f->refetch = refetch_open(p, f);
	f->thread_count = p->config->fetch_threads ? p->config->fetch_threads : (size_t)(cores > 1 ? 2 * cores : 2);
	f->threads = mem_zero(f->thread_count, sizeof(*f->threads));
	for (size_t i = 0; i < f->thread_count; i++)
		pthread_create(&f->threads[i], NULL, fetch_thread, f);
	refetch_start(f->refetch);
	return f;
}

void fetcher_stop(struct fetcher *f)
{
	intake_stop(f->intake);
	refetch_stop(f->refetch);
	queue_close(f->queue);
}

void fetcher_close(struct fetcher *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->thread_count; i++)
		pthread_join(f->threads[i], NULL);
	free(f->threads);
	refetch_close(f->refetch);
	queue_free(f->queue);
	flight_free(f->flight);
	intake_free(f->intake);
	free(f);
}

void fetcher_kick(struct fetcher *f)
{
	refetch_kick(f->refetch);
}

bool fetcher_pending(struct fetcher *f, uint32_t attempts)
{
	return refetch_pending(f->refetch, attempts);
}

const char *fetcher_paused(struct fetcher *f, char *buf, size_t n)
{
	return intake_text(f->intake, buf, n);
}

uint64_t fetcher_left(struct fetcher *f)
{
	return atomic_load(&f->left);
}

bool fetcher_made_room(struct fetcher *f)
{
	if (intake_wait(f->intake, 0) < 0)
		return false;
	atomic_store(&f->left, 0);
	return true;
}
