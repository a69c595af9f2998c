/* test_export_groundtruth.c - Ground Truth's lines, byte by byte: answers as they came, those of which a part stands, and answers
 * of Inlet's own. */
#include "tests/unit/export/entries.h"

static const struct export_options truth = { .format = EXPORT_GROUND_TRUTH, .text = entry_bytes,
	.text_arg = (void *)(uintptr_t)"a \"text\"\n" };

#define BEGIN "{\"source-ref\":\"s3://b/a.png\""
#define ROW(more) "{\"at\":\"s3\",\"where\":\"s3://b/a.png\",\"media\":\"image\"" more "}"
#define MAKER(type) "\"type\":\"groundtruth/" type "\",\"human-annotated\":\"no\",\"creation-date\":\"1970-01-01T00:00:00Z\"," \
	"\"job-name\":\"inlet\"}"

static void expect_line(const struct made *m, const char *expected)
{
	expect_export(&truth, NULL, m, 1, expected, "");
}

static void test_nothing(void **state)
{
	(void)state;
	expect_export(&truth, NULL, NULL, 0, "", "");
	const struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"metadata\":{\"id\":12345678901234567890,\"x\":[1,2.0,null]}"));
	expect_line(&m, BEGIN ",\"id\":12345678901234567890,\"x\":[1,2.0,null]}\n");
}

#define BOX(n) "{\"class_id\":1,\"left\":" n ".50,\"top\":2,\"width\":3,\"height\":4}"
#define BOXES "\"box\":{\"image_size\":[{\"width\":640,\"height\":480,\"depth\":3}],\"annotations\":[" BOX("1") "," BOX("2") "]}"
#define BOXES_METADATA "\"box-metadata\":{\"objects\":[{\"confidence\":0.50},{\"confidence\":1}],\"class-map\":{\"1\":\"cat\"},\"type\":\"groundtruth/object-detection\",\"x\":1}"

static void test_answers_as_they_came(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"attributes\":{\"answers\":{" BOXES "," BOXES_METADATA
		",\"animal\":0,\"animal-metadata\":{\"class-name\":\"dog\",\"confidence\":0.00}}}"));
	entry_add(&m, "cat", BOX_PX, "{\"attribute\":\"box\",\"n\":0}");
	entry_add(&m, "cat", BOX_PX, "{\"attribute\":\"box\",\"n\":1}");
	entry_add(&m, "dog", "", "{\"attribute\":\"animal\",\"n\":0}");
	expect_line(&m, BEGIN "," BOXES "," BOXES_METADATA ",\"animal\":0,\"animal-metadata\":{\"class-name\":\"dog\",\"confidence\":0.00}}\n");
}

/* What a person rejected is not said again, in none of the lists that go by labels. */
static void test_answers_of_which_a_part_stands(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"attributes\":{\"answers\":{" BOXES "," BOXES_METADATA
		",\"animal\":0,\"animal-metadata\":{\"class-name\":\"dog\"}}}"));
	entry_add(&m, "cat", BOX_PX, "{\"attribute\":\"box\",\"n\":1}");
	expect_line(&m, BEGIN ",\"box\":{\"image_size\":[{\"width\":640,\"height\":480,\"depth\":3}],\"annotations\":[" BOX("2") "]},"
		"\"box-metadata\":{\"objects\":[{\"confidence\":1}],\"class-map\":{\"1\":\"cat\"},\"type\":\"groundtruth/object-detection\",\"x\":1}}\n");
}

/* Whatever its value is, an answer of another type is one label. */
static void test_an_answer_of_a_type_of_its_own(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"attributes\":{\"answers\":{\"own\":[1,{},\"a\"],\"own-metadata\":"
		"{\"type\":\"groundtruth/custom\"}}}"));
	entry_add(&m, "own", "{\"kind\":\"other\",\"value\":[1,{},\"a\"]}", "{\"attribute\":\"own\",\"n\":0}");
	expect_line(&m, BEGIN ",\"own\":[1,{},\"a\"],\"own-metadata\":{\"type\":\"groundtruth/custom\"}}\n");
}

static void test_one_class(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(""));
	entry_add(&m, "cat \"a\"", "", "");
	entry_add(&m, "cat \"a\"", "", ""); /* two references say it: it is one class */
	expect_line(&m, BEGIN ",\"label\":0,\"label-metadata\":{\"class-name\":\"cat \\\"a\\\"\",\"confidence\":1,"
		MAKER("image-classification") "}\n");
	struct made text = entry_make(1, MEDIA_TEXT, "k", "{\"at\":\"text\"}");
	struct annotation *a = entry_add(&text, "dog", "", "");
	a->confidence = 0.30000000000000004;
	a->worker = SLICE_LIT("user:ann");
	a->time_ms = 1539901093999;
	expect_line(&text, "{\"source\":\"a \\\"text\\\"\\n\",\"label\":0,\"label-metadata\":{\"class-name\":\"dog\","
		"\"confidence\":0.30000000000000004,\"type\":\"groundtruth/text-classification\",\"human-annotated\":\"yes\","
		"\"creation-date\":\"2018-10-18T22:18:13Z\",\"job-name\":\"inlet\"}}\n");
}

