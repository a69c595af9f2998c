/* labelstudio_result.c - {"id","from_name","to_name","type","original_width","original_height","value":{…}}. */
#include "daemon/export/labelstudio_result.h"

#include "daemon/export/entry.h"

#define KEYPOINT_WIDTH 0.5 /* percent, as it is drawn */

static const char *const lists[] = { "", "annotations", "completions", "predictions" };

const char *task_list_name(enum task_list l)
{
	return lists[l];
}

static const struct node *said_of(struct result_maker *r, const struct annotation *a)
{
	struct dom_error ignored;
	return a->attributes.len && dom_parse(&r->said, a->attributes, &ignored) == 0 ? dom_root(&r->said) : NULL;
}

struct result_place result_place(struct result_maker *r, const struct annotation *a)
{
	struct result_place p = { LIST_NONE, 0, 0, 0 };
	const struct node *of = node_get_kind(&r->said, said_of(r, a), "of", NODE_OBJECT);
	const struct node *list = node_get_kind(&r->said, of, "list", NODE_STRING);
	for (enum task_list l = LIST_ANNOTATIONS; list && l <= LIST_PREDICTIONS; l++)
		if (slice_eq(list->text, slice_of(lists[l])))
			p.list = l;
	p.index = node_number(node_get(&r->said, of, "index"), 0);
	p.result = node_number(node_get(&r->said, of, "result"), 0);
	p.word = node_number(node_get(&r->said, of, "word"), 0);
	return p;
}

/* ---- as it came ---- */

static void put_member(const struct shape *s, const char *name, const char *member, struct json *j)
{
	const struct node *n = shape_member(s, member);
	if (n)
		json_raw(j, name, node_json(n));
}

/* The next number of a list's text; false: there is none. */
static bool next_number(struct slice *rest, struct slice *ret)
{
	while (rest->len && strchr("[], \t\r\n", *rest->p))
		*rest = (struct slice){ rest->p + 1, rest->len - 1 };
	size_t n = 0;
	while (n < rest->len && !strchr("[], \t\r\n", rest->p[n]))
		n++;
	*ret = (struct slice){ rest->p, n };
	*rest = (struct slice){ rest->p + n, rest->len - n };
	return n > 0;
}

static void put_numbers(const struct shape *s, const char *member, const char *const *names, struct json *j)
{
	const struct node *list = shape_member(s, member);
	struct slice rest = list ? list->text : SLICE_LIT("");
	struct slice number;
	for (; *names && next_number(&rest, &number); names++)
		json_raw(j, *names, number);
}

static void put_points(const struct shape *s, struct json *j)
{
	struct slice rest = shape_member(s, "rings")->text;
	struct slice x, y;
	json_open(j, "points", '[');
	while (next_number(&rest, &x) && next_number(&rest, &y)) {
		json_open(j, NULL, '[');
		json_raw(j, NULL, x);
		json_raw(j, NULL, y);
		json_close(j, ']');
	}
	json_close(j, ']');
}

/* What the geometry has of the value. */
static void put_geometry(const struct shape *s, struct json *j)
{
	put_numbers(s, "box", (const char *const[]){ "x", "y", "width", "height", NULL }, j);
	if (shape_member(s, "rings"))
		put_points(s, j);
	put_numbers(s, "center", (const char *const[]){ "x", "y", NULL }, j);
	put_numbers(s, "radii", (const char *const[]){ "radiusX", "radiusY", NULL }, j);
	put_numbers(s, "points", (const char *const[]){ "x", "y", NULL }, j);
	put_member(s, "rotation", "rotation", j);
	put_member(s, "rle", "counts", j);
	put_member(s, "sequence", "sequence", j);
	put_member(s, "start", "start", j);
	put_member(s, "end", "end", j);
	put_member(s, "text", "text", j);
}

static void put_words(const struct annotation *const *labels, size_t count, const struct node *name, struct json *j)
{
	char text[64];
	size_t n = name && name->text.len < sizeof(text) ? name->text.len : 0;
	memcpy(text, n ? name->text.p : "", n);
	text[n] = '\0';
	json_open(j, text, '[');
	for (size_t i = 0; i < count; i++)
		json_str(j, NULL, labels[i]->concept);
	json_close(j, ']');
}

static void put_value(struct result_maker *r, const struct annotation *const *labels, size_t count, const struct node *said,
	struct json *j)
{
	const struct node *of = node_get(&r->said, said, "of");
	const struct node *rest = node_get(&r->said, said, "value");
	const struct node *name = node_get_kind(&r->said, of, "words", NODE_STRING);
	const bool wordless = node_number(node_get(&r->said, of, "word"), 0) < 0;
	if (rest && rest->kind != NODE_OBJECT)
		json_raw(j, "value", node_json(rest));
	if ((rest && rest->kind != NODE_OBJECT) || (shape_member_is(r->shape, "kind", "other") && !shape_member(r->shape, "value")))
		return;
	if (shape_member_is(r->shape, "kind", "other")) {
		put_member(r->shape, "value", "value", j);
		return;
	}
	json_open(j, "value", '{');
	put_geometry(r->shape, j);
	members_write(&r->said, rest, j);
	if (!wordless)
		put_words(labels, count, name ? name : node_get_kind(&r->said, said, "type", NODE_STRING), j);
	json_close(j, '}');
}

