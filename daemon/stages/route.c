/* route.c - routing as a difference, and the stage that routes again. */
#include "daemon/stages/route.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/flow/feed.h"
#include "daemon/model/route.h"

#include <math.h>
#include <stdlib.h>

struct router {
	struct pipeline *p;
	struct feed *feed;
	struct threads thread;
};

/* ---- the difference ---- */

static bool of_model(const struct annotation *a, const char *name)
{
	return slice_eq(a->worker, SLICE_LIT("model")) && slice_eq(a->model, slice_of(name));
}

/* A person or an import spoke about this concept. */
static bool spoken(const struct annotation *as, size_t n, struct slice concept)
{
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(as[i].worker, SLICE_LIT("model")) && slice_eq(as[i].concept, concept))
			return true;
	return false;
}

static bool matches(const struct annotation *a, const struct model_info *info, struct slice concept, double confidence,
	enum annotation_status status)
{
	return of_model(a, info->name) && slice_eq(a->concept, concept) && a->status == status &&
		fabs(a->confidence - confidence) < 1e-7 && content_id_eq(&a->model_version, &info->version);
}

/* What one model says now, against what stands: kept[i] is set for annotations that stay. */
static void route_model(struct change *c, uint64_t item, const struct model_slot *slot, const struct score *scores, size_t n,
	const struct annotation *as, size_t as_count, bool *kept)
{
	const struct model_info *info = model_info(slot->model);
	for (size_t i = 0; i < n; i++) {
		enum annotation_status status = route_status(&slot->config->bands, scores[i].concept, scores[i].confidence);
		if (status == STATUS_NONE || spoken(as, as_count, scores[i].concept))
			continue;
		bool stands = false;
		for (size_t k = 0; k < as_count && !stands; k++)
			if (matches(&as[k], info, scores[i].concept, scores[i].confidence, status))
				stands = kept[k] = true;
		if (stands)
			continue;
		struct slice concept = change_copy(c, scores[i].concept);
		change_add(c, RECORD_ANNOTATION)->annotation = (struct record_annotation){ .item = item, .concept = concept,
			.confidence = json_float_value(scores[i].confidence), .status = status, .worker = SLICE_LIT("model"),
			.model = slice_of(info->name), .model_version = info->version, .time_ms = clock_wall_ms() };
	}
	for (size_t k = 0; k < as_count; k++)
		if (of_model(&as[k], info->name) && !kept[k])
			change_add(c, RECORD_UNTIL)->until = (struct record_until){ item, as[k].n };
}

/* The scores of one slot: fresh, else stored. False: it never saw the item. */
static bool find_scores(const struct model_slot *slot, const struct fresh_run *fresh, size_t fresh_count, const struct run *runs,
	size_t run_count, const struct score **ret, size_t *ret_n)
{
	for (size_t i = 0; i < fresh_count; i++) {
		if (fresh[i].slot == slot) {
			*ret = fresh[i].prediction.scores;
			*ret_n = fresh[i].prediction.count;
			return true;
		}
	}
	for (size_t i = 0; i < run_count; i++) {
		if (content_id_eq(&runs[i].model_version, &model_info(slot->model)->version)) {
			*ret = runs[i].scores;
			*ret_n = runs[i].score_count;
			return true;
		}
	}
	return false;
}

int route_item(struct change *c, struct view *now, struct pipeline *p, uint64_t item, const struct fresh_run *fresh,
	size_t fresh_count, struct err *err)
{
	const struct annotation *as;
	const struct run *runs;
	size_t as_count, run_count;
	if (view_annotations(now, item, 0, &as, &as_count, err) < 0 || view_runs(now, item, &runs, &run_count, err) < 0)
		return -1;
	CLEANUP(freep) bool *kept = mem_zero(as_count, sizeof(*kept));
	for (size_t i = 0; i < p->model_count; i++) {
		const struct model_slot *slot = &p->models[i];
		const struct score *scores;
		size_t n;
		if (slot->model && find_scores(slot, fresh, fresh_count, runs, run_count, &scores, &n))
			route_model(c, item, slot, scores, n, as, as_count, kept);
	}
	return 0;
}

/* ---- the stage ---- */

struct routing {
	struct router *r;
	uint64_t item;
};

static int prepare_route(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct routing *j = arg;
	struct item item;
	int found = view_item(now, j->item, &item, err);
	if (found < 0)
		return -1;
	if (found == 0 || item.state != ITEM_INFERRED)
		return err_set(err, ERR_REJECT, 0, "item %llu does not wait for routing any more", (unsigned long long)j->item);
	if (route_item(c, now, j->r->p, j->item, NULL, 0, err) < 0)
		return -1;
	change_add(c, RECORD_STATE)->state = (struct record_state){ j->item, ITEM_ROUTED };
	return 0;
}

static void routed(void *arg, int64_t revision, const struct err *err)
{
	struct routing *j = arg;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(j->r->p->account, err);
	feed_release(j->r->feed, j->item);
	free(j);
}

static void *route_thread(void *arg)
{
	struct router *r = arg;
	struct work w;
	while (feed_next(r->feed, UINT64_MAX, &w)) {
		struct routing *j = mem_alloc(sizeof(*j));
		struct change *c = change_new();
		struct err err;
		*j = (struct routing){ r, w.number };
		change_prepare(c, prepare_route, j);
		if (committer_submit(r->p->store, c, routed, j, &err) < 0)
			routed(j, -1, &err);
	}
	return NULL;
}

int router_open(struct pipeline *p, struct router **ret, struct err *err)
{
	struct router *r = mem_zero(1, sizeof(*r));
	r->p = p;
	r->feed = feed_new(p->feeds, STAGE_ROUTE, MEDIAS);
	if (threads_start(&r->thread, 1, route_thread, r, "the router", err) < 0) {
		router_close(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void router_stop(struct router *r)
{
	feed_stop(r->feed);
}

void router_close(struct router *r)
{
	if (!r)
		return;
	threads_join(&r->thread);
	feed_free(r->feed);
	free(r);
}

bool router_pending(struct router *r)
{
	return feed_pending(r->feed, UINT32_MAX);
}