/* Numbers of classes are those of the whole export. */
static void test_several_classes(void **state)
{
	(void)state;
	struct made two[] = { entry_make(1, MEDIA_IMAGE, "k", ROW("")), entry_make(2, MEDIA_IMAGE, "k", ROW("")) };
	entry_add(&two[0], "cat", "", "");
	entry_add(&two[1], "dog", "", "");
	entry_add(&two[1], "cat", "", "")->confidence = 0.1;
	const struct export_options o = { .format = EXPORT_GROUND_TRUTH, .attribute = "x" };
	expect_export(&o, NULL, two, 2, BEGIN ",\"x\":0,\"x-metadata\":{\"class-name\":\"cat\",\"confidence\":1,"
		MAKER("image-classification") "}\n"
		BEGIN ",\"x\":[1,0],\"x-metadata\":{\"class-map\":{\"1\":\"dog\",\"0\":\"cat\"},\"confidence-map\":{\"1\":1,\"0\":0.1},"
		MAKER("image-classification-multilabel") "}\n", "");
}

static void test_boxes_of_its_own(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(""));
	entry_add(&m, "cat", BOX_PX, "");
	entry_add(&m, "dog", BOX_CENTER, "")->confidence = 0.5;
	entry_add(&m, "cat", "{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"xywh\",\"box\":[0.0011,0.0011,0.5,0.3333]}", "");
	expect_line(&m, BEGIN ",\"label-boxes\":{\"image_size\":[{\"width\":640,\"height\":480,\"depth\":3}],\"annotations\":["
		"{\"class_id\":0,\"left\":80,\"top\":60,\"width\":320.50,\"height\":240},"
		"{\"class_id\":1,\"left\":80,\"top\":60,\"width\":320,\"height\":240},"
		"{\"class_id\":0,\"left\":1,\"top\":1,\"width\":320,\"height\":160}]},"
		"\"label-boxes-metadata\":{\"objects\":[{\"confidence\":1},{\"confidence\":0.5},{\"confidence\":1}],"
		"\"class-map\":{\"0\":\"cat\",\"1\":\"dog\"}," MAKER("object-detection") "}\n");
}

/* A name that an answer has already is not given again. */
static void test_names_that_are_taken(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"attributes\":{\"answers\":{\"label\":7,\"label-metadata\":{}}}"));
	entry_add(&m, "dog", "", "{\"attribute\":\"label\",\"n\":0}");
	entry_add(&m, "cat", "", "");
	expect_line(&m, BEGIN ",\"label\":7,\"label-metadata\":{},\"label-more\":0,\"label-more-metadata\":{\"class-name\":\"cat\","
		"\"confidence\":1," MAKER("image-classification") "}\n");
}

static void test_what_it_cannot_say(void **state)
{
	(void)state;
	static const char *const shapes[] = { BOX_TURNED, POLYGON, LINE, MASK, BRUSH, KEYPOINTS, SPAN, TRACK, OTHER };
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(""));
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		entry_add(&m, "cat", shapes[i], "");
	expect_export(&truth, NULL, &m, 1, BEGIN "}\n", "9 labels that groundtruth cannot say");
	const struct made unsaid = entry_make(1, MEDIA_IMAGE, "in/a/folder.png", NULL);
	expect_export(&truth, NULL, &unsaid, 1, "", "1 item that groundtruth cannot say");
}

static void test_attributes_that_the_format_takes(void **state)
{
	(void)state;
	char long_one[102] = { 0 };
	memset(long_one, 'a', 101);
	assert_true(export_attribute_good("label-2"));
	assert_false(export_attribute_good(long_one));
	long_one[100] = '\0';
	assert_true(export_attribute_good(long_one));
	assert_false(export_attribute_good(""));
	assert_false(export_attribute_good("-a"));
	assert_false(export_attribute_good("a_b"));
	assert_false(export_attribute_good("a b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_answers_as_they_came),
		cmocka_unit_test(test_answers_of_which_a_part_stands),
		cmocka_unit_test(test_an_answer_of_a_type_of_its_own),
		cmocka_unit_test(test_one_class),
		cmocka_unit_test(test_several_classes),
		cmocka_unit_test(test_boxes_of_its_own),
		cmocka_unit_test(test_names_that_are_taken),
		cmocka_unit_test(test_what_it_cannot_say),
		cmocka_unit_test(test_attributes_that_the_format_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
