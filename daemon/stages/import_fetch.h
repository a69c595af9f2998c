/* import_fetch.h - rows of manifests that name URLs or objects of buckets: their bytes are fetched by threads of their own, when the
 * durable queue says that they are due. In the open network addresses are the guard's to judge, and hosts are asked politely
 * (url_fetch.h); buckets are those of the configuration (import_bucket.h). */
#ifndef INLET_STAGES_IMPORT_FETCH_H
#define INLET_STAGES_IMPORT_FETCH_H

#include "daemon/stages/internal.h"

struct import_fetch;
/* ERR_REJECT: a network of the configuration is none. The threads start with the first row. */
int import_fetch_open(struct pipeline *p, struct import_fetch **ret, struct err *err);
void import_fetch_stop(struct import_fetch *f);  /* running fetches end within a second */
void import_fetch_close(struct import_fetch *f); /* joins; NULL allowed */

/* Takes work of STAGE_FETCH that `from` has claimed (refetch.h: in its thread), and releases it when its end is durable. Claims are
 * bounded, so it never blocks. */
struct refetch;
void import_fetch_take(struct import_fetch *f, struct refetch *from, const struct work *w);

#endif
