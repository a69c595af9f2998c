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

/* What the file says beyond images and annotations, as an export needs it to say it again:
 *
 *   {"categories":[…],"others":{"info":{…},"licenses":[…]},"image_id_max":42,"annotation_id_max":999}
 *
 * all as received; the highest whole numbers among the ids, so that other ids can be given without a clash. */
struct coco_attributes {
	struct buf categories, others;   /* elements and members, joined by commas */
	uint64_t image_id_max, annotation_id_max;
	bool listed;                     /* there is a list of categories */
	bool too_long;                   /* there are none then */
	struct buf text;                 /* all of it, made at the end */
};
void coco_attributes_add(struct coco_attributes *a, struct slice name, struct slice text); /* name empty: a category */
void coco_attributes_id(uint64_t *max, struct slice id);
struct slice coco_attributes_text(struct coco_attributes *a);
void coco_attributes_done(struct coco_attributes *a);

/* m->dom is an image: what it calls its file; empty: nothing. Of the arena. */
struct slice coco_image_name(struct manifest *m, struct arena *a);
/* m->dom is an image: enum draft_result, the content and facts of the row. */
int coco_image(struct manifest *m);
/* m->dom is an annotation, which is at `at`: a label of the row. Of its shapes the geometry is keypoints, else the
 * segmentation, else the box; the others stand in the attributes with all else that it says. */
int coco_label(struct manifest *m, const struct coco_categories *categories, struct manifest_place at);

#endif
