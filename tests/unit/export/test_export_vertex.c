/* test_export_vertex.c - Vertex AI's lines, byte by byte: as they came, and made of what came otherwise. */
#include "tests/unit/export/entries.h"

static const struct export_options vertex = { .format = EXPORT_VERTEX, .text = entry_bytes, .text_arg = (void *)(uintptr_t)"a \"text\"\n" };

#define ROW(more) "{\"at\":\"gs\",\"where\":\"gs://b/a \\\"x\\\".png\",\"media\":\"image\"" more "}"
#define LINE_BEGIN "{\"imageGcsUri\":\"gs://b/a \\\"x\\\".png\""

static void expect_line(const struct made *m, const char *expected)
{
	expect_export(&vertex, NULL, m, 1, expected, "");
}

static void test_nothing(void **state)
{
	(void)state;
	expect_export(&vertex, NULL, NULL, 0, "", "");
	const struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(""));
	expect_line(&m, LINE_BEGIN "}\n");
}

/* Its members in their order, lists empty or not, numbers to the last digit, and what it had beyond. */
static void test_a_row_as_it_came(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"split\":\"train\",\"metadata\":{\"dataItemResourceLabels\":"
		"{\"aiplatform.googleapis.com/ml_use\":\"training\",\"mine\":\"yes\"},\"other\":12345678901234567890},"
		"\"attributes\":{\"members\":{\"boundingBoxAnnotations\":\"list\",\"classificationAnnotation\":\"one\","
		"\"classificationAnnotations\":\"list\"}}"));
	entry_add(&m, "rose", "", "{\"member\":\"classificationAnnotation\",\"annotationResourceLabels\":{\"k\":\"v\"}}");
	entry_add(&m, "cat \"a\"", BOX_CORNERS, "{\"member\":\"boundingBoxAnnotations\",\"n\":1.0}");
	entry_add(&m, "dog", "{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"xyxy\",\"box\":[0,0.0,1.0,1],\"time\":3.50,\"instance\":\"7\"}",
		"{\"member\":\"boundingBoxAnnotations\"}");
	expect_line(&m, LINE_BEGIN ",\"boundingBoxAnnotations\":["
		"{\"displayName\":\"cat \\\"a\\\"\",\"xMin\":0.1,\"yMin\":0.1,\"xMax\":0.60000000000000009,\"yMax\":1,\"n\":1.0},"
		"{\"displayName\":\"dog\",\"xMin\":0,\"yMin\":0.0,\"xMax\":1.0,\"yMax\":1,\"timeOffset\":\"3.50s\",\"instanceId\":\"7\"}],"
		"\"classificationAnnotation\":{\"displayName\":\"rose\",\"annotationResourceLabels\":{\"k\":\"v\"}},"
		"\"classificationAnnotations\":[],"
		"\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":\"training\",\"mine\":\"yes\"},"
		"\"other\":12345678901234567890}\n");
}

static void test_labels_that_came_otherwise(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(",\"split\":\"val\",\"metadata\":{\"k\":1.50}"));
	entry_add(&m, "rose", "", "");
	entry_add(&m, "cat", BOX_PX, "");
	entry_add(&m, "dog", BOX_XYXY_PX, "");
	expect_line(&m, LINE_BEGIN ",\"classificationAnnotation\":{\"displayName\":\"rose\"},\"boundingBoxAnnotations\":["
		"{\"displayName\":\"cat\",\"xMin\":0.125,\"yMin\":0.125,\"xMax\":0.62578125,\"yMax\":0.625},"
		"{\"displayName\":\"dog\",\"xMin\":0.125,\"yMin\":0.125,\"xMax\":0.625,\"yMax\":0.625}],"
		"\"k\":1.50,\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":\"validation\"}}\n");
	entry_add(&m, "tulip", "", "");
	m.labels[1] = m.labels[3];
	m.count = 2;
	expect_line(&m, LINE_BEGIN ",\"classificationAnnotations\":[{\"displayName\":\"rose\"},{\"displayName\":\"tulip\"}],"
		"\"k\":1.50,\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":\"validation\"}}\n");
}

