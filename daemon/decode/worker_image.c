/* worker_image.c - header, limits, pixels, and what is derived from them. */
#include "daemon/decode/worker_image.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/decode/worker_colour.h"
#include "daemon/decode/worker_facts.h"
#include "daemon/decode/worker_pixels.h"
#include "daemon/decode/worker_resize.h"
#include "daemon/decode/worker_vips.h"

#include <math.h>
#include <string.h>
#include <vips/vector.h>

#define FORM_QUALITY 95
#define THUMBNAIL_QUALITY 80
#define MEMORY_SLACK (32ULL << 20) /* what decoders and encoders use besides whole images */

/* Loaders that libvips' authors hold fit for untrusted data, by media type: the one that matches is called by name, so
 * that libvips never guesses for itself. */
static const struct format {
	const char *type, *name, *loader;
	bool lossless;
	bool keeps; /* the original is the canonical form where its pixels are upright sRGB */
	bool lines; /* decoded line by line unless interlaced; the others hold the whole image besides */
} formats[] = {
	{ "image/jpeg", "jpeg", "jpegload_buffer", false, true, true },
	{ "image/png", "png", "pngload_buffer", true, true, true },
	{ "image/webp", "webp", "webpload_buffer", false, true, false },
	{ "image/gif", "gif", "gifload_buffer", true, false, false },
	{ "image/tiff", "tiff", "tiffload_buffer", true, false, false },
	{ "image/heic", "heic", "heifload_buffer", false, false, false },
	{ "image/heif", "heif", "heifload_buffer", false, false, false },
	{ "image/avif", "avif", "heifload_buffer", false, false, false },
};

static const struct format *find_format(const char *type)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].type, type) == 0)
			return vips_type_find("VipsOperation", formats[i].loader) ? &formats[i] : NULL;
	}
	return NULL;
}

bool image_decodes(const char *media_type)
{
	return find_format(media_type) != NULL;
}

static VipsImage *load(const struct format *f, const uint8_t *bytes, size_t size, int shrink)
{
	VipsImage *out = NULL;
	VipsBlob *blob = vips_blob_new(NULL, bytes, size);
	int failed = shrink > 1 ? vips_call(f->loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
					    VIPS_FAIL_ON_ERROR, "shrink", shrink, NULL)
				: vips_call(f->loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
					    VIPS_FAIL_ON_ERROR, NULL);
	vips_area_unref(VIPS_AREA(blob));
	return failed ? NULL : out;
}

int image_init(struct err *err)
{
	if (vips_init("inlet-decode") != 0)
		return err_set(err, ERR_FATAL, 0, "libvips does not start: %s", vips_error_buffer());
	vips_block_untrusted_set(TRUE);
	vips_cache_set_max(0);
	vips_concurrency_set(1);
#if VIPS_MAJOR_VERSION == 8 && VIPS_MINOR_VERSION < 15
	vips_vector_set_enabled(FALSE); /* ORC writes machine code at run time, which the sandbox forbids */
#endif
	/* libheif loads its codecs as plug-ins when first used: now, while there is a file system. */
	static const uint8_t no_image[] = "\0\0\0\x18\x66typheic\0\0\0\0heicmif1";
	const struct format *heic = find_format("image/heic");
	VipsImage *image = heic ? load(heic, no_image, sizeof(no_image) - 1, 1) : NULL;
	g_clear_object(&image);
	vips_error_clear();
	return 0;
}

/* ---- failures ---- */

/* libvips' report as one line, each of its lines once. */
static void take_report(char *to, size_t size)
{
	const char *p = vips_error_buffer();
	size_t n = 0;
	to[0] = '\0';
	while (*p && n + 3 < size) {
		size_t line = strcspn(p, "\n");
		CLEANUP(freep) char *one = mem_strndup(p, line);
		if (line && !strstr(to, one))
			n += (size_t)g_snprintf(to + n, size - n, "%s%s", n ? "; " : "", one);
		p += line + (p[line] == '\n');
		n = n < size ? n : size - 1;
	}
	vips_error_clear();
}

static bool says_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcasestr(text, *words))
			return true;
	}
	return false;
}

static int reject(const struct task *t, const struct format *f, struct err *err)
{
	static const char *const ends[] = { "premature",   "truncat",	     "end of file",   "end of input",
					    "end of data", "end of stream",  "out of data",   "not enough data",
					    "read error",  "unexpected end", "read past end", NULL };
	static const char *const memory[] = { "out of memory", "unable to allocate", "malloc", NULL };
	char why[256];
	take_report(why, sizeof(why));
	if (says_one_of(why, memory))
		return err_set(err, ERR_REJECT, 0,
			       "decoding needs more memory than a decoder may use (%llu MiB): %s; make the image smaller",
			       (unsigned long long)(t->limits->memory_bytes >> 20), why);
	if (says_one_of(why, ends))
		return err_set(err, ERR_REJECT, 0,
			       "the %s is not whole: its data end at byte %zu, too early (%s); copy the file again",
			       f->name, t->size, why);
	return err_set(err, ERR_REJECT, 0, "not a valid %s (%s); save it again with an image program", f->name,
		why[0] ? why : "its decoder does not say why");
}

