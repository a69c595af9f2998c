/* test_export.c - what goes into an export, as JSON lines and as COCO, read back with a JSON parser. */
#include "daemon/base/cleanup.h"
#include "tests/unit/export/fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int to_buf(void *arg, struct slice text, struct err *err)
{
	(void)err;
	buf_add(arg, text.p, text.len);
	return 0;
}

static int refuse(void *arg, struct slice text, struct err *err)
{
	(void)arg;
	(void)text;
	return err_set(err, ERR_RETRY, 0, "the reader has gone");
}

static void end(struct exporter *x)
{
	struct err err;
	int more;
	while ((more = exporter_end(x, &err)) > 0)
		;
	assert_int_equal(more, 0);
}

/* Items first..last of the sample through an exporter. */
static char *export(struct export_options o, uint64_t first, uint64_t last)
{
	struct buf text = { 0 };
	struct err err;
	o.spool_dir = "/tmp";
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	for (uint64_t id = first; id <= last; id++) {
		struct sample s;
		sample_init(&s, id);
		assert_int_equal(exporter_add(x, &s.full, &err), 0);
	}
	end(x);
	return buf_take(&text);
}

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	return value;
}

static void test_jsonl_holds_what_was_accepted(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .format = EXPORT_JSONL }, 1, 1);
	CLEANUP(json_decrefp) json_t *line = parse(text);
	const json_t *labels = json_object_get(line, "annotations");
	assert_int_equal(json_array_size(labels), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(labels, 0), "concept")), "tabby");
	assert_string_equal(json_string_value(json_object_get(json_array_get(labels, 1), "concept")), "pet");
}

static void test_review_adds_what_waits_but_not_what_was_denied(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .with_review = true }, 1, 1);
	CLEANUP(json_decrefp) json_t *line = parse(text);
	assert_int_equal(json_array_size(json_object_get(line, "annotations")), 3);
	assert_null(strstr(text, "dog"));
}

static void test_by_reference_each_with_its_own_labels(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .by = EXPORT_BY_REFERENCE }, 1, 1);
	char *second = strchr(text, '\n') + 1;
	second[-1] = '\0';
	CLEANUP(json_decrefp) json_t *one = parse(text);
	CLEANUP(json_decrefp) json_t *two = parse(second);
	assert_int_equal(json_array_size(json_object_get(one, "references")), 1);
	assert_int_equal(json_array_size(json_object_get(one, "annotations")), 1); /* "pet" is the second reference's */
	assert_int_equal(json_array_size(json_object_get(two, "annotations")), 2);
}

static void test_a_gone_reference_has_no_entry(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .by = EXPORT_BY_REFERENCE };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 1);
	s.references[0].state = s.references[1].state = OBJECT_GONE;
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	end(x);
	assert_int_equal(text.len, 0);
}

static void test_coco_of_nothing_is_whole(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .format = EXPORT_COCO }, 1, 0);
	CLEANUP(json_decrefp) json_t *coco = parse(text);
	assert_int_equal(json_array_size(json_object_get(coco, "images")), 0);
	assert_int_equal(json_array_size(json_object_get(coco, "annotations")), 0);
	assert_int_equal(json_array_size(json_object_get(coco, "categories")), 0);
}

static void check_annotation(const json_t *a, json_int_t id, json_int_t image, json_int_t category)
{
	const json_t *box = json_object_get(a, "bbox");
	assert_int_equal(json_integer_value(json_object_get(a, "id")), id);
	assert_int_equal(json_integer_value(json_object_get(a, "image_id")), image);
	assert_int_equal(json_integer_value(json_object_get(a, "category_id")), category);
	assert_int_equal(json_integer_value(json_array_get(box, 2)), 640);
	assert_int_equal(json_integer_value(json_array_get(box, 3)), 480);
	assert_int_equal(json_integer_value(json_object_get(a, "area")), 640 * 480);
	assert_int_equal(json_integer_value(json_object_get(a, "iscrowd")), 0);
	assert_true(json_is_true(json_object_get(json_object_get(a, "attributes"), "image_level")));
}

