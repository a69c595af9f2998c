/* worker_colour.c - colour spaces and profiles. */
#include "daemon/decode/worker_colour.h"

#include <stdint.h>
#include <string.h>

#define ICC_HEADER 128
#define ICC_TAG 12
#define ICC_TAGS_MAX 100

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Most files that carry a profile carry sRGB's own: known by its description, in ASCII (version 2) or UTF-16BE (4). */
static bool profile_is_srgb(const uint8_t *p, size_t n)
{
	if (n < ICC_HEADER + 4 || memcmp(p + 16, "RGB ", 4) != 0)
		return false;
	uint32_t tags = big_endian(p + ICC_HEADER);
	for (uint32_t i = 0; i < tags && i < ICC_TAGS_MAX && ICC_HEADER + 4 + (i + 1) * (size_t)ICC_TAG <= n; i++) {
		const uint8_t *tag = p + ICC_HEADER + 4 + i * (size_t)ICC_TAG;
		uint64_t offset = big_endian(tag + 4);
		uint64_t bytes = big_endian(tag + 8);
		if (memcmp(tag, "desc", 4) != 0 || offset + bytes > n)
			continue;
		return memmem(p + offset, bytes, "sRGB", 4) || memmem(p + offset, bytes, "s\0R\0G\0B", 7);
	}
	return false;
}

bool colour_has_profile(VipsImage *image)
{
	return vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
}

static bool foreign_profile(VipsImage *image)
{
	const void *profile;
	size_t n;
	if (!colour_has_profile(image) || vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &n) < 0)
		return false;
	return !profile_is_srgb(profile, n);
}

bool colour_is_srgb(VipsImage *image)
{
	VipsInterpretation space = vips_image_get_interpretation(image);
	return vips_image_get_format(image) == VIPS_FORMAT_UCHAR &&
	       (space == VIPS_INTERPRETATION_sRGB || space == VIPS_INTERPRETATION_B_W) && !foreign_profile(image);
}

/* Transforms by the embedded profile, or by arithmetic where there is none or it does not fit the image. */
static VipsImage *convert(VipsImage *image)
{
	VipsImage *out = NULL;
	if (foreign_profile(image)) {
		if (vips_icc_transform(image, &out, "srgb", "embedded", TRUE, "depth", 8, NULL) == 0)
			return out;
		vips_error_clear();
	}
	return vips_colourspace(image, &out, VIPS_INTERPRETATION_sRGB, NULL) == 0 ? out : NULL;
}

VipsImage *colour_to_srgb(VipsImage *image)
{
	SCOPED_IMAGE *rgb = convert(image);
	SCOPED_IMAGE *bytes = NULL;
	VipsImage *out = NULL;
	if (!rgb || vips_cast_uchar(rgb, &bytes, NULL) < 0)
		return NULL;
	int bands = vips_image_get_bands(bytes);
	if (bands < 3) {
		vips_error("colour", "%d bands are neither grey nor colour", bands);
		return NULL;
	}
	/* Of several extra channels the first is the alpha. */
	return vips_extract_band(bytes, &out, 0, "n", bands > 3 ? 4 : 3, NULL) == 0 ? out : NULL;
}
