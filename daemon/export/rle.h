/* rle.h - COCO's run lengths: columns from the top, background first; a list of numbers or the compressed string. Pure. */
#ifndef INLET_EXPORT_RLE_H
#define INLET_EXPORT_RLE_H

#include "daemon/manifest/dom.h"

struct rle_extent {
	uint64_t area;                  /* pixels that are set */
	uint64_t left, top, right, bottom; /* of those, right and bottom exclusive; all 0 where area is */
};
/* counts is a list or a string of COCO's; -1: it is not one, or it has more pixels than height * width. */
int rle_measure(const struct node *counts, uint64_t height, uint64_t width, struct rle_extent *ret);

#endif
