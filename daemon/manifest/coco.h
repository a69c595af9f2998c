/* coco.h - the elements of COCO's lists: a category, an image, an annotation. */
#ifndef INLET_MANIFEST_COCO_H
#define INLET_MANIFEST_COCO_H

#include "daemon/manifest/format.h"

struct coco_category;
struct coco_categories {
	struct coco_category *of;    /* sorted by id after coco_categories_sort() */
	size_t count, room, bytes;
};

/* Adds one; ERR_REJECT: there are too many. */
int coco_category(struct coco_categories *c, const struct dom *dom, const struct node *n, struct err *err);
void coco_categories_sort(struct coco_categories *c);
void coco_categories_done(struct coco_categories *c);

/* m->dom is an image: enum draft_result, the content and facts of the row. */
int coco_image(struct manifest *m);
/* m->dom is an annotation, which is at `at`: a label of the row. Of its shapes the geometry is keypoints, else the
 * segmentation, else the box; the others stand in the attributes with all else that it says. */
int coco_label(struct manifest *m, const struct coco_categories *categories, struct manifest_place at);

#endif
