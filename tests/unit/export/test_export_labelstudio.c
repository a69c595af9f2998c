/* test_export_labelstudio.c - Label Studio's list of tasks, byte by byte: tasks as they came, and made of what came otherwise. */
#include "tests/unit/export/entries.h"

static const struct export_options tasks = { .format = EXPORT_LABEL_STUDIO, .text = entry_bytes,
	.text_arg = (void *)(uintptr_t)"a \"text\"\n" };

#define ROW(more) "{\"at\":\"path\",\"where\":\"cats/a \\\"b\\\".png\",\"media\":\"image\"" more "}"
#define SIZE "\"original_width\":640,\"original_height\":480,\"image_rotation\":0,"
#define RESULT(n, type) "{\"id\":\"inlet-" n "\",\"from_name\":\"label\",\"to_name\":\"image\",\"type\":\"" type "\","

static void expect_tasks(const struct made *m, size_t n, const char *expected)
{
	CLEANUP(buf_done) struct buf whole = { 0 };
	buf_printf(&whole, "[\n%s\n]\n", expected);
	expect_export(&tasks, NULL, m, n, whole.data, "");
}

static void test_nothing(void **state)
{
	(void)state;
	expect_tasks(NULL, 0, "");
	const struct made two[] = { entry_make(1, MEDIA_IMAGE, "k", ROW("")), entry_make(2, MEDIA_TEXT, "k", "{\"at\":\"text\"}") };
	expect_tasks(two, 2, "{\"data\":{\"image\":\"cats/a \\\"b\\\".png\"}},\n{\"data\":{\"text\":\"a \\\"text\\\"\\n\"}}");
}

static void test_labels_of_the_whole_and_their_makers(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"metadata\":{\"n\":12345678901234567890,\"image\":\"hidden\",\"x\":1.50}"));
	entry_add(&m, "cat \"a\"", "", "");
	struct annotation *a = entry_add(&m, "pet", "", "");
	a->worker = SLICE_LIT("user:ann");
	a = entry_add(&m, "lynx", "", "");
	a->worker = SLICE_LIT("model");
	a->model = SLICE_LIT("lite0");
	a->confidence = 0.30000000000000004;
	a->status = STATUS_AWAITING_REVIEW;
	a = entry_add(&m, "denied", "", "");
	a->status = STATUS_REVIEW_DENIED;
	a = entry_add(&m, "tiger", "", "");
	a->maker = BY_MACHINE;
	a->status = STATUS_AWAITING_REVIEW;
	expect_tasks(&m, 1, "{\"data\":{\"image\":\"cats/a \\\"b\\\".png\",\"n\":12345678901234567890,\"x\":1.50},\"annotations\":["
		"{\"worker\":\"imported\",\"result\":[" RESULT("1", "choices") "\"value\":{\"choices\":[\"cat \\\"a\\\"\"]}}]},"
		"{\"worker\":\"user:ann\",\"result\":[" RESULT("2", "choices") "\"value\":{\"choices\":[\"pet\"]}}]}],\"predictions\":["
		"{\"model_version\":\"lite0\",\"result\":[" RESULT("3", "choices") "\"value\":{\"choices\":[\"lynx\"]},"
		"\"score\":0.30000000000000004}]},"
		"{\"model_version\":\"imported\",\"result\":[" RESULT("5", "choices") "\"value\":{\"choices\":[\"tiger\"]}}]}]}");
}

/* expected NULL: it is left out. */
static void expect_shape(const char *geometry, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	CLEANUP(buf_done) struct buf whole = { 0 };
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"https://h/a.png\"}");
	entry_add(&m, "cat", geometry, "");
	entries_write(&tasks, NULL, &m, 1, &text, &left);
	buf_printf(&whole, "[\n{\"data\":{\"image\":\"https://h/a.png\"},\"annotations\":[{\"worker\":\"imported\",\"result\":[%s]}]}\n]\n",
		expected ? expected : "");
	expect_text(geometry, text.data, whole.data);
	assert_string_equal(left.data, expected ? "" : "1 label that labelstudio cannot say");
}

