/* test_export_cvat.c - CVAT's manifest.jsonl, byte by byte. */
#include "tests/unit/export/entries.h"

static const struct export_options cvat = { .format = EXPORT_CVAT };

#define HEAD "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n"

static void test_nothing(void **state)
{
	(void)state;
	expect_export(&cvat, NULL, NULL, 0, HEAD, "");
	const struct import other = { .format = SLICE_LIT("coco"), .attributes = SLICE_LIT("{\"version\":\"7\"}") };
	expect_export(&cvat, &other, NULL, 0, HEAD, "");
	const struct import own = { .format = SLICE_LIT("cvat"), .attributes = SLICE_LIT("{\"version\":1.0}") };
	expect_export(&cvat, &own, NULL, 0, "{\"version\":1.0}\n{\"type\":\"images\"}\n", "");
}

/* The extension begins at the last dot of the file's name, where that is not its first byte. */
static void test_names(void **state)
{
	static const struct {
		const char *body, *name;
	} files[] = {
		{ "{\"at\":\"path\",\"where\":\"dir/a.b.jpg\"}", "\"name\":\"dir/a.b\",\"extension\":\".jpg\"" },
		{ "{\"at\":\"path\",\"where\":\"dir.d/plain\"}", "\"name\":\"dir.d/plain\",\"extension\":\"\"" },
		{ "{\"at\":\"path\",\"where\":\".hidden\"}", "\"name\":\".hidden\",\"extension\":\"\"" },
		{ "{\"at\":\"path\",\"where\":\"dir/.hidden\"}", "\"name\":\"dir/.hidden\",\"extension\":\"\"" },
		{ "{\"at\":\"path\",\"where\":\"a \\\"x\\\".png\"}", "\"name\":\"a \\\"x\\\"\",\"extension\":\".png\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct made m = entry_make(1, MEDIA_IMAGE, "k", files[i].body);
		CLEANUP(buf_done) struct buf expected = { 0 };
		buf_printf(&expected, HEAD "{%s,\"width\":640,\"height\":480,\"meta\":{}}\n", files[i].name);
		expect_export(&cvat, NULL, &m, 1, expected.data, "");
	}
}

/* It lists pictures, and carries no labels. */
static void test_what_it_cannot_say(void **state)
{
	(void)state;
	struct made m[] = { entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"path\",\"where\":\"a.png\"}"),
		entry_make(2, MEDIA_TEXT, "k", "{\"at\":\"text\"}"), entry_make(3, MEDIA_AUDIO, "k", "{\"at\":\"path\",\"where\":\"a.wav\"}") };
	entry_add(&m[0], "cat", "", "");
	entry_add(&m[0], "dog", BOX_PX, "");
	expect_export(&cvat, NULL, m, 3, HEAD "{\"name\":\"a\",\"extension\":\".png\",\"width\":640,\"height\":480,\"meta\":{}}\n",
		"2 items and 2 labels that cvat cannot say");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_it_cannot_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
