/* settle.h - which imported labels stand on an item: what the rows of its references say, against the annotations there are.
 *
 * A label belongs to the reference that it came with. Two references whose labels of the whole item contradict each other
 * (each names one that the other has not) make these labels wait for review: REASON_CONFLICT. A person's word on a concept
 * stays; a model's suggestion of the same concept is superseded. What the folder of a source's file, or its sidecar, says (rows of import 0)
 * goes when the file does and is elsewhere in the source with a row of the same kind; of a file that is nowhere any more its last
 * labels stay. The committer's thread. */
#ifndef INLET_STORE_SETTLE_H
#define INLET_STORE_SETTLE_H

#include "daemon/store/change.h"
#include "daemon/store/view.h"

struct settled;
/* Adds to c the records that bring the item's annotations to what its rows say; none when they are there already. */
int settle_item(struct change *c, struct view *now, struct settled *settled, uint64_t item, struct err *err);
/* The same for an item that gained one reference with its first row, where the others need not be looked at: what all of them say is
 * remembered and this one adds nothing to it (settled.h), or it says just what the item's first reference says, and stands as
 * that does. 1: done; 0: they must; -1. So a text that very many rows share does not cost each of them a look at all. */
int settle_fresh(struct change *c, struct view *now, struct settled *settled, uint64_t item, uint64_t object, struct err *err);

#endif
