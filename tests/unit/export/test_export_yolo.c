/* test_export_yolo.c - YOLO's files, byte by byte, as the list that a folder is made of; the tar holds the same (test_tar.c). */
#include "tests/unit/export/entries.h"

static const struct export_options yolo = { .format = EXPORT_YOLO, .files = true };

#define YAML(names) "{\"path\":\"data.yaml\",\"text\":\"train: \\\"images/train\\\"\\nval: \\\"images/val\\\"\\n" names "\"}\n"
#define NO_VAL "{\"path\":\"images/val/\",\"text\":\"\"}\n"
#define PICTURE(id, text) "{\"path\":\"images/train/" #id "-a.png\",\"item\":" #id ",\"bytes\":3,\"sha256\":\"" SHA_AB "\",\"labels\":{" \
	"\"path\":\"labels/train/" #id "-a.txt\",\"text\":\"" text "\"}}\n"

static void expect_files(const struct made *m, size_t n, const char *expected, const char *left_out)
{
	expect_export(&yolo, NULL, m, n, expected, left_out);
}

/* Trainers want both keys, and what they name. */
static void test_nothing(void **state)
{
	(void)state;
	expect_files(NULL, 0, "{\"path\":\"images/train/\",\"text\":\"\"}\n" NO_VAL YAML("names: {}\\n"), "");
}

/* Boxes become fractions from their middle; classes are numbered as they come. */
static void test_boxes_and_polygons(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}");
	entry_add(&m, "cat \"x\"", BOX_PX, "");
	entry_add(&m, "dog", BOX_XYXY_PX, "");
	entry_add(&m, "cat \"x\"", BOX_CENTER, "");
	entry_add(&m, "dog", POLYGON_FRACTION, "");
	entry_add(&m, "dog", POLYGON, "");
	expect_files(&m, 1, PICTURE(1, "0 0.375390625 0.375 0.50078125 0.5\\n1 0.375 0.375 0.5 0.5\\n0 0.375 0.375 0.5 0.50\\n"
		"1 0 0 0.125 0 0.1250 0.125\\n1 0 0 0.1 0 0.1 0.1\\n") NO_VAL
		YAML("names:\\n  0: \\\"cat \\\\\\\"x\\\\\\\"\\\"\\n  1: \\\"dog\\\"\\n"), "");
}

/* Without --review it does not go out, and so the picture has no labels. */
static void test_what_waits_has_its_confidence(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}");
	struct annotation *a = entry_add(&m, "cat", BOX_CENTER, "");
	a->status = STATUS_AWAITING_REVIEW;
	a->confidence = 0.5;
	const struct export_options reviewed = { .format = EXPORT_YOLO, .files = true, .with_review = true };
	expect_export(&reviewed, NULL, &m, 1, PICTURE(1, "0 0.375 0.375 0.5 0.50 0.5\\n") NO_VAL YAML("names:\\n  0: \\\"cat\\\"\\n"), "");
	expect_files(&m, 1, "{\"path\":\"images/train/\",\"text\":\"\"}\n" NO_VAL YAML("names: {}\\n"), "1 picture without such labels");
}

static void test_keypoints_have_one_shape(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}");
	entry_add(&m, "cat", KEYPOINTS, "");
	entry_add(&m, "cat", KEYPOINT, ""); /* one point, where three are wanted */
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	entries_write(&yolo, NULL, &m, 1, &text, &left);
	assert_non_null(strstr(text.data, "kpt_shape: [3, 3]\\n"));
	assert_non_null(strstr(text.data, " 0.1 0.1 2 0 0 0 0.2 0.2 1\\n"));
	assert_string_equal(left.data, "1 label that yolo cannot say");
}

/* A picture with nothing on it is one where somebody said so. */
static void test_backgrounds_and_what_is_left_out(void **state)
{
	(void)state;
	struct made m[] = { entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}"),
		entry_make(2, MEDIA_IMAGE, "in/a.png", "{\"at\":\"path\",\"where\":\"b.png\",\"attributes\":{\"background\":true}}"),
		entry_make(3, MEDIA_IMAGE, "in/a.png", NULL) };
	entry_add(&m[0], "cat", MASK, "");
	entry_add(&m[0], "cat", "", "");
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	entries_write(&yolo, NULL, m, 3, &text, &left);
	assert_null(strstr(text.data, "\"item\":1,"));
	assert_non_null(strstr(text.data, "\"item\":2,"));
	assert_null(strstr(text.data, "\"item\":3,"));
	assert_string_equal(left.data, "2 labels that yolo cannot say, and 2 pictures without such labels");
}

/* Numbers of the first list stand, and its split. */
static void test_a_list_that_came_as_yolo(void **state)
{
	(void)state;
	const struct import import = { .format = SLICE_LIT("yolo"), .attributes = SLICE_LIT("{\"names\":{\"0\":\"dog\",\"7\":\"cat\"}}") };
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"images/val/a.png\",\"split\":\"val\"}");
	entry_add(&m, "cat", "{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.50,0.25,1e-05]}", "");
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	entries_write(&yolo, &import, &m, 1, &text, &left);
	assert_non_null(strstr(text.data, "\"text\":\"7 0.5 0.50 0.25 1e-05\\n\""));
	assert_non_null(strstr(text.data, "names:\\n  0: \\\"dog\\\"\\n  7: \\\"cat\\\"\\n"));
	assert_non_null(strstr(text.data, "{\"path\":\"images/train/\",\"text\":\"\"}"));
	assert_null(strstr(text.data, "{\"path\":\"images/val/\",\"text\":\"\"}"));
	assert_string_equal(left.data, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_boxes_and_polygons),
		cmocka_unit_test(test_what_waits_has_its_confidence),
		cmocka_unit_test(test_keypoints_have_one_shape),
		cmocka_unit_test(test_backgrounds_and_what_is_left_out),
		cmocka_unit_test(test_a_list_that_came_as_yolo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
