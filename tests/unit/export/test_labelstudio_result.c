/* test_labelstudio_result.c - labels as Label Studio's results: as they came, and made of other formats' shapes. */
#include "daemon/base/cleanup.h"
#include "daemon/export/labelstudio_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OF "\"of\":{\"list\":\"predictions\",\"index\":1,\"result\":2,\"word\":"

static int setup(void **state)
{
	static struct result_maker r;
	r.shape = shape_new();
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	struct result_maker *r = *state;
	shape_free(r->shape);
	dom_done(&r->said);
	*r = (struct result_maker){ 0 };
	return 0;
}

static void expect_as_came(struct result_maker *r, const struct annotation *const *labels, size_t n, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	result_as_came(r, labels, n, &j);
	assert_string_equal(text.data, expected);
}

static void test_words_of_one_result_stand_together(void **state)
{
	const struct slice box = SLICE_LIT("{\"kind\":\"box\",\"unit\":\"percent\",\"size\":[640,480.0],\"form\":\"xywh\",\"box\":[1.50,2,3,4],"
					   "\"rotation\":5,\"pivot\":\"corner\"}");
	const struct annotation a = { .concept = SLICE_LIT("cat"), .geometry = box,
		.attributes = SLICE_LIT("{\"id\":\"r\",\"type\":\"rectanglelabels\"," OF "0}}") };
	const struct annotation b = { .concept = SLICE_LIT("pet"), .geometry = box,
		.attributes = SLICE_LIT("{\"id\":\"r\",\"type\":\"rectanglelabels\"," OF "1}}") };
	struct result_place p = result_place(*state, &b);
	assert_true(p.list == LIST_PREDICTIONS && p.index == 1 && p.result == 2 && p.word == 1);
	expect_as_came(*state, (const struct annotation *const[]){ &a, &b }, 2,
		"{\"id\":\"r\",\"type\":\"rectanglelabels\",\"original_width\":640,\"original_height\":480.0,\"value\":{\"x\":1.50,\"y\":2,"
		"\"width\":3,\"height\":4,\"rotation\":5,\"rectanglelabels\":[\"cat\",\"pet\"]}}");
}

static void test_a_result_without_words(void **state)
{
	const struct annotation a = { .concept = SLICE_LIT("rating"),
		.geometry = SLICE_LIT("{\"kind\":\"other\",\"type\":\"rating\",\"value\":{\"rating\": 4}}"),
		.attributes = SLICE_LIT("{\"type\":\"rating\"," OF "-1}}") };
	const struct annotation relation = { .concept = SLICE_LIT("relation"),
		.geometry = SLICE_LIT("{\"kind\":\"relation\",\"from\":\"a\",\"to\":\"b\"}"),
		.attributes = SLICE_LIT("{\"type\":\"relation\"," OF "-1}}") };
	expect_as_came(*state, (const struct annotation *const[]){ &a }, 1, "{\"type\":\"rating\",\"value\":{\"rating\": 4}}");
	expect_as_came(*state, (const struct annotation *const[]){ &relation }, 1,
		"{\"type\":\"relation\",\"from_id\":\"a\",\"to_id\":\"b\"}");
}

static void expect_made(struct result_maker *r, const char *geometry, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	const struct annotation a = { .n = 3, .concept = SLICE_LIT("cat"), .confidence = 0.5, .geometry = slice_of(geometry) };
	const struct shape_frame f = { .width = 200, .height = 100 };
	buf_str(&text, "");
	assert_int_equal(result_make(r, &a, &f, SLICE_LIT("image"), &j), expected != NULL);
	if (!expected) {
		assert_int_equal(text.len, 0);
		return;
	}
	CLEANUP(buf_done) struct buf whole = { 0 };
	buf_printf(&whole, "{\"id\":\"inlet-3\",\"from_name\":\"label\",\"to_name\":\"image\",%s,\"score\":0.5}", expected);
	assert_string_equal(text.data, whole.data);
}

#define SIZE "\"original_width\":200,\"original_height\":100,\"image_rotation\":0,"

static void test_shapes_from_elsewhere_become_percents(void **state)
{
	expect_made(*state, "", "\"type\":\"choices\",\"value\":{\"choices\":[\"cat\"]}");
	expect_made(*state, "{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xyxy\",\"box\":[20,10,60,30]}",
		"\"type\":\"rectanglelabels\"," SIZE "\"value\":{\"x\":10,\"y\":10,\"width\":20,\"height\":20,\"rotation\":0,"
		"\"rectanglelabels\":[\"cat\"]}");
	expect_made(*state, "{\"kind\":\"polygon\",\"unit\":\"fraction\",\"rings\":[[0,0,0.5,0,0.5,0.25]]}",
		"\"type\":\"polygonlabels\"," SIZE "\"value\":{\"points\":[[0,0],[50,0],[50,25]],\"closed\":true,\"polygonlabels\":[\"cat\"]}");
	expect_made(*state, "{\"kind\":\"keypoints\",\"unit\":\"px\",\"form\":\"xyv\",\"points\":[20,10,2]}",
		"\"type\":\"keypointlabels\"," SIZE "\"value\":{\"x\":10,\"y\":10,\"width\":0.5,\"keypointlabels\":[\"cat\"]}");
	expect_made(*state, "{\"kind\":\"span\",\"unit\":\"character\",\"start\":1,\"end\":4}",
		"\"type\":\"labels\",\"value\":{\"start\":1,\"end\":4,\"labels\":[\"cat\"]}");
}

static void test_what_label_studio_has_no_shape_for(void **state)
{
	expect_made(*state, "{\"kind\":\"polygon\",\"unit\":\"px\",\"rings\":[[0,0,4,0,4,3],[1,1,2,1,2,2]]}", NULL);
	expect_made(*state, "{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"coco\",\"counts\":[5,2,6],\"rle_size\":[4,4]}", NULL);
	expect_made(*state, "{\"kind\":\"keypoints\",\"unit\":\"px\",\"form\":\"xy\",\"points\":[1,2,3,4]}", NULL);
	expect_made(*state, "{\"kind\":\"track\",\"unit\":\"percent\",\"sequence\":[]}", NULL);
}

/* Percents of a height that is not known are none. */
static void test_a_picture_without_a_height_has_no_shapes(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	const struct annotation a = { .n = 1, .concept = SLICE_LIT("cat"), .confidence = -1,
		.geometry = SLICE_LIT("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3,4]}") };
	assert_false(result_make(*state, &a, &(struct shape_frame){ .width = 3 }, SLICE_LIT("image"), &j));
	assert_int_equal(text.len, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_words_of_one_result_stand_together),
		CASE(test_a_result_without_words),
		CASE(test_shapes_from_elsewhere_become_percents),
		CASE(test_what_label_studio_has_no_shape_for),
		CASE(test_a_picture_without_a_height_has_no_shapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
