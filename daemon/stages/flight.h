/* flight.h - the objects in hand between discovery and their commit: each (source, key, version) at most once. */
#ifndef INLET_STAGES_FLIGHT_H
#define INLET_STAGES_FLIGHT_H

#include "daemon/stages/internal.h"

/* One object on its way; one allocation with its strings. */
struct fetch_job {
	struct source *source;
	struct object object;   /* slices point behind the struct */
	uint32_t attempts;      /* failed before */
	uint64_t claim;         /* object number when it came from the durable queue: released at the end; 0: from a pass */
	uint64_t hash[2];       /* of (source, key, version): its name in the flight */
};

struct flight;
struct flight *flight_new(void);
void flight_free(struct flight *f);                             /* NULL allowed */
/* NULL: this very version is in hand already, and a claim is kept for whoever leaves with it: what is due again cannot be looked at
 * before. The caller owns the job. Any thread. */
struct fetch_job *flight_enter(struct flight *f, struct source *s, const struct object *o, uint32_t attempts, uint64_t claim);
/* Also frees it. The claim that was kept meanwhile, to be released; 0: none. */
uint64_t flight_leave(struct flight *f, struct fetch_job *job);

#endif
