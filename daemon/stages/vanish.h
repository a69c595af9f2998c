/* vanish.h - whether what a pass found gone may be believed: where items follow their objects out of the dataset, much at once
 * is asked about first. What may be believed is concluded. */
#ifndef INLET_STAGES_VANISH_H
#define INLET_STAGES_VANISH_H

#include "daemon/stages/merge.h"

#define VANISH_FREE 100 /* a source of at most so many objects is believed whatever goes */

/* Of a complete pass. accepted: a person said that it is right. ret_why stays untouched where it may be concluded, else it says
 * what is asked. 0, -1. */
int vanish_check(struct source *s, struct absent *absent, bool accepted, char *ret_why, size_t size, struct err *err);

/* The pass was complete and sane: what it did not see is gone, and failures of lists that are. 0, -1. */
int vanish_conclude(struct source *s, struct absent *absent, struct err *err);

#endif
