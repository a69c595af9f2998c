/* drain.c - waiting until nothing is due, and the counts that --once prints. */
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/stages/fetch.h"
#include "daemon/stages/infer.h"
#include "daemon/stages/normalize.h"
#include "daemon/stages/pipeline.h"
#include "daemon/stages/route.h"
#include "daemon/stages/source.h"
#include "daemon/stages/upkeep.h"

static bool busy(struct pipeline *p, uint32_t attempts)
{
	if (!p->active)
		return false;
	if (account_holds(p->account) || upkeep_busy(p->upkeep))
		return true;
	for (size_t i = 0; i < p->source_count; i++)
		if (!source_idle(p->sources[i], true))
			return true;
	if (fetcher_pending(p->fetcher, attempts) || router_pending(p->router))
		return true;
	if (p->normalizer && normalizer_pending(p->normalizer, attempts))
		return true;
	for (enum media m = 0; m < MEDIAS; m++)
		if (p->inferrers[m] && inferrer_pending(p->inferrers[m], attempts))
			return true;
	return account_holds(p->account);
}

int pipeline_drain(struct pipeline *p, uint32_t attempts, uint64_t timeout_ms, struct err *err)
{
	uint64_t deadline_ns = timeout_ms ? clock_mono_ns() + timeout_ms * NS_PER_MS : UINT64_MAX;
	if (pipeline_activate(p, err) < 0) /* a stand-in may have been asked for nothing else */
		return -1;
	for (;;) {
		uint64_t seen = account_wakes(p->account);
		if (pipeline_failed(p, err) < 0)
			return -1;
		if (account_stopping(p->account))
			return err_set(err, ERR_RETRY, 0, "stopping: the queue is durable and goes on at the next start");
		if (!busy(p, attempts) && account_wakes(p->account) == seen)
			return 0;
		if (account_await(p->account, seen, deadline_ns) < 0)
			return err_set(err, ERR_RETRY, 0, "work is still going on; `inlet status` shows it");
	}
}

void pipeline_counts(struct pipeline *p, struct drain_counts *ret)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct totals totals = { 0 };
	struct err err;
	*ret = (struct drain_counts){ .objects_new = p->new_objects, .objects_changed = p->changed_objects,
		.objects_gone = p->gone_objects, .read = p->read_objects };
	if (view_open(p->store, &v, &err) == 0 && view_totals(v, &totals, &err) == 0) {
		ret->items_new = totals.items - p->items_at_start;
		ret->quarantined = totals.quarantined;
		ret->retrying = totals.retrying;
		struct stage_work infer;
		pipeline_work(p, v, STAGE_INFER, &infer);
		ret->modelless = infer.waiting;
	}
	if (p->active)
		ret->retrying += fetcher_left(p->fetcher);
	for (size_t i = 0; i < p->source_count; i++) {
		ret->offline += source_offline(p->sources[i]);
		ret->unsettled += source_unsettled(p->sources[i]);
	}
}