static void test_texts_and_parts_of_them(void **state)
{
	(void)state;
	struct made m = entry_make(1, MEDIA_TEXT, "k", "{\"at\":\"text\",\"split\":\"test\"}");
	entry_add(&m, "person", SPAN, "");
	expect_line(&m, "{\"textContent\":\"a \\\"text\\\"\\n\",\"textSegmentAnnotations\":[{\"displayName\":\"person\",\"startOffset\":1,"
		"\"endOffset\":4}],\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":\"test\"}}\n");
	struct made feeling = entry_make(1, MEDIA_TEXT, "k", "{\"at\":\"gs\",\"where\":\"gs://b/t.txt\",\"media\":\"text\","
		"\"attributes\":{\"members\":{\"sentimentAnnotation\":\"one\"}}}");
	entry_add(&feeling, "2", "", "{\"member\":\"sentimentAnnotation\",\"sentiment\":2,\"sentimentMax\":4}");
	expect_line(&feeling, "{\"textGcsUri\":\"gs://b/t.txt\",\"sentimentAnnotation\":{\"sentiment\":2,\"sentimentMax\":4}}\n");
	struct made video = entry_make(1, MEDIA_VIDEO, "k", "{\"at\":\"gs\",\"where\":\"gs://b/v.mp4\",\"media\":\"video\"}");
	entry_add(&video, "jump", RANGE, "");
	expect_line(&video, "{\"videoGcsUri\":\"gs://b/v.mp4\",\"timeSegmentAnnotations\":[{\"displayName\":\"jump\",\"startTime\":\"1.50s\","
		"\"endTime\":\"4s\"}]}\n");
}

static void test_what_it_cannot_say(void **state)
{
	(void)state;
	static const char *const shapes[] = { BOX_TURNED, POLYGON, LINE, MASK, BRUSH, KEYPOINTS, TRACK, RELATION, OTHER };
	struct made m = entry_make(1, MEDIA_IMAGE, "k", ROW(""));
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		entry_add(&m, "cat", shapes[i], "");
	expect_export(&vertex, NULL, &m, 1, LINE_BEGIN "}\n", "9 labels that vertex cannot say");
	const struct made unsaid[] = { entry_make(1, MEDIA_IMAGE, "in/a/folder.png", NULL),
		entry_make(2, MEDIA_AUDIO, "k", "{\"at\":\"gs\",\"where\":\"gs://b/a.wav\"}"),
		entry_make(3, MEDIA_OTHER, "k", "{\"at\":\"path\",\"where\":\"a.zip\"}") };
	expect_export(&vertex, NULL, unsaid, 3, "", "3 items that vertex cannot say");
	const struct export_options broken = { .format = EXPORT_VERTEX, .text = entry_bytes, .text_arg = (void *)(uintptr_t)"\xff" };
	const struct made text = entry_make(1, MEDIA_TEXT, "k", "{\"at\":\"text\"}");
	expect_export(&broken, NULL, &text, 1, "", "1 item that vertex cannot say");
}

/* In the order of their list, not of the items. */
static void test_rows_keep_their_order(void **state)
{
	(void)state;
	struct made two[] = { entry_make(1, MEDIA_IMAGE, "k", "{\"at\":\"gs\",\"where\":\"gs://b/second\"}"),
		entry_make(2, MEDIA_IMAGE, "k", "{\"at\":\"gs\",\"where\":\"gs://b/first\"}") };
	two[0].row.line = 9;
	two[1].row.line = 3;
	expect_export(&vertex, NULL, two, 2, "{\"imageGcsUri\":\"gs://b/first\"}\n{\"imageGcsUri\":\"gs://b/second\"}\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_a_row_as_it_came),
		cmocka_unit_test(test_labels_that_came_otherwise),
		cmocka_unit_test(test_texts_and_parts_of_them),
		cmocka_unit_test(test_what_it_cannot_say),
		cmocka_unit_test(test_rows_keep_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
