/* objects.h - a manifest whose rows are JSON objects: lines, one list, or one after the other. */
#ifndef INLET_MANIFEST_OBJECTS_H
#define INLET_MANIFEST_OBJECTS_H

#include "daemon/manifest/format.h"

/* A row of m->dom, whose root is an object: enum draft_result. */
typedef int object_row_fn(struct manifest *m, const struct node *root);

/* Sees which layout it is; the window is at the first byte. For struct format.open. */
int objects_open(struct manifest *m, struct err *err);
/* The next object, made into a row by `row`: as format.next. */
int objects_next(struct manifest *m, object_row_fn *row, struct err *err);
/* Where a node begins. */
struct manifest_place node_place(const struct manifest *m, const struct node *n);
/* The members of object that are not among `but` (NULL-terminated), as members without braces. */
struct slice other_members(struct manifest *m, const struct node *object, const char *const *but);
/* For struct format. */
void objects_describe(const struct manifest *m, struct buf *to);
bool objects_values(const struct manifest *m, struct json *j);

/* The text without blanks outside of strings. */
void json_compact(struct slice text, struct buf *to);

#endif
