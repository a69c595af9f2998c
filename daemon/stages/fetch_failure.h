/* fetch_failure.h - what is told of an object that could not be fetched: it stays where it is, the ledger says why it is not in the dataset. */
#ifndef INLET_STAGES_FETCH_FAILURE_H
#define INLET_STAGES_FETCH_FAILURE_H

#include "daemon/stages/flight.h"

/* The change that says so, to be submitted while the job is in flight. attempts_max: as retry_plan(). */
struct change *fetch_failure(uint32_t attempts_max, const struct fetch_job *job, const struct err *err);

#endif
