/* fetch_worker.c - one object from its source to the committer. */
#include "daemon/stages/fetch_worker.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/flow/pace.h"
#include "daemon/flow/sinks.h"
#include "daemon/stages/fetch_failure.h"
#include "daemon/stages/kept.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_label.h"
#include "daemon/stages/source_sidecar.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define CLONE_MIN (64U << 10)       /* below it a copy in the segment is cheaper than an extent of its own */
#define HOLD_NS NS_PER_SEC          /* what was read is handed on after this long, full arena or not */
#define THROTTLED_TRIES 4           /* at the pace's own time, before the object goes to the durable queue */

CLEANUP_FN(struct large_writer *, large_writer_close)

/* What one change carries: freed when its commit is done. */
struct cargo {
	struct pipeline *p;
	struct fetch_ways *ways;
	size_t count, cap;
	struct fetch_job **jobs;
	bool arrives;            /* what its jobs fetched is in the change */
};

static struct cargo *cargo_new(const struct fetch_worker *w)
{
	struct cargo *c = mem_zero(1, sizeof(*c));
	c->p = w->p;
	c->ways = w->ways;
	return c;
}

static void cargo_load(struct cargo *c, struct fetch_job *job)
{
	assert(c); /* a worker's is there while its change is */
	if (c->count == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->jobs = mem_resize(c->jobs, c->cap, sizeof(*c->jobs));
	}
	c->jobs[c->count++] = job;
}

static void cargo_end(struct cargo *c)
{
	for (size_t i = 0; i < c->count; i++)
		fetch_job_end(c->ways, c->jobs[i]);
	free(c->jobs);
	free(c);
}

static bool is_want_of_room(const struct err *err)
{
	return err->class == ERR_RETRY && (err->sys == ENOSPC || err->sys == EDQUOT);
}

/* In the committer's thread. */
static void arrived(void *arg, int64_t revision, const struct err *err)
{
	struct cargo *c = arg;
	struct pipeline *p = c->p;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(p->account, err);
	if (revision < 0 && err->class != ERR_FATAL)
		fetch_job_left(c->ways, c->count);
	feeds_kick(p->feeds);
	cargo_end(c); /* last: what is in hand keeps the pipeline alive */
}

