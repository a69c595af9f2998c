/* route.h - scores become annotations: what each model's bands say now, as a difference to what stands.
 *
 * A model supersedes only its own suggestions (same model name); a concept that a person decided on the item, or that was
 * imported, is left to them. Equal annotations are kept, so routing again writes nothing. */
#ifndef INLET_STAGES_ROUTE_H
#define INLET_STAGES_ROUTE_H

#include "daemon/stages/internal.h"

/* One model's fresh scores. */
struct fresh_run {
	const struct model_slot *slot;
	struct prediction prediction;
};

/* For a committer's prepare: adds the records that bring item's annotations to what its runs say, fresh ones first, else
 * those stored. Does not move the item's state. */
int route_item(struct change *c, struct view *now, struct pipeline *p, uint64_t item, const struct fresh_run *fresh,
	size_t fresh_count, struct err *err);

/* The route stage: items whose bands changed wait in state inferred. */
int router_open(struct pipeline *p, struct router **ret, struct err *err);
void router_stop(struct router *r);
void router_close(struct router *r); /* joins; NULL allowed */
bool router_pending(struct router *r);

#endif