static void test_coco_numbers_categories_by_name(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .format = EXPORT_COCO, .with_review = true }, 5, 6);
	CLEANUP(json_decrefp) json_t *coco = parse(text);
	static const char *const sorted[] = { "lynx", "pet", "tabby" };
	const json_t *categories = json_object_get(coco, "categories");
	const json_t *annotations = json_object_get(coco, "annotations");
	assert_int_equal(json_array_size(categories), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(json_integer_value(json_object_get(json_array_get(categories, i), "id")), i + 1);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(categories, i), "name")), sorted[i]);
	}
	assert_int_equal(json_array_size(annotations), 6);
	check_annotation(json_array_get(annotations, 0), 1, 5, 3); /* tabby came first and is the last name */
	check_annotation(json_array_get(annotations, 1), 2, 5, 1);
	check_annotation(json_array_get(annotations, 5), 6, 6, 2);
}

static void test_coco_images(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .format = EXPORT_COCO }, 5, 6);
	CLEANUP(json_decrefp) json_t *coco = parse(text);
	const json_t *image = json_array_get(json_object_get(coco, "images"), 1);
	assert_int_equal(json_integer_value(json_object_get(image, "id")), 6);
	assert_int_equal(json_integer_value(json_object_get(image, "width")), 640);
	assert_string_equal(json_string_value(json_object_get(image, "file_name")), "a/cat.png");
}

static void test_coco_by_reference_numbers_images_from_one(void **state)
{
	(void)state;
	CLEANUP(freep)
	char *text = export((struct export_options){ .format = EXPORT_COCO, .by = EXPORT_BY_REFERENCE }, 5, 6);
	CLEANUP(json_decrefp) json_t *coco = parse(text);
	const json_t *images = json_object_get(coco, "images");
	assert_int_equal(json_array_size(images), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(images, i), "id")), i + 1);
	/* The second key is not text: the file is named by its content. */
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(images, 1), "file_name")), "abab"));
}

static void test_coco_counts_what_has_no_pixels(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/tmp" };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 1);
	s.full.item.width = 0;
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	end(x);
	CLEANUP(json_decrefp) json_t *coco = parse(text.data);
	assert_int_equal(json_array_size(json_object_get(coco, "images")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(coco, "info"), "items_without_pixels")), 1);
	CLEANUP(buf_done) struct buf left = { 0 };
	exporter_left(x, &left);
	assert_string_equal(left.data, "1 item and 2 labels that coco cannot say");
}

/* What a geometry becomes: the members that shape it, as compact JSON. */
static void expect_shape(const char *geometry, const char *expected)
{
	static const char *const members[] = { "bbox", "area", "segmentation", "keypoints", "num_keypoints" };
	struct sample s;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/tmp" };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 8);
	s.annotations[0].geometry = slice_of(geometry);
	s.full.annotation_count = 1;
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	end(x);
	CLEANUP(json_decrefp) json_t *coco = parse(text.data);
	json_t *annotation = json_array_get(json_object_get(coco, "annotations"), 0);
	json_t *left_out = json_object_get(json_object_get(coco, "info"), "labels_without_shape");
	assert_int_equal(json_integer_value(left_out), annotation ? 0 : 1);
	if (!expected) {
		assert_null(annotation);
		return;
	}
	CLEANUP(json_decrefp) json_t *shape = json_object();
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (json_object_get(annotation, members[i]))
			(void)json_object_set(shape, members[i], json_object_get(annotation, members[i]));
	CLEANUP(freep) char *got = json_dumps(shape, JSON_COMPACT | JSON_REAL_PRECISION(6));
	assert_string_equal(got, expected);
	assert_true(json_is_false(json_object_get(json_object_get(annotation, "attributes"), "image_level")));
}

