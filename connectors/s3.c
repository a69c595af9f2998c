/* s3.c - the connector of buckets that speak S3: lists by ListObjectsV2, reads by GET, polled. */
#include "connectors/bucket_page.h"
#include "connectors/s3_check.h"
#include "connectors/s3_get.h"
#include "connectors/s3_list.h"
#include "connectors/s3_version.h"

#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <stdlib.h>

#define PAGE_TRIES 8             /* of one page, before the pass and all its pages are given up */
#define PAGE_TRIES_FIRST 3       /* nothing is lost yet */
#define PAGE_TRIES_LIES 2        /* what came was no page: it will hardly be one the next time */
#define PAGE_BASE_MS 250
#define PAGE_CAP_MS 20000
#define EMPTY_PAGES_MAX 10000    /* in a row: a server that never comes to an end */
#define TICK_NS (100 * NS_PER_MS)

struct connector {
	struct bucket bucket;
	const struct s3_config *config;
	struct s3_client *client;
	atomic_bool cold;            /* archived objects were listed: ask whether they were restored */
};

static int s3_open(const void *config, const char *root, bool had_objects, struct connector **ret, struct err *err)
{
	(void)root; /* with its objects gone or there, a bucket is what it is called */
	(void)had_objects;
	struct connector *c = mem_zero(1, sizeof(*c));
	c->config = config;
	bucket_init(&c->bucket, "s3", &c->config->at);
	if (s3_client_new(c->config, &c->bucket.stopping, &c->client, err) < 0) {
		bucket_done(&c->bucket);
		free(c);
		return -1;
	}
	atomic_store(&c->cold, c->config->at.endpoint == NULL); /* Amazon's own know the question */
	*ret = c;
	return 0;
}

static void s3_close(struct connector *c)
{
	if (!c)
		return;
	s3_client_free(c->client);
	bucket_done(&c->bucket);
	free(c);
}

/* ---- listing ---- */

/* One pass: where it is. */
struct walk {
	struct connector *connector;
	struct slice prefix;
	struct s3_list list;         /* the page that came last */
	struct bucket_page page;
	struct buf token;            /* of the next page; empty: by key */
	uint32_t empty;              /* pages without a key in a row */
	bool asked_restore;          /* the page that came last */
};

static int on_body(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct walk *w = arg;
	return s3_list_add(&w->list, (struct slice){ (const char *)p, n }, err);
}

/* prefix and max_keys (NULL: the server's 1,000) are of this request; the place to go on from is the walk's. */
static int list_once(struct walk *w, struct slice prefix, const char *max_keys, struct err *err)
{
	struct sigv4_param params[6] = { { SLICE_LIT("list-type"), SLICE_LIT("2") }, { SLICE_LIT("encoding-type"), SLICE_LIT("url") } };
	struct http_reply reply;
	char what[256];
	size_t n = 2;
	int done;
	if (prefix.len > 0)
		params[n++] = (struct sigv4_param){ SLICE_LIT("prefix"), prefix };
	if (max_keys)
		params[n++] = (struct sigv4_param){ SLICE_LIT("max-keys"), slice_of(max_keys) };
	if (w->token.len > 0)
		params[n++] = (struct sigv4_param){ SLICE_LIT("continuation-token"), buf_slice(&w->token) };
	else if (w->page.after.len > 0)
		params[n++] = (struct sigv4_param){ SLICE_LIT("start-after"), buf_slice(&w->page.after) };
	w->asked_restore = atomic_load(&w->connector->cold);
	s3_list_reset(&w->list);
	const struct s3_call call = { .params = params, .param_count = n, .restore = w->asked_restore, .limit = S3_XML_MAX,
		.body = on_body, .arg = w };
	done = s3_client_send(w->connector->client, &call, &reply, err);
	if (done == 0)
		done = s3_list_end(&w->list, err);
	if (done < 0 && reply.status == 200 && err->sys == 0) {
		err->sys = EPROTO;
		s3_client_describe(w->connector->client, prefix, what, sizeof(what));
		(void)err_wrap(err, "%s", what);
	}
	http_reply_done(&reply);
	return done;
}

static bool is_hopeless(const struct walk *w, const struct err *err, uint32_t tries, uint32_t lies)
{
	if (err->class != ERR_RETRY || err->sys == EACCES || err->sys == ENOENT || err->sys == ECANCELED || err->wait_ms > PAGE_CAP_MS)
		return true;
	return lies == PAGE_TRIES_LIES || tries == (w->page.after.len == 0 ? PAGE_TRIES_FIRST : PAGE_TRIES) ||
		atomic_load(&w->connector->bucket.stopping);
}

static void rest(const struct connector *c, uint64_t ms)
{
	for (uint64_t until_ns = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until_ns && !atomic_load(&c->bucket.stopping);) {
		struct timespec tick = clock_spec(TICK_NS);
		(void)nanosleep(&tick, NULL);
	}
}

/* A pass over a large bucket takes many requests: one that fails is sent again before all of them are lost. */
static int list(struct walk *w, struct slice prefix, const char *max_keys, struct err *err)
{
	uint32_t lies = 0;
	for (uint32_t tries = 1;; tries++) {
		if (list_once(w, prefix, max_keys, err) == 0)
			return 0;
		lies += err->sys == EPROTO;
		if (is_hopeless(w, err, tries, lies))
			return -1;
		uint64_t wait_ms = backoff_ms(tries - 1, PAGE_BASE_MS, PAGE_CAP_MS);
		rest(w->connector, wait_ms > err->wait_ms ? wait_ms : err->wait_ms);
	}
}