/* ---- limits, before any pixel is decoded ---- */

static int check_limits(const struct task *t, const struct format *f, VipsImage *header, struct err *err)
{
	uint64_t width = (uint64_t)vips_image_get_width(header);
	uint64_t height = (uint64_t)vips_image_get_height(header);
	uint64_t frames = (uint64_t)vips_image_get_n_pages(header);
	uint64_t pixels;
	if (__builtin_mul_overflow(width * height, frames, &pixels) || pixels > t->limits->max_pixels)
		return err_set(err, ERR_REJECT, 0,
			       "%llu x %llu pixels in %llu frame%s are more than limits.pixels (%llu); make the "
			       "image smaller or raise the limit",
			       (unsigned long long)width, (unsigned long long)height, (unsigned long long)frames, text_s(frames),
			       (unsigned long long)t->limits->max_pixels);
	bool whole = !f->lines || vips_image_get_typeof(header, "interlaced") ||
		     vips_image_get_typeof(header, "jpeg-multiscan");
	uint64_t copies = 4 + (vips_image_get_orientation(header) > 1 ? 4 : 0) + (whole ? 6 : 0);
	uint64_t need = width * height * copies + MEMORY_SLACK;
	if (need > t->limits->memory_bytes)
		return err_set(err, ERR_REJECT, 0,
			       "decoding %llu x %llu pixels needs about %llu MiB of memory, more than a decoder may "
			       "use (%llu MiB); make the image smaller",
			       (unsigned long long)width, (unsigned long long)height, (unsigned long long)(need >> 20),
			       (unsigned long long)(t->limits->memory_bytes >> 20));
	return 0;
}

/* ---- pixels ---- */

/* pixels as a libvips image; they stay the raster's. */
static VipsImage *wrap(const struct raster *r)
{
	VipsImage *out = NULL;
	SCOPED_IMAGE *plain = vips_image_new_from_memory(r->pixels, raster_bytes(r), (int)r->width, (int)r->height,
						  (int)r->bands, VIPS_FORMAT_UCHAR);
	if (!plain || vips_copy(plain, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) < 0)
		return NULL;
	return out;
}

/* Computes a lazy image into memory that *ret owns (free with g_free). */
static int to_memory(VipsImage *image, struct raster *ret)
{
	size_t n;
	void *pixels = vips_image_write_to_memory(image, &n);
	if (!pixels)
		return -1;
	*ret = (struct raster){ .pixels = pixels,
				.width = (uint32_t)vips_image_get_width(image),
				.height = (uint32_t)vips_image_get_height(image),
				.bands = (uint32_t)vips_image_get_bands(image) };
	return 0;
}

/* Turning needs the whole image at hand, loading goes line by line: hence two steps. */
static int turn_upright(struct raster *r, int orientation)
{
	if (orientation <= 1)
		return 0;
	SCOPED_IMAGE *lying = wrap(r);
	SCOPED_IMAGE *upright = NULL;
	struct raster turned;
	if (!lying)
		return -1;
	vips_image_set_int(lying, VIPS_META_ORIENTATION, orientation);
	if (vips_autorot(lying, &upright, NULL) < 0 || to_memory(upright, &turned) < 0)
		return -1;
	g_free(r->pixels);
	*r = turned;
	return 0;
}

/* How much a JPEG may be reduced while it is decoded, for inputs alone: each still comes from twice its size. */
static int input_shrink(const struct task *t, const struct format *f, VipsImage *header)
{
	if (!t->job->inputs_only || strcmp(f->name, "jpeg") != 0)
		return 1;
	int width = vips_image_get_width(header);
	int height = vips_image_get_height(header);
	double reduction = 16;
	for (uint32_t i = 0; i < t->job->want_count; i++) {
		const struct pixel_spec *s = &t->job->wants[i];
		double kept = (width < height ? width : height) * (s->fit == FIT_CROP ? (double)s->crop : 1.0);
		reduction = fmin(reduction, kept / (s->width > s->height ? s->width : s->height));
	}
	return reduction >= 16 ? 8 : reduction >= 8 ? 4 : reduction >= 4 ? 2 : 1;
}

