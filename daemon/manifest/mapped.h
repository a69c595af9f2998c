/* mapped.h - a row of a plain manifest, CSV or JSON: values by their roles become content, labels and facts. */
#ifndef INLET_MANIFEST_MAPPED_H
#define INLET_MANIFEST_MAPPED_H

#include "daemon/manifest/format.h"

/* Filled by the carrier; slices live as long as the row. */
struct mapped {
	struct slice of[MANIFEST_ROLES];   /* empty: not given. Containers as JSON text */
	struct slice extra;                /* JSON members without braces that belong to the metadata; may be empty */
	struct manifest_place (*place)(const struct manifest *m, enum manifest_role r);
};

/* enum draft_result. With `elsewhere` the row's content is known already (a sidecar's). */
int mapped_row(struct manifest *m, const struct mapped *in, bool elsewhere);

/* Shared with formats whose cells look the same. */
void add_labels(struct manifest *m, struct slice cell);                 /* several concepts in one cell */
/* The same, of a cell that is no JSON: one concept after the other. */
char concepts_separator(struct slice cell);
bool concepts_next(struct slice *cell, char separator, struct slice *ret);
/* text as JSON object: *ret_json; false: it is not one, and the draft got a warning. Empty text: true, empty. */
bool metadata_json(struct manifest *m, struct slice text, struct slice *ret_json);
/* object (may be empty) with more members (without braces, may be empty). */
struct slice join_members(struct draft *d, struct slice object, struct slice members);
/* The same; a member that the object has too gets another name, with a warning. Uses m->dom. */
struct slice join_apart(struct manifest *m, struct slice object, struct slice members);
enum row_split split_parse(struct slice word);                          /* SPLIT_NONE: no word for one */
bool number_parse(struct slice text, double *ret);                      /* a finite decimal number, blanks around it */
/* The number as JSON: as it is where it is JSON's, else the shortest that reads the same. */
struct slice number_json(struct draft *d, struct slice text, double value);

#endif
