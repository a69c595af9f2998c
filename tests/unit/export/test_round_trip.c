/* test_round_trip.c - what a manifest brought in goes out the same: pycocotools' own file through the manifest reader and the
 * COCO export, polygons and run lengths exactly, boxes and areas as pycocotools measured them. */
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/export/export.h"
#include "daemon/manifest/manifest.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

#define ORIGINAL "tests/data/manifest/pycocotools.json"

static ssize_t read_fd(void *arg, void *p, size_t n, struct err *err)
{
	(void)err;
	return read(*(int *)arg, p, n);
}

static int to_buf(void *arg, struct slice text, struct err *err)
{
	(void)err;
	buf_add(arg, text.p, text.len);
	return 0;
}

static void add_row(struct exporter *x, const struct manifest_row *row, uint64_t id)
{
	struct err err;
	struct annotation *as = mem_zero(row->label_count + 1, sizeof(*as));
	struct reference r = { .source = SLICE_LIT("in"), .key = row->content, .state = OBJECT_PRESENT, .object = id };
	struct item_full it = { .item = { .id = id, .media = MEDIA_IMAGE, .media_type = SLICE_LIT("image/jpeg"),
		.width = row->width, .height = row->height }, .references = &r, .reference_count = 1, .annotations = as,
		.annotation_count = row->label_count };
	for (size_t i = 0; i < row->label_count; i++)
		as[i] = (struct annotation){ .n = (uint32_t)i + 1, .concept = row->labels[i].concept,
			.confidence = row->labels[i].confidence, .status = row->labels[i].status,
			.worker = SLICE_LIT("imported"), .geometry = row->labels[i].geometry };
	assert_int_equal(exporter_add(x, &it, &err), 0);
	free(as);
}

static char *through_inlet(void)
{
	struct buf text = { 0 };
	struct err err;
	CLEANUP(close_fdp) int fd = open(ORIGINAL, O_RDONLY | O_CLOEXEC);
	struct manifest_options o = { .spool = memfd_create("spool", MFD_CLOEXEC) };
	struct export_options to = { .format = EXPORT_COCO, .spool_dir = "/tmp" };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&to, to_buf, &text);
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	assert_int_equal(manifest_open(&o, read_fd, &fd, &m, &err), 0);
	for (uint64_t id = 1; manifest_next(m, &row, &failure, &err) > 0; id++)
		add_row(x, &row, id);
	manifest_close(m);
	while (exporter_end(x, &err) > 0)
		;
	return buf_take(&text);
}

static bool same(json_t *a, json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	if (!json_is_array(a) || json_array_size(a) != json_array_size(b))
		return json_equal(a, b);
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

static const char *category_name(json_t *coco, json_t *annotation)
{
	size_t i;
	json_t *c;
	json_array_foreach(json_object_get(coco, "categories"), i, c)
		if (json_equal(json_object_get(c, "id"), json_object_get(annotation, "category_id")))
			return json_string_value(json_object_get(c, "name"));
	return "";
}

static void test_coco(void **state)
{
	(void)state;
	static const char *const members[] = { "image_id", "bbox", "segmentation" };
	CLEANUP(freep) char *text = through_inlet();
	CLEANUP(json_decrefp) json_t *theirs = json_load_file(ORIGINAL, 0, NULL);
	CLEANUP(json_decrefp) json_t *ours = json_loads(text, 0, NULL);
	json_t *before = json_object_get(theirs, "annotations");
	json_t *after = json_object_get(ours, "annotations");
	assert_int_equal(json_array_size(before), 9);
	assert_int_equal(json_array_size(after), 9);
	for (size_t i = 0; i < 9; i++) {
		json_t *a = json_array_get(before, i);
		json_t *b = json_array_get(after, i);
		for (size_t k = 0; k < sizeof(members) / sizeof(*members); k++) {
			bool polygon = json_is_array(json_object_get(a, "segmentation"));
			if (polygon && k == 1) /* they measure its pixels, we its corners */
				continue;
			assert_true(same(json_object_get(a, members[k]), json_object_get(b, members[k])));
		}
		if (json_is_object(json_object_get(a, "segmentation")))
			assert_true(same(json_object_get(a, "area"), json_object_get(b, "area")));
		assert_string_equal(category_name(theirs, a), category_name(ours, b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coco),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
