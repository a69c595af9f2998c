/* path_label.h - what the folders that a file lies in say of it: `labels_from: directory`.
 *
 * The folder that the file is in names its concept: "cats/a.jpg" is a "cats". The outermost folder called train, val (valid,
 * validation) or test, in any case, names its split: "train/cats/a.jpg". Where a split is the file's own folder it names no
 * concept, nor does the root. A name that is not UTF-8 says nothing. Pure. */
#ifndef INLET_MANIFEST_PATH_LABEL_H
#define INLET_MANIFEST_PATH_LABEL_H

#include "daemon/manifest/row.h"

struct path_label {
	struct slice concept;    /* lies in the path; empty: none */
	enum row_split split;
};
/* path: '/'-separated, below the root that the user named. */
struct path_label path_label(struct slice path);

#endif
