/* gcs.c - a Google Cloud Storage bucket as a source: polled, listed in byte order, read by generation. */
#include "connectors/connector.h"

#include "connectors/gcs_check.h"
#include "connectors/gcs_get.h"
#include "connectors/gcs_list.h"
#include "connectors/gcs_scan.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>

struct connector {
	struct bucket bucket;
	struct gcs_api *api;
	bool in_order;            /* discover() only: this server knows no ranges of keys, as some emulators */
};

static int gcs_open(const void *config, const char *root, bool had_objects, struct connector **ret, struct err *err)
{
	(void)root; /* with its objects gone or there, a bucket is what it is called */
	(void)had_objects;
	const struct gcs_config *g = config;
	struct connector *c = mem_zero(1, sizeof(*c));
	bucket_init(&c->bucket, "gs", &g->at);
	if (gcs_api_new(g, &c->bucket.stopping, &c->api, err) < 0) {
		bucket_done(&c->bucket);
		free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

static void gcs_close(struct connector *c)
{
	if (!c)
		return;
	gcs_api_free(c->api);
	bucket_done(&c->bucket);
	free(c);
}

/* A prefix under which nothing lies, or a bucket in which nothing lies? */
static int look_outside(struct connector *c, bool *ret_any, struct err *err)
{
	CLEANUP(buf_done) struct buf key = { 0 }, version = { 0 };
	uint64_t bytes;
	*ret_any = atomic_load(&c->bucket.listed) > 0;
	if (!bucket_saw_nothing(&c->bucket))
		return 0;
	if (gcs_list_first(c->api, &c->bucket, SLICE_LIT(""), &key, &version, &bytes, err) < 0)
		return -1;
	*ret_any = key.len > 0;
	return 0;
}

static int list(struct connector *c, page_fn *emit, void *arg, struct err *err)
{
	uint32_t limit = c->bucket.config->concurrency;
	uint32_t threads = c->in_order ? 1 : limit > 0 && limit < GCS_SCAN_THREADS ? limit : GCS_SCAN_THREADS;
	if (gcs_scan(c->api, &c->bucket, threads, emit, arg, err) == 0)
		return 0;
	c->in_order |= err->sys == ENOTSUP;
	return -1;
}

static int gcs_discover(struct connector *c, enum discover_scope scope, page_fn *emit, void *arg, struct pass *ret_pass,
	struct err *err)
{
	bool any;
	(void)scope; /* there is no news but a pass */
	bucket_begin(&c->bucket);
	if (list(c, emit, arg, err) < 0 || look_outside(c, &any, err) < 0) {
		if (err->class == ERR_REJECT)
			err->class = ERR_RETRY; /* no object is to blame */
		if (err->sys == ENOENT)
			(void)err_wrap(err, "gs://%.64s is not there: is `bucket` spelled right, and `endpoint` the place where it lies?",
				c->bucket.config->bucket);
		bucket_failed(&c->bucket, err);
		return -1;
	}
	bucket_went_through(&c->bucket, any);
	*ret_pass = (struct pass){ .complete = true, .full = true };
	return 0;
}

static int gcs_fetch(struct connector *c, const struct object *obj, struct sink *into, struct object *ret_seen, struct err *err)
{
	return gcs_get(c->api, &c->bucket, obj, into, ret_seen, err);
}

static int gcs_events(const struct connector *c)
{
	(void)c;
	return -1;
}

static void gcs_pump(struct connector *c, uint64_t *ret_due_ns, enum discover_scope *ret_scope)
{
	bucket_pump(&c->bucket, ret_due_ns, ret_scope);
}

static void gcs_status(struct connector *c, struct source_status *ret)
{
	bucket_status(&c->bucket, ret);
}

static void gcs_doctor(struct connector *c, check_fn *tell, void *arg)
{
	gcs_check(c->api, &c->bucket, tell, arg);
}

static void gcs_stop(struct connector *c)
{
	bucket_stop(&c->bucket);
}

const struct connector_ops gcs_connector = {
	.scheme = "gcs",
	.layout = LAYOUT_FLAT,
	.open = gcs_open,
	.discover = gcs_discover,
	.fetch = gcs_fetch,
	.events = gcs_events,
	.pump = gcs_pump,
	.status = gcs_status,
	.check = gcs_doctor,
	.stop = gcs_stop,
	.close = gcs_close,
};
