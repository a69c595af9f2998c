/* discover.h - a pass over a source: its pages are merged with the ledger (merge.h), what it did not see is concluded (vanish.h), and where
 * an option was switched, the rows of all its objects follow (source_label.h). */
#ifndef INLET_STAGES_DISCOVER_H
#define INLET_STAGES_DISCOVER_H

#include "daemon/base/err.h"

struct source;

int discover_open(struct source *s, struct err *err); /* of one that is opened: was an option switched? */
/* Before anything of any source is fetched: the store knows which options were switched. */
int discover_begin(struct source *s, struct err *err);
int discover_start(struct source *s, struct err *err); /* source_start() with these passes */

#endif
