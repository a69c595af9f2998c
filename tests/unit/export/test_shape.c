/* test_shape.c - one corner of a picture in every frame, unit and size that it may come in. */
#include "daemon/base/cleanup.h"
#include "daemon/export/shape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

CLEANUP_FN(struct shape *, shape_free)

static bool near(const double *got, const double *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs(got[i] - expected[i]) < 1e-9))
			return false;
	return true;
}

static void expect_box(const char *geometry, const struct shape_frame *f, double x, double y, double w, double h)
{
	CLEANUP(shape_freep) struct shape *s = shape_new();
	struct shape_out o;
	assert_true(shape_read(s, slice_of(geometry), f, &o));
	assert_int_equal(o.kind, SHAPE_BOX);
	if (!near(o.box, (double[]){ x, y, w, h }, 4))
		fail_msg("%s: %g %g %g %g", geometry, o.box[0], o.box[1], o.box[2], o.box[3]);
}

#define BOX(frame) "{\"kind\":\"box\",\"unit\":\"px\"," frame "\"form\":\"xywh\",\"box\":[1,2,3,4]}"

/* The raw picture is 100 by 40; what viewers make of it by its orientation is known from the EXIF standard's table. */
static void test_raw_boxes_are_turned_upright(void **state)
{
	(void)state;
	static const double turned[9][4] = { [1] = { 1, 2, 3, 4 }, [2] = { 96, 2, 3, 4 }, [3] = { 96, 34, 3, 4 }, [4] = { 1, 34, 3, 4 },
		[5] = { 2, 1, 4, 3 }, [6] = { 34, 1, 4, 3 }, [7] = { 34, 96, 4, 3 }, [8] = { 2, 96, 4, 3 } };
	for (unsigned i = 1; i <= 8; i++) {
		struct shape_frame upright = { .width = i < 5 ? 100 : 40, .height = i < 5 ? 40 : 100, .orientation = i };
		struct shape_frame raw = { .width = 100, .height = 40, .orientation = i, .raw = true };
		char back[200];
		const double *t = turned[i];
		expect_box(BOX("\"frame\":\"raw\","), &upright, t[0], t[1], t[2], t[3]);
		(void)snprintf(back, sizeof(back), "{\"kind\":\"box\",\"unit\":\"px\",\"frame\":\"upright\",\"form\":\"xyxy\",\"box\":[%g,%g,%g,%g]}",
			t[0], t[1], t[0] + t[2], t[1] + t[3]);
		expect_box(back, &raw, 1, 2, 3, 4);
		expect_box(BOX("\"frame\":\"raw\","), &raw, 1, 2, 3, 4);
		expect_box(BOX("\"frame\":\"upright\","), &upright, 1, 2, 3, 4);
	}
}

static void test_the_declared_size_tells_the_frame(void **state)
{
	(void)state;
	const struct shape_frame upright = { .width = 40, .height = 100, .orientation = 6 };
	expect_box(BOX("\"size\":[100,40],"), &upright, 34, 1, 4, 3);
	expect_box(BOX("\"size\":[40,100],"), &upright, 1, 2, 3, 4);
	expect_box(BOX(""), &upright, 1, 2, 3, 4);
}

static void test_numbers_of_a_picture_of_another_size_are_scaled(void **state)
{
	(void)state;
	const struct shape_frame f = { .width = 200, .height = 40 };
	expect_box(BOX("\"size\":[100,40],"), &f, 2, 2, 6, 4);
	expect_box("{\"kind\":\"box\",\"unit\":\"percent\",\"size\":[9,9],\"form\":\"xywh\",\"box\":[50,25,10,10]}", &f, 100, 10, 20, 4);
	expect_box("{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,0.5,0.5]}", &f, 50, 10, 100, 20);
}

