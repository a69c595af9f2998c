/* input.h - what a model wants to see of an item: made by the decode worker, handed to the model. */
#ifndef INLET_MODEL_INPUT_H
#define INLET_MODEL_INPUT_H

#include <stddef.h>
#include <stdint.h>

enum pixel_fit {
	FIT_CROP,      /* centre crop of short side * crop, then resize to width x height */
	FIT_STRETCH,   /* resize to width x height, aspect ignored */
	FIT_LETTERBOX, /* fit inside, centred, padded with `pad` */
};
enum pixel_kernel { KERNEL_NEAREST, KERNEL_BILINEAR, KERNEL_BICUBIC, KERNEL_LANCZOS3 };

/* uint8 [height][width][3], sRGB 0..255, upright, rows packed: height * width * 3 bytes. */
struct pixel_spec {
	uint32_t width, height;   /* 1..4096 */
	enum pixel_fit fit;
	float crop;               /* FIT_CROP: share of the short side that is kept, (0..1] */
	enum pixel_kernel kernel;
	uint8_t pad;              /* FIT_LETTERBOX */
};
#define PIXEL_SPECS_MAX 8 /* distinct inputs one item may be asked for */

static inline size_t pixel_spec_bytes(const struct pixel_spec *s)
{
	return (size_t)s->width * s->height * 3;
}

#define TEXT_INPUT_MAX (1U << 16) /* bytes of canonical text that a text model sees, cut at a character */

#endif
