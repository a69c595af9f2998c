/* fetch_worker.h - what one fetch thread does: reads an object into an arena, a file or only a hash, and submits it.
 *
 * A small object shares its arena, and so its change, with those that the thread reads at once after it. */
#ifndef INLET_STAGES_FETCH_WORKER_H
#define INLET_STAGES_FETCH_WORKER_H

#include "daemon/stages/fetch_aside.h"
#include "daemon/stages/fetch_ways.h"

struct cargo;
struct fetch_worker {
	struct pipeline *p;
	struct fetch_ways *ways;
	struct sha256 *hash;
	uint8_t *buffer;             /* SINK_BUFFER */
	struct arena *arena;         /* open: members of change; NULL none */
	struct change *change;
	struct cargo *cargo;         /* the jobs of change */
	uint64_t opened_ns;          /* when change was begun */
	struct aside aside;
};

void fetch_worker_init(struct fetch_worker *w, struct pipeline *p, struct fetch_ways *ways);
void fetch_worker_done(struct fetch_worker *w);
/* Reads the object; its job ends here, or when its change is committed. */
void fetch_worker_take(struct fetch_worker *w, struct fetch_job *job);
bool fetch_worker_fits(const struct fetch_worker *w, uint64_t bytes); /* beside what is in hand: no more room is asked for */
/* Something is read and not handed on yet: nobody may wait with it in hand. */
bool fetch_worker_holds(const struct fetch_worker *w);
void fetch_worker_flush(struct fetch_worker *w); /* hands it on */

#endif
