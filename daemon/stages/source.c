/* source.c - a source's state, and the thread that runs a pass when one is asked for. */
#include "daemon/stages/source.h"

#include "config/source_config.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/flow/pace.h"
#include "daemon/stages/source_memory.h"
#include "daemon/store/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFESTS_AT_ONCE 4 /* of a source: small ones wait for the disk only, and share a group of the committer */
#define UNSETTLED_PASSES 3    /* --once waits for what settles over this many passes, then leaves it */
#define PLACE_TOLD 150        /* bytes of a place in a message, whose cure must not be cut off */
#define AGAIN_PASSES 3        /* in a row because of objects that change while they are read */
#define BUCKET_THREADS 32U    /* that fetch from one bucket, where the configuration leaves it to us */
#define BUCKET_SHARE 8        /* of limits.memory: what the fetches of all buckets may hold in arenas */

struct source {
	struct pipeline *p;
	const struct source_config *config;
	const struct connector_ops *ops;
	struct connector *connector;
	struct pace *pace;             /* NULL: a folder */
	source_pass_fn *run;           /* one pass */
	pthread_t thread;
	unsigned threads;
	bool started;
	bool switched;                 /* source_switched() */
	bool turned;                   /* it took files and is to take manifests, or the other way round */
	struct source_memory known;    /* as of the start. had_objects: no full pass has ended since, place and root may be others now */
	atomic_bool rebound;           /* a person said that they may be */

	pthread_mutex_t lock;  /* guards all below */
	pthread_cond_t asked;
	bool want_all, want_news, running, stopping;
	bool synced;                   /* asked for by name since the start */
	bool offline, held;
	int why;                       /* err.sys of what took it offline: another one is told again */
	bool accept_gone;              /* asked for: the next complete pass may conclude whatever it finds gone */
	unsigned again;                /* passes asked for by objects that changed while they were read */
	uint64_t settling, unreadable; /* of the last pass */
	uint32_t settling_passes;      /* in a row */
	uint64_t passes;               /* ended */
	char message[512];             /* why the last pass failed; "" it did not */
	char unread[448];              /* why the first of the unreadable is */
	char told[512];                /* what was said after the last good pass, as it was logged; the discover thread's */
	_Atomic bool paused;
};

/* A bucket is far away: many requests run at once, each with an arena in hand. */
static unsigned bucket_threads(const struct config *c, const struct source_config *s)
{
	unsigned wanted = s->bucket.concurrency ? s->bucket.concurrency : BUCKET_THREADS;
	size_t buckets = 0;
	for (size_t i = 0; i < c->source_count; i++)
		buckets += source_config_is_bucket(&c->sources[i]);
	assert(buckets > 0); /* s is one of them */
	uint64_t room = c->limits.memory_bytes / BUCKET_SHARE / ARENA_BYTES / buckets;
	return room < 2 ? 2 : wanted < room ? wanted : (unsigned)room;
}

static void open_bucket(struct source *s)
{
	s->threads = bucket_threads(s->p->config, s->config);
	s->pace = pace_new(s->threads);
	if (source_config_in_the_clear(s->config))
		LOG_WARNING(LOG_SOURCE, "source '%s': %s is not encrypted: everybody on the way can read and change what comes",
			s->config->name, s->config->bucket.endpoint);
}

/* "": a bucket, whose root is its place. */
static const char *place(const struct source_config *c)
{
	return source_config_is_bucket(c) ? "" : c->folder.path;
}

static const char *takes(const struct source_config *c)
{
	return c->manifest ? "manifests" : "files";
}

struct source *source_open(struct pipeline *p, const struct source_config *c, struct err *err)
{
	struct source *s = mem_zero(1, sizeof(*s));
	struct source_memory *known = &s->known;
	const void *options = &c->folder; /* or whatever else the union holds */
	s->p = p;
	s->config = c;
	s->ops = connector_find(c->scheme);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->asked, NULL);
	if (!s->ops) {
		(void)err_set(err, ERR_FATAL, 0, "source '%s': no connector for '%s'", c->name, c->scheme);
	} else if (source_memory_read(p, c->name, known, err) == 0 &&
		s->ops->open(options, known->root, known->had_objects, &s->connector, err) == 0) {
		s->paused = known->paused;
		s->turned = known->had_objects && known->takes[0] && strcmp(known->takes, takes(c)) != 0;
		s->want_all = p->mode != PIPELINE_ATTEND;
		if (source_config_is_bucket(c))
			open_bucket(s);
		return s;
	}
	(void)err_wrap(err, "source '%s'", c->name);
	source_close(s);
	return NULL;
}

