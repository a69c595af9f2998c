/* coco_lists.h - what a COCO export lists beside images and annotations: the categories, of the COCO files that were imported
 * as they said them and of other labels by name, and what those files said beyond. Bounded by the categories, not by items. */
#ifndef INLET_EXPORT_COCO_LISTS_H
#define INLET_EXPORT_COCO_LISTS_H

#include "daemon/base/json.h"
#include "daemon/model/item.h"

struct coco_lists;
struct coco_lists *coco_lists_new(void);
void coco_lists_free(struct coco_lists *l); /* NULL allowed */

/* An import in order of their numbers; counts only where it is of a COCO file (its attributes: daemon/manifest/coco.h). */
void coco_lists_import(struct coco_lists *l, const struct import *i);

/* A COCO file: ids of several files would clash, so those of a later one are moved behind those of the ones before. */
struct coco_origin {
	uint64_t import;
	uint64_t image_base, annotation_base; /* added to its whole numbers */
};
const struct coco_origin *coco_lists_find(const struct coco_lists *l, uint64_t import); /* NULL: it was none */
uint64_t coco_lists_image_base(const struct coco_lists *l);      /* that no file's ids are beyond */
uint64_t coco_lists_annotation_base(const struct coco_lists *l);

/* The category of a label: that of its file by its id there (from, id; both may be empty), else by name; made where there is
 * none. The number stands for it until coco_lists_number(). */
uint32_t coco_lists_category(struct coco_lists *l, const struct coco_origin *from, struct slice id, struct slice name);
/* After the last category: gives ids to those that have none, in order of their names. */
void coco_lists_number(struct coco_lists *l);
void coco_lists_put_id(const struct coco_lists *l, uint32_t category, struct json *j); /* "category_id" */
/* "categories", where there are any or a file had the list. */
void coco_lists_put_categories(const struct coco_lists *l, struct json *j);
/* The other members of the first file; false: there is none, nothing is written. */
bool coco_lists_put_others(const struct coco_lists *l, struct json *j);

#endif
