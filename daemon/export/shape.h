/* shape.h - a stored geometry (daemon/manifest/row.h) as COCO's members, in pixels. Numbers that are pixels already go out
 * as they came in. */
#ifndef INLET_EXPORT_SHAPE_H
#define INLET_EXPORT_SHAPE_H

#include "daemon/manifest/dom.h"

struct shape;  /* reusable memory; one thread at a time */
struct shape *shape_new(void);
void shape_free(struct shape *s); /* NULL allowed */

/* Writes "bbox", "area", "iscrowd", "segmentation" and, of keypoints, "keypoints" and "num_keypoints" into the open object.
 * width and height are the item's: what fractions and percents are of, where the geometry says no size. false: it has no
 * shape on a picture (a span, a track, a relation), or one that cannot be told in COCO; nothing is written. */
bool shape_coco(struct shape *s, struct slice geometry, uint32_t width, uint32_t height, struct json *j);

#endif
