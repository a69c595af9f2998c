/* settled.h - what the references of an item say, of items that very many name: remembered from one commit to the next, so that a
 * further reference of such an item does not cost a look at all of them.
 *
 * Of the last SETTLED_MAX such items. What is here is what the index says: whoever changes what an item's references say, or whether
 * anybody else labelled it, drops it, and a transaction that is given up drops all. The committer's thread. */
#ifndef INLET_STORE_SETTLED_H
#define INLET_STORE_SETTLED_H

#include "daemon/store/conflict.h"

#include <stdint.h>

#define SETTLED_MAX 64
#define SETTLED_REFERENCES_MIN 32 /* an item of fewer is looked at */

struct settled;
struct settled *settled_new(void);
void settled_free(struct settled *s);                                      /* NULL allowed */
const struct conflict *settled_get(struct settled *s, uint64_t item);      /* NULL: it is not here */
void settled_put(struct settled *s, uint64_t item, struct conflict *says); /* takes it over, concluded */
void settled_drop(struct settled *s, uint64_t item);
void settled_clear(struct settled *s);

#endif
