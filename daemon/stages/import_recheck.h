/* import_recheck.h - which URLs of a pass over a manifest are asked again (import_fetch.h). Seen only by import_fetch.c. */
#ifndef INLET_STAGES_IMPORT_RECHECK_H
#define INLET_STAGES_IMPORT_RECHECK_H

#include "daemon/stages/import_pass.h"

/* ask(): for the number of each object that was there, that the pass saw again and whose version its server tells; it may block. */
typedef void recheck_fn(void *arg, uint64_t object);
void recheck_walk(struct imports *imports, struct import_pass *pass, recheck_fn *ask, void *arg);

#endif
