/* preprocess.c - uint8 RGB to float, planar or packed: loops of constant stride and no branch, for the vectoriser. */
#include "daemon/infer/preprocess.h"

static void plane(const uint8_t *restrict from, size_t count, float mean, float scale, float *restrict to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = ((float)from[3 * i] - mean) * scale;
}

static void packed(const uint8_t *restrict from, size_t count, float mean, float scale, float *restrict to)
{
	for (size_t i = 0; i < count; i++)
		to[3 * i] = ((float)from[3 * i] - mean) * scale;
}

void preprocess_pixels(const struct pixel_transform *t, const uint8_t *pixels, size_t count, float *to)
{
	for (size_t c = 0; c < 3; c++) {
		size_t from = t->bgr ? 2 - c : c;
		if (t->layout == LAYOUT_NCHW)
			plane(pixels + from, count, t->mean[c], t->scale[c], to + c * count);
		else
			packed(pixels + from, count, t->mean[c], t->scale[c], to + c);
	}
}