/* Is it at another place than at its last full pass? A folder that was made anew where it was is not, nor is one whose path was
 * changed because it was renamed. Between a folder and a bucket there is no way: their keys are kept apart in the ledger. */
static int check_place(const struct source *s, struct err *err)
{
	struct source_status now;
	bool bucket = source_config_is_bucket(s->config), was_bucket = strstr(s->known.root, "://") != NULL;
	const char *was = was_bucket ? s->known.root : s->known.place, *is = place(s->config);
	bool may_move = bucket == was_bucket;
	if (!s->known.had_objects || was[0] == '\0' || (may_move && atomic_load(&s->rebound)) || strcmp(was, is) == 0)
		return 0;
	s->ops->status(s->connector, &now);
	if (strcmp(now.root, s->known.root) == 0)
		return 0;
	return err_set(err, ERR_RETRY, 0, "this source was %.*s at its last pass and is %.*s now: all that came from there would count as gone. "
		"%s%s%sgive the new place a source of its own, or set the old one back", PLACE_TOLD, was, PLACE_TOLD, bucket ? now.root : is,
		may_move ? "If that is right: inlet sync " : "", may_move ? s->config->name : "", may_move ? " --rebind. Else: " : "");
}

int source_check(const struct source *s, struct err *err)
{
	bool lists = s->config->manifest != NULL;
	if (!s->turned)
		return check_place(s, err);
	return err_set(err, ERR_RETRY, 0, "this source took %s at its last pass and is to take %s now: what it brought would count as "
		"gone. Give the %s a source of their own, with another name, or write %s as before", lists ? "files" : "manifests",
		takes(s->config), takes(s->config), lists ? "it without `manifest:`" : "`manifest:` around it");
}

int source_remember(struct source *s, bool full, const char *state, const char *message, struct err *err)
{
	struct source_status status;
	s->ops->status(s->connector, &status);
	return source_memory_write(s->p, s->config->name, s->ops->scheme, &(struct source_memory_pass){ .full = full, .root = status.root,
		.state = state, .message = message ? message : status.message, .takes = takes(s->config),
		.place = place(s->config) }, err);
}

void source_went_offline(struct source *s, const struct err *err)
{
	bool was;
	pthread_mutex_lock(&s->lock);
	was = s->offline && s->why == err->sys;
	s->offline = true;
	s->why = err->sys;
	(void)snprintf(s->message, sizeof(s->message), "%s", err->text);
	pthread_mutex_unlock(&s->lock);
	struct err ignored;
	if (!was) {
		LOG_WARNING(LOG_SOURCE, "source '%s' is offline, nothing is concluded from it: %s", s->config->name, err->text);
		(void)source_remember(s, false, "offline", err->text, &ignored);
	}
}

void source_was_held(struct source *s, const char *why)
{
	struct err ignored;
	pthread_mutex_lock(&s->lock);
	bool was = s->held;
	s->held = true;
	(void)snprintf(s->message, sizeof(s->message), "%s", why);
	pthread_mutex_unlock(&s->lock);
	if (!was)
		LOG_WARNING(LOG_SOURCE, "source '%s': %s", s->config->name, why);
	(void)source_remember(s, false, "held", why, &ignored);
}

/* With the lock held: what a person should know of it now; "" nothing. */
static void say(const struct source *s, const struct source_status *status, char *ret_text, size_t size)
{
	const char *only = s->message[0] ? s->message : status->message[0] || !s->unreadable ? status->message : s->unread;
	if (only != s->unread || s->unreadable == 1)
		(void)snprintf(ret_text, size, "%s", only);
	else
		(void)snprintf(ret_text, size, "%s; and %llu more like it", s->unread, (unsigned long long)s->unreadable - 1);
}

