/* source_label.h - `labels_from: directory` of a source: a row of no import beside each object, which says what its folder says
 * (daemon/manifest/path_label.h). settle.h makes labels of it.
 *
 * The row comes with the object, in one commit. Where this option or `sidecars` (source_sidecar.h) was changed, the end of the next
 * full pass brings the rows of all objects to what they say now: nothing is fetched for that. Switched off, rows go, and their
 * labels are superseded. What is a sidecar by now and came as a file, or the other way round, is read for that by the pass
 * itself (merge.h). */
#ifndef INLET_STAGES_SOURCE_LABEL_H
#define INLET_STAGES_SOURCE_LABEL_H

#include "daemon/stages/internal.h"

bool source_labels(const struct source *s); /* is it on? */
/* In a change's prepare: adds what brings the row of the object at key, which is there or arrives with the change, to what the
 * configuration says. */
int source_label(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err);
/* At the end of a full pass: of all objects, where an option was changed since this was done last. switched: `sidecars` was, as
 * source_sidecars_changed() said; read: the pass found nothing that came the other way, so that has been seen to. The source's own
 * thread. */
int source_relabel(struct source *s, bool switched, bool read, struct err *err);
/* Before anything of the source is read: where an option was switched, the store says from now on that this is under way, whichever
 * way it is switched next. switched: as source_relabel(). */
int source_switch_begin(struct source *s, bool switched, struct err *err);
/* Was `sidecars` changed since that was seen to? Of a source that has objects and of which the store does not know: yes. 1, 0, -1. */
int source_sidecars_changed(const struct source *s, bool had_objects, struct err *err);

#endif