static int add_keys(struct walk *w, struct err *err)
{
	struct buf version = { 0 };
	int done = 0;
	for (size_t i = 0; done == 0 && i < w->list.count; i++) {
		const struct s3_listed *k = &w->list.keys[i];
		version.len = 0;
		s3_version(&version, s3_list_etag(&w->list, i), k->modified_s, k->bytes);
		done = bucket_page_add(&w->page, s3_list_key(&w->list, i), buf_slice(&version), k->bytes,
			k->archived ? ENTRY_ARCHIVED : ENTRY_FILE, err);
	}
	buf_done(&version);
	return done;
}

static bool has_archived(const struct s3_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->keys[i].archived)
			return true;
	return false;
}

/* Takes the token of the next page over. */
static int step(struct walk *w, struct err *err)
{
	bool same = slice_eq(buf_slice(&w->list.next), buf_slice(&w->token));
	w->empty = w->list.count > 0 ? 0 : w->empty + 1;
	if (w->list.count == 0 && (same || w->empty == EMPTY_PAGES_MAX))
		return err_set(err, ERR_RETRY, 0, "the listing does not get on: the server says that more follows, and sends nothing");
	w->token.len = 0;
	buf_add(&w->token, w->list.next.data, w->list.next.len);
	return 0;
}

static int walk(struct walk *w, page_fn *emit, void *arg, struct err *err)
{
	for (;;) {
		if (list(w, w->prefix, NULL, err) < 0)
			return -1;
		if (!w->asked_restore && has_archived(&w->list)) {
			atomic_store(&w->connector->cold, true); /* for good: the same page again, with the question */
			continue;
		}
		if (add_keys(w, err) < 0)
			return -1;
		if (!w->list.truncated)
			return bucket_page_emit(&w->page, buf_slice(&w->page.last), true, emit, arg, err);
		if (step(w, err) < 0)
			return -1;
		if (w->list.count > 0 && bucket_page_emit(&w->page, buf_slice(&w->page.last), false, emit, arg, err) < 0)
			return -1;
	}
}

/* Is there any key in the bucket at all? */
static int look_whole(struct walk *w, bool *ret_any, struct err *err)
{
	w->token.len = w->page.after.len = 0;
	if (list(w, SLICE_LIT(""), "1", err) < 0)
		return -1;
	*ret_any = w->list.count > 0 || w->list.truncated;
	return 0;
}

static int run_pass(struct walk *w, page_fn *emit, void *arg, struct err *err)
{
	struct bucket *b = &w->connector->bucket;
	bool any = false;
	bucket_begin(b);
	if (walk(w, emit, arg, err) < 0)
		return -1;
	if (bucket_saw_nothing(b) && look_whole(w, &any, err) < 0)
		return -1;
	bucket_went_through(b, any);
	return 0;
}

static int s3_discover(struct connector *c, enum discover_scope scope, page_fn *emit, void *arg, struct pass *ret_pass,
	struct err *err)
{
	struct walk w = { .connector = c, .prefix = slice_of(c->config->at.prefix ? c->config->at.prefix : "") };
	int done;
	(void)scope; /* there are no events: every pass is a full one */
	s3_list_init(&w.list);
	bucket_page_init(&w.page, &c->bucket, SLICE_LIT(""));
	done = run_pass(&w, emit, arg, err);
	if (done < 0) {
		if (err->class == ERR_REJECT)
			err->class = ERR_RETRY; /* nothing in a listing is an object's fault */
		bucket_failed(&c->bucket, err);
	} else {
		*ret_pass = (struct pass){ .complete = true, .full = true };
	}
	bucket_page_done(&w.page);
	s3_list_done(&w.list);
	buf_done(&w.token);
	return done;
}

/* ---- the other rows ---- */

static int s3_fetch(struct connector *c, const struct object *obj, struct sink *into, struct object *ret_seen, struct err *err)
{
	return s3_get(c->client, obj, into, &c->bucket.stopping, ret_seen, err);
}

static int s3_events(const struct connector *c)
{
	(void)c;
	return -1;
}

static void s3_pump(struct connector *c, uint64_t *ret_due_ns, enum discover_scope *ret_scope)
{
	bucket_pump(&c->bucket, ret_due_ns, ret_scope);
}

static void s3_status(struct connector *c, struct source_status *ret)
{
	bucket_status(&c->bucket, ret);
}

static void s3_check_source(struct connector *c, check_fn *tell, void *arg)
{
	s3_check(c->client, c->config, tell, arg);
}

static void s3_stop(struct connector *c)
{
	bucket_stop(&c->bucket);
}

const struct connector_ops s3_connector = {
	.scheme = "s3",
	.layout = LAYOUT_FLAT,
	.open = s3_open,
	.discover = s3_discover,
	.fetch = s3_fetch,
	.events = s3_events,
	.pump = s3_pump,
	.status = s3_status,
	.check = s3_check_source,
	.stop = s3_stop,
	.close = s3_close,
};
