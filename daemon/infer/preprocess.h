/* preprocess.h - pixels as the decoder made them become the numbers a network was trained on. Pure, any thread. */
#ifndef INLET_INFER_PREPROCESS_H
#define INLET_INFER_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pixel_layout { LAYOUT_NCHW, LAYOUT_NHWC };
struct pixel_transform {
	enum pixel_layout layout;
	bool bgr;                 /* the network's channel order; mean and scale are in that order too */
	float mean[3], scale[3];  /* value = (byte - mean) * scale */
};

/* pixels: uint8 [count][3] RGB, rows packed. to: 3 * count floats, [3][count] (NCHW) or [count][3] (NHWC). */
void preprocess_pixels(const struct pixel_transform *t, const uint8_t *pixels, size_t count, float *to);

#endif
