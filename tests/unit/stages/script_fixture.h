/* script_fixture.h - a bucket that does what a test says: the stages run as in the daemon, over a real store, and only the far side is
 * scripted. It takes the place of connector_find(). */
#ifndef INLET_TESTS_UNIT_STAGES_SCRIPT_FIXTURE_H
#define INLET_TESTS_UNIT_STAGES_SCRIPT_FIXTURE_H

#include "config/config.h"
#include "connectors/connector.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/stages/pipeline.h"
#include "daemon/store/view.h"
#include "tests/unit/put_file.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define SCRIPT_MAX 1024

struct script_object {
	struct slice key;          /* the test's memory */
	const char *version, *bytes;
	enum entry_kind kind;
	int throttled;             /* fetches that are still to be throttled */
	bool archived_on_fetch;
	const char *becomes;       /* the version that a fetch finds in its place, which listings show from then on; NULL */
};
struct script {
	struct script_object objects[SCRIPT_MAX]; /* in key order */
	size_t count, page;        /* page: entries in one */
	bool backwards;            /* pages come last first, as from parallel listings */
	size_t fails_after;        /* pages until the listing breaks; 0: it does not */
	atomic_int lists, gets;
	pthread_mutex_t lock;      /* guards objects while fetches change them */
};
static struct script script;

struct flow {
	char dir[64];
	struct config *config;
	struct store *store;
	struct pipeline *pipeline;
	struct err err;
};

static inline void script_add(struct slice key, const char *version, const char *bytes)
{
	assert_true(script.count < SCRIPT_MAX);
	if (script.count > 0)
		assert_true(slice_cmp(script.objects[script.count - 1].key, key) < 0);
	script.objects[script.count++] = (struct script_object){ .key = key, .version = version, .bytes = bytes };
}

static inline struct script_object *find(struct slice key)
{
	for (size_t i = 0; i < script.count; i++)
		if (slice_eq(script.objects[i].key, key))
			return &script.objects[i];
	return NULL;
}

static inline struct script_object *script_get(const char *key)
{
	struct script_object *o = find(slice_of(key));
	assert_non_null(o);
	return o;
}

static inline void script_remove(const char *key)
{
	struct script_object *o = script_get(key), *end = script.objects + script.count--;
	memmove(o, o + 1, (size_t)(end - o - 1) * sizeof(*o));
}

/* ---- the connector ---- */

struct connector {
	atomic_bool stopping;
};

static inline int open_script(const void *config, const char *root, bool had_objects, struct connector **ret, struct err *err)
{
	(void)config, (void)root, (void)had_objects, (void)err;
	*ret = mem_zero(1, sizeof(**ret));
	return 0;
}

static inline int emit_page(size_t n, size_t pages, page_fn *emit, void *arg, struct err *err)
{
	struct entry *entries = mem_zero(script.page, sizeof(*entries));
	size_t first = n * script.page, count = 0;
	pthread_mutex_lock(&script.lock);
	for (; count < script.page && first + count < script.count; count++) {
		const struct script_object *o = &script.objects[first + count];
		entries[count] = (struct entry){ .name = o->key, .version = slice_of(o->version), .bytes = strlen(o->bytes),
			.locality = count, .kind = o->kind };
	}
	struct page page = { .place = SLICE_LIT(""), .entries = entries, .count = count,
		.after = first ? script.objects[first - 1].key : SLICE_LIT(""), .open_ended = n + 1 == pages };
	if (!page.open_ended)
		page.upto = entries[count - 1].name;
	pthread_mutex_unlock(&script.lock);
	atomic_fetch_add(&script.lists, 1);
	int ok = emit(arg, &page, err);
	free(entries);
	return ok;
}

static inline int discover(struct connector *c, enum discover_scope scope, page_fn *emit, void *arg, struct pass *ret, struct err *err)
{
	(void)c, (void)scope;
	size_t pages = script.count / script.page + 1;
	for (size_t i = 0; i < pages; i++) {
		if (script.fails_after && i == script.fails_after)
			return err_set(err, ERR_RETRY, 0, "the listing broke");
		if (emit_page(script.backwards ? pages - 1 - i : i, pages, emit, arg, err) < 0)
			return -1;
	}
	*ret = (struct pass){ .complete = true, .full = true };
	return 0;
}

static inline int say(const struct script_object *o, const struct object *asked, struct err *err)
{
	if (!o)
		return err_set(err, ERR_RETRY, ENOENT, "get");
	if (strcmp(o->version, "broken") == 0)
		return err_set(err, ERR_REJECT, 0, "cannot be read");
	if (o->archived_on_fetch) {
		(void)err_set(err, ERR_REJECT, 0, "is archived");
		err->sys = FETCH_ARCHIVED;
		return -1;
	}
	if (slice_eq(slice_of(o->version), asked->version))
		return 0;
	(void)err_set(err, ERR_RETRY, 0, "has changed");
	err->sys = FETCH_CHANGED;
	return -1;
}

