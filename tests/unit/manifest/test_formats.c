/* test_formats.c - the manifests of tests/data/manifest: what is recognised, the rows beside each as NAME.rows, the same
 * however the bytes come and wherever a reader was left. */
#include "tests/unit/manifest/fixture.h"

#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/manifest/objects.h"

#include <fcntl.h>

#define DATA "tests/data/manifest"

static void test_rows_of_each(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum manifest_format format;
	} files[] = {
		{ "automl.csv", MANIFEST_AUTOML }, { "coco.json", MANIFEST_COCO }, { "pycocotools.json", MANIFEST_COCO },
		{ "cvat.jsonl", MANIFEST_CVAT }, { "cvat-video.jsonl", MANIFEST_CVAT },
		{ "groundtruth.jsonl", MANIFEST_GROUND_TRUTH }, { "huggingface.csv", MANIFEST_HUGGING_FACE },
		{ "huggingface.jsonl", MANIFEST_HUGGING_FACE }, { "labelstudio.json", MANIFEST_LABEL_STUDIO },
		{ "openai.jsonl", MANIFEST_OPENAI }, { "plain.jsonl", MANIFEST_JSONL }, { "run.json", MANIFEST_JSONL },
		{ "vertex.jsonl", MANIFEST_VERTEX },
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(buf_done) struct buf rows = { 0 };
		CLEANUP(freep) char *path = mem_printf("%s/%s", DATA, files[i].name);
		CLEANUP(freep) char *rows_path = mem_printf("%s.rows", path);
		struct err err = { 0 };
		struct manifest *m = NULL;
		assert_int_equal(file_slurp(AT_FDCWD, path, 1U << 20, &text, &err), 0);
		assert_int_equal(file_slurp(AT_FDCWD, rows_path, 1U << 20, &rows, &err), 0);
		struct feed f = { .text = buf_slice(&text), .piece = SIZE_MAX };
		struct manifest_options o = { .spool = new_spool(), .name = files[i].name };
		assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), 0);
		assert_int_equal(manifest_format(m), files[i].format);
		manifest_close(m);
		expect_rows_of(buf_slice(&text), &o, rows.data);
		resume_everywhere(buf_slice(&text), files[i].name, false, NULL);
		resume_everywhere(buf_slice(&text), files[i].name, true, NULL);
	}
}

static void add_list(struct buf *to, const char *name, const char *element, uint32_t count)
{
	buf_printf(to, ",\"%s\":[", name);
	for (uint32_t i = 0; i < count; i++) {
		buf_str(to, i ? "," : "");
		if (*element)
			buf_str(to, element);
		else
			buf_u64(to, i);
	}
	buf_char(to, ']');
}

/* Of as many numbers a list is one node; of as many texts it is many, and going through them from the start for each would take hours. */
static void test_a_row_of_many_boxes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const uint32_t count = i ? 200000 : 5000;
		CLEANUP(buf_done) struct buf text = { 0 };
		struct manifest_row row;
		struct manifest_failure failure;
		struct manifest *m = NULL;
		struct err err;
		buf_str(&text, "{\"file_name\":\"a.png\",\"objects\":{\"short\":[true]");
		add_list(&text, "bbox", "[1,2,3,4]", i ? count / 4 : count);
		add_list(&text, "id", "", count);
		add_list(&text, "category", i ? "\"c\"" : "", i ? count / 4 : count);
		buf_str(&text, "}}\n");
		struct feed f = { .text = buf_slice(&text), .piece = SIZE_MAX };
		const struct manifest_options o = { .format = MANIFEST_HUGGING_FACE, .spool = -1, .name = "metadata.jsonl" };
		assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), 0);
		assert_int_equal(manifest_next(m, &row, &failure, &err), 1);
		assert_int_equal(row.label_count, i ? count / 4 : count);
		const struct manifest_label *first = &row.labels[0], *last = &row.labels[row.label_count - 1];
		assert_true(slice_eq(first->attributes, SLICE_LIT("{\"short\":true,\"id\":0}")));
		assert_true(slice_eq(last->attributes, i ? SLICE_LIT("{\"id\":49999}") : SLICE_LIT("{\"id\":4999}")));
		assert_true(slice_eq(last->concept, i ? SLICE_LIT("c") : SLICE_LIT("4999")));
		manifest_close(m);
	}
}

