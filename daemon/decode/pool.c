/* pool.c - decode workers shared by any number of threads: started when wanted, replaced when they die, never trusted.
 *
 *   slot:  EMPTY --starter--> STARTING --greeted--> IDLE --decode_run--> BUSY --answered--> IDLE
 *            ^                    |                                        |
 *            +------ failed ------+            died, late, lied, recycled  |
 *            +-------------------------------------------------------------+
 *
 * All starting is done by one thread that lives as long as the pool, because a worker dies with the thread that started
 * it, and because one thread with a backoff cannot fork a storm. A slot is touched without the lock only by the thread
 * that made it STARTING or BUSY; its pid is cleared under the lock before the process is reaped, so that
 * decode_pool_stop() can kill what it sees without hitting a reused pid. */
#include "daemon/decode/pool.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/decode/answer.h"
#include "daemon/decode/child.h"
#include "daemon/decode/handoff.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define DEATHS_MAX 2 /* that one object may cause */
#define START_BACKOFF_MS 10
#define START_BACKOFF_CAP_MS 5000

enum slot_state { SLOT_EMPTY, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY };
struct slot {
	enum slot_state state;
	struct child child;
};

struct decode_pool {
	struct decode_options o;
	char *worker;
	struct wire_hello limits;
	struct slot *slots;
	pthread_t starter;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a slot, `waiting` or `stopping`: the starter and the callers wait for it */
	bool stopping;
	size_t waiting;	   /* calls without a worker */
	uint32_t failures; /* starts that failed and workers that died, since one last answered */
	uint64_t start_after_ns;
	uint64_t failed_starts;
	struct err start_error; /* of the last of them */
	uint32_t sandbox;
	struct decode_stats stats;
};

static struct slot *find_slot(struct decode_pool *p, enum slot_state state)
{
	for (int i = 0; i < p->o.workers; i++) {
		if (p->slots[i].state == state)
			return &p->slots[i];
	}
	return NULL;
}

static size_t count_slots(const struct decode_pool *p, enum slot_state state)
{
	size_t n = 0;
	for (int i = 0; i < p->o.workers; i++)
		n += p->slots[i].state == state;
	return n;
}

/* Ends the slot's process and frees the slot; returns the wait status. Called by the slot's owner, without the lock. */
static int retire(struct decode_pool *p, struct slot *s)
{
	child_kill(&s->child);
	(void)pthread_mutex_lock(&p->lock);
	struct child ending = s->child;
	s->child = (struct child){ .sock = -1 };
	(void)pthread_mutex_unlock(&p->lock);
	int status = child_end(&ending);
	(void)pthread_mutex_lock(&p->lock);
	s->state = SLOT_EMPTY;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	return status;
}

/* With the lock. */
static void back_off(struct decode_pool *p)
{
	uint64_t wait_ms = backoff_ms(p->failures++, START_BACKOFF_MS, START_BACKOFF_CAP_MS);
	p->start_after_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
}

/* ---- the starter thread ---- */

/* The slot to fill next: a call waits and nobody idle or starting will serve it. With the lock. */
static struct slot *wanted_slot(struct decode_pool *p)
{
	if (p->waiting <= count_slots(p, SLOT_IDLE) + count_slots(p, SLOT_STARTING))
		return NULL;
	return find_slot(p, SLOT_EMPTY);
}

