/* test_export_coco.c - the COCO object, byte by byte: of labels from anywhere, and of COCO files as they came. */
#include "tests/unit/export/entries.h"

#include <jansson.h>

static const struct export_options coco = { .format = EXPORT_COCO };

#define ATTRIBUTES(level) "\"attributes\":{\"image_level\":" level ",\"status\":\"ANNOTATION_SUCCESS\",\"worker\":\"imported\"}}"
#define IMAGE(id, name) "{\"id\":" id ",\"width\":640,\"height\":480,\"file_name\":\"" name "\",\"item\":" id ",\"sha256\":\"" SHA_AB \
	"\",\"source\":\"in\"}"
#define WHOLE(id, category, image) "{\"id\":" id ",\"category_id\":" category ",\"image_id\":" image \
	",\"bbox\":[0,0,640,480],\"area\":307200,\"iscrowd\":0,\"segmentation\":[],"
#define CATEGORY(id, name) "{\"id\":" id ",\"name\":\"" name "\",\"supercategory\":\"\"}"
#define INFO(images, annotations, items, labels) ",\"info\":{\"description\":\"exported by Inlet\",\"images\":" images ",\"annotations\":" \
	annotations ",\"items_without_pixels\":" items ",\"labels_without_shape\":" labels "},\"licenses\":[]}\n"

static void test_nothing(void **state)
{
	(void)state;
	expect_export(&coco, NULL, NULL, 0, "{\"images\":[],\n\"annotations\":[],\"categories\":[]" INFO("0", "0", "0", "0"), "");
}

/* Categories are numbered by name, annotations as they come, images by their items. */
static void test_labels_of_whole_pictures(void **state)
{
	(void)state;
	struct made two[] = { entry_make(5, MEDIA_IMAGE, "a \"b\"/\xc3\xa9.png", NULL), entry_make(7, MEDIA_IMAGE, "c\xff.png", NULL) };
	entry_add(&two[0], "tabby", "", "")->confidence = 0.30000000000000004;
	entry_add(&two[0], "pet \"x\"", "", "");
	entry_add(&two[1], "lynx", "", "");
	expect_export(&coco, NULL, two, 2, "{\"images\":[" IMAGE("5", "a \\\"b\\\"/\xc3\xa9.png") ",\n"
		IMAGE("7", SHA_AB ".png") "],\n\"annotations\":["  /* a key that is no text: the file is named by its content */
		WHOLE("1", "3", "5") "\"score\":0.30000000000000004," ATTRIBUTES("true") ",\n"
		WHOLE("2", "2", "5") ATTRIBUTES("true") ",\n"
		WHOLE("3", "1", "7") ATTRIBUTES("true") "],"
		"\"categories\":[" CATEGORY("1", "lynx") "," CATEGORY("2", "pet \\\"x\\\"") "," CATEGORY("3", "tabby") "]"
		INFO("2", "3", "0", "0"), "");
}

/* expected NULL: it is left out. */
static void expect_shape(const char *geometry, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	CLEANUP(buf_done) struct buf whole = { 0 };
	struct made m = entry_make(8, MEDIA_IMAGE, "a.png", NULL);
	entry_add(&m, "cat", geometry, "");
	entries_write(&coco, NULL, &m, 1, &text, &left);
	buf_str(&whole, "{\"images\":[" IMAGE("8", "a.png") "],\n\"annotations\":[");
	if (expected)
		buf_printf(&whole, "{\"id\":1,\"category_id\":1,\"image_id\":8,%s," ATTRIBUTES("false") "],\"categories\":[" CATEGORY("1", "cat") "]"
			INFO("1", "1", "0", "0"), expected);
	else
		buf_str(&whole, "],\"categories\":[]" INFO("1", "0", "0", "1"));
	expect_text(geometry, text.data, whole.data);
	assert_string_equal(left.data, expected ? "" : "1 label that coco cannot say");
}

