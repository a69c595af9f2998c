/* normalize.c - the normalize stage. */
#include "daemon/stages/normalize.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/flow/feed.h"
#include "daemon/flow/retry.h"
#include "daemon/stages/bytes.h"
#include "daemon/stages/handover.h"
#include "daemon/stages/kept.h"

#include <errno.h>
#include <stdlib.h>

struct normalizer {
	struct pipeline *p;
	struct feed *feed;
	struct threads threads;
};

/* What a submitted result needs when it is durable. */
struct normalized {
	struct normalizer *n;
	uint64_t item;
	bool handed;  /* inputs lie in the handover */
};

size_t image_specs(struct pipeline *p, struct pixel_spec ret[PIXEL_SPECS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < p->model_count && n < PIXEL_SPECS_MAX; i++)
		if (p->models[i].model && model_info(p->models[i].model)->media == MEDIA_IMAGE)
			ret[n++] = *model_info(p->models[i].model)->pixels;
	return n;
}

struct change *item_failure(struct pipeline *p, const struct work *w, enum stage stage, const struct err *err, const char *cure,
	const char *media_type)
{
	struct change *c = change_new();
	struct slice reason = change_copy(c, slice_of(err->text)), fix = change_copy(c, slice_of(cure));
	struct slice type = change_copy(c, slice_of(media_type));
	struct record_failure *r = &change_add(c, RECORD_FAILURE)->failure;
	(void)retry_plan(p->config->limits.attempts, err, w->attempts, r);
	r->subject = SUBJECT_ITEM;
	r->number = w->number;
	r->stage = stage;
	r->reason = reason;
	r->cure = fix;
	r->media_type = type;
	LOG_DEBUG(LOG_DETAIL, "item %llu: %s: %s", (unsigned long long)w->number, stage_name(stage), err->text);
	return c;
}

static void done(void *arg, int64_t revision, const struct err *err)
{
	struct normalized *d = arg;
	struct normalizer *n = d->n;
	if (revision < 0) {
		if (d->handed)
			inputs_free(handover_take(n->p->handover, d->item));
		if (err->class == ERR_FATAL)
			account_fail(n->p->account, err);
	}
	feeds_kick(n->p->feeds);
	feed_release(n->feed, d->item); /* last: what is in hand keeps the pipeline alive */
	free(d);
}

static void submit(struct normalizer *n, struct change *c, uint64_t item, bool handed)
{
	struct normalized *d = mem_alloc(sizeof(*d));
	struct err err;
	*d = (struct normalized){ .n = n, .item = item, .handed = handed };
	if (committer_submit(n->p->store, c, done, d, &err) < 0)
		done(d, -1, &err);
}

static void derive(struct change *c, uint64_t item, enum derived_kind kind, struct buf *bytes)
{
	if (bytes->len == 0)
		return;
	struct derived_blob blob = { .item = item, .kind = kind, .bytes = bytes->len };
	blob.data = buf_take(bytes);
	change_derive(c, &blob);
}

static struct change *facts_change(uint64_t item, struct decode_result *r)
{
	struct change *c = change_new();
	struct slice type = change_copy(c, slice_of(r->media_type)), facts = change_copy(c, buf_slice(&r->facts));
	change_add(c, RECORD_FACTS)->facts = (struct record_facts){ .item = item,
		.state = r->decoded ? ITEM_NORMALIZED : ITEM_PARKED, .media = r->media, .media_type = type, .width = r->width,
		.height = r->height, .normalizer = NORMALIZER_VERSION, .canonical = r->canonical, .facts = facts };
	derive(c, item, DERIVED_THUMBNAIL, &r->thumbnail);
	derive(c, item, DERIVED_CANONICAL, &r->form);
	return c;
}

static int load_item(struct normalizer *n, const struct work *w, struct decode_job *job, int *ret_fd, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct item item;
	if (view_open(n->p->store, &v, err) < 0)
		return -1;
	int found = view_item(v, w->number, &item, err);
	if (found <= 0 || item.state != ITEM_COMMITTED)
		return found < 0 ? -1 : 0;
	*ret_fd = item.at.kind == LOCATION_REFERENCE ? kept_open(n->p->kept, &item.content) : -1;
	if (*ret_fd < 0 && pipeline_bytes(n->p, &item, ret_fd, &job->offset, err) < 0)
		return -1;
	job->fd = *ret_fd;
	job->bytes = item.bytes;
	return 1;
}

static void normalize_one(struct normalizer *n, const struct work *w)
{
	struct pipeline *p = n->p;
	struct pixel_spec specs[PIXEL_SPECS_MAX];
	struct decode_job job = { .wants = specs, .want_count = image_specs(p, specs) };
	struct decode_result result = { 0 };
	CLEANUP(close_fdp) int fd = -1;
	struct err err;
	int got = load_item(n, w, &job, &fd, &err);
	if (got == 0) { /* another decision was made meanwhile: the row is gone */
		feed_release(n->feed, w->number);
		return;
	}
	if (got < 0 || decode_run(p->decoder, &job, &result, &err) < 0) {
		if (account_stopping(p->account)) {
			feed_release(n->feed, w->number);
		} else {
			const char *cure = err.class == ERR_REJECT ? "replace the file or leave it out; `inlet retry` after a change" : "";
			submit(n, item_failure(p, w, STAGE_NORMALIZE, &err, cure, result.media_type), w->number, false);
		}
		decode_result_done(&result);
		return;
	}
	struct change *c = facts_change(w->number, &result);
	bool hand = result.decoded && p->inferrers[result.media] && w->attempts == 0;
	if (hand)
		handover_put(p->handover, inputs_of(w->number, &result, specs, job.want_count));
	submit(n, c, w->number, hand);
	decode_result_done(&result);
}

static void *normalize_thread(void *arg)
{
	struct normalizer *n = arg;
	struct work w;
	while (feed_next(n->feed, UINT64_MAX, &w))
		normalize_one(n, &w);
	return NULL;
}

int normalizer_open(struct pipeline *p, size_t threads, struct normalizer **ret, struct err *err)
{
	struct normalizer *n = mem_zero(1, sizeof(*n));
	n->p = p;
	n->feed = feed_new(p->feeds, STAGE_NORMALIZE, MEDIAS);
	if (threads_start(&n->threads, threads, normalize_thread, n, "the threads that normalize", err) < 0) {
		normalizer_stop(n);
		normalizer_close(n);
		return -1;
	}
	*ret = n;
	return 0;
}

void normalizer_stop(struct normalizer *n)
{
	feed_stop(n->feed);
}

void normalizer_close(struct normalizer *n)
{
	if (!n)
		return;
	threads_join(&n->threads);
	feed_free(n->feed);
	free(n);
}

bool normalizer_pending(struct normalizer *n, uint32_t attempts)
{
	return feed_pending(n->feed, attempts);
}
