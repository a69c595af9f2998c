/* conflict.h - which concepts contradict each other: what the references of one item say outright of all of it, as sets of concepts.
 *
 * A concept of a set is contradicted by another set that has it not and has one that the first has not; a set that only says less
 * contradicts nobody. Of more than CONFLICT_SETS_MAX different sets all is contradicted but what every one of them has: so many
 * would not be compared in pairs. The order in which sets come does not matter. Pure. */
#ifndef INLET_STORE_CONFLICT_H
#define INLET_STORE_CONFLICT_H

#include "daemon/base/cleanup.h"
#include "daemon/base/slice.h"

#define CONFLICT_SETS_MAX 64

/* In the order of slice_cmp(), each once. */
struct concept_set {
	struct slice *of;
	size_t count;
};
void concept_set_order(struct concept_set *s); /* puts what was gathered in this order */
size_t concept_set_place(struct concept_set s, struct slice concept); /* s.count: it is not in it */

struct conflict;
struct conflict *conflict_new(void);
void conflict_free(struct conflict *c);         /* NULL allowed */
CLEANUP_FN(struct conflict *, conflict_free)
/* Copies s, which is not empty. */
void conflict_add(struct conflict *c, struct concept_set s);
void conflict_conclude(struct conflict *c);     /* behind the last; before any of the following */
bool conflict_any(const struct conflict *c);
/* Would it change nothing if another reference said this? */
bool conflict_covers(const struct conflict *c, struct concept_set s);
/* Which concepts of s are contradicted, by their places. s was added, or is covered; ret has room for s.count. */
void conflict_of(const struct conflict *c, struct concept_set s, bool *ret);

#endif