static void test_shapes(void **state)
{
	(void)state;
	expect_shape(BOX_PX, "\"bbox\":[80,60,320.50,240],\"area\":76920,\"iscrowd\":0,\"segmentation\":[]");
	expect_shape(BOX_XYXY_PX, "\"bbox\":[80,60,320,240],\"area\":76800,\"iscrowd\":0,\"segmentation\":[]");
	expect_shape(BOX_CENTER, "\"bbox\":[80,60,320,240],\"area\":76800,\"iscrowd\":0,\"segmentation\":[]");
	expect_shape(BOX_PERCENT, "\"bbox\":[80,60,320,240],\"area\":76800,\"iscrowd\":0,\"segmentation\":[]");
	expect_shape(BOX_TURNED, "\"bbox\":[48,48,16,32],\"area\":512,\"iscrowd\":0,\"segmentation\":[[64,48,64,80,48,80,48,48]]");
	expect_shape(POLYGON, "\"bbox\":[0,0,64,48],\"area\":1536,\"iscrowd\":0,\"segmentation\":[[0,0,64,0,64,48.0]]");
	expect_shape(POLYGON_PARTS, "\"bbox\":[0,0,64,48],\"area\":1536.5,\"iscrowd\":0,\"segmentation\":[[0,0,64,0,64,48],[1,1,2,1,2,2]]");
	expect_shape(POLYGON_FRACTION, "\"bbox\":[0,0,80,60],\"area\":2400,\"iscrowd\":0,\"segmentation\":[[0,0,80,0,80,60]]");
	expect_shape(MASK, "\"bbox\":[0,5,1,2],\"area\":2,\"iscrowd\":0,\"segmentation\":{\"counts\":[5,2,307193],\"size\":[480,640]}");
	expect_shape(KEYPOINTS, "\"bbox\":[64,48,64,48],\"area\":3072,\"iscrowd\":0,\"segmentation\":[],\"num_keypoints\":2,"
		"\"keypoints\":[64,48,2,0,0,0,128,96,1]");
	expect_shape(KEYPOINT, "\"bbox\":[320,120,0,0],\"area\":0,\"iscrowd\":0,\"segmentation\":[],\"num_keypoints\":1,"
		"\"keypoints\":[320,120,2]");
	static const char *const unsaid[] = { LINE, BRUSH, SPAN, RANGE, TRACK, RELATION, OTHER, "{\"kind\":\"box\"}",
		"{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3,1e999]}",
		"{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"coco\",\"counts\":[5,99],\"rle_size\":[4,4]}" };
	for (size_t i = 0; i < sizeof(unsaid) / sizeof(*unsaid); i++)
		expect_shape(unsaid[i], NULL);
}

static void test_what_has_no_pixels_is_counted(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_TEXT, "a.txt", NULL);
	entry_add(&m, "cat", "", "");
	entry_add(&m, "dog", SPAN, "");
	expect_export(&coco, NULL, &m, 1, "{\"images\":[],\n\"annotations\":[],\"categories\":[]" INFO("0", "0", "1", "2"),
		"1 item and 2 labels that coco cannot say");
}

static void test_where_a_row_says_it_is(void **state)
{
	(void)state;
	const struct made m = entry_make(1, MEDIA_IMAGE, "key", "{\"at\":\"url\",\"where\":\"https://h/a.png?s=1\"}");
	expect_export(&coco, NULL, &m, 1, "{\"images\":[" IMAGE("1", "https://h/a.png?s=1") "],\n\"annotations\":[],\"categories\":[]"
		INFO("1", "0", "0", "0"), "");
}

#define OWN_IMAGE(id) "{\"at\":\"path\",\"where\":\"a.png\",\"media\":\"image\",\"metadata\":{\"license\":1},\"attributes\":{\"id\":" id \
	",\"width\":640,\"height\":480,\"file_name\":\"a.png\",\"x\":1.50}}"

