/* test_images.c - images made by libvips, through a real, sandboxed worker. */
#include "tests/unit/decode/decode_fixture.h"

#include <vips/vips.h>

#define WIDTH 400
#define HEIGHT 300

struct bytes {
	void *p;
	size_t n;
};

static void bytes_done(struct bytes *b)
{
	g_free(b->p);
}

/* Left half dark red, right half bright, a blue bar on top: every orientation looks different. */
static VipsImage *picture(int bands)
{
	static struct {
		int left, top, width, height;
		double ink[4];
	} parts[] = {
		{ 0, 0, WIDTH, HEIGHT, { 250, 240, 230, 255 } },
		{ 0, 0, WIDTH / 2, HEIGHT, { 120, 10, 20, 255 } },
		{ 0, 0, WIDTH, HEIGHT / 4, { 10, 20, 200, 128 } },
	};
	VipsImage *image = vips_image_new_memory();
	VipsImage *black, *out;
	assert_int_equal(vips_black(&black, WIDTH, HEIGHT, "bands", bands, NULL), 0);
	assert_int_equal(vips_image_write(black, image), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_int_equal(vips_draw_rect(image, parts[i].ink, bands, parts[i].left, parts[i].top, parts[i].width,
						parts[i].height, "fill", TRUE, NULL),
				 0);
	assert_int_equal(vips_copy(image, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL), 0);
	g_object_unref(black);
	g_object_unref(image);
	return out;
}

static struct bytes save(VipsImage *image, const char *suffix)
{
	struct bytes b;
	if (vips_image_write_to_buffer(image, suffix, &b.p, &b.n, NULL) < 0)
		fail_msg("%s: %s", suffix, vips_error_buffer());
	g_object_unref(image);
	return b;
}

static struct bytes saved(const char *suffix)
{
	return save(picture(3), suffix);
}

/* The picture as a JPEG that has to be turned by `orientation` to be upright. */
static struct bytes saved_lying(int orientation)
{
	static const VipsAngle back[] = { [6] = VIPS_ANGLE_D270, [3] = VIPS_ANGLE_D180, [8] = VIPS_ANGLE_D90 };
	VipsImage *upright = picture(3);
	VipsImage *lying, *marked;
	assert_int_equal(vips_rot(upright, &lying, back[orientation], NULL), 0);
	assert_int_equal(vips_copy(lying, &marked, NULL), 0);
	vips_image_set_int(marked, VIPS_META_ORIENTATION, orientation);
	vips_image_set_string(marked, "exif-ifd0-Make", "ACME, Inc");
	vips_image_set_string(marked, "exif-ifd0-Model", "Model \"7\"");
	g_object_unref(upright);
	g_object_unref(lying);
	return save(marked, ".jpg[Q=95]");
}

static void decode(struct decode_pool *p, const struct bytes *b, struct decode_result *r)
{
	struct err err;
	if (run(p, b->p, b->n, r, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(r->decoded);
	assert_int_equal(r->media, MEDIA_IMAGE);
}

static void assert_pixel(const uint8_t *rgb, int red, int green, int blue)
{
	const int expected[] = { red, green, blue };
	for (int c = 0; c < 3; c++)
		assert_in_range(rgb[c] + 100, expected[c] + 94, expected[c] + 106);
}

static void test_original_is_its_own_form(void **state)
{
	static const struct {
		const char *suffix, *type, *format;
	} cases[] = { { ".jpg", "image/jpeg", "\"format\":\"jpeg\"" },
		      { ".png", "image/png", "\"format\":\"png\"" },
		      { ".webp", "image/webp", "\"format\":\"webp\"" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(bytes_done) struct bytes b = saved(cases[i].suffix);
		struct decode_result r;
		decode(*state, &b, &r);
		assert_string_equal(r.media_type, cases[i].type);
		assert_true(has_fact(&r, cases[i].format));
		assert_int_equal(r.width, WIDTH);
		assert_int_equal(r.height, HEIGHT);
		assert_int_equal(r.form.len, 0);
		assert_false(content_id_none(&r.canonical));
		decode_result_done(&r);
	}
}

static void test_other_formats_get_a_png_form(void **state)
{
	static const char *const suffixes[] = { ".gif", ".tif", ".tif[compression=lzw]" };
	CLEANUP(bytes_done) struct bytes png = saved(".png");
	struct decode_result original;
	decode(*state, &png, &original);
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(bytes_done) struct bytes b = saved(suffixes[i]);
		struct decode_result r;
		decode(*state, &b, &r);
		assert_true(r.form.len > 8);
		assert_memory_equal(r.form.data, "\x89PNG", 4);
		if (i > 0) /* lossless: the same pixels are the same content, whatever the file; GIF has a palette */
			assert_true(content_id_eq(&r.canonical, &original.canonical));
		decode_result_done(&r);
	}
	decode_result_done(&original);
}

static void test_exif_orientation_is_applied(void **state)
{
	static const struct pixel_spec want = { .width = 4, .height = 4, .fit = FIT_STRETCH, .kernel = KERNEL_NEAREST };
	static const int orientations[] = { 3, 6, 8 };
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(bytes_done) struct bytes b = saved_lying(orientations[i]);
		CLEANUP(freep) char *fact = mem_printf("\"orientation\":%d", orientations[i]);
		struct decode_result r;
		struct err err;
		assert_int_equal(run_wanting(*state, b.p, b.n, &want, 1, false, &r, &err), 0);
		assert_int_equal(r.width, WIDTH);
		assert_int_equal(r.height, HEIGHT);
		assert_true(has_fact(&r, fact));
		assert_pixel(r.inputs[0], 10, 20, 200);		   /* top left */
		assert_pixel(r.inputs[0] + 3 * 12, 120, 10, 20);   /* bottom left */
		assert_pixel(r.inputs[0] + 3 * 15, 250, 240, 230); /* bottom right */
		assert_memory_equal(r.form.data, "\xff\xd8\xff", 3);
		decode_result_done(&r);
	}
}

static void test_exif_strings_are_facts(void **state)
{
	CLEANUP(bytes_done) struct bytes b = saved_lying(6);
	struct decode_result r;
	decode(*state, &b, &r);
	assert_true(has_fact(&r, "\"exif\":{\"make\":\"ACME, Inc\",\"model\":\"Model \\\"7\\\"\"}"));
	decode_result_done(&r);
}

static void test_thumbnail_fits_its_size(void **state)
{
	CLEANUP(bytes_done) struct bytes b = saved(".png");
	struct decode_result r;
	decode(*state, &b, &r);
	VipsImage *t = vips_image_new_from_buffer(r.thumbnail.data, r.thumbnail.len, "", NULL);
	assert_non_null(t);
	assert_int_equal(vips_image_get_width(t), 256);
	assert_int_equal(vips_image_get_height(t), 192);
	g_object_unref(t);
	decode_result_done(&r);
}

static void test_alpha_is_kept_in_the_thumbnail_and_white_for_models(void **state)
{
	static const struct pixel_spec want = { .width = 4, .height = 4, .fit = FIT_STRETCH, .kernel = KERNEL_NEAREST };
	CLEANUP(bytes_done) struct bytes b = save(picture(4), ".png");
	struct decode_result r;
	struct err err;
	assert_int_equal(run_wanting(*state, b.p, b.n, &want, 1, false, &r, &err), 0);
	assert_memory_equal(r.thumbnail.data, "\x89PNG", 4);
	assert_pixel(r.inputs[0], 132, 137, 227); /* (10, 20, 200) at 128/255 on white */
	decode_result_done(&r);
}

static void test_opaque_alpha_is_no_difference(void **state)
{
	VipsImage *plain = picture(3);
	VipsImage *opaque;
	assert_int_equal(vips_addalpha(plain, &opaque, NULL), 0);
	CLEANUP(bytes_done) struct bytes a = save(plain, ".png");
	CLEANUP(bytes_done) struct bytes b = save(opaque, ".png");
	struct decode_result ra, rb;
	decode(*state, &a, &ra);
	decode(*state, &b, &rb);
	assert_true(content_id_eq(&ra.canonical, &rb.canonical));
	decode_result_done(&ra);
	decode_result_done(&rb);
}

static void test_grey_and_16_bits_become_srgb(void **state)
{
	VipsImage *rgb = picture(3);
	VipsImage *grey, *deep;
	assert_int_equal(vips_colourspace(rgb, &grey, VIPS_INTERPRETATION_B_W, NULL), 0);
	assert_int_equal(vips_colourspace(rgb, &deep, VIPS_INTERPRETATION_RGB16, NULL), 0);
	CLEANUP(bytes_done) struct bytes a = save(grey, ".jpg");
	CLEANUP(bytes_done) struct bytes b = save(deep, ".png");
	struct decode_result r;
	decode(*state, &a, &r);
	assert_int_equal(r.form.len, 0);
	assert_true(has_fact(&r, "\"interpretation\":\"b-w\""));
	decode_result_done(&r);
	decode(*state, &b, &r);
	assert_memory_equal(r.form.data, "\x89PNG", 4);
	decode_result_done(&r);
	g_object_unref(rgb);
}

static void test_profiles_are_applied_inside_the_sandbox(void **state)
{
	static const struct pixel_spec want = {
		.width = 1, .height = 1, .fit = FIT_CROP, .crop = 0.1F, .kernel = KERNEL_BICUBIC
	};
	VipsImage *rgb = picture(3);
	VipsImage *wide, *same;
	assert_int_equal(vips_icc_transform(rgb, &wide, "p3", "input_profile", "srgb", NULL), 0);
	assert_int_equal(vips_icc_transform(rgb, &same, "srgb", "input_profile", "srgb", NULL), 0);
	CLEANUP(bytes_done) struct bytes a = save(wide, ".png");
	CLEANUP(bytes_done) struct bytes b = save(same, ".png");
	struct decode_result r;
	struct err err;
	assert_int_equal(run_wanting(*state, a.p, a.n, &want, 1, false, &r, &err), 0);
	assert_true(has_fact(&r, "\"icc\":true"));
	assert_true(r.form.len > 0);
	assert_pixel(r.inputs[0], 185, 125, 125); /* half and half of the two sides */
	decode_result_done(&r);
	decode(*state, &b, &r);
	assert_int_equal(r.form.len, 0); /* sRGB's own profile changes nothing */
	decode_result_done(&r);
	g_object_unref(rgb);
}

static void test_inputs_follow_their_specs(void **state)
{
	static const struct pixel_spec wants[] = {
		{ .width = 8, .height = 8, .fit = FIT_LETTERBOX, .kernel = KERNEL_BILINEAR, .pad = 114 },
		{ .width = 2, .height = 2, .fit = FIT_CROP, .crop = 0.5F, .kernel = KERNEL_NEAREST },
		{ .width = 224, .height = 224, .fit = FIT_CROP, .crop = 0.875F, .kernel = KERNEL_LANCZOS3 },
	};
	CLEANUP(bytes_done) struct bytes b = saved(".png");
	struct decode_result r;
	struct err err;
	assert_int_equal(run_wanting(*state, b.p, b.n, wants, 3, false, &r, &err), 0);
	assert_pixel(r.inputs[0], 114, 114, 114);	/* 8 x 6 inside 8 x 8: the first row is padding */
	assert_pixel(r.inputs[0] + 3 * 8, 10, 20, 200); /* the second is the blue bar */
	assert_pixel(r.inputs[0] + 3 * 63, 114, 114, 114);
	assert_pixel(r.inputs[1], 120, 10, 20); /* the middle: below the bar */
	assert_pixel(r.inputs[1] + 3, 250, 240, 230);
	assert_pixel(r.inputs[2] + 3 * (223 * 224 + 223), 250, 240, 230);
	decode_result_done(&r);
}

static void test_inputs_only_gives_nothing_else(void **state)
{
	static const struct pixel_spec want = {
		.width = 16, .height = 16, .fit = FIT_CROP, .crop = 1, .kernel = KERNEL_BICUBIC
	};
	CLEANUP(bytes_done) struct bytes b = saved(".jpg");
	struct decode_result all, only;
	struct err err;
	assert_int_equal(run_wanting(*state, b.p, b.n, &want, 1, false, &all, &err), 0);
	assert_int_equal(run_wanting(*state, b.p, b.n, &want, 1, true, &only, &err), 0);
	assert_int_equal(only.thumbnail.len + only.form.len, 0);
	assert_int_equal(only.width, WIDTH);
	long difference = 0; /* it was reduced while it was decoded: near, not equal */
	for (size_t i = 0; i < pixel_spec_bytes(&want); i++)
		difference += labs((long)only.inputs[0][i] - all.inputs[0][i]);
	assert_in_range(difference, 0, 3 * pixel_spec_bytes(&want));
	decode_result_done(&all);
	decode_result_done(&only);
}

static void test_animation_is_its_first_frame(void **state)
{
	VipsImage *frame = picture(3);
	VipsImage *strip, *animation, *inverted;
	assert_int_equal(vips_invert(frame, &inverted, NULL), 0); /* the encoder would merge equal frames */
	VipsImage *frames[] = { frame, inverted, frame };
	assert_int_equal(vips_arrayjoin(frames, &strip, 3, "across", 1, NULL), 0);
	assert_int_equal(vips_copy(strip, &animation, NULL), 0);
	vips_image_set_int(animation, VIPS_META_PAGE_HEIGHT, HEIGHT);
	CLEANUP(bytes_done) struct bytes b = save(animation, ".webp[lossless]");
	struct decode_result r;
	decode(*state, &b, &r);
	assert_true(has_fact(&r, "\"frames\":3"));
	assert_int_equal(r.height, HEIGHT);
	assert_true(r.form.len > 0);
	decode_result_done(&r);
	g_object_unref(strip);
	g_object_unref(inverted);
	g_object_unref(frame);
}

static void test_heif_is_decoded_in_the_sandbox(void **state)
{
	CLEANUP(bytes_done) struct bytes b = { 0 };
	VipsImage *image = picture(3);
	int failed = vips_image_write_to_buffer(image, ".avif", &b.p, &b.n, NULL);
	g_object_unref(image);
	if (failed) { /* this libheif was built without an encoder */
		vips_error_clear();
		skip();
	}
	struct decode_result r;
	decode(*state, &b, &r);
	assert_string_equal(r.media_type, "image/avif");
	assert_int_equal(r.width, WIDTH);
	decode_result_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_original_is_its_own_form),
		cmocka_unit_test(test_other_formats_get_a_png_form),
		cmocka_unit_test(test_exif_orientation_is_applied),
		cmocka_unit_test(test_exif_strings_are_facts),
		cmocka_unit_test(test_thumbnail_fits_its_size),
		cmocka_unit_test(test_alpha_is_kept_in_the_thumbnail_and_white_for_models),
		cmocka_unit_test(test_opaque_alpha_is_no_difference),
		cmocka_unit_test(test_grey_and_16_bits_become_srgb),
		cmocka_unit_test(test_profiles_are_applied_inside_the_sandbox),
		cmocka_unit_test(test_inputs_follow_their_specs),
		cmocka_unit_test(test_inputs_only_gives_nothing_else),
		cmocka_unit_test(test_animation_is_its_first_frame),
		cmocka_unit_test(test_heif_is_decoded_in_the_sandbox),
	};
	if (vips_init("test_images") != 0)
		return 1;
	vips_concurrency_set(1);
	int failed = cmocka_run_group_tests_name("decode images", tests, setup_real_pool, teardown_pool);
	vips_shutdown();
	return failed;
}
