/* fuzz_yolo_labels.c - any bytes as a YOLO label file, the first of them choosing what a pose is: what is read are labels with
 * shapes of JSON, and each line says the same alone as among the others. */
#include "daemon/base/text.h"
#include "daemon/manifest/yolo_labels.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_object(struct slice text)
{
	struct dom dom = { 0 };
	struct dom_error e;
	assert(dom_parse(&dom, text, &e) == 0 && dom_root(&dom)->kind == NODE_OBJECT);
	dom_done(&dom);
}

static void check(const struct manifest_label *l)
{
	assert(l->concept.len && text_is_utf8(l->concept));
	assert(l->confidence < 0 ? l->status == STATUS_SUCCESS : l->status == STATUS_AWAITING_REVIEW && l->confidence < 1e300);
	if (l->geometry.len)
		check_object(l->geometry);
	if (l->attributes.len)
		check_object(l->attributes);
}

static bool same(const struct manifest_label *a, const struct manifest_label *b)
{
	bool sure = a->confidence < b->confidence || a->confidence > b->confidence;
	return !sure && slice_eq(a->concept, b->concept) && slice_eq(a->geometry, b->geometry) && slice_eq(a->attributes, b->attributes);
}

/* The labels of its lines, each read alone, are those of the whole. */
static void check_lines(struct manifest *m, const struct yolo_classes *c, struct slice text, const struct draft *whole)
{
	size_t n = 0;
	while (text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end + 1 - text.p) : text.len;
		draft_begin(&m->draft, (struct manifest_place){ .line = 1, .column = 1 }, text);
		assert(yolo_labels(m, c, SLICE_LIT("a.txt"), (struct slice){ text.p, len }) == DRAFT_ROW);
		assert(m->draft.label_count <= 1 && n + m->draft.label_count <= whole->label_count);
		if (m->draft.label_count)
			assert(same(&m->draft.labels[0], &whole->labels[n++]));
		text = (struct slice){ text.p + len, text.len - len };
	}
	assert(n == whole->label_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slice names[] = { SLICE_LIT("cat"), { 0 }, SLICE_LIT("dog") };
	static struct manifest whole, line; /* a reader is used again for each row */
	if (size < 1 || size > 65536)
		return 0;
	const struct yolo_classes classes = { .names = names, .count = sizeof(names) / sizeof(*names), .keypoints = data[0] / 2 % 16,
		.dimensions = data[0] % 2 ? 3 : 2 };
	struct slice text = { (const char *)data + 1, size - 1 };
	draft_begin(&whole.draft, (struct manifest_place){ .line = 1, .column = 1 }, text);
	if (yolo_labels(&whole, &classes, SLICE_LIT("a.txt"), text) == DRAFT_FAILED) {
		assert(whole.draft.failure.reason.len && text_is_utf8(whole.draft.failure.reason) && whole.draft.failure.cure.len);
		return 0;
	}
	for (size_t i = 0; i < whole.draft.label_count; i++)
		check(&whole.draft.labels[i]);
	check_lines(&line, &classes, text, &whole.draft);
	return 0;
}
