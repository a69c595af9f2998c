/* source_label.h - `labels_from: directory` of a source: a row of no import beside each object, which says what its folder says
 * (daemon/manifest/path_label.h). settle.h makes labels of it.
 *
 * The row comes with the object, in one commit. Where the option was changed, the end of the next full pass brings the rows of
 * all objects to what it says now: nothing is fetched for that. Switched off, rows go, and their labels are superseded. */
#ifndef INLET_STAGES_SOURCE_LABEL_H
#define INLET_STAGES_SOURCE_LABEL_H

#include "daemon/stages/internal.h"

bool source_labels(const struct source *s); /* is it on? */
/* In a change's prepare: adds what brings the row of the object at key, which is there or arrives with the change, to what the
 * configuration says. */
int source_label(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err);
/* Of all objects, where the option was changed since this was done last. The source's own thread. */
int source_relabel(struct source *s, struct err *err);

#endif
