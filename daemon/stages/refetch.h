/* refetch.h - objects that could not be fetched come back here: from the durable queue when they are due, and by another pass
 * over the sources when the store has room again. One thread. */
#ifndef INLET_STAGES_REFETCH_H
#define INLET_STAGES_REFETCH_H

#include "daemon/stages/internal.h"

struct refetch;
int refetch_open(struct pipeline *p, struct refetch **ret, struct err *err); /* behind p->fetcher */
/* After fetcher_stop(), and before fetcher_close(). Joins; NULL allowed. */
void refetch_close(struct refetch *r);

#endif
