/* worker_resize.h - resampling: the pixels that a model sees must not change with a library's version or a machine's
 * vector units, so this is integer arithmetic of our own. Filters widen with the reduction (as Pillow's and
 * TensorFlow's antialiased ones do, which models are trained with). */
#ifndef INLET_DECODE_WORKER_RESIZE_H
#define INLET_DECODE_WORKER_RESIZE_H

#include "daemon/decode/worker_pixels.h"

struct box {
	uint32_t x, y, width, height; /* inside the image, not empty */
};

/* Besides enum pixel_kernel: the mean of what each pixel covers, at half the cost of bilinear. For reductions. */
#define KERNEL_AREA ((enum pixel_kernel)(KERNEL_LANCZOS3 + 1))

/* Fills to->pixels (to->width x to->height, the bands of from) with the box of from. */
void resize(const struct raster *from, struct box box, enum pixel_kernel kernel, struct raster *to);

#endif
