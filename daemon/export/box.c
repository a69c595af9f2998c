/* box.c - boxes as they came, or in another form. */
#include "daemon/export/box.h"

#include <math.h>

static const char *const forms[] = { "xywh", "xyxy", "cxcywh" };

/* The four numbers of "[1,2,3,4]" as they are written. */
static bool take_four(struct slice list, struct slice ret[4])
{
	const char *p = list.p + 1;
	const char *end = list.p + list.len - 1;
	for (size_t i = 0; i < 4; i++) {
		while (p < end && strchr(" \t\r\n,", *p))
			p++;
		const char *from = p;
		while (p < end && strchr("+-.eE0123456789", *p))
			p++;
		ret[i] = (struct slice){ from, (size_t)(p - from) };
		if (!ret[i].len)
			return false;
	}
	return true;
}

static void convert(const struct shape_out *o, const struct shape_frame *f, enum box_form form, enum box_unit unit, bool whole,
	double v[4])
{
	memcpy(v, o->box, 4 * sizeof(*v));
	if (form == BOX_XYXY) {
		v[2] += v[0];
		v[3] += v[1];
	} else if (form == BOX_CXCYWH) {
		v[0] += v[2] / 2;
		v[1] += v[3] / 2;
	}
	for (size_t i = 0; i < 4; i++) {
		if (unit == BOX_FRACTION)
			v[i] /= i % 2 ? f->height : f->width;
		else if (whole)
			v[i] = rint(v[i]);
	}
}

bool box_read(struct shape *s, struct slice geometry, const struct item *item, enum box_form form, enum box_unit unit, bool whole,
	struct arena *a, struct slice ret[4])
{
	struct shape_out o;
	if (!shape_parse(s, geometry) || !shape_member_is(s, "kind", "box"))
		return false;
	const struct node *box = shape_member(s, "box");
	bool turned = node_number(shape_member(s, "rotation"), 0) != 0;
	if (!turned && box && box->kind == NODE_ARRAY && shape_member_is(s, "form", forms[form]) &&
		shape_member_is(s, "unit", unit == BOX_FRACTION ? "fraction" : "px"))
		return take_four(box->text, ret);
	struct shape_frame frame = shape_frame(s, item);
	if (!(frame.width > 0 && frame.height > 0) || !shape_read(s, geometry, &frame, &o) || o.kind != SHAPE_BOX)
		return false;
	double v[4];
	convert(&o, &frame, form, unit, whole, v);
	for (size_t i = 0; i < 4; i++) {
		struct buf number = { 0 };
		struct json j = { .to = &number };
		json_double(&j, NULL, v[i]);
		ret[i] = arena_copy(a, buf_slice(&number));
		buf_done(&number);
	}
	return true;
}
