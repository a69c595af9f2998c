/* yolo_labels.h - one label file of a YOLO dataset as labels: "class x y w h [confidence]", "class x1 y1 x2 y2 …",
 * or, with a kpt_shape, "class x y w h px py [v] …". */
#ifndef INLET_MANIFEST_YOLO_LABELS_H
#define INLET_MANIFEST_YOLO_LABELS_H

#include "daemon/base/bitset.h"
#include "daemon/manifest/format.h"

struct yolo_classes {
	struct slice *names;         /* [count], by class number; empty: it has none */
	size_t count;
	size_t keypoints, dimensions; /* 0: no pose */
	struct bitset *unnamed;      /* numbers without a name that were warned of; NULL: nobody is warned */
};

/* text is the file's, path its name for messages: DRAFT_ROW, or DRAFT_FAILED at the first line that is wrong. */
int yolo_labels(struct manifest *m, const struct yolo_classes *classes, struct slice path, struct slice text);

/* By its extension: those that trainers read. */
bool yolo_is_image(struct slice path);

#endif
