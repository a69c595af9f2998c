/* test_coco_lists.c - categories and ids of several COCO files in one export. */
#include "daemon/base/cleanup.h"
#include "daemon/export/coco_lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

CLEANUP_FN(struct coco_lists *, coco_lists_free)

static void import(struct coco_lists *l, uint64_t id, const char *format, const char *attributes)
{
	coco_lists_import(l, &(struct import){ .id = id, .format = slice_of(format), .attributes = slice_of(attributes) });
}

static void expect_lists(const struct coco_lists *l, const char *expected)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	buf_str(&text, "");
	coco_lists_put_categories(l, &j);
	(void)coco_lists_put_others(l, &j);
	assert_string_equal(text.data, expected);
}

static void test_one_file_is_said_again(void **state)
{
	(void)state;
	CLEANUP(coco_lists_freep) struct coco_lists *l = coco_lists_new();
	import(l, 3, "coco", "{\"categories\":[{\"id\": 7,\"name\":\"b\",\"x\":1.50},{\"id\":2,\"name\":\"a\"}],\"others\":{\"info\":{}},"
			     "\"image_id_max\":9,\"annotation_id_max\":4}");
	assert_non_null(coco_lists_find(l, 3));
	assert_null(coco_lists_find(l, 2));
	assert_true(coco_lists_image_base(l) == 9 && coco_lists_annotation_base(l) == 4);
	uint32_t b = coco_lists_category(l, coco_lists_find(l, 3), SLICE_LIT("7"), SLICE_LIT("whatever"));
	assert_int_equal(b, coco_lists_category(l, NULL, SLICE_LIT(""), SLICE_LIT("b")));
	coco_lists_number(l);
	expect_lists(l, "\"categories\":[{\"id\":7,\"name\":\"b\",\"x\":1.50},{\"id\":2,\"name\":\"a\"}],\"info\":{}");
}

static void test_later_files_make_room(void **state)
{
	(void)state;
	CLEANUP(coco_lists_freep) struct coco_lists *l = coco_lists_new();
	import(l, 1, "clarifai", "{\"categories\":[{\"id\":1,\"name\":\"no COCO file\"}]}");
	import(l, 2, "coco", "{\"categories\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"a\"}],\"image_id_max\":9,\"annotation_id_max\":4}");
	import(l, 5, "coco", "{\"categories\":[{\"id\":1,\"name\":\"c\"},{\"id\":4,\"name\":\"a\"}],\"image_id_max\":1,\"annotation_id_max\":1}");
	assert_null(coco_lists_find(l, 1));
	const struct coco_origin *later = coco_lists_find(l, 5);
	assert_true(later->image_base == 9 && later->annotation_base == 4 && coco_lists_image_base(l) == 10);
	assert_int_equal(coco_lists_category(l, later, SLICE_LIT("4"), SLICE_LIT("a")),
		coco_lists_category(l, coco_lists_find(l, 2), SLICE_LIT("1"), SLICE_LIT("a")));
	(void)coco_lists_category(l, NULL, SLICE_LIT(""), SLICE_LIT("z"));
	(void)coco_lists_category(l, NULL, SLICE_LIT(""), SLICE_LIT("b"));
	coco_lists_number(l);
	expect_lists(l, "\"categories\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"a\"},{\"id\":4,\"name\":\"c\"},"
			"{\"id\":3,\"name\":\"b\",\"supercategory\":\"\"},{\"id\":5,\"name\":\"z\",\"supercategory\":\"\"}]");
}

static void test_a_file_without_categories_gets_none(void **state)
{
	(void)state;
	CLEANUP(coco_lists_freep) struct coco_lists *l = coco_lists_new();
	import(l, 1, "coco", "{\"others\":{},\"image_id_max\":9,\"annotation_id_max\":4}");
	import(l, 2, "coco", "{\"others\"");
	coco_lists_number(l);
	expect_lists(l, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file_is_said_again),
		cmocka_unit_test(test_later_files_make_room),
		cmocka_unit_test(test_a_file_without_categories_gets_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