/* Failed rows and the header before them are a manifest again, and give the same rows. */
static void test_rows_make_a_manifest_again(void **state)
{
	(void)state;
	static const char *const names[] = { "automl.csv", "cvat.jsonl", "groundtruth.jsonl", "huggingface.csv",
		"huggingface.jsonl", "labelstudio.json", "plain.jsonl", "vertex.jsonl" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(buf_done) struct buf again = { 0 };
		CLEANUP(buf_done) struct buf rows = { 0 };
		CLEANUP(freep) char *path = mem_printf("%s/%s", DATA, names[i]);
		struct manifest_options o = { .spool = -1, .name = names[i] };
		struct manifest *m = NULL;
		struct manifest_row row;
		struct manifest_failure failure;
		struct slice header;
		assert_int_equal(file_slurp(AT_FDCWD, path, 1U << 20, &text, NULL), 0);
		struct feed f = { .text = buf_slice(&text), .piece = SIZE_MAX };
		assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
		assert_int_equal(manifest_header(m, &header), 0);
		buf_add(&again, header.p, header.len);
		for (int got; (got = manifest_next(m, &row, &failure, NULL)) > 0;) {
			if (got != 1)
				continue;
			dump_row(&row, &rows);
			buf_char(&rows, '\n');
			buf_add(&again, row.raw.p, row.raw.len);
			buf_char(&again, '\n');
			CLEANUP(buf_done) struct buf values = { 0 };
			manifest_values(m, &values);
			assert_int_equal(values.data[0], '{');
			assert_null(strchr(values.data, '\n'));
		}
		o.format = manifest_format(m);
		manifest_close(m);
		CLEANUP(buf_done) struct buf rows_again = { 0 };
		CLEANUP(buf_done) struct buf expected = { 0 };
		CLEANUP(buf_done) struct buf got = { 0 };
		f = (struct feed){ .text = buf_slice(&again), .piece = SIZE_MAX };
		assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
		dump_rows(m, &rows_again);
		manifest_close(m);
		json_compact(buf_slice(&rows), &expected); /* a row of many lines has lost its blanks */
		json_compact(buf_slice(&rows_again), &got);
		assert_string_equal(got.data, expected.data);
	}
}

/* What RFC 8259 leaves open would be one thing to us and another to who reads it later. */
static void test_what_json_leaves_open(void **state)
{
	(void)state;
	struct manifest_options o = { .spool = -1 };
	expect_rows_of(SLICE_LIT("{\"text\":\"a\",\"m\":1,\"m\":2}\n{\"text\":\"b\",\"m\":{\"k\":1,\"\\u006b\":2}}\n"
		"{\"text\":\"c\",\"m\":[1e999]}\n{\"text\":\"d\",\"m\\u0000\":1}\n{\"text\":\"e\",\"m\":\"\\u0000\"}\n"), &o,
		"! 1:19@18 two members of one object have this name\n"
		"! 2:24@48 two members of one object have this name\n"
		"! 3:18@78 the number is too large\n"
		"! 4:13@98 there is a NUL in the name of a member\n"
		"{\"text\":\"e\",\"metadata\":{\"m\":\"\\u0000\"}}\n");
	expect_rows_of(SLICE_LIT("inputid,input,metadata,geopoints\n1,a,\"{'k': 1, 'k': 2}\",\n2,b,{'geopoints': 1},\"1,2\"\n"), &o,
		"{\"id\":\"1\",\"text\":\"a\",\"unreadable\":\"{'k': 1, 'k': 2}\",\"warning\":\"its metadata are no JSON object and "
		"no Python dictionary: two members of one object have this name; they are kept as they are\"}\n"
		"{\"id\":\"2\",\"text\":\"b\",\"metadata\":{\"geopoints\":1,\"geopoints (2)\":[1,2]},\"warning\":\"its metadata have a "
		"member 'geopoints' already; the other one is called 'geopoints (2)'\"}\n");
	expect_rows_of(SLICE_LIT("text,metadata,k,k,k (2)\na,\"{\"\"k\"\":0}\",1,2,3\n"), &o,
		"{\"text\":\"a\",\"metadata\":{\"k\":0,\"k (3)\":\"1\",\"k (2)\":\"2\",\"k (2) (2)\":\"3\"},\"warning\":\"its "
		"metadata have a member 'k' already; the other one is called 'k (3)'\"}\n");
}

