/* twins.h - names that come more than once in a list of any length, found with a fixed amount of memory: a filter sees each name
 * go by first and keeps those that it may have seen before, of which few are wrong; then only these are remembered. One thread. */
#ifndef INLET_MANIFEST_TWINS_H
#define INLET_MANIFEST_TWINS_H

#include "daemon/base/cleanup.h"
#include "daemon/base/slice.h"

struct twins;
struct twins *twins_new(void);
void twins_free(struct twins *t); /* NULL allowed */
CLEANUP_FN(struct twins *, twins_free)

void twins_see(struct twins *t, struct slice name);
/* After all have been seen, in any order: the id under which this name came here first; NULL: it did not come before. Of t. */
const char *twins_first(struct twins *t, struct slice name, struct slice id);

#endif
