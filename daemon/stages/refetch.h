/* refetch.h - objects that could not be fetched come back here: from the durable queue when they are due, and by another pass
 * over the sources when the store has room again. One thread. */
#ifndef INLET_STAGES_REFETCH_H
#define INLET_STAGES_REFETCH_H

#include "daemon/stages/internal.h"

struct refetch;
struct refetch *refetch_open(struct pipeline *p, struct fetcher *f);
int refetch_start(struct refetch *r, struct err *err);
void refetch_stop(struct refetch *r);
void refetch_close(struct refetch *r);                     /* joins; NULL allowed */
void refetch_wake(struct refetch *r);                      /* something was left for want of room */
bool refetch_pending(struct refetch *r, uint32_t attempts); /* feed_pending() */
void refetch_release(struct refetch *r, uint64_t claim);   /* the object's way has ended */

#endif
