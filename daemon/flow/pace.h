/* pace.h - how many requests of one source run at once: one more while all goes well, half as many when the server asks for
 * less, none before the time that it names.
 *
 * A *round* ends when the limit is cut: requests that began before the cut do not cut it again. Any thread. */
#ifndef INLET_FLOW_PACE_H
#define INLET_FLOW_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_START 8 /* requests at once to begin with */

enum pace_end { PACE_DONE, PACE_FAILED, PACE_THROTTLED };

struct pace;
struct pace *pace_new(unsigned most);  /* never more than this at once; at least 1 */
void pace_free(struct pace *p);        /* NULL allowed; nobody is inside */
void pace_stop(struct pace *p);        /* wakes who waits; everybody is let through from now on, to find out that it is over */
/* May a request begin now? True: *ret_round is handed to pace_leave() when it has ended. */
bool pace_try(struct pace *p, uint64_t *ret_round);
void pace_enter(struct pace *p, uint64_t *ret_round); /* the same, and waits for it */
/* wait_ms: what the server asked for (Retry-After), 0 nothing. PACE_FAILED says nothing about the pace. */
void pace_leave(struct pace *p, uint64_t round, enum pace_end end, uint64_t wait_ms);
unsigned pace_limit(struct pace *p);   /* requests at once, as of now */

#endif
