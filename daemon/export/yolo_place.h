/* yolo_place.h - where a picture and its labels lie in a YOLO dataset. No two files of labels have one name, however many
 * pictures do: "images/train/17-cat.jpg" is of object 17 for ever. */
#ifndef INLET_EXPORT_YOLO_PLACE_H
#define INLET_EXPORT_YOLO_PLACE_H

#include "daemon/base/cleanup.h"
#include "daemon/export/entry.h"

#define YOLO_SPLIT(split) ((split).len ? (split) : SLICE_LIT("train"))

struct yolo_names; /* those given out, by their hash: about 16 bytes each. One that hashes as another gets a number too much */
struct yolo_names *yolo_names_new(void);
void yolo_names_free(struct yolo_names *n); /* NULL allowed */
CLEANUP_FN(struct yolo_names *, yolo_names_free)

/* The file of labels of the picture. What came as images/X/a.jpg beside a data.yaml keeps labels/X/a.txt, with the folders before
 * it, unless that is given out; all else is labels/SPLIT/OBJECT-NAME.txt. In a tree of our own both begin with the split:
 * labels/SPLIT/a.txt. Of e's arena; ends in NUL. */
struct slice yolo_labels_place(struct yolo_names *n, struct entry *e, const struct item_full *it, bool tree);
/* The picture that belongs to such a file of labels of our own tree. Empty: trainers do not read its kind (of one
 * that nobody has looked at yet the name tells). Of e's arena. */
struct slice yolo_picture_place(struct entry *e, const struct item *item, struct slice labels);

#endif