/* Ids, members and categories of a COCO file come back; what a person added is numbered behind them. */
static void test_a_coco_file_as_it_came(void **state)
{
	(void)state;
	const struct import file = { .id = 1, .format = SLICE_LIT("coco"), .attributes = SLICE_LIT("{\"categories\":["
		"{\"id\":7,\"name\":\"cat\",\"supercategory\":\"pet\"},{\"id\":2,\"name\":\"unused\"}],\"others\":{\"info\":{\"year\":2024}},"
		"\"image_id_max\":40,\"annotation_id_max\":90}") };
	struct made two[] = { entry_make(3, MEDIA_IMAGE, "a.png", OWN_IMAGE("40")), entry_make(4, MEDIA_IMAGE, "b.png", NULL) };
	entry_add(&two[0], "cat", BOX_PX, "{\"id\":90,\"category_id\":7,\"area\":12.50,\"iscrowd\":1}");
	entry_add(&two[0], "cat", POLYGON, "{\"id\":12,\"category_id\":7,\"bbox\":[0,0,64,48]}");
	entry_add(&two[0], "dog", "", "");
	entry_add(&two[1], "cat", "", "");
	expect_export(&coco, &file, two, 2, "{\"images\":[{\"license\":1,\"width\":640,\"height\":480,\"file_name\":\"a.png\",\"x\":1.50,\"id\":40},\n"
		"{\"id\":44,\"width\":640,\"height\":480,\"file_name\":\"b.png\",\"item\":4,\"sha256\":\"" SHA_AB "\",\"source\":\"in\"}],\n"
		"\"annotations\":["
		"{\"category_id\":7,\"image_id\":40,\"id\":90,\"area\":12.50,\"iscrowd\":1,\"bbox\":[80,60,320.50,240]},\n"
		"{\"category_id\":7,\"image_id\":40,\"id\":12,\"bbox\":[0,0,64,48],\"segmentation\":[[0,0,64,0,64,48.0]]},\n"
		WHOLE("91", "8", "40") ATTRIBUTES("true") ",\n"
		WHOLE("92", "7", "44") ATTRIBUTES("true") "],"
		"\"categories\":[{\"id\":7,\"name\":\"cat\",\"supercategory\":\"pet\"},{\"id\":2,\"name\":\"unused\"}," CATEGORY("8", "dog") "],"
		"\"info\":{\"year\":2024}}\n", "");
}

static void test_references_are_numbered_from_one(void **state)
{
	(void)state;
	const struct export_options o = { .format = EXPORT_COCO, .by = EXPORT_BY_REFERENCE };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	const struct made two[] = { entry_make(5, MEDIA_IMAGE, "a.png", NULL), entry_make(9, MEDIA_IMAGE, "b.png", NULL) };
	entries_write(&o, NULL, two, 2, &text, &left);
	assert_non_null(strstr(text.data, "{\"images\":[{\"id\":1,\"width\":640,\"height\":480,\"file_name\":\"a.png\",\"item\":5,"));
	assert_non_null(strstr(text.data, ",\n{\"id\":2,\"width\":640,\"height\":480,\"file_name\":\"b.png\",\"item\":9,"));
}

/* Many annotations leave the exporter in pieces, and all of them. */
static void test_in_pieces(void **state)
{
	(void)state;
	enum { ITEMS = 2000 };
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/tmp" };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, entry_sink, &text);
	for (uint64_t id = 1; id <= ITEMS; id++) {
		struct made m = entry_make(id, MEDIA_IMAGE, "a.png", NULL);
		entry_add(&m, "cat", BOX_PX, "");
		entry_add(&m, "dog", "", "");
		const struct item_full full = { .item = m.item, .references = &m.reference, .reference_count = 1, .annotations = m.labels,
			.annotation_count = m.count };
		assert_int_equal(exporter_add(x, &full, &err), 0);
	}
	int pieces = 1;
	size_t before = text.len;
	while (exporter_end(x, &err) > 0) {
		assert_true(text.len - before < (128U << 10));
		before = text.len;
		pieces++;
	}
	assert_true(pieces > 5);
	CLEANUP(json_decrefp) json_t *parsed = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(json_object_get(parsed, "images")), ITEMS);
	assert_int_equal(json_array_size(json_object_get(parsed, "annotations")), 2 * ITEMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_labels_of_whole_pictures),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_what_has_no_pixels_is_counted),
		cmocka_unit_test(test_where_a_row_says_it_is),
		cmocka_unit_test(test_a_coco_file_as_it_came),
		cmocka_unit_test(test_references_are_numbered_from_one),
		cmocka_unit_test(test_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
