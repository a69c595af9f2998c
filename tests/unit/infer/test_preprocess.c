/* test_preprocess.c - bytes to floats in every layout and channel order. */
#include "daemon/infer/preprocess.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static const uint8_t two_pixels[] = { 10, 20, 30, 110, 120, 130 };

static void expect(struct pixel_transform t, const float wanted[6])
{
	float got[6];
	preprocess_pixels(&t, two_pixels, 2, got);
	for (size_t i = 0; i < 6; i++)
		assert_float_equal(got[i], wanted[i], 1e-6);
}

static void test_nchw_is_a_plane_a_channel(void **state)
{
	(void)state;
	expect((struct pixel_transform){ .layout = LAYOUT_NCHW, .scale = { 1, 1, 1 } },
		(float[]){ 10, 110, 20, 120, 30, 130 });
}

static void test_nhwc_keeps_the_order(void **state)
{
	(void)state;
	expect((struct pixel_transform){ .layout = LAYOUT_NHWC, .scale = { 1, 1, 1 } },
		(float[]){ 10, 20, 30, 110, 120, 130 });
}

static void test_bgr_turns_the_channels_round(void **state)
{
	(void)state;
	expect((struct pixel_transform){ .layout = LAYOUT_NCHW, .bgr = true, .scale = { 1, 1, 1 } },
		(float[]){ 30, 130, 20, 120, 10, 110 });
	expect((struct pixel_transform){ .layout = LAYOUT_NHWC, .bgr = true, .scale = { 1, 1, 1 } },
		(float[]){ 30, 20, 10, 130, 120, 110 });
}

static void test_mean_and_scale_are_in_the_networks_channel_order(void **state)
{
	(void)state;
	expect((struct pixel_transform){ .layout = LAYOUT_NHWC, .mean = { 10, 0, 30 }, .scale = { 1, 0.5F, 2 } },
		(float[]){ 0, 10, 0, 100, 60, 200 });
	expect(
		(struct pixel_transform){
			.layout = LAYOUT_NHWC, .bgr = true, .mean = { 30, 0, 0 }, .scale = { 1, 1, 0.1F } },
		(float[]){ 0, 20, 1, 100, 120, 11 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nchw_is_a_plane_a_channel),
		cmocka_unit_test(test_nhwc_keeps_the_order),
		cmocka_unit_test(test_bgr_turns_the_channels_round),
		cmocka_unit_test(test_mean_and_scale_are_in_the_networks_channel_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
