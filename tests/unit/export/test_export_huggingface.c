/* test_export_huggingface.c - metadata.jsonl of Hugging Face, byte by byte: columns as they came, and what stands now. */
#include "tests/unit/export/entries.h"

static const struct export_options face = { .format = EXPORT_HUGGING_FACE };

static void expect_line(const struct made *m, const char *expected, const char *left_out)
{
	expect_export(&face, NULL, m, 1, expected, left_out);
}

static void test_nothing(void **state)
{
	(void)state;
	expect_export(&face, NULL, NULL, 0, "", "");
	const struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a/b.png\"}");
	expect_line(&m, "{\"file_name\":\"a/b.png\"}\n", "");
	const struct made unlisted = entry_make(1, MEDIA_IMAGE, "in/c.png", NULL);
	expect_line(&unlisted, "{\"file_name\":\"in/c.png\"}\n", "");
}

static void test_labels_of_the_whole(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\",\"split\":\"train\",\"metadata\":{\"n\":1.50}}");
	entry_add(&m, "cat \"x\"", "", "");
	expect_line(&m, "{\"file_name\":\"a.png\",\"label\":\"cat \\\"x\\\"\",\"split\":\"train\",\"n\":1.50}\n", "");
	entry_add(&m, "dog", "", "");
	entry_add(&m, "dog", "", ""); /* said once */
	expect_line(&m, "{\"file_name\":\"a.png\",\"labels\":[\"cat \\\"x\\\"\",\"dog\"],\"split\":\"train\",\"n\":1.50}\n", "");
	struct made named = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"train/a.png\",\"split\":\"train\"}");
	expect_line(&named, "{\"file_name\":\"train/a.png\"}\n", ""); /* its path says it */
}

/* A column that still says what stands goes out as it came; one that does not says it now. */
static void test_columns_as_they_came(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\",\"attributes\":{\"file\":\"image\","
		"\"columns\":{\"weight\":12345678901234567890,\"class\":\"cat\",\"note\":null}}}");
	entry_add(&m, "cat", "", "");
	expect_line(&m, "{\"image\":\"a.png\",\"weight\":12345678901234567890,\"class\":\"cat\",\"note\":null}\n", "");
	m.labels[0].concept = SLICE_LIT("lynx");
	expect_line(&m, "{\"image\":\"a.png\",\"weight\":12345678901234567890,\"note\":null,\"class\":\"lynx\"}\n", "");
	m.count = 0;
	expect_line(&m, "{\"image\":\"a.png\",\"weight\":12345678901234567890,\"note\":null}\n", "");
}

/* Boxes are pixels from their corner, whatever they came as; what is no box is left out. */
static void test_boxes(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}");
	entry_add(&m, "cat", BOX_PX, "");
	entry_add(&m, "dog", BOX_CENTER, "");
	entry_add(&m, "dog", POLYGON, "");
	entry_add(&m, "dog", BOX_TURNED, "");
	expect_line(&m, "{\"file_name\":\"a.png\",\"objects\":{\"bbox\":[[80,60,320.50,240],[80,60,320,240]],"
		"\"categories\":[\"cat\",\"dog\"]}}\n", "2 labels that huggingface cannot say");
	struct made lists = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\",\"attributes\":{\"numbers\":true,"
		"\"objects\":[\"area\",\"bbox\",\"category\"]}}");
	entry_add(&lists, "3", BOX_PX, "{\"area\":7.50}");
	entry_add(&lists, "4", BOX_XYXY_PX, "");
	expect_line(&lists, "{\"file_name\":\"a.png\",\"objects\":{\"area\":[7.50,null],\"bbox\":[[80,60,320.50,240],[80,60,320,240]],"
		"\"category\":[3,4]}}\n", "");
}

static void test_what_is_no_file(void **state)
{
	(void)state;
	const struct made far[] = { entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"https://h/a.png\"}"),
		entry_make(2, MEDIA_TEXT, "k", "{\"at\":\"text\"}") };
	expect_export(&face, NULL, far, 2, "", "2 items that huggingface cannot say");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_labels_of_the_whole),
		cmocka_unit_test(test_columns_as_they_came),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_what_is_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