static void test_a_turned_box_stays_one(void **state)
{
	(void)state;
	CLEANUP(shape_freep) struct shape *s = shape_new();
	const struct shape_frame f = { .width = 200, .height = 100 };
	struct shape_out o;
	assert_true(shape_read(s, SLICE_LIT("{\"kind\":\"box\",\"unit\":\"percent\",\"form\":\"xywh\",\"box\":[50,50,10,10],\"rotation\":90,"
					    "\"pivot\":\"corner\"}"), &f, &o));
	assert_int_equal(o.kind, SHAPE_TURNED_BOX);
	assert_true(near(o.box, (double[]){ 100, 50, 20, 10 }, 4) && o.rotation == 90);
	assert_true(near(o.rings[0].points, (double[]){ 100, 50, 100, 70, 90, 70, 90, 50 }, 8));
	assert_true(shape_read(s, SLICE_LIT("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"cxcywh\",\"box\":[50,50,20,10],\"rotation\":90,"
					    "\"pivot\":\"center\"}"), &f, &o));
	assert_true(near(o.rings[0].points, (double[]){ 55, 40, 55, 60, 45, 60, 45, 40 }, 8)); /* the same, about its corner: */
	assert_true(near(o.box, (double[]){ 55, 40, 20, 10 }, 4) && !o.as_came);
}

static void test_run_lengths_are_of_one_picture(void **state)
{
	(void)state;
	static const char mask[] = "{\"kind\":\"mask\",\"unit\":\"px\",\"size\":[4,4],\"encoding\":\"coco\",\"counts\":[5,2,6],\"rle_size\":[4,4]}";
	CLEANUP(shape_freep) struct shape *s = shape_new();
	struct shape_out o;
	assert_true(shape_read(s, slice_of(mask), &(struct shape_frame){ .width = 4, .height = 4 }, &o));
	assert_true(o.kind == SHAPE_MASK && o.area == 2);
	assert_false(shape_read(s, slice_of(mask), &(struct shape_frame){ .width = 8, .height = 8 }, &o));
}

static void test_the_frame_of_an_item(void **state)
{
	(void)state;
	CLEANUP(shape_freep) struct shape *s = shape_new();
	struct item item = { .width = 40, .height = 100, .facts = SLICE_LIT("{\"orientation\":6}") };
	struct shape_frame f = shape_frame(s, &item);
	assert_true(f.width == 40 && f.height == 100 && f.orientation == 6 && !f.raw);
	item.facts = SLICE_LIT("");
	assert_int_equal(shape_frame(s, &item).orientation, 0);
}

/* JSON has no infinity: what would become one is no shape. */
static void test_numbers_out_of_all_bounds_are_no_shape(void **state)
{
	(void)state;
	static const char *const geometries[] = {
		BOX("\"size\":[1e-300,40],"), BOX("\"size\":[100,1e-300],"), BOX("\"rotation\":1.7e308,"), BOX("\"rotation\":-1.7e308,"),
		"{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3,1e300]}",
		"{\"kind\":\"ellipse\",\"unit\":\"px\",\"center\":[1,2],\"radii\":[3,4],\"rotation\":1.7e308}",
		"{\"kind\":\"polygon\",\"unit\":\"px\",\"size\":[1e-300,1e-300],\"rings\":[[1,2,3,4,5,6]]}" };
	CLEANUP(shape_freep) struct shape *s = shape_new();
	const struct shape_frame f = { .width = 100, .height = 40 };
	struct shape_out o;
	for (size_t i = 0; i < sizeof(geometries) / sizeof(*geometries); i++)
		if (shape_read(s, slice_of(geometries[i]), &f, &o))
			fail_msg("%s: a shape", geometries[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_boxes_are_turned_upright),
		cmocka_unit_test(test_the_declared_size_tells_the_frame),
		cmocka_unit_test(test_numbers_of_a_picture_of_another_size_are_scaled),
		cmocka_unit_test(test_a_turned_box_stays_one),
		cmocka_unit_test(test_run_lengths_are_of_one_picture),
		cmocka_unit_test(test_numbers_out_of_all_bounds_are_no_shape),
		cmocka_unit_test(test_the_frame_of_an_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
