/* recheck.h - which URLs of a pass over a manifest are asked again (fetch.h). Seen only by fetch.c. */
#ifndef INLET_IMPORTS_RECHECK_H
#define INLET_IMPORTS_RECHECK_H

#include "daemon/imports/pass.h"

/* ask(): for the number of each object that was there, that the pass saw again and whose version its server tells; it may block. */
typedef void recheck_fn(void *arg, uint64_t object);
void recheck_walk(struct imports *imports, struct import_pass *pass, recheck_fn *ask, void *arg);

#endif
