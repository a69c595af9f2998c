/* fetch_ways.h - the ways of objects from discovery to their commit: where one ends, whatever became of it, its place in the flight and
 * its claim on the durable queue are free again. Plain data of the fetcher. Any thread. */
#ifndef INLET_STAGES_FETCH_WAYS_H
#define INLET_STAGES_FETCH_WAYS_H

#include "daemon/stages/flight.h"

#include <stdatomic.h>

struct account;
struct feed;

struct fetch_ways {
	struct account *account;
	struct flight *flight;
	struct feed *retries;        /* that are due: refetch.c takes them */
	_Atomic uint64_t left;       /* for want of room, since it was last made */
};

void fetch_job_end(struct fetch_ways *w, struct fetch_job *job); /* last of all: what is in hand keeps the pipeline alive */
void fetch_job_left(struct fetch_ways *w, uint64_t n);           /* it was left for want of room; its job ends elsewhere */

#endif