static int decode_pixels(struct task *t, const struct format *f, VipsImage *header, struct raster *ret)
{
	int shrink = input_shrink(t, f, header);
	SCOPED_IMAGE *reduced = shrink > 1 ? load(f, t->bytes, t->size, shrink) : NULL;
	if (shrink > 1 && !reduced)
		return -1;
	SCOPED_IMAGE *rgb = colour_to_srgb(reduced ? reduced : header);
	struct raster r = { 0 };
	if (!rgb || to_memory(rgb, &r) < 0)
		return -1;
	*ret = r;
	return turn_upright(ret, vips_image_get_orientation(header));
}

/* ---- derived ---- */

static int encode(const struct raster *r, bool png, int quality, void **ret, size_t *ret_size)
{
	SCOPED_IMAGE *image = wrap(r);
	if (!image)
		return -1;
	return png ? vips_pngsave_buffer(image, ret, ret_size, NULL)
		   : vips_jpegsave_buffer(image, ret, ret_size, "Q", quality, NULL);
}

/* The canonical form where the original is not it already. One that is larger than any original may be is left out: it
 * can be made again from the original. */
static int put_form(struct task *t, const struct format *f, VipsImage *header, const struct raster *r, struct err *err)
{
	bool same = f->keeps && vips_image_get_orientation(header) <= 1 && vips_image_get_n_pages(header) == 1 &&
		    colour_is_srgb(header);
	g_autofree void *form = NULL;
	size_t size = 0;
	if (same)
		return 0;
	if (encode(r, f->lossless || r->bands == 4, FORM_QUALITY, &form, &size) < 0)
		return reject(t, f, err);
	return output_fits(t->out, WIRE_FORM, size) ? output_add(t->out, WIRE_FORM, form, size, err) : 0;
}

/* r is premultiplied. */
static int put_thumbnail(struct task *t, const struct format *f, const struct raster *r, struct err *err)
{
	uint32_t longest = r->width > r->height ? r->width : r->height;
	double scale = longest > t->limits->thumbnail ? (double)t->limits->thumbnail / longest : 1;
	struct raster small = { .bands = r->bands,
				.width = (uint32_t)fmax(1, floor(r->width * scale + 0.5)),
				.height = (uint32_t)fmax(1, floor(r->height * scale + 0.5)) };
	CLEANUP(freep) uint8_t *pixels = mem_alloc(raster_bytes(&small));
	g_autofree void *encoded = NULL;
	size_t size = 0;
	small.pixels = pixels;
	resize(r, (struct box){ 0, 0, r->width, r->height }, KERNEL_AREA, &small);
	raster_unpremultiply(&small);
	if (encode(&small, small.bands == 4, THUMBNAIL_QUALITY, &encoded, &size) < 0)
		return reject(t, f, err);
	return output_add(t->out, WIRE_THUMBNAIL, encoded, size, err);
}

static int put_inputs(struct task *t, const struct raster *r, struct err *err)
{
	for (uint32_t i = 0; i < t->job->want_count; i++) {
		const struct pixel_spec *spec = &t->job->wants[i];
		CLEANUP(freep) uint8_t *input = mem_alloc(pixel_spec_bytes(spec));
		raster_input(r, spec, input);
		if (output_add(t->out, WIRE_INPUTS, input, pixel_spec_bytes(spec), err) < 0)
			return -1;
	}
	return 0;
}

static int derive(struct task *t, const struct format *f, VipsImage *header, struct raster *r, struct err *err)
{
	bool turned = vips_image_get_orientation(header) >= 5;
	uint32_t width = (uint32_t)vips_image_get_width(header);
	uint32_t height = (uint32_t)vips_image_get_height(header);
	t->done->width = turned ? height : width;
	t->done->height = turned ? width : height;
	if (!t->job->inputs_only) {
		raster_drop_opaque(r);
		raster_id(r, &t->done->canonical);
		if (put_form(t, f, header, r, err) < 0)
			return -1;
	}
	if (facts_put(t, f->name, header, err) < 0)
		return -1;
	raster_premultiply(r);
	if (!t->job->inputs_only && t->limits->thumbnail && put_thumbnail(t, f, r, err) < 0)
		return -1;
	return put_inputs(t, r, err);
}

int image_decode(struct task *t, const char *media_type, struct err *err)
{
	const struct format *f = find_format(media_type);
	SCOPED_IMAGE *header = load(f, t->bytes, t->size, 1);
	if (!header)
		return reject(t, f, err);
	if (check_limits(t, f, header, err) < 0)
		return -1;
	struct raster r = { 0 };
	int failed = decode_pixels(t, f, header, &r) < 0 ? reject(t, f, err) : derive(t, f, header, &r, err);
	g_free(r.pixels);
	return failed;
}
