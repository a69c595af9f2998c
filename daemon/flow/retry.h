/* retry.h - what is written about a failure that is tried again, and when that is. */
#ifndef INLET_FLOW_RETRY_H
#define INLET_FLOW_RETRY_H

#include "daemon/model/record.h"

struct change;
struct view;

#define ATTEMPTS_FOREVER UINT32_MAX
#define RETRY_BASE_MS 1000U
#define RETRY_CAP_MS (30U * 60U * 1000U)

/* A retry's record: attempts counts this failure. What the outside world refused (err->sys) is tried for ever, all else attempts_max times. Returns
 * false when those are used up: then it is a quarantine. */
bool retry_plan(uint32_t attempts_max, const struct err *err, uint32_t attempts_before, struct record_failure *into);
/* Adds to c the record that lets an object of the ledger be tried again at due_ms; *ret for attempts, reason and cure. 1, 0
 * there is no such object, -1. */
int retry_object(struct change *c, struct view *v, uint64_t object, int64_t due_ms, struct record_failure **ret, struct err *err);

#endif