static void test_sidecar(void **state)
{
	(void)state;
	struct manifest_options o = { .spool = -1, .format = MANIFEST_SIDECAR, .name = "in/a.b.jpg.json" };
	expect_rows_of(SLICE_LIT("{\"labels\": [\"cat\"], \"text\": \"a cat\", \"metadata\": {\"k\": 1}, \"url\": \"u\"}"), &o,
		"{\"path\":\"a.b.jpg\",\"metadata\":{\"k\": 1,\"text\":\"a cat\",\"url\":\"u\"},\"labels\":[{\"concept\":\"cat\"}]}\n");
	o.name = "a.txt";
	expect_rows_of(SLICE_LIT("{}"), &o, "! 1:1@0 a sidecar is called NAME.json, beside the file NAME\n");
}

static void test_mapped_members(void **state)
{
	(void)state;
	struct manifest_columns columns = { .of = { [ROLE_URL] = "data.image", [ROLE_LABEL] = "class" } };
	struct manifest_options o = { .spool = -1, .columns = &columns, .format = MANIFEST_JSONL };
	expect_rows_of(SLICE_LIT("{\"data\": {\"image\": \"https://h/1\", \"n\": 1}, \"class\": \"x\", \"path\": \"p\"}\n{\"class\": \"x\"}"), &o,
		"{\"url\":\"https://h/1\",\"metadata\":{\"data\":{\"image\": \"https://h/1\", \"n\": 1},\"path\":\"p\"},"
		"\"labels\":[{\"concept\":\"x\"}]}\n! 2:1@70 the row names no file, no URL and no text\n");
}

/* The first in the order of ids is known by the file, the others by their ids too; resumed, it is the same. */
static void test_coco_images_of_one_file(void **state)
{
	(void)state;
	static const char text[] = "{\"images\":[{\"id\":20,\"file_name\":\"a.jpg\"},{\"id\":3,\"file_name\":\"a.jpg\"},{\"id\":5,\"file_name\":\"b.jpg\"}],"
		"\"annotations\":[],\"categories\":[]}";
	static const char rows[] = "{\"path\":\"a.jpg\",\"media\":\"image\",\"attributes\":{\"id\":3}}\n"
		"{\"path\":\"b.jpg\",\"media\":\"image\",\"attributes\":{\"id\":5}}\n"
		"{\"id\":\"a.jpg#20\",\"path\":\"a.jpg\",\"media\":\"image\",\"attributes\":{\"id\":20},"
		"\"warning\":\"the images 3 and 20 are both 'a.jpg': one picture gets the labels of both\"}\n"
		"attributes {\"categories\":[],\"others\":{},\"image_id_max\":20,\"annotation_id_max\":0}\n";
	struct manifest_options o = { .spool = new_spool() };
	expect_rows_of(slice_of(text), &o, rows);
	o = (struct manifest_options){ .spool = new_spool(), .from = { .rows = 1 } };
	expect_rows_of(slice_of(text), &o, strchr(rows, '\n') + 1);
}

static void test_lists_that_break(void **state)
{
	(void)state;
	EXPECT("[{\"text\":\"a\"},{\"text\":\"b\"}", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"
		"!! manifest: its list is not closed: the rest of it may be missing\n");
	EXPECT("[\n {\"text\": \"a\"},\n {\"text\": [1},\n {\"text\": \"c\"}\n]\n",
		"{\"text\":\"a\"}\n! 3:13@30 a ] is expected here\n{\"text\":\"c\"}\n");
	struct manifest_options o = { .spool = -1, .record_max = 30 };
	expect_rows_of(SLICE_LIT("[\n {\"text\": \"a\"},\n {\"text\": \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\n  \"x\": 1},\n"
		" {\"text\": \"c\"}\n]\n"), &o, "{\"text\":\"a\"}\n! 3:2@19 the row is longer than allowed\n{\"text\":\"c\"}\n");
	expect_rows_of(SLICE_LIT("{\"text\": \"a\"}\n{\"text\": \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}\n{\"text\": \"c\"}"), &o,
		"{\"text\":\"a\"}\n! 2:1@14 the row is longer than allowed\n{\"text\":\"c\"}\n");
	EXPECT("[{\"image_id\": 1, \"category_id\": 2, \"score\": 0.5}]", "!! manifest: these are COCO results, which name images "
		"by number only; put them as annotations into the COCO file that has the images\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_of_each),
		cmocka_unit_test(test_a_row_of_many_boxes),
		cmocka_unit_test(test_rows_make_a_manifest_again),
		cmocka_unit_test(test_what_json_leaves_open),
		cmocka_unit_test(test_sidecar),
		cmocka_unit_test(test_mapped_members),
		cmocka_unit_test(test_coco_images_of_one_file),
		cmocka_unit_test(test_lists_that_break),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