void result_as_came(struct result_maker *r, const struct annotation *const *labels, size_t count, struct json *j)
{
	const struct node *said = said_of(r, labels[0]);
	(void)shape_parse(r->shape, labels[0]->geometry.len ? labels[0]->geometry : SLICE_LIT("{}"));
	json_open(j, NULL, '{');
	members_write_but(&r->said, said, (const char *const[]){ "of", "value", NULL }, j);
	put_numbers(r->shape, "size", (const char *const[]){ "original_width", "original_height", NULL }, j);
	if (shape_member_is(r->shape, "kind", "relation")) {
		put_member(r->shape, "from_id", "from", j);
		put_member(r->shape, "to_id", "to", j);
		put_member(r->shape, "direction", "direction", j);
	} else {
		put_value(r, labels, count, said, j);
	}
	json_close(j, '}');
}

/* ---- from elsewhere ---- */

struct percent {
	double x, y;     /* of one pixel */
};

static void put_box(const struct shape_out *o, struct percent p, struct json *j)
{
	json_double(j, "x", o->box[0] * p.x);
	json_double(j, "y", o->box[1] * p.y);
	json_double(j, "width", o->box[2] * p.x);
	json_double(j, "height", o->box[3] * p.y);
	json_double(j, "rotation", o->rotation);
}

static void put_ellipse(const struct shape_out *o, struct percent p, struct json *j)
{
	json_double(j, "x", o->center[0] * p.x);
	json_double(j, "y", o->center[1] * p.y);
	json_double(j, "radiusX", o->radii[0] * p.x);
	json_double(j, "radiusY", o->radii[1] * p.y);
	json_double(j, "rotation", o->rotation);
}

static void put_ring(const struct shape_ring *ring, struct percent p, struct json *j)
{
	json_open(j, "points", '[');
	for (size_t i = 0; i + 1 < ring->count; i += 2) {
		json_open(j, NULL, '[');
		json_double(j, NULL, ring->points[i] * p.x);
		json_double(j, NULL, ring->points[i + 1] * p.y);
		json_close(j, ']');
	}
	json_close(j, ']');
	json_bool(j, "closed", true);
}

static void put_point(const struct shape_out *o, struct percent p, struct json *j)
{
	json_double(j, "x", o->points[0] * p.x);
	json_double(j, "y", o->points[1] * p.y);
	json_double(j, "width", KEYPOINT_WIDTH);
}

/* The type of a shape's result, whose words have the same name; NULL: there is none. */
static const char *type_of(const struct shape_out *o)
{
	switch (o->kind) {
	case SHAPE_BOX:
	case SHAPE_TURNED_BOX: return "rectanglelabels";
	case SHAPE_ELLIPSE: return "ellipselabels";
	case SHAPE_RINGS: return o->ring_count == 1 ? "polygonlabels" : NULL;
	case SHAPE_KEYPOINTS: return o->point_count == 1 ? "keypointlabels" : NULL;
	case SHAPE_LINE:
	case SHAPE_MASK: break;
	}
	return NULL;
}

static void begin(const struct annotation *a, const char *type, struct slice content, struct json *j)
{
	struct buf id = { 0 };
	buf_printf(&id, "inlet-%u", a->n);
	json_open(j, NULL, '{');
	json_str(j, "id", buf_slice(&id));
	json_str(j, "from_name", SLICE_LIT("label"));
	json_str(j, "to_name", content);
	json_str(j, "type", slice_of(type));
	buf_done(&id);
}

static void end(const struct annotation *a, const char *words, struct json *j)
{
	json_open(j, words, '[');
	json_str(j, NULL, a->concept);
	json_close(j, ']');
	json_close(j, '}');
	if (a->confidence >= 0)
		json_double(j, "score", a->confidence);
	json_close(j, '}');
}

/* A part of a text or of a recording. */
static bool make_part(struct result_maker *r, const struct annotation *a, struct slice content, struct json *j)
{
	if (!shape_parse(r->shape, a->geometry) || (!shape_member_is(r->shape, "kind", "span") && !shape_member_is(r->shape, "kind", "range")))
		return false;
	begin(a, "labels", content, j);
	json_open(j, "value", '{');
	put_geometry(r->shape, j);
	end(a, "labels", j);
	return true;
}

static void make_shape(const struct shape_out *o, const struct annotation *a, const struct shape_frame *frame, const char *type,
	struct slice content, struct json *j)
{
	const struct percent p = { 100 / frame->width, 100 / frame->height };
	begin(a, type, content, j);
	json_double(j, "original_width", frame->width);
	json_double(j, "original_height", frame->height);
	json_u64(j, "image_rotation", 0);
	json_open(j, "value", '{');
	if (o->kind == SHAPE_BOX || o->kind == SHAPE_TURNED_BOX)
		put_box(o, p, j);
	else if (o->kind == SHAPE_ELLIPSE)
		put_ellipse(o, p, j);
	else if (o->kind == SHAPE_RINGS)
		put_ring(&o->rings[0], p, j);
	else
		put_point(o, p, j);
	end(a, type, j);
}

bool result_make(struct result_maker *r, const struct annotation *a, const struct shape_frame *frame, struct slice content,
	struct json *j)
{
	struct shape_out o;
	if (a->geometry.len == 0) {
		begin(a, "choices", content, j);
		json_open(j, "value", '{');
		end(a, "choices", j);
		return true;
	}
	if (!(frame->width > 0 && frame->height > 0) || !shape_read(r->shape, a->geometry, frame, &o))
		return make_part(r, a, content, j);
	const char *type = type_of(&o);
	if (type)
		make_shape(&o, a, frame, type, content, j);
	return type != NULL;
}
