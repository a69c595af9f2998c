/* status.h - the one picture of how things stand that `status` and /metrics both show. */
#ifndef INLET_API_STATUS_H
#define INLET_API_STATUS_H

#include "daemon/imports/list.h"
#include "daemon/stages/pipeline.h"
#include "daemon/store/view.h"

#define INTAKE_MAX 512 /* bytes of the reason why intake is paused */

/* The object of `status --json` (for scripts; members may be added): {"version","uuid","daemon":{"pid","intake"},
 * "sources":[{"name","kind","state","watching","message","objects":{"present","gone","skipped","quarantined",
 * "retrying","archived","settling"},"manifests":{"present","rows","failed","gone"}}],  (manifests: of a source of manifests)
 * "items":{"total","by_state":{}},"annotations":{"ANNOTATION_…":n},
 * "failures":{"quarantined","retrying","archived"},"work":{"<stage>":{"queued","retrying","waiting"}},
 * "models":[…],"store":{"segments","large","bytes","revision"}}. No newline. */
int status_json(struct pipeline *p, struct buf *to, struct err *err);

/* Every source: those configured and those that only the ledger knows (detached). row is zero where the ledger has
 * none. Lives while v does. */
struct source_status_row {
	struct source_view view;
	struct source_row row;
	bool manifests;              /* a source of manifests: its objects are lists, of which sum is told */
	struct import_list_sum sum;
};
int status_sources(struct pipeline *p, struct view *v, struct source_status_row **ret, size_t *ret_n, struct err *err);

#endif
