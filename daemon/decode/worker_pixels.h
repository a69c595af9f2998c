/* worker_pixels.h - a decoded image in memory, and what is computed over it: identity, alpha, a model's input. */
#ifndef INLET_DECODE_WORKER_PIXELS_H
#define INLET_DECODE_WORKER_PIXELS_H

#include "daemon/model/content_id.h"
#include "daemon/model/input.h"

#include <stdint.h>

struct raster {
	uint8_t *pixels; /* [height][width][bands], sRGB, rows packed */
	uint32_t width, height;
	uint32_t bands; /* 3, or 4 with alpha last */
};

static inline size_t raster_bytes(const struct raster *r)
{
	return (size_t)r->width * r->height * r->bands;
}

/* SHA-256 over "inlet-pixels-1", width, height and bands (u32 little-endian each) and the rows. */
void raster_id(const struct raster *r, struct content_id *ret);
/* An alpha channel that is opaque everywhere says nothing: it is taken out, in place. */
void raster_drop_opaque(struct raster *r);
/* RGB * alpha: needed before resampling, so that hidden colours do not bleed. */
void raster_premultiply(struct raster *r);
void raster_unpremultiply(struct raster *r); /* the way back */
/* A model's input out of an upright image: pixel_spec_bytes() at ret. With 4 bands r must be premultiplied; it is laid
 * on white. */
void raster_input(const struct raster *r, const struct pixel_spec *spec, uint8_t *ret);

#endif