static inline int fetch(struct connector *c, const struct object *asked, struct sink *into, struct object *ret_seen, struct err *err)
{
	(void)c;
	char bytes[2048];
	pthread_mutex_lock(&script.lock);
	struct script_object *o = find(asked->key);
	if (o && o->becomes)
		o->version = o->becomes, o->becomes = NULL;
	int ok = say(o, asked, err);
	if (ok == 0 && o->throttled > 0) {
		o->throttled--;
		ok = err_set(err, ERR_RETRY, 0, "slow down");
		err->sys = FETCH_THROTTLED;
	}
	if (ok == 0)
		(void)snprintf(bytes, sizeof(bytes), "%s", o->bytes);
	pthread_mutex_unlock(&script.lock);
	atomic_fetch_add(&script.gets, 1);
	for (size_t at = 0, n = ok == 0 ? strlen(bytes) : 0, space; at < n; at += space) {
		uint8_t *to = into->ops->space(into, &space, err);
		if (!to)
			return -1;
		space = space < n - at ? space : n - at;
		memcpy(to, bytes + at, space);
		if (into->ops->wrote(into, space, err) < 0)
			return -1;
	}
	*ret_seen = *asked;
	return ok;
}

static inline int events(const struct connector *c)
{
	(void)c;
	return -1;
}

static inline void pump(struct connector *c, uint64_t *ret_due_ns, enum discover_scope *ret_scope)
{
	(void)c;
	*ret_due_ns = UINT64_MAX;
	*ret_scope = DISCOVER_ALL;
}

static inline void status(struct connector *c, struct source_status *ret)
{
	(void)c;
	*ret = (struct source_status){ .health = SOURCE_POLLED, .root = "s3://things" };
}

static inline void check(struct connector *c, check_fn *tell, void *arg)
{
	(void)c;
	tell(arg, "ok", "credentials", "from a script", "");
	tell(arg, "warning", "clock", "2 min late", "set it");
	tell(arg, "error", "list", "denied", "allow s3:ListBucket");
}

static inline void stop(struct connector *c)
{
	c->stopping = true;
}

static inline void close_script(struct connector *c)
{
	free(c);
}

const struct connector_ops *connector_find(const char *scheme)
{
	static const struct connector_ops ops = { .scheme = "s3", .layout = LAYOUT_FLAT, .open = open_script, .discover = discover,
		.fetch = fetch, .events = events, .pump = pump, .status = status, .check = check, .stop = stop, .close = close_script };
	return strcmp(scheme, "s3") == 0 ? &ops : NULL;
}

/* ---- the pipeline over it ---- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)flag, (void)at;
	return remove(path);
}

static inline int flow_setup(void **state)
{
	struct flow *f = mem_zero(1, sizeof(*f));
	strcpy(f->dir, "/tmp/inlet-flow-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	script = (struct script){ .page = 3, .lock = PTHREAD_MUTEX_INITIALIZER };
	*state = f;
	return 0;
}

static inline int flow_teardown(void **state)
{
	struct flow *f = *state;
	pipeline_close(f->pipeline);
	store_close(f->store);
	config_free(f->config);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline void drained(struct flow *f)
{
	if (pipeline_drain(f->pipeline, 3, 60000, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

/* Opens store and pipeline over "sources: [{name: b, s3: {bucket: things, OPTIONS}}]" and runs the first pass to its end. */
static inline void flow_start(struct flow *f, const char *options)
{
	CLEANUP(freep) char *file = mem_printf("%s/inlet.yaml", f->dir);
	CLEANUP(freep) char *state_dir = mem_printf("%s/state", f->dir);
	CLEANUP(freep) char *text = mem_printf("state_dir: state\nnormalize: off\nlimits: {map: 1GiB, memory: 32MiB, reserve: 0}\n"
		"sources: [{name: b, s3: {bucket: things%s%s}}]\n", options[0] ? ", " : "", options);
	assert_int_equal(mkdir(state_dir, 0755), 0);
	put_file(AT_FDCWD, file, slice_of(text), 0644);
	if (config_load(file, &f->config, &f->err) < 0)
		fail_msg("%s", f->err.text);
	struct store_options o = { .map_bytes = 1ULL << 30, .segment_bytes = 64U << 20, .arena_bytes = 16U << 20 };
	struct store_report report;
	if (store_open(f->config->state_dir, &o, &f->store, &report, &f->err) < 0 ||
		pipeline_open(f->config, f->store, PIPELINE_ONCE, "/none", &f->pipeline, &f->err) < 0 ||
		pipeline_start(f->pipeline, &f->err) < 0)
		fail_msg("%s", f->err.text);
	drained(f);
}

/* Another pass, to its end. */
static inline void flow_sync(struct flow *f, unsigned accept)
{
	assert_int_equal(pipeline_sync(f->pipeline, "b", accept, &f->err), 0);
	drained(f);
}

static inline struct source_row flow_source(struct flow *f)
{
	struct view *v;
	struct source_row row = { 0 };
	assert_int_equal(view_open(f->store, &v, &f->err), 0);
	assert_int_equal(view_source(v, SLICE_LIT("b"), &row, &f->err), 1);
	view_close(v);
	return row;
}

static inline struct drain_counts flow_counts(struct flow *f)
{
	struct drain_counts n;
	pipeline_counts(f->pipeline, &n);
	return n;
}

static inline uint64_t flow_revision(struct flow *f)
{
	struct store_usage usage;
	store_usage(f->store, &usage);
	return usage.revision;
}

/* OBJECT_NONE: unknown. */
static inline enum object_state flow_state(struct flow *f, struct slice key)
{
	struct view *v;
	struct ledger_row row = { 0 };
	assert_int_equal(view_open(f->store, &v, &f->err), 0);
	assert_true(view_object(v, SLICE_LIT("b"), LAYOUT_FLAT, key, &row, &f->err) >= 0);
	view_close(v);
	return row.state;
}

static inline struct source_view flow_view(struct flow *f)
{
	struct source_view v;
	assert_int_equal(pipeline_source_views(f->pipeline, &v, 1), 1);
	return v;
}

#endif
