/* coco_shape.h - a geometry as COCO's members. */
#ifndef INLET_EXPORT_COCO_SHAPE_H
#define INLET_EXPORT_COCO_SHAPE_H

#include "daemon/export/shape.h"

/* Writes "bbox", "area", "iscrowd", "segmentation" and, of keypoints, "keypoints" and "num_keypoints" into the open object;
 * numbers that are pixels of the frame already go out as they came in. False: COCO has no such shape; nothing is written. */
bool coco_shape(struct shape *s, struct slice geometry, const struct shape_frame *frame, struct json *j);
/* A geometry that came from COCO as the one member that it was made of, untouched. */
void coco_shape_as_came(struct shape *s, struct slice geometry, struct json *j);

#endif