static void test_shapes_become_percents(void **state)
{
	(void)state;
	expect_shape(BOX_PX, RESULT("1", "rectanglelabels") SIZE
		"\"value\":{\"x\":12.5,\"y\":12.5,\"width\":50.078125,\"height\":50,\"rotation\":0,\"rectanglelabels\":[\"cat\"]}}");
	expect_shape(BOX_CENTER, RESULT("1", "rectanglelabels") SIZE
		"\"value\":{\"x\":12.5,\"y\":12.5,\"width\":50,\"height\":50,\"rotation\":0,\"rectanglelabels\":[\"cat\"]}}");
	expect_shape(BOX_TURNED, RESULT("1", "rectanglelabels") SIZE
		"\"value\":{\"x\":10,\"y\":10,\"width\":5,\"height\":3.3333333333333335,\"rotation\":90,\"rectanglelabels\":[\"cat\"]}}");
	expect_shape(POLYGON, RESULT("1", "polygonlabels") SIZE
		"\"value\":{\"points\":[[0,0],[10,0],[10,10]],\"closed\":true,\"polygonlabels\":[\"cat\"]}}");
	expect_shape(POLYGON_FRACTION, RESULT("1", "polygonlabels") SIZE
		"\"value\":{\"points\":[[0,0],[12.5,0],[12.5,12.5]],\"closed\":true,\"polygonlabels\":[\"cat\"]}}");
	expect_shape(KEYPOINT, RESULT("1", "keypointlabels") SIZE
		"\"value\":{\"x\":50,\"y\":25,\"width\":0.5,\"keypointlabels\":[\"cat\"]}}");
	expect_shape("{\"kind\":\"ellipse\",\"unit\":\"px\",\"center\":[320,240],\"radii\":[64,48],\"rotation\":30}",
		RESULT("1", "ellipselabels") SIZE
		"\"value\":{\"x\":50,\"y\":50,\"radiusX\":10,\"radiusY\":10,\"rotation\":30,\"ellipselabels\":[\"cat\"]}}");
	expect_shape(SPAN, RESULT("1", "labels") "\"value\":{\"start\":1,\"end\":4,\"labels\":[\"cat\"]}}");
	expect_shape(RANGE, RESULT("1", "labels") "\"value\":{\"start\":1.50,\"end\":4,\"labels\":[\"cat\"]}}");
	static const char *const unsaid[] = { LINE, POLYGON_PARTS, MASK, BRUSH, KEYPOINTS, TRACK, RELATION, OTHER };
	for (size_t i = 0; i < sizeof(unsaid) / sizeof(*unsaid); i++)
		expect_shape(unsaid[i], NULL);
}

#define OF(list, index, result, word) "\"of\":{\"list\":\"" list "\",\"index\":" index ",\"result\":" result ",\"word\":" word "}"

/* The task's own members in their order, each result where it stood with its words, lists that are empty, and what a person added. */
static void test_a_task_as_it_came(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"metadata\":{\"note\":\"x\",\"meta\":{\"k\":1.0}},\"attributes\":{"
		"\"content\":\"image\",\"value\":\"a%20b.png\",\"task\":{\"id\":7,\"drafts\":[]},\"data\":{\"meta\":3},\"lists\":{\"annotations\":["
		"{\"id\":1,\"lead_time\":12.75},{\"id\":2}],\"predictions\":[{\"model_version\":\"v1\",\"result\":[]}]}}"));
	static const char box[] = "{\"kind\":\"box\",\"unit\":\"percent\",\"size\":[640,480],\"form\":\"xywh\",\"box\":[1.50,2,10.000000000000002,20],"
		"\"rotation\":15.5,\"pivot\":\"corner\"}";
	entry_add(&m, "pet", box, "{\"id\":\"r1\",\"type\":\"rectanglelabels\"," OF("annotations", "0", "1", "1") "}");
	entry_add(&m, "indoor", "", "{\"type\":\"choices\"," OF("annotations", "0", "0", "0") "}");
	entry_add(&m, "cat", box, "{\"id\":\"r1\",\"type\":\"rectanglelabels\"," OF("annotations", "0", "1", "0") "}");
	struct annotation *a = entry_add(&m, "dog", "", "");
	a->worker = SLICE_LIT("user:ann");
	expect_tasks(&m, 1, "{\"id\":7,\"drafts\":[],\"data\":{\"image\":\"a%20b.png\",\"note\":\"x\",\"meta\":3},\"annotations\":["
		"{\"id\":1,\"lead_time\":12.75,\"result\":[{\"type\":\"choices\",\"value\":{\"choices\":[\"indoor\"]}},"
		"{\"id\":\"r1\",\"type\":\"rectanglelabels\",\"original_width\":640,\"original_height\":480,\"value\":{\"x\":1.50,\"y\":2,"
		"\"width\":10.000000000000002,\"height\":20,\"rotation\":15.5,\"rectanglelabels\":[\"cat\",\"pet\"]}}]},"
		"{\"id\":2,\"result\":[]},"
		"{\"worker\":\"user:ann\",\"result\":[" RESULT("4", "choices") "\"value\":{\"choices\":[\"dog\"]}}]}],"
		"\"predictions\":[{\"model_version\":\"v1\",\"result\":[]}]}");
}

/* Under "text" a bare path would be read as a text. */
static void test_a_path_of_a_text_stays_a_path(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_TEXT, "k", "{\"at\":\"path\",\"where\":\"cats/a.txt\"}");
	expect_tasks(&m, 1, "{\"data\":{\"text\":\"./cats/a.txt\"}}");
	m.row.body = SLICE_LIT("{\"at\":\"path\",\"where\":\"/data/a.txt\"}");
	expect_tasks(&m, 1, "{\"data\":{\"text\":\"/data/a.txt\"}}");
	m.item.media = MEDIA_AUDIO;
	m.row.body = SLICE_LIT("{\"at\":\"path\",\"where\":\"a.wav\"}");
	expect_tasks(&m, 1, "{\"data\":{\"audio\":\"a.wav\"}}");
}

static void test_what_has_no_place(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "in/a/folder.png", NULL);
	entry_add(&m, "cat", "", "");
	expect_export(&tasks, NULL, &m, 1, "[\n\n]\n", "1 item and 1 label that labelstudio cannot say");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_labels_of_the_whole_and_their_makers),
		cmocka_unit_test(test_shapes_become_percents),
		cmocka_unit_test(test_a_task_as_it_came),
		cmocka_unit_test(test_a_path_of_a_text_stays_a_path),
		cmocka_unit_test(test_what_has_no_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
