/* owner.h - being the store's owner: lock, open, run, end. The process's exit status comes back. */
#ifndef INLET_OWNER_H
#define INLET_OWNER_H

#include "config/config.h"
#include "daemon/stages/pipeline.h"

/* 0 ok, 1 failed, 3 --once left something behind, INLETD_TAKEN (cli/spawn.h). Blocks until it is over. */
int owner_run(const struct config *c, enum pipeline_mode mode);
int owner_rebuild(const struct config *c); /* index anew from the log, then exit */

#endif
