/* infer.h - normalized items of one media kind go through its models in batches; scores and the annotations that they route
 * to are one commit per item.
 *
 * Loader threads take work and bring its inputs (from the handover, or decoded again); one batcher thread gathers them until
 * the batch is full or its oldest sample is older than batch_age_ms, and runs every model of the kind. */
#ifndef INLET_STAGES_INFER_H
#define INLET_STAGES_INFER_H

#include "daemon/stages/internal.h"

int inferrer_open(struct pipeline *p, enum media media, size_t loaders, struct inferrer **ret, struct err *err);
void inferrer_stop(struct inferrer *f);
void inferrer_close(struct inferrer *f); /* joins; NULL allowed */
bool inferrer_pending(struct inferrer *f, uint32_t attempts);

#endif
