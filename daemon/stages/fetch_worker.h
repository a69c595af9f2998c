/* fetch_worker.h - what one fetch thread does: reads an object into an arena, a file or only a hash, and submits it.
 *
 * A small object shares its arena, and so its change, with those that the thread reads at once after it. */
#ifndef INLET_STAGES_FETCH_WORKER_H
#define INLET_STAGES_FETCH_WORKER_H

#include "daemon/stages/fetch.h"
#include "daemon/stages/flight.h"

struct cargo;
struct fetch_worker {
	struct fetcher *f;
	struct pipeline *p;
	struct sha256 *hash;
	uint8_t *buffer;             /* SINK_BUFFER */
	struct arena *arena;         /* open: members of change; NULL none */
	struct change *change;
	struct cargo *cargo;         /* the jobs of change */
	uint64_t opened_ns;          /* when change was begun */
	int aside;                   /* the bytes of an object that becomes no item (fetch_aside.h); -1 none. Then also, as it was read: */
	struct buf version;
	uint64_t bytes;
	bool racy;
};

void fetch_worker_init(struct fetch_worker *w, struct fetcher *f, struct pipeline *p);
void fetch_worker_done(struct fetch_worker *w);
/* Reads the object; its job ends here, or when its change is committed. */
void fetch_worker_take(struct fetch_worker *w, struct fetch_job *job);
bool fetch_worker_fits(const struct fetch_worker *w, uint64_t bytes); /* beside what is in hand: no more room is asked for */
/* Something is read and not handed on yet: nobody may wait with it in hand. */
bool fetch_worker_holds(const struct fetch_worker *w);
void fetch_worker_flush(struct fetch_worker *w); /* hands it on */
/* A change with which the job's way ends; takes c over. */
void fetch_worker_submit(struct fetch_worker *w, struct fetch_job *job, struct change *c);

/* fetch.c: an object's way ends, whatever became of it; or it was left for want of room (and its job ends elsewhere). */
void fetch_job_end(struct fetcher *f, struct fetch_job *job);
void fetch_job_left(struct fetcher *f, uint64_t n);

#endif
