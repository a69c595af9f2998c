/* geometry.h - writes the geometry of row.h into the draft's scratch text; numbers go in as they came. */
#ifndef INLET_MANIFEST_GEOMETRY_H
#define INLET_MANIFEST_GEOMETRY_H

#include "daemon/manifest/format.h"

/* {"kind":…,"unit":…,"size":[…]; unit may be NULL, size is left out where a number is empty. */
void geometry_begin(struct draft *d, struct json *j, const char *kind, const char *unit, struct slice width,
	struct slice height);
struct slice geometry_end(struct draft *d, struct json *j);
/* A number as received; of a string ("0.25") what is between the quotes. Empty: it is none. */
struct slice number_text(const struct node *n);
/* "form":form,"box":[…] of four number texts. */
void geometry_box(struct json *j, const char *form, const struct slice n[4]);

#endif
