/* test_export_clarifai.c - Clarifai's CSV, byte by byte: as it came, made of what came otherwise, and what no cell can hold. */
#include "tests/unit/export/entries.h"

static const struct export_options clarifai = { .format = EXPORT_CLARIFAI, .text = entry_bytes,
	.text_arg = (void *)(uintptr_t)"a \"text\",\nin two lines" };

#define HEAD "inputid,input,concepts,metadata,geopoints\r\n"
#define URL_ROW(more) "{\"at\":\"url\",\"where\":\"https://h/a,b.jpg\"" more "}"

static void expect_rows(const struct made *m, size_t n, const char *rows, const char *left_out)
{
	CLEANUP(buf_done) struct buf all = { 0 };
	buf_str(&all, HEAD);
	buf_str(&all, rows);
	expect_export(&clarifai, NULL, m, n, all.data, left_out);
}

static void test_nothing(void **state)
{
	(void)state;
	expect_rows(NULL, 0, "", "");
}

/* RFC 4180: what has a comma, a quote or a line break in it stands in quotes, and quotes are doubled. */
static void test_cells(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "id \"7\"", URL_ROW(""));
	entry_add(&m, "cat", "", "");
	expect_rows(&m, 1, "\"id \"\"7\"\"\",\"https://h/a,b.jpg\",cat,,\r\n", "");
	struct made text = entry_make(2, MEDIA_TEXT, " k ", "{\"at\":\"text\"}");
	expect_rows(&text, 1, "\" k \",\"a \"\"text\"\",\nin two lines\",,,\r\n", "");
}

/* Names between commas; JSON where one of them would be read as two, or as a list. */
static void test_concepts(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\"}");
	entry_add(&m, "cat", "", "");
	entry_add(&m, "dog house", "", "");
	entry_add(&m, "cat", "", "");
	expect_rows(&m, 1, "k,http://h/p,\"cat,dog house\",,\r\n", "");
	entry_add(&m, "a;b", "", "");
	expect_rows(&m, 1, "k,http://h/p,\"[\"\"cat\"\",\"\"dog house\"\",\"\"a;b\"\"]\",,\r\n", "");
	struct made odd = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\"}");
	entry_add(&odd, "[x]", "", "");
	expect_rows(&odd, 1, "k,http://h/p,\"[\"\"[x]\"\"]\",,\r\n", "");
}

/* Numbers to the last digit; the SDK turns every apostrophe into a quote; geopoints are a column. */
static void test_metadata(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\",\"metadata\":{\"n\":12345678901234567890,"
		"\"who\":\"Ann's\",\"geopoints\":[-30.250,40]}}");
	expect_rows(&m, 1, "k,http://h/p,,\"{\"\"n\"\":12345678901234567890,\"\"who\"\":\"\"Ann\\u0027s\"\"}\",\"-30.250,40\"\r\n", "");
	struct made place = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\",\"metadata\":{\"geopoints\":[1,2]}}");
	expect_rows(&place, 1, "k,http://h/p,,,\"1,2\"\r\n", "");
	struct made no_place = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\",\"metadata\":{\"geopoints\":[1]}}");
	expect_rows(&no_place, 1, "k,http://h/p,,\"{\"\"geopoints\"\":[1]}\",\r\n", "");
}

/* A path is told from a text by how it begins. */
static void test_paths(void **state)
{
	(void)state;
	struct made files[] = { entry_make(1, MEDIA_IMAGE, "1", "{\"at\":\"path\",\"where\":\"a/b.png\"}"),
		entry_make(2, MEDIA_IMAGE, "2", "{\"at\":\"path\",\"where\":\"../b.png\"}"),
		entry_make(3, MEDIA_IMAGE, "3", "{\"at\":\"path\",\"where\":\"/b.png\"}") };
	expect_rows(files, 3, "1,./a/b.png,,,\r\n2,../b.png,,,\r\n3,/b.png,,,\r\n", "");
}

static void test_what_it_cannot_say(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"url\",\"where\":\"http://h/p\"}");
	entry_add(&m, "cat", "", "");
	entry_add(&m, "dog", BOX_PX, "");
	entry_add(&m, "dog", POLYGON, "");
	expect_rows(&m, 1, "k,http://h/p,cat,,\r\n", "2 labels that clarifai cannot say");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_concepts),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_what_it_cannot_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