static void test_coco_shapes(void **state)
{
	(void)state;
	expect_shape("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3.50,4]}",
		"{\"bbox\":[1,2,3.5,4],\"area\":14,\"segmentation\":[]}");
	expect_shape("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xyxy\",\"box\":[1,2,4,6]}",
		"{\"bbox\":[1,2,3,4],\"area\":12,\"segmentation\":[]}");
	expect_shape("{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,0.25,0.5]}",
		"{\"bbox\":[240,120,160,240],\"area\":38400,\"segmentation\":[]}");
	expect_shape("{\"kind\":\"box\",\"unit\":\"percent\",\"size\":[100,200],\"form\":\"xywh\",\"box\":[10,10,20,20]}",
		"{\"bbox\":[64,48,128,96],\"area\":12288,\"segmentation\":[]}");
	expect_shape("{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[10,10,4,2],\"rotation\":90,\"pivot\":\"corner\"}",
		"{\"bbox\":[8,10,2,4],\"area\":8,\"segmentation\":[[10,10,10,14,8,14,8,10]]}");
	expect_shape("{\"kind\":\"polygon\",\"unit\":\"px\",\"rings\":[[0,0,4,0,4,3]]}",
		"{\"bbox\":[0,0,4,3],\"area\":6,\"segmentation\":[[0,0,4,0,4,3]]}");
	expect_shape("{\"kind\":\"polygon\",\"unit\":\"fraction\",\"rings\":[[0,0,0.5,0,0.5,0.5]]}",
		"{\"bbox\":[0,0,320,240],\"area\":38400,\"segmentation\":[[0,0,320,0,320,240]]}");
	expect_shape("{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"coco\",\"counts\":[5,2,6],\"rle_size\":[4,4]}",
		"{\"bbox\":[1,1,1,2],\"area\":2,\"segmentation\":{\"counts\":[5,2,6],\"size\":[4,4]}}");
	expect_shape("{\"kind\":\"keypoints\",\"unit\":\"px\",\"form\":\"xyv\",\"points\":[1,2,2,0,0,0,5,9,1]}",
		"{\"bbox\":[1,2,4,7],\"area\":28,\"segmentation\":[],\"keypoints\":[1,2,2,0,0,0,5,9,1],\"num_keypoints\":2}");
	static const char *const without[] = { "{\"kind\":\"box\"}", "{\"kind\":\"span\",\"unit\":\"character\",\"start\":1,\"end\":2}",
		"{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[1,2,3,1e999]}",
		"{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"coco\",\"counts\":[5,99],\"rle_size\":[4,4]}",
		"{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"labelstudio\",\"counts\":[1,2]}",
		"{\"kind\":\"polygon\",\"unit\":\"px\",\"open\":true,\"rings\":[[0,0,1,1,2,2]]}" };
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		expect_shape(without[i], NULL);
}

/* Many annotations leave the exporter in pieces, and all of them. */
static void test_coco_comes_in_pieces(void **state)
{
	(void)state;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/tmp" };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	for (uint64_t id = 1; id <= 2000; id++) {
		struct sample s;
		sample_init(&s, id);
		assert_int_equal(exporter_add(x, &s.full, &err), 0);
	}
	int pieces = 1;
	size_t before = text.len;
	while (exporter_end(x, &err) > 0) {
		assert_true(text.len - before < (128U << 10));
		before = text.len;
		pieces++;
	}
	assert_true(pieces > 5);
	CLEANUP(json_decrefp) json_t *coco = parse(text.data);
	assert_int_equal(json_array_size(json_object_get(coco, "annotations")), 4000);
}

static void test_spool_that_cannot_be_made_is_named(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/nonexistent" };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 1);
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	assert_int_equal(exporter_end(x, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

static void test_a_sink_that_fails_stops_the_export(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	const struct export_options o = { .format = EXPORT_JSONL };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, refuse, NULL);
	sample_init(&s, 1);
	assert_int_equal(exporter_add(x, &s.full, &err), -1);
	assert_string_equal(err.text, "the reader has gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl_holds_what_was_accepted),
		cmocka_unit_test(test_review_adds_what_waits_but_not_what_was_denied),
		cmocka_unit_test(test_by_reference_each_with_its_own_labels),
		cmocka_unit_test(test_a_gone_reference_has_no_entry),
		cmocka_unit_test(test_coco_of_nothing_is_whole),
		cmocka_unit_test(test_coco_numbers_categories_by_name),
		cmocka_unit_test(test_coco_images),
		cmocka_unit_test(test_coco_by_reference_numbers_images_from_one),
		cmocka_unit_test(test_coco_counts_what_has_no_pixels),
		cmocka_unit_test(test_coco_shapes),
		cmocka_unit_test(test_coco_comes_in_pieces),
		cmocka_unit_test(test_spool_that_cannot_be_made_is_named),
		cmocka_unit_test(test_a_sink_that_fails_stops_the_export),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
