/* upkeep.h - what a changed configuration or program asks of stored items; once at start, beside the stages. */
#ifndef INLET_STAGES_UPKEEP_H
#define INLET_STAGES_UPKEEP_H

#include "daemon/stages/internal.h"

int upkeep_start(struct pipeline *p, struct upkeep **ret, struct err *err);
void upkeep_close(struct upkeep *u); /* joins; NULL allowed */
bool upkeep_busy(struct upkeep *u);

#endif
