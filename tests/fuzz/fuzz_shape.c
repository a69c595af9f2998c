/* fuzz_shape.c - any bytes as a geometry on a picture that the first bytes choose: what is a shape has finite numbers, what the
 * formats make of it is JSON, and a box written down in pixels is read as the same box. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/export/box.h"
#include "daemon/export/coco_shape.h"
#include "daemon/export/labelstudio_result.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_finite(const double *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert(isfinite(v[i]));
}

static void check_json(struct buf *text)
{
	struct dom dom = { 0 };
	struct dom_error e;
	assert(dom_parse(&dom, buf_slice(text), &e) == 0);
	dom_done(&dom);
}

static void check_shape(const struct shape_out *o)
{
	check_finite(o->box, 4);
	check_finite(&o->rotation, 1);
	check_finite(o->center, 2);
	check_finite(o->radii, 2);
	for (size_t i = 0; i < o->ring_count; i++)
		check_finite(o->rings[i].points, o->rings[i].count);
	check_finite(o->points, 3 * o->point_count);
	assert(o->kind != SHAPE_MASK || (o->counts && o->rle_size));
}

static void check_box_again(struct shape *s, const struct shape_frame *f, const struct shape_out *o)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	struct shape_out again;
	json_open(&j, NULL, '{');
	json_raw(&j, "kind", SLICE_LIT("\"box\",\"unit\":\"px\",\"form\":\"xywh\""));
	json_str(&j, "frame", f->raw ? SLICE_LIT("raw") : SLICE_LIT("upright"));
	json_open(&j, "box", '[');
	for (size_t i = 0; i < 4; i++)
		json_double(&j, NULL, o->box[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	for (size_t i = 0; i < 4; i++)
		if (!(fabs(o->box[i]) < 1e12)) /* a coordinate that is out of bounds */
			return;
	assert(shape_read(s, buf_slice(&text), f, &again) && again.kind == SHAPE_BOX && again.as_came);
	for (size_t i = 0; i < 4; i++)
		assert(!(again.box[i] < o->box[i] || again.box[i] > o->box[i]));
}

static void check_coco(struct shape *s, struct slice geometry, const struct shape_frame *f, bool shaped)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf came = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	assert(!coco_shape(s, geometry, f, &j) || shaped);
	json_close(&j, '}');
	check_json(&text);
	j = (struct json){ .to = &came };
	json_open(&j, NULL, '{');
	coco_shape_as_came(s, geometry, &j);
	json_close(&j, '}');
	check_json(&came);
}

static void check_label_studio(struct result_maker *r, struct slice geometry, const struct shape_frame *f)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	const struct annotation a = { .n = 1, .concept = SLICE_LIT("cat"), .confidence = -1, .geometry = geometry };
	if (result_make(r, &a, f, SLICE_LIT("image"), &j))
		check_json(&text);
	else
		assert(text.len == 0);
}

static void check_boxes(struct shape *s, struct slice geometry, const struct item *item)
{
	static const enum box_form forms[] = { BOX_XYWH, BOX_XYXY, BOX_CXCYWH };
	struct arena arena = { 0 };
	struct slice v[4];
	for (size_t i = 0; i < 6; i++) {
		if (!box_read(s, geometry, item, forms[i / 2], i % 2 ? BOX_FRACTION : BOX_PIXELS, false, &arena, v))
			continue;
		for (size_t k = 0; k < 4; k++)
			assert(is_json_number(v[k]));
	}
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result_maker maker;
	if (size < 3 || size > 65536)
		return 0;
	if (!maker.shape)
		maker.shape = shape_new();
	const struct shape_frame f = { .width = data[0], .height = data[1], .orientation = data[2] % 9, .raw = data[2] & 0x80 };
	const struct item item = { .width = data[0], .height = data[1] };
	struct slice geometry = { (const char *)data + 3, size - 3 };
	struct shape_out o;
	bool shaped = shape_read(maker.shape, geometry, &f, &o);
	if (shaped)
		check_shape(&o);
	if (shaped && o.kind == SHAPE_BOX)
		check_box_again(maker.shape, &f, &o);
	check_coco(maker.shape, geometry, &f, shaped);
	if (geometry.len)
		check_label_studio(&maker, geometry, &f);
	check_boxes(maker.shape, geometry, &item);
	return 0;
}
