/* roles.h - which column or member of a plain manifest plays which role: by a given mapping, else by its usual
 * names. */
#ifndef INLET_MANIFEST_ROLES_H
#define INLET_MANIFEST_ROLES_H

#include "daemon/manifest/manifest.h"

#define ROLE_NONE MANIFEST_ROLES

/* The role that a name usually plays, compared without case, blanks, '-' and '_'; ROLE_NONE: no special one. */
enum manifest_role role_by_usual_name(struct slice name);
/* How early name stands among the usual names of its role: 0 is the most usual. */
size_t role_rank(enum manifest_role r, struct slice name);
/* Whether it says where the content is: INPUT, URL, PATH, TEXT. */
static inline bool role_is_content(enum manifest_role r)
{
	return r == ROLE_INPUT || r == ROLE_URL || r == ROLE_PATH || r == ROLE_TEXT;
}

/* The column that mapping gives r; NULL: none, or none that is there where the mapping is loose. */
const char *role_mapped(const struct manifest_columns *mapping, enum manifest_role r, const struct slice *names, size_t count);
/* of[r] = index of the column, or -1. A mapped name that is not there is refused with what is near; also one that is
 * there twice (called "NAME (2)"). Where a content role is mapped, usual names of the others do not count. */
int roles_resolve(const struct manifest_columns *mapping, const struct slice *names, size_t count,
	ptrdiff_t of[MANIFEST_ROLES], struct err *err);

#endif