void source_went_well(struct source *s, const struct pass *pass, uint64_t unreadable, const char *unread)
{
	struct source_status status;
	s->ops->status(s->connector, &status);
	pthread_mutex_lock(&s->lock);
	bool was = s->offline;
	s->offline = s->held = false;
	s->message[0] = '\0';
	s->settling = pass->settling;
	s->settling_passes = pass->settling ? s->settling_passes + 1 : 0;
	s->unreadable = pass->full ? unreadable : status.denied;
	if (unreadable)
		(void)snprintf(s->unread, sizeof(s->unread), "%s", unread);
	char now[sizeof(s->told)];
	say(s, &status, now, sizeof(now));
	pthread_mutex_unlock(&s->lock);
	if (was)
		LOG_NOTICE(LOG_SOURCE, "source '%s' is back", s->config->name);
	if (now[0] && strcmp(now, s->told) != 0)
		LOG_WARNING(LOG_SOURCE, "source '%s': %s", s->config->name, now);
	memcpy(s->told, now, sizeof(s->told));
}

bool source_had_objects(const struct source *s)
{
	return s->known.had_objects;
}

bool source_switched(const struct source *s)
{
	return s->switched;
}

void source_set_switched(struct source *s, bool switched)
{
	s->switched = switched;
}

void source_settled(struct source *s)
{
	s->known.had_objects = false;
}

bool source_take_acceptance(struct source *s)
{
	pthread_mutex_lock(&s->lock);
	bool accept = s->accept_gone;
	s->accept_gone = false;
	pthread_mutex_unlock(&s->lock);
	return accept;
}

static void *discover_thread(void *arg)
{
	struct source *s = arg;
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		if (s->paused || (!s->want_all && !s->want_news)) {
			pthread_cond_wait(&s->asked, &s->lock);
			continue;
		}
		enum discover_scope scope = s->want_all ? DISCOVER_ALL : DISCOVER_NEWS;
		s->want_news = false;
		if (scope == DISCOVER_ALL)
			s->want_all = false;
		s->running = true;
		pthread_mutex_unlock(&s->lock);
		s->run(s, scope);
		account_step(s->p->account);
		pthread_mutex_lock(&s->lock);
		s->running = false;
		s->passes++;
		pthread_mutex_unlock(&s->lock);
		account_wake(s->p->account);
		account_wake_loop(s->p->account);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int source_start(struct source *s, source_pass_fn *run, struct err *err)
{
	s->run = run;
	int rc = pthread_create(&s->thread, NULL, discover_thread, s);
	if (rc != 0)
		return err_set(err, ERR_FATAL, rc, "start the discover thread of '%s'", s->config->name);
	s->started = true;
	return 0;
}

void source_stop(struct source *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->asked);
	pthread_mutex_unlock(&s->lock);
	if (s->pace)
		pace_stop(s->pace);
	s->ops->stop(s->connector);
}

