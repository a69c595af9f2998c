/* box.h - the four numbers of an upright box as a format wants them. */
#ifndef INLET_EXPORT_BOX_H
#define INLET_EXPORT_BOX_H

#include "daemon/export/shape.h"
#include "daemon/manifest/arena.h"

enum box_form { BOX_XYWH, BOX_XYXY, BOX_CXCYWH };
enum box_unit { BOX_PIXELS, BOX_FRACTION };
/* As they came where they came in this form and unit; else of the upright picture, pixels rounded where `whole`. The numbers are
 * JSON's and live in the arena, or as long as geometry. False: it is no box, a turned one, or of a picture of unknown size. */
bool box_read(struct shape *s, struct slice geometry, const struct item *item, enum box_form form, enum box_unit unit, bool whole,
	struct arena *a, struct slice ret[4]);

#endif
