/* intake.h - the gate in front of the store: while it has no room, fetching waits, and goes on by itself. */
#ifndef INLET_FLOW_INTAKE_H
#define INLET_FLOW_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct store;

#define INTAKE_LOOK_NS 1000000000ULL /* room on a disk cannot be waited for: looked for once a second while paused */

struct intake;
struct intake *intake_new(struct store *s, struct account *a, bool patient); /* patient: of a daemon, which waits as long as it takes */
void intake_free(struct intake *i); /* NULL allowed */
void intake_stop(struct intake *i);
/* Returns when the store takes `bytes` more. -1: stopping, or (but for a patient one) three looks in all have found no room: the
 * object is left to another pass. Any thread. */
int intake_wait(struct intake *i, uint64_t bytes);
const char *intake_text(struct intake *i, char *buf, size_t n); /* buf: "" open, else why it is closed */

#endif
