/* test_box.c - the four numbers of a box: the text they came with where form and unit are the same, else computed. */
#include "daemon/export/box.h"
#include "tests/unit/export/entries.h"

CLEANUP_FN(struct shape *, shape_free)

struct wanted {
	enum box_form form;
	enum box_unit unit;
	bool whole;
};

/* expected NULL: it is no upright box on this picture. */
static void expect_box_of(const struct item *item, const char *geometry, struct wanted w, const char *expected)
{
	CLEANUP(shape_freep) struct shape *s = shape_new();
	CLEANUP(buf_done) struct buf text = { 0 };
	struct arena arena = { 0 };
	struct slice v[4];
	buf_str(&text, "");
	if (box_read(s, slice_of(geometry), item, w.form, w.unit, w.whole, &arena, v))
		for (size_t i = 0; i < 4; i++)
			buf_printf(&text, "%s%.*s", i ? " " : "", (int)v[i].len, v[i].p);
	expect_text(geometry, text.data, expected ? expected : "");
	arena_done(&arena);
}

static void expect_box(const char *geometry, struct wanted w, const char *expected)
{
	const struct item item = { .width = 640, .height = 480 };
	expect_box_of(&item, geometry, w, expected);
}

#define XYWH_PX (struct wanted){ BOX_XYWH, BOX_PIXELS, false }
#define XYXY_PX (struct wanted){ BOX_XYXY, BOX_PIXELS, false }
#define XYXY_FRACTION (struct wanted){ BOX_XYXY, BOX_FRACTION, false }
#define CXCYWH_FRACTION (struct wanted){ BOX_CXCYWH, BOX_FRACTION, false }
#define WHOLE (struct wanted){ BOX_XYWH, BOX_PIXELS, true }

static void test_numbers_as_they_came(void **state)
{
	(void)state;
	expect_box(BOX_PX, XYWH_PX, "80 60 320.50 240");
	expect_box(BOX_XYXY_PX, XYXY_PX, "80 60 400 300");
	expect_box(BOX_CENTER, CXCYWH_FRACTION, "0.375 0.375 0.5 0.50");
	expect_box(BOX_CORNERS, XYXY_FRACTION, "0.1 0.1 0.60000000000000009 1");
	expect_box("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[ 1e1 ,-2.50E-3,\n12345678901234567890, 0.1]}", XYWH_PX,
		"1e1 -2.50E-3 12345678901234567890 0.1");
	expect_box(BOX_PX, WHOLE, "80 60 320.50 240"); /* as it came says more than a rounding */
	const struct item unknown = { .width = 0 };
	expect_box_of(&unknown, BOX_CENTER, CXCYWH_FRACTION, "0.375 0.375 0.5 0.50");
}

static void test_other_forms_and_units(void **state)
{
	(void)state;
	expect_box(BOX_PX, XYXY_PX, "80 60 400.5 300");
	expect_box(BOX_XYXY_PX, XYWH_PX, "80 60 320 240");
	expect_box(BOX_XYXY_PX, CXCYWH_FRACTION, "0.375 0.375 0.5 0.5");
	expect_box(BOX_CENTER, XYWH_PX, "80 60 320 240");
	expect_box(BOX_CENTER, XYXY_FRACTION, "0.125 0.125 0.625 0.625");
	expect_box(BOX_PERCENT, XYWH_PX, "80 60 320 240");
	expect_box(BOX_PERCENT, CXCYWH_FRACTION, "0.375 0.375 0.5 0.5");
	expect_box("{\"kind\":\"box\",\"unit\":\"px\",\"size\":[320,240],\"form\":\"xyxy\",\"box\":[1,2,3,4]}", XYWH_PX, "2 4 4 4");
}

static void test_rounding(void **state)
{
	(void)state;
	expect_box("{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"xywh\",\"box\":[0.0011,0.0011,0.5,0.3333]}", WHOLE, "1 1 320 160");
	expect_box("{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"xywh\",\"box\":[0.0011,0.0011,0.5,0.3333]}", XYWH_PX,
		"0.7040000000000001 0.528 320 159.98399999999998");
}

static void test_a_declared_size_decides(void **state)
{
	(void)state;
	const struct item turned = { .width = 480, .height = 640, .facts = SLICE_LIT("{\"orientation\":6}") };
	expect_box_of(&turned, "{\"kind\":\"box\",\"unit\":\"px\",\"size\":[640,480],\"form\":\"xyxy\",\"box\":[0,0,64,48]}", XYWH_PX,
		"432 0 48 64");
}

static void test_what_is_no_upright_box(void **state)
{
	(void)state;
	static const char *const others[] = { BOX_TURNED, POLYGON, LINE, MASK, BRUSH, KEYPOINTS, SPAN, RANGE, TRACK, RELATION, OTHER, "",
		"{", "{\"kind\":\"box\"}", "{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3]}",
		"{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xyxy\",\"box\":[1,2,3,\"4\"]}",
		"{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xyxy\",\"box\":[1,2,3,1e300]}" };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		expect_box(others[i], XYWH_PX, NULL);
	const struct item unknown = { .width = 0 };
	expect_box_of(&unknown, BOX_CENTER, XYWH_PX, NULL);
	expect_box("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3,4],\"rotation\":0}", XYWH_PX, "1 2 3 4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_as_they_came),
		cmocka_unit_test(test_other_forms_and_units),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_a_declared_size_decides),
		cmocka_unit_test(test_what_is_no_upright_box),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
