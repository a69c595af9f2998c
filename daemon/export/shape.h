/* shape.h - a stored geometry (daemon/manifest/row.h) as numbers on one picture, whatever unit, size and frame it came in.
 * Formats write what they can say of it. */
#ifndef INLET_EXPORT_SHAPE_H
#define INLET_EXPORT_SHAPE_H

#include "daemon/manifest/dom.h"
#include "daemon/model/item.h"

/* The pixels that numbers are to be of. A file says in EXIF how it is to be turned: upright is after that, raw before. */
struct shape_frame {
	double width, height;
	unsigned orientation;   /* EXIF's, 1 to 8; 0 or 1: the frames are the same */
	bool raw;
};

enum shape_kind { SHAPE_BOX, SHAPE_TURNED_BOX, SHAPE_RINGS, SHAPE_LINE, SHAPE_ELLIPSE, SHAPE_MASK, SHAPE_KEYPOINTS };
struct shape_ring {
	const double *points;   /* x, y, x, y, … */
	size_t count;           /* of numbers */
};
struct shape_out {
	enum shape_kind kind;
	bool as_came;           /* no number was changed: the geometry's own text says the same */
	/* x, y, width, height: of a turned box before it is turned; of all others what they cover. */
	double box[4];
	double rotation;        /* degrees clockwise, a turned box about x, y, an ellipse about its centre */
	double center[2], radii[2];      /* SHAPE_ELLIPSE */
	const struct shape_ring *rings;  /* RINGS, LINE; also of TURNED_BOX and ELLIPSE, which they may stand for */
	size_t ring_count;
	const double *points;            /* KEYPOINTS: x, y, v each; v as COCO's: 2 is seen */
	size_t point_count;              /* of points */
	const struct node *counts, *rle_size; /* MASK: COCO's run lengths */
	uint64_t area;                        /* MASK */
};

struct shape;  /* reusable memory; one thread at a time */
struct shape *shape_new(void);
void shape_free(struct shape *s); /* NULL allowed */

/* The item's picture upright; width 0: it has none. */
struct shape_frame shape_frame(struct shape *s, const struct item *item);
/* False: it has no shape on a picture (a span, a track, a relation), or one that cannot be told in this frame (the run lengths of
 * another). What *ret points to lives until the next call. */
bool shape_read(struct shape *s, struct slice geometry, const struct shape_frame *frame, struct shape_out *ret);
/* Only takes the geometry apart, for shape_member(); false: it is no JSON. */
bool shape_parse(struct shape *s, struct slice geometry);
/* A member of the geometry that was read last. */
const struct node *shape_member(const struct shape *s, const char *name);
bool shape_member_is(const struct shape *s, const char *name, const char *word);

#endif
