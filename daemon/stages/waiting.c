/* waiting.c - the durable queue in numbers: what will be done, and what waits for a change of the configuration. */
#include "daemon/infer/card.h"
#include "daemon/stages/internal.h"
#include "daemon/stages/pipeline.h"

/* A stand-in that was not asked for work has loaded no model: their cards say what they would take. */
static bool card_takes(const struct pipeline *p, enum media media)
{
	bool takes = false;
	for (size_t i = 0; i < p->config->model_count && !takes; i++) {
		struct card *card;
		struct err err;
		if (card_load(p->config->models[i].card, &card, &err) < 0)
			continue;
		takes = card->media == media;
		card_free(card);
	}
	return takes;
}

static bool somebody_takes(const struct pipeline *p, enum stage stage, enum media media)
{
	if (stage == STAGE_NORMALIZE)
		return p->config->normalize;
	if (stage == STAGE_INFER)
		return p->active ? p->inferrers[media] != NULL : card_takes(p, media);
	return true;
}

void pipeline_work(const struct pipeline *p, struct view *v, enum stage stage, struct stage_work *ret)
{
	struct stage_work sum = { 0 };
	for (enum media m = MEDIA_UNKNOWN; m < MEDIAS; m++) {
		uint64_t queued = view_work_count(v, stage, m, false), retrying = view_work_count(v, stage, m, true);
		if (queued + retrying == 0)
			continue;
		if (somebody_takes(p, stage, m)) {
			sum.queued += queued;
			sum.retrying += retrying;
		} else {
			sum.waiting += queued + retrying;
		}
	}
	*ret = sum;
}