/* Labels of what arrives, in the commit that it arrives with. */
static int prepare_labels(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct cargo *cargo = arg;
	for (size_t i = 0; i < cargo->count; i++) {
		const struct fetch_job *job = cargo->jobs[i];
		if (source_label(job->source, c, now, job->object.key, err) < 0 ||
			source_sidecar_wake(job->source, c, now, job->object.key, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_labelled(const struct source *s)
{
	return source_labels(s) || source_sidecars(s);
}

static void submit(struct fetch_worker *w, struct change *change, struct cargo *cargo)
{
	struct err err;
	if (cargo->arrives)
		change_prepare(change, prepare_labels, cargo);
	if (committer_submit(w->p->store, change, arrived, cargo, &err) < 0)
		arrived(cargo, -1, &err);
}

/* A change with which the job's way ends. */
static void submit_change(struct fetch_worker *w, struct fetch_job *job, struct change *c)
{
	struct cargo *cargo = cargo_new(w);
	cargo_load(cargo, job);
	submit(w, c, cargo);
}

/* Hand on what the thread has gathered in its arena. */
void fetch_worker_flush(struct fetch_worker *w)
{
	if (!w->change)
		return;
	change_arena(w->change, TAKE_PTR(w->arena));
	submit(w, TAKE_PTR(w->change), TAKE_PTR(w->cargo));
}

bool fetch_worker_fits(const struct fetch_worker *w, uint64_t bytes)
{
	return w->arena && arena_room(w->arena) > bytes; /* room 0 is a full arena: not even an empty file's header fits */
}

static int worker_open(struct fetch_worker *w, uint64_t bytes, struct err *err)
{
	if (fetch_worker_fits(w, bytes))
		return 0;
	fetch_worker_flush(w);
	w->arena = arena_get(store_arenas(w->p->store), bytes);
	if (!w->arena)
		return err_set(err, ERR_RETRY, 0, "stopping");
	w->change = change_new();
	w->cargo = cargo_new(w);
	w->opened_ns = clock_mono_ns();
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
	sink_arena(&sink, w->p->account, w->hash, w->arena);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = sink.bytes;
	a.how = ARRIVAL_ARENA;
	a.place = arena_member(w->arena, &content, (size_t)sink.bytes);
	change_arrive(w->change, &a);
	cargo_load(w->cargo, job);
	w->cargo->arrives |= is_labelled(job->source);
	return 0;
}

/* One object, one change: its bytes are in fd, or only at the source (fd -1). */
static void submit_alone(struct fetch_worker *w, struct fetch_job *job, struct arrival *a, int fd)
{
	struct change *change = change_new();
	struct cargo *cargo = cargo_new(w);
	a->how = fd >= 0 ? ARRIVAL_FILE : ARRIVAL_REFERENCE;
	a->fd = fd;
	change_arrive(change, a);
	cargo_load(cargo, job);
	cargo->arrives = is_labelled(job->source);
	submit(w, change, cargo);
}

/* Clone first, then hash the clone: what is stored is what was hashed. 1: done; 0: this file system cannot, copy; -1. */
static int fetch_clone(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	const struct connector_ops *ops = source_ops(job->source);
	CLEANUP(close_fdp) int fd = -1;
	struct object seen;
	struct content_id content;
	if (large_create(w->p->store, 0, &fd, err) < 0)
		return -1;
	if (ops->clone(source_connector(job->source), &job->object, fd, &seen, err) < 0)
		return err->class == ERR_REJECT ? 0 : -1;
	uint64_t bytes = 0;
	if (sink_reread(w->p->account, w->hash, w->buffer, fd, &content, &bytes, err) < 0)
		return -1;
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = bytes;
	submit_alone(w, job, &a, take_fd(&fd));
	return 1;
}

/* Into fd, or only through the hash (fd -1). What is far away comes slower than a disk writes, and must not hold the arenas
 * that the near need: it is written by its reader. */
static int read_large(struct fetch_worker *w, struct fetch_job *job, int fd, struct arrival *ret, struct err *err)
{
	CLEANUP(large_writer_closep) struct large_writer *writer = NULL;
	struct fetch_sink sink;
	struct object seen;
	struct content_id content;
	uint64_t limit = w->p->config->limits.object_bytes;
	bool near = source_threads(job->source) == 0;
	if (fd >= 0 && near && large_writer_open(store_arenas(w->p->store), fd, &writer, err) < 0)
		return -1;
	if (writer)
		sink_large(&sink, w->p->account, w->hash, writer, limit);
	else if (fd >= 0)
		sink_file(&sink, w->p->account, w->hash, w->buffer, fd, limit);
	else
		sink_hash(&sink, w->p->account, w->hash, w->buffer, limit);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	*ret = arrival_of(job, &seen, &content);
	ret->bytes = sink.bytes;
	return 0;
}

/* Normalization would read it at its source once more, where a bucket is asked and paid by the byte: what memory allows is kept for it. */
static uint8_t *room_of(struct fetch_worker *w, const struct fetch_job *job)
{
	const struct limits_config *limits = &w->p->config->limits;
	uint64_t bytes = job->object.bytes;
	bool far = source_threads(job->source) > 0;
	if (!w->p->kept || !far || bytes == 0 || bytes > KEPT_BYTES_MAX || bytes > limits->decode_bytes)
		return NULL;
	return kept_room(w->p->kept, (size_t)bytes);
}

/* Into the room, as large as the object was listed. */
static int fetch_kept(struct fetch_worker *w, struct fetch_job *job, uint8_t *room, struct err *err)
{
	struct kept *kept = w->p->kept;
	size_t bytes = (size_t)job->object.bytes;
	struct fetch_sink sink;
	struct object seen;
	struct content_id content;
	sink_memory(&sink, w->p->account, w->hash, room, bytes);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0) {
		kept_drop(kept, room, bytes);
		return -1;
	}
	struct arrival a = arrival_of(job, &seen, &content);
	a.bytes = sink.bytes;
	if (sink.bytes != bytes)
		kept_drop(kept, room, bytes);
	else if (kept_put(kept, &content, room, bytes))
		account_wake_loop(w->p->account); /* it waits with the rest of what is due */
	submit_alone(w, job, &a, -1);
	return 0;
}

static int fetch_reference(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	uint8_t *room = room_of(w, job);
	struct arrival a;
	if (room)
		return fetch_kept(w, job, room, err);
	if (read_large(w, job, -1, &a, err) < 0)
		return -1;
	submit_alone(w, job, &a, -1);
	return 0;
}

static int fetch_large(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct arrival a;
	if (large_create(w->p->store, job->object.bytes, &fd, err) < 0)
		return -1;
	if (read_large(w, job, fd, &a, err) < 0)
		return -1;
	submit_alone(w, job, &a, take_fd(&fd));
	return 0;
}

static int fetch_one(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	const struct source_config *c = source_config(job->source);
	bool aside = aside_is(job);
	bool small = c->store == STORE_COPY && !aside && job->object.bytes <= ARENA_MEMBER_MAX;
	uint64_t limit = w->p->config->limits.object_bytes;
	if (job->object.bytes > limit)
		return sink_too_large(limit, err);
	if (!small)
		fetch_worker_flush(w); /* neighbours do not wait for a long read */
	if (aside)
		return aside_read(&w->aside, w->p, w->hash, w->buffer, job, err);
	if (c->store == STORE_REFERENCE)
		return fetch_reference(w, job, err);
	if (c->store == STORE_REFLINK && job->object.bytes >= CLONE_MIN && source_ops(job->source)->clone) {
		int cloned = fetch_clone(w, job, err);
		if (cloned != 0)
			return cloned < 0 ? -1 : 0;
	}
	return job->object.bytes <= ARENA_MEMBER_MAX ? fetch_small(w, job, err) : fetch_large(w, job, err);
}

/* Paced: as many at once as the source takes, none before the time that it names. What it throttles is tried again here a few
 * times, at that pace: the durable queue is for longer troubles. */
static int fetch_paced(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	struct pace *pace = source_pace(job->source);
	if (!pace)
		return fetch_one(w, job, err);
	for (int tries = 1;; tries++) {
		uint64_t round;
		if (!pace_try(pace, &round)) {
			fetch_worker_flush(w);
			pace_enter(pace, &round);
		}
		int ok = fetch_one(w, job, err);
		bool throttled = ok < 0 && err->sys == FETCH_THROTTLED;
		pace_leave(pace, round, ok == 0 ? PACE_DONE : throttled ? PACE_THROTTLED : PACE_FAILED, throttled ? err->wait_ms : 0);
		if (!throttled || tries == THROTTLED_TRIES || account_stopping(w->p->account) || source_paused(job->source))
			return ok;
	}
}

/* Nothing is written of what another pass finds out by itself. */
static bool left_to_a_pass(const struct fetch_job *job, const struct err *err)
{
	if (job->claim)
		return false; /* its row in the queue must move on */
	return err->sys == ENOENT || (err->sys == FETCH_CHANGED && source_again(job->source));
}

static void fetch_failed(struct fetch_worker *w, struct fetch_job *job, const struct err *err)
{
	if (account_stopping(w->p->account) || left_to_a_pass(job, err)) {
		fetch_job_end(w->ways, job);
		return;
	}
	if (err->class == ERR_FATAL) {
		account_fail(w->p->account, err);
		fetch_job_end(w->ways, job);
		return;
	}
	submit_change(w, job, fetch_failure(w->p->config->limits.attempts, job, err));
}

/* Of an object that becomes no item: the job ends with what it says. */
static int take_aside(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	struct change *c;
	if (w->aside.fd < 0)
		return 0;
	if (aside_take(&w->aside, w->p->imports, job, &c, err) < 0)
		return -1;
	submit_change(w, job, c);
	return 0;
}

void fetch_worker_take(struct fetch_worker *w, struct fetch_job *job)
{
	struct err err;
	if (w->change && clock_mono_ns() - w->opened_ns > HOLD_NS)
		fetch_worker_flush(w);
	if (fetch_paced(w, job, &err) == 0 && take_aside(w, job, &err) == 0) {
		atomic_fetch_add_explicit(&w->p->read_objects, 1, memory_order_relaxed);
	} else if (is_want_of_room(&err)) {
		fetch_job_left(w->ways, 1);
		fetch_job_end(w->ways, job);
	} else {
		fetch_failed(w, job, &err);
	}
}

bool fetch_worker_holds(const struct fetch_worker *w)
{
	return w->change != NULL;
}

void fetch_worker_init(struct fetch_worker *w, struct pipeline *p, struct fetch_ways *ways)
{
	*w = (struct fetch_worker){ .p = p, .ways = ways, .hash = sha256_new(), .buffer = mem_alloc(SINK_BUFFER), .aside = { .fd = -1 } };
}

void fetch_worker_done(struct fetch_worker *w)
{
	fetch_worker_flush(w);
	arena_put(w->arena);
	aside_done(&w->aside);
	sha256_free(w->hash);
	free(w->buffer);
}
