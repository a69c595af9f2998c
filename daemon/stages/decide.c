/* decide.c - people's decisions on labels: each reads what stands and writes the difference, in one commit. */
#include "daemon/base/clock.h"
#include "daemon/stages/internal.h"
#include "daemon/stages/pipeline.h"

#include <stdio.h>

enum decision { DECIDE_ACCEPT, DECIDE_REJECT, DECIDE_LABEL };

struct deciding {
	enum decision what;
	uint64_t item;
	struct slice concept;
	const char *user;
};

/* The annotation as the person leaves it: the suggestion's own facts, the person as worker. */
static void write_decision(struct change *c, const struct deciding *d, const struct annotation *was, struct slice concept)
{
	struct slice name = change_copy(c, concept), worker = change_copy(c, slice_of(d->user));
	struct record_annotation a = { .item = d->item, .concept = name, .confidence = -1, .worker = worker,
		.status = d->what == DECIDE_REJECT ? STATUS_REVIEW_DENIED : STATUS_SUCCESS, .time_ms = clock_wall_ms() };
	if (was) {
		a.confidence = was->confidence;
		a.model = change_copy(c, was->model);
		a.model_version = was->model_version;
		a.object = was->object;
		a.geometry = change_copy(c, was->geometry);
		a.attributes = change_copy(c, was->attributes);
		change_add(c, RECORD_UNTIL)->until = (struct record_until){ d->item, was->n };
	}
	change_add(c, RECORD_ANNOTATION)->annotation = a;
}

static bool concerns(const struct deciding *d, const struct annotation *a)
{
	if (d->what == DECIDE_LABEL)
		return slice_eq(a->concept, d->concept);
	if (d->concept.len == 0)
		return a->status == STATUS_AWAITING_REVIEW;
	return slice_eq(a->concept, d->concept) && a->status != STATUS_REVIEW_DENIED;
}

static int prepare_decision(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct deciding *d = arg;
	const struct annotation *as;
	struct item item;
	size_t n, hits = 0;
	int found = view_item(now, d->item, &item, err);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_REJECT, 0, "there is no item %llu; `inlet items` lists them", (unsigned long long)d->item);
	if (view_annotations(now, d->item, 0, &as, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (concerns(d, &as[i])) {
			write_decision(c, d, &as[i], as[i].concept);
			hits++;
		}
	}
	if (hits == 0 && d->what == DECIDE_LABEL)
		write_decision(c, d, NULL, d->concept);
	else if (hits == 0 && d->concept.len)
		return err_set(err, ERR_REJECT, 0, "item %llu has no standing label '%.*s'; `inlet show %llu` lists its labels",
			(unsigned long long)d->item, (int)d->concept.len, d->concept.p, (unsigned long long)d->item);
	else if (hits == 0)
		return err_set(err, ERR_REJECT, 0, "nothing on item %llu waits for review; name a label, or see `inlet show %llu`",
			(unsigned long long)d->item, (unsigned long long)d->item);
	return 0;
}

static int64_t decide(struct pipeline *p, struct deciding *d, struct err *err)
{
	struct change *c = change_new();
	change_prepare(c, prepare_decision, d);
	return committer_wait(p->store, c, err);
}

int64_t decide_accept(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err)
{
	return decide(p, &(struct deciding){ DECIDE_ACCEPT, item, concept, user }, err);
}

int64_t decide_reject(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err)
{
	return decide(p, &(struct deciding){ DECIDE_REJECT, item, concept, user }, err);
}

int64_t decide_label(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err)
{
	if (concept.len == 0 || concept.len > 255)
		return err_set(err, ERR_REJECT, 0, "a label is 1 to 255 bytes of UTF-8");
	return decide(p, &(struct deciding){ DECIDE_LABEL, item, concept, user }, err);
}