static int start(struct decode_pool *p, struct slot *s, struct err *err)
{
	struct child c;
	if (child_spawn(p->worker, &c, err) < 0)
		return -1;
	(void)pthread_mutex_lock(&p->lock);
	s->child = c;
	bool stopping = p->stopping;
	(void)pthread_mutex_unlock(&p->lock);
	if (stopping)
		return err_set(err, ERR_RETRY, 0, "the decoder is stopping");
	if (child_greet(&c, &p->limits, err) < 0)
		return -1;
	(void)pthread_mutex_lock(&p->lock);
	s->child.sandbox = c.sandbox;
	s->state = SLOT_IDLE;
	p->sandbox = c.sandbox;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static void fill(struct decode_pool *p, struct slot *s)
{
	struct err err;
	s->state = SLOT_STARTING;
	(void)pthread_mutex_unlock(&p->lock);
	int failed = start(p, s, &err);
	if (failed < 0)
		(void)retire(p, s);
	(void)pthread_mutex_lock(&p->lock);
	if (failed < 0) {
		p->start_error = err;
		p->failed_starts++;
		back_off(p);
		(void)pthread_cond_broadcast(&p->changed);
	}
}

static void *starter(void *arg)
{
	struct decode_pool *p = arg;
	(void)pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		struct slot *s = wanted_slot(p);
		struct timespec until = clock_spec(p->start_after_ns);
		if (!s)
			(void)pthread_cond_wait(&p->changed, &p->lock);
		else if (clock_mono_ns() < p->start_after_ns)
			(void)pthread_cond_timedwait(&p->changed, &p->lock, &until);
		else
			fill(p, s);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- callers ---- */

/* An idle worker, alive; the dead found on the way are buried: that they died idle is nobody's fault. With the lock. */
static struct slot *take_idle(struct decode_pool *p)
{
	for (struct slot *s = find_slot(p, SLOT_IDLE); s; s = find_slot(p, SLOT_IDLE)) {
		if (child_alive(&s->child)) {
			s->state = SLOT_BUSY;
			return s;
		}
		child_kill(&s->child);
		(void)child_end(&s->child);
		s->state = SLOT_EMPTY;
		p->stats.deaths++;
	}
	return NULL;
}

static int stopping_error(struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "the decoder is stopping");
}

/* Waits for a worker. -1: the pool stops, or none runs and none can be started. */
static int acquire(struct decode_pool *p, struct slot **ret, struct err *err)
{
	struct slot *s = NULL;
	int failed = 0;
	(void)pthread_mutex_lock(&p->lock);
	uint64_t seen = p->failed_starts;
	p->waiting++;
	while (!failed && !p->stopping && !(s = take_idle(p))) {
		if (p->failed_starts != seen && !find_slot(p, SLOT_BUSY) && !find_slot(p, SLOT_STARTING)) {
			*err = p->start_error;
			failed = -1;
		} else {
			(void)pthread_cond_broadcast(&p->changed); /* the starter counts `waiting` */
			(void)pthread_cond_wait(&p->changed, &p->lock);
		}
	}
	p->waiting--;
	(void)pthread_mutex_unlock(&p->lock);
	if (failed)
		return -1;
	if (!s)
		return stopping_error(err);
	*ret = s;
	return 0;
}

/* The worker answered: it stays, or has served its time. */
static void release(struct decode_pool *p, struct slot *s)
{
	bool keep = p->o.recycle == 0 || s->child.jobs < p->o.recycle;
	(void)pthread_mutex_lock(&p->lock);
	p->failures = 0;
	if (keep) {
		s->state = SLOT_IDLE;
		(void)pthread_cond_broadcast(&p->changed);
	} else {
		p->stats.recycled++;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (!keep)
		(void)retire(p, s);
}

/* What an object did to the second worker, too. ERR_RETRY where it may not have been the object. Returns -1. */
static int twice(const struct decode_pool *p, enum child_result how, int status, struct err *err)
{
	if (how == CHILD_REFUSED)
		return -1;
	if (how == CHILD_LATE)
		return err_set(err, ERR_REJECT, 0,
			       "decoding took longer than limits.decode_time (%u ms), twice; raise it, or "
			       "convert the file",
			       p->o.time_limit_ms);
	if (how == CHILD_LIED) {
		err->class = ERR_REJECT;
		return err_wrap(err, "these bytes broke the decoder twice");
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return err_set(err, ERR_RETRY, 0, "the decoder was killed from outside, twice (out of memory?)");
	if (WIFSIGNALED(status))
		return err_set(err, ERR_REJECT, 0,
			       "these bytes killed the decoder twice (signal %d, %s); convert the file with a "
			       "program you trust",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(err, ERR_REJECT, 0, "the decoder gave up over these bytes twice (exit status %d)",
		       WEXITSTATUS(status));
}

/* Counts the end of a worker and says whether the job may be tried on another: 0 yes, -1 no, and why. */
static int bury(struct decode_pool *p, struct slot *s, enum child_result how, uint32_t *deaths, struct err *err)
{
	int status = retire(p, s);
	(void)pthread_mutex_lock(&p->lock);
	bool stopping = p->stopping;
	p->stats.deaths += !stopping && how != CHILD_LATE;
	p->stats.timeouts += !stopping && how == CHILD_LATE;
	if (how != CHILD_LATE)
		back_off(p);
	(void)pthread_mutex_unlock(&p->lock);
	if (stopping)
		return stopping_error(err);
	return ++*deaths < DEATHS_MAX ? 0 : twice(p, how, status, err);
}

static int verdict(const struct wire_done *done, int result, const struct wire_job *job, struct decode_result *ret,
		   struct err *err)
{
	switch ((enum wire_verdict)done->verdict) {
	case WIRE_DECODED:
		return answer_read(result, done, job, ret, err);
	case WIRE_PARKED:
	case WIRE_REJECTED:
		*ret = (struct decode_result){ .media = (enum media)done->media };
		memcpy(ret->media_type, done->media_type, sizeof(ret->media_type));
		if (done->verdict == WIRE_PARKED)
			return 0;
		return err_set(err, ERR_REJECT, 0, "%s", done->reason);
	case WIRE_FAILED:
		break;
	}
	return err_set(err, ERR_RETRY, 0, "%s", done->reason);
}

/* One worker's try. 1: answered, *ret_code is what decode_run() returns; 0: try again; -1: given up, err says why. */
static int attempt(struct decode_pool *p, struct wire_job *job, int object, uint32_t *deaths, struct decode_result *ret,
		   int *ret_code, struct err *err)
{
	CLEANUP(close_fdp) int result = handoff_result(wire_capacity(&p->limits, job), err);
	struct slot *s;
	if (result < 0)
		return -1;
	if (acquire(p, &s, err) < 0) {
		err->class = ERR_RETRY;
		return -1;
	}
	struct wire_done done;
	enum child_result how = child_ask(&s->child, &p->limits, job, object, result, p->o.time_limit_ms, &done, err);
	if (how == CHILD_ANSWERED) {
		*ret_code = verdict(&done, result, job, ret, err);
		if (*ret_code == 0 || done.verdict != WIRE_DECODED) {
			release(p, s);
			return 1;
		}
		how = CHILD_LIED; /* the header was right, the sections were not */
	}
	return bury(p, s, how, deaths, err);
}

int decode_run(struct decode_pool *p, const struct decode_job *job, struct decode_result *ret, struct err *err)
{
	assert(job->want_count <= PIXEL_SPECS_MAX);
	bool whole = job->bytes <= p->limits.max_bytes;
	struct wire_job wire = {
		.object_bytes = job->bytes,
		.given_bytes = whole || job->bytes < WIRE_HEAD_MAX ? job->bytes : WIRE_HEAD_MAX,
		.want_count = (uint32_t)job->want_count,
		.inputs_only = job->inputs_only,
	};
	if (job->want_count)
		memcpy(wire.wants, job->wants, job->want_count * sizeof(wire.wants[0]));
	CLEANUP(close_fdp) int object = handoff_object(job->fd, job->offset, wire.given_bytes, err);
	if (object < 0)
		return -1;
	uint32_t deaths = 0;
	int code = 0;
	int answered = 0;
	while (answered == 0)
		answered = attempt(p, &wire, object, &deaths, ret, &code, err);
	if (answered < 0)
		return -1;
	(void)pthread_mutex_lock(&p->lock);
	p->stats.items++;
	(void)pthread_mutex_unlock(&p->lock);
	return code;
}

/* ---- life ---- */

static struct decode_pool *pool_new(const struct decode_options *o)
{
	struct decode_pool *p = mem_zero(1, sizeof(*p));
	p->o = *o;
	p->o.workers = o->workers > 0 ? o->workers : 1;
	p->worker = mem_strdup(o->worker);
	p->limits = (struct wire_hello){
		.memory_bytes = o->memory_bytes,
		.max_bytes = o->max_bytes,
		.max_pixels = o->max_pixels,
		.thumbnail = o->thumbnail < WIRE_THUMBNAIL_MAX ? o->thumbnail : WIRE_THUMBNAIL_MAX,
	};
	p->slots = mem_zero((size_t)p->o.workers, sizeof(p->slots[0]));
	for (int i = 0; i < p->o.workers; i++)
		p->slots[i].child.sock = -1;
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return p;
}

static void pool_free(struct decode_pool *p)
{
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->slots);
	free(p->worker);
	free(p);
}

int decode_pool_open(const struct decode_options *o, struct decode_pool **ret, struct err *err)
{
	struct decode_pool *p = pool_new(o);
	int failed = pthread_create(&p->starter, NULL, starter, p);
	if (failed) {
		pool_free(p);
		return err_set(err, ERR_RETRY, failed, "start the decoder's thread");
	}
	struct slot *first;
	if (acquire(p, &first, err) < 0) {
		decode_pool_close(p);
		return err_wrap(err, "decoder");
	}
	release(p, first);
	*ret = p;
	return 0;
}

void decode_pool_stop(struct decode_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->stopping = true;
	for (int i = 0; i < p->o.workers; i++)
		child_kill(&p->slots[i].child);
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

void decode_pool_close(struct decode_pool *p)
{
	if (!p)
		return;
	decode_pool_stop(p);
	(void)pthread_join(p->starter, NULL);
	for (int i = 0; i < p->o.workers; i++) {
		if (p->slots[i].state != SLOT_EMPTY)
			(void)retire(p, &p->slots[i]);
	}
	pool_free(p);
}

void decode_pool_stats(struct decode_pool *p, struct decode_stats *ret)
{
	(void)pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	ret->workers = p->o.workers - (int)count_slots(p, SLOT_EMPTY);
	ret->sandbox = p->sandbox & SANDBOX_LANDLOCK ? "seccomp+landlock" : "seccomp";
	(void)pthread_mutex_unlock(&p->lock);
}
