/* worker_pixels.c - identity, alpha and model inputs of decoded pixels. */
#include "daemon/decode/worker_pixels.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/decode/worker_resize.h"

#include <math.h>
#include <string.h>

static void put_u32(uint8_t *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

void raster_id(const struct raster *r, struct content_id *ret)
{
	static const char name[] = "inlet-pixels-1";
	uint8_t head[sizeof(name) - 1 + 12];
	memcpy(head, name, sizeof(name) - 1);
	put_u32(head + sizeof(name) - 1, r->width);
	put_u32(head + sizeof(name) + 3, r->height);
	put_u32(head + sizeof(name) + 7, r->bands);
	struct sha256 *h = sha256_new();
	sha256_add(h, head, sizeof(head));
	sha256_add(h, r->pixels, raster_bytes(r));
	sha256_end(h, ret->sha256);
	sha256_free(h);
}

void raster_drop_opaque(struct raster *r)
{
	size_t n = (size_t)r->width * r->height;
	if (r->bands != 4)
		return;
	for (size_t i = 0; i < n; i++) {
		if (r->pixels[4 * i + 3] != 255)
			return;
	}
	for (size_t i = 1; i < n; i++)
		memmove(r->pixels + 3 * i, r->pixels + 4 * i, 3);
	r->bands = 3;
}

void raster_premultiply(struct raster *r)
{
	uint8_t *end = r->pixels + raster_bytes(r);
	for (uint8_t *p = r->pixels; r->bands == 4 && p < end; p += 4) {
		for (int c = 0; c < 3; c++)
			p[c] = (uint8_t)((p[c] * p[3] + 127) / 255);
	}
}

void raster_unpremultiply(struct raster *r)
{
	uint8_t *end = r->pixels + raster_bytes(r);
	for (uint8_t *p = r->pixels; r->bands == 4 && p < end; p += 4) {
		for (int c = 0; c < 3 && p[3]; c++) {
			unsigned v = (p[c] * 255U + p[3] / 2U) / p[3];
			p[c] = (uint8_t)(v > 255 ? 255 : v);
		}
	}
}

/* Puts src's pixels at (x, y) of an RGB canvas of this width; what alpha lets through is white. */
static void lay_on_white(const struct raster *src, uint8_t *canvas, uint32_t canvas_width, uint32_t x, uint32_t y)
{
	const uint8_t *p = src->pixels;
	for (uint32_t row = 0; row < src->height; row++) {
		uint8_t *to = canvas + ((size_t)(y + row) * canvas_width + x) * 3;
		for (uint32_t i = 0; i < src->width; i++, p += src->bands, to += 3) {
			unsigned white = src->bands == 4 ? 255U - p[3] : 0;
			for (int c = 0; c < 3; c++)
				to[c] = (uint8_t)(p[c] + white > 255 ? 255 : p[c] + white);
		}
	}
}

/* The part of the image that a spec looks at. */
static struct box spec_box(const struct raster *r, const struct pixel_spec *spec)
{
	uint32_t shorter = r->width < r->height ? r->width : r->height;
	if (spec->fit != FIT_CROP)
		return (struct box){ 0, 0, r->width, r->height };
	double kept = floor(shorter * (double)spec->crop + 0.5);
	uint32_t side = kept < 1 ? 1 : kept > shorter ? shorter : (uint32_t)kept;
	return (struct box){ (r->width - side) / 2, (r->height - side) / 2, side, side };
}

/* The size at which it appears in the input. */
static void spec_size(const struct raster *r, const struct pixel_spec *spec, uint32_t *ret_width, uint32_t *ret_height)
{
	*ret_width = spec->width;
	*ret_height = spec->height;
	if (spec->fit != FIT_LETTERBOX)
		return;
	double scale = fmin((double)spec->width / r->width, (double)spec->height / r->height);
	double width = fmax(1, floor(r->width * scale + 0.5));
	double height = fmax(1, floor(r->height * scale + 0.5));
	*ret_width = width > spec->width ? spec->width : (uint32_t)width;
	*ret_height = height > spec->height ? spec->height : (uint32_t)height;
}

void raster_input(const struct raster *r, const struct pixel_spec *spec, uint8_t *ret)
{
	struct raster small = { .bands = r->bands };
	spec_size(r, spec, &small.width, &small.height);
	CLEANUP(freep) uint8_t *pixels = mem_alloc(raster_bytes(&small));
	small.pixels = pixels;
	resize(r, spec_box(r, spec), spec->kernel, &small);
	memset(ret, spec->fit == FIT_LETTERBOX ? spec->pad : 255, pixel_spec_bytes(spec));
	lay_on_white(&small, ret, spec->width, (spec->width - small.width) / 2, (spec->height - small.height) / 2);
}