void source_join(struct source *s)
{
	if (s->started)
		pthread_join(s->thread, NULL);
	s->started = false;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	source_join(s);
	if (s->ops)
		s->ops->close(s->connector);
	pace_free(s->pace);
	pthread_cond_destroy(&s->asked);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const char *source_name(const struct source *s)
{
	return s->config->name;
}

const struct source_config *source_config(const struct source *s)
{
	return s->config;
}

const struct connector_ops *source_ops(const struct source *s)
{
	return s->ops;
}

struct connector *source_connector(const struct source *s)
{
	return s->connector;
}

struct pipeline *source_pipeline(const struct source *s)
{
	return s->p;
}

struct pace *source_pace(const struct source *s)
{
	return s->pace;
}

int source_read(struct source *s, const struct object *o, struct sink *into, struct object *ret_seen, struct err *err)
{
	uint64_t round;
	if (s->pace)
		pace_enter(s->pace, &round);
	int ok = s->ops->fetch(s->connector, o, into, ret_seen, err);
	bool throttled = ok < 0 && err->sys == FETCH_THROTTLED;
	if (s->pace)
		pace_leave(s->pace, round, ok == 0 ? PACE_DONE : throttled ? PACE_THROTTLED : PACE_FAILED, throttled ? err->wait_ms : 0);
	return ok;
}

struct source *source_find(struct pipeline *p, struct slice name)
{
	for (size_t i = 0; i < p->source_count; i++)
		if (slice_eq(slice_of(p->sources[i]->config->name), name))
			return p->sources[i];
	return NULL;
}

unsigned source_threads(const struct source *s)
{
	return s->config->manifest ? MANIFESTS_AT_ONCE : s->threads;
}

int source_fd(const struct source *s)
{
	return s->ops->events(s->connector);
}

static void ask(struct source *s, enum discover_scope scope)
{
	if (scope == DISCOVER_ALL)
		s->want_all = true;
	else
		s->want_news = true;
	pthread_cond_broadcast(&s->asked);
}

uint64_t source_pump(struct source *s)
{
	uint64_t due_ns = UINT64_MAX;
	enum discover_scope scope = DISCOVER_NEWS;
	s->ops->pump(s->connector, &due_ns, &scope);
	pthread_mutex_lock(&s->lock);
	bool mine = s->p->mode != PIPELINE_ATTEND || s->synced; /* a stand-in discovers only what it is asked to */
	if (!mine || s->running || s->paused || s->want_all || s->want_news) {
		due_ns = UINT64_MAX; /* the end of the pass wakes the main loop */
	} else if (due_ns <= clock_mono_ns()) {
		s->again = 0;
		ask(s, scope);
		due_ns = UINT64_MAX;
	}
	pthread_mutex_unlock(&s->lock);
	return due_ns;
}

void source_sync(struct source *s, unsigned accept)
{
	if (accept & SYNC_REBIND)
		atomic_store(&s->rebound, true);
	pthread_mutex_lock(&s->lock);
	s->synced = true;
	s->again = 0;
	s->accept_gone = s->accept_gone || accept & SYNC_GONE;
	ask(s, DISCOVER_ALL);
	pthread_mutex_unlock(&s->lock);
}

bool source_again(struct source *s)
{
	pthread_mutex_lock(&s->lock);
	bool more = s->want_all || s->again < AGAIN_PASSES;
	if (more && !s->want_all) {
		s->again++;
		ask(s, DISCOVER_ALL);
	}
	pthread_mutex_unlock(&s->lock);
	return more;
}

bool source_idle(struct source *s, bool once)
{
	pthread_mutex_lock(&s->lock);
	bool idle = s->paused || (!s->running && !s->want_all && !s->want_news);
	if (idle && once && !s->paused && s->settling > 0 && s->settling_passes < UNSETTLED_PASSES)
		idle = false; /* the connector announces when it has settled */
	pthread_mutex_unlock(&s->lock);
	return idle;
}

void source_pause(struct source *s, bool pause)
{
	pthread_mutex_lock(&s->lock);
	s->paused = pause;
	if (!pause)
		s->want_all = true; /* what happened meanwhile is found by a pass */
	pthread_cond_broadcast(&s->asked);
	pthread_mutex_unlock(&s->lock);
}

bool source_paused(const struct source *s)
{
	return s->paused;
}

bool source_offline(struct source *s)
{
	pthread_mutex_lock(&s->lock);
	bool offline = s->offline || s->held;
	pthread_mutex_unlock(&s->lock);
	return offline;
}

uint64_t source_unsettled(struct source *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t n = s->settling + s->unreadable;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void source_describe(struct source *s, struct source_view *ret)
{
	struct source_status status;
	s->ops->status(s->connector, &status);
	pthread_mutex_lock(&s->lock);
	bool offline = s->offline || status.health == SOURCE_OFFLINE;
	*ret = (struct source_view){ .name = s->config->name, .kind = s->config->manifest ? "manifest" : s->ops->scheme, .settling = s->settling };
	ret->state = s->paused ? "paused" : offline ? "offline" : s->held ? "held" : s->running ? "scanning" : s->passes ? "live" : "idle";
	bool polled = status.health == SOURCE_POLLED || s->ops->events(s->connector) < 0; /* an offline one is what it was */
	ret->watching = polled ? "poll" : status.health == SOURCE_MIXED ? "mixed" : "inotify";
	say(s, &status, ret->message, sizeof(ret->message));
	pthread_mutex_unlock(&s->lock);
}
