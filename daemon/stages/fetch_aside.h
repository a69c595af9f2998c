/* fetch_aside.h - objects that are read for what they say and become no item: lists of a source of manifests, sidecars. Each is read
 * into an unlinked file, as the version that it then was; the ledger learns this version in the commit that ends its way. */
#ifndef INLET_STAGES_FETCH_ASIDE_H
#define INLET_STAGES_FETCH_ASIDE_H

#include "daemon/stages/fetch_worker.h"

bool aside_is(const struct fetch_job *job);
/* Reads it: w->aside and what belongs to it. */
int aside_read(struct fetch_worker *w, struct fetch_job *job, struct err *err);
/* Does with what has been read what is to be done with it, and submits the change that says so. -1: the job has not ended. */
int aside_take(struct fetch_worker *w, struct fetch_job *job, struct err *err);

#endif
