/* shape.c - geometries in the pixels of one picture. */
#include "daemon/export/shape.h"

#include "daemon/base/mem.h"
#include "daemon/export/rle.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_MAX 64U
#define COORDINATE_MAX 1e12 /* so that products of coordinates stay finite */
#define SCALE_MAX 1e12
#define ELLIPSE_CORNERS 64

/* From the numbers of a geometry to the pixels of the frame. */
struct mapping {
	double scale[2];       /* pixels of one unit, x and y, in the frame that the geometry came in */
	double width, height;  /* of that frame */
	unsigned turn;         /* EXIF orientation that leads to the frame wanted; 1: they are the same */
	bool none;             /* nothing changes */
};

struct shape {
	struct dom dom, facts;
	const struct node *root;
	double *numbers;       /* all that were read, mapped or not */
	size_t count, room;
	struct shape_ring *rings;
	size_t ring_count, ring_room;
};

struct shape *shape_new(void)
{
	return mem_zero(1, sizeof(struct shape));
}

void shape_free(struct shape *s)
{
	if (!s)
		return;
	dom_done(&s->dom);
	dom_done(&s->facts);
	free(s->numbers);
	free(s->rings);
	free(s);
}

static bool is_word(const struct node *n, const char *word)
{
	return n && n->kind == NODE_STRING && slice_eq(n->text, slice_of(word));
}

const struct node *shape_member(const struct shape *s, const char *name)
{
	return node_get(&s->dom, s->root, name);
}

bool shape_member_is(const struct shape *s, const char *name, const char *word)
{
	return is_word(shape_member(s, name), word);
}

struct shape_frame shape_frame(struct shape *s, const struct item *item)
{
	struct dom_error ignored;
	struct shape_frame f = { .width = item->width, .height = item->height };
	if (item->facts.len && dom_parse(&s->facts, item->facts, &ignored) == 0) {
		double n = node_number(node_get(&s->facts, dom_root(&s->facts), "orientation"), 0);
		f.orientation = n >= 1 && n <= 8 ? (unsigned)n : 0;
	}
	return f;
}

/* ---- numbers ---- */

static double *add_number(struct shape *s, double v)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->numbers = mem_resize(s->numbers, s->room, sizeof(*s->numbers));
	}
	s->numbers[s->count] = v;
	return &s->numbers[s->count++];
}

/* Appends the numbers of a list, whatever its length; *ret_at is where they begin. False: something else is in it, or one is
 * out of all bounds. */
static bool read_numbers(struct shape *s, const struct node *list, size_t *ret_at)
{
	*ret_at = s->count;
	if (!list || list->kind != NODE_ARRAY)
		return false;
	const char *p = list->text.p + 1;
	const char *end = list->text.p + list->text.len - 1;
	while (p < end) {
		char number[NUMBER_MAX];
		size_t n = 0;
		while (p < end && strchr(" \t\r\n,", *p))
			p++;
		while (p < end && n < sizeof(number) - 1 && strchr("+-.eE0123456789", *p))
			number[n++] = *p++;
		if (n == 0)
			break;
		number[n] = '\0';
		double v = strtod(number, NULL);
		if (!(fabs(v) < COORDINATE_MAX))
			return false;
		(void)add_number(s, v);
	}
	return p >= end;
}

/* A list of exactly so many, copied out. */
static bool take_numbers(struct shape *s, const char *member, size_t count, double *ret)
{
	size_t at;
	bool good = read_numbers(s, shape_member(s, member), &at) && s->count - at == count;
	if (good)
		memcpy(ret, s->numbers + at, count * sizeof(*ret));
	s->count = at;
	return good;
}

/* 0: there is none. False: out of all bounds. */
static bool take_rotation(const struct shape *s, double *ret_degrees)
{
	*ret_degrees = node_number(shape_member(s, "rotation"), 0);
	return fabs(*ret_degrees) < COORDINATE_MAX;
}

/* ---- frames ---- */

/* Where a point of a picture of this size comes to lie when the picture is turned by an EXIF orientation. */
static void turn_point(unsigned orientation, double width, double height, double p[2])
{
	double x = p[0];
	double y = p[1];
	bool transposed = orientation >= 5;
	bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	double along = from_right ? width - x : x;
	double down = from_below ? height - y : y;
	p[0] = transposed ? down : along;
	p[1] = transposed ? along : down;
}

/* The orientation that leads back. */
static unsigned inverse(unsigned orientation)
{
	return orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;
}

/* In which frame the numbers are: as the geometry says, else the one that its declared size fits. */
static bool is_raw(const struct shape *s, const struct shape_frame *f, const double size[2])
{
	const struct node *said = shape_member(s, "frame");
	double upright[2] = { f->raw && f->orientation >= 5 ? f->height : f->width, f->raw && f->orientation >= 5 ? f->width : f->height };
	if (said && said->kind == NODE_STRING)
		return is_word(said, "raw");
	return f->orientation >= 5 && size[0] == upright[1] && size[1] == upright[0] && size[0] != size[1];
}

/* False: this unit is none of a picture's. */
static bool read_mapping(struct shape *s, const struct shape_frame *f, struct mapping *ret)
{
	const struct node *unit = shape_member(s, "unit");
	double size[2] = { 0, 0 };
	bool declared = take_numbers(s, "size", 2, size) && size[0] > 0 && size[1] > 0;
	bool turned = f->orientation >= 2 && is_raw(s, f, size) != f->raw;
	bool lies = turned && f->orientation >= 5;
	*ret = (struct mapping){ .width = lies ? f->height : f->width, .height = lies ? f->width : f->height, .turn = 1 };
	if (turned)
		ret->turn = f->raw ? inverse(f->orientation) : f->orientation;
	double of[2] = { ret->width, ret->height };
	double divisor = is_word(unit, "fraction") ? 1 : is_word(unit, "percent") ? 100 : 0;
	bool pixels = is_word(unit, "px");
	for (size_t i = 0; i < 2; i++)
		ret->scale[i] = pixels ? (declared && of[i] > 0 ? of[i] / size[i] : 1) : divisor > 0 ? of[i] / divisor : 0;
	ret->none = pixels && ret->scale[0] == 1 && ret->scale[1] == 1 && !turned;
	return ret->scale[0] > 0 && ret->scale[0] < SCALE_MAX && ret->scale[1] > 0 && ret->scale[1] < SCALE_MAX;
}

static void map_points(const struct mapping *m, double *points, size_t count, size_t stride)
{
	for (size_t i = 0; !m->none && i + 1 < count; i += stride) {
		points[i] *= m->scale[0];
		points[i + 1] *= m->scale[1];
		turn_point(m->turn, m->width, m->height, points + i);
	}
}

/* ---- extents ---- */

struct extent {
	double left, top, right, bottom;
	bool any;
};

static void include(struct extent *e, double x, double y)
{
	e->left = !e->any || x < e->left ? x : e->left;
	e->right = !e->any || x > e->right ? x : e->right;
	e->top = !e->any || y < e->top ? y : e->top;
	e->bottom = !e->any || y > e->bottom ? y : e->bottom;
	e->any = true;
}

static void set_box(const struct extent *e, struct shape_out *ret)
{
	ret->box[0] = e->left;
	ret->box[1] = e->top;
	ret->box[2] = e->right - e->left;
	ret->box[3] = e->bottom - e->top;
}

static void cover_rings(const struct shape *s, struct shape_out *ret)
{
	struct extent e = { 0 };
	for (size_t k = 0; k < s->ring_count; k++)
		for (size_t i = 0; i + 1 < s->rings[k].count; i += 2)
			include(&e, s->rings[k].points[i], s->rings[k].points[i + 1]);
	set_box(&e, ret);
}

/* ---- kinds ---- */

/* A ring of count numbers; its points are set when all have been read (set_rings()). */
static void add_ring(struct shape *s, size_t count)
{
	if (s->ring_count == s->ring_room) {
		s->ring_room = s->ring_room ? 2 * s->ring_room : 16;
		s->rings = mem_resize(s->rings, s->ring_room, sizeof(*s->rings));
	}
	s->rings[s->ring_count++] = (struct shape_ring){ NULL, count };
}

/* The rings lie one behind the other from the number at `at`. */
static void set_rings(struct shape *s, size_t at, struct shape_out *ret)
{
	for (size_t k = 0; k < s->ring_count; k++) {
		s->rings[k].points = s->numbers + at;
		at += s->rings[k].count;
	}
	ret->rings = s->rings;
	ret->ring_count = s->ring_count;
}

/* The corners of a box in units that is turned, as one ring of pixels. */
static void turned_ring(struct shape *s, const struct mapping *m, const double v[4], double degrees, const double pivot[2],
	struct shape_out *ret)
{
	const double angle = degrees * M_PI / 180;
	const double corners[8] = { v[0], v[1], v[0] + v[2], v[1], v[0] + v[2], v[1] + v[3], v[0], v[1] + v[3] };
	struct mapping turn = *m;
	size_t at = s->count;
	turn.scale[0] = turn.scale[1] = 1; /* boxes are turned on pixels, not in units that may differ along x and y */
	for (size_t i = 0; i < 8; i += 2) {
		double dx = corners[i] - pivot[0];
		double dy = corners[i + 1] - pivot[1];
		(void)add_number(s, pivot[0] + dx * cos(angle) - dy * sin(angle));
		(void)add_number(s, pivot[1] + dx * sin(angle) + dy * cos(angle));
	}
	map_points(&turn, s->numbers + at, 8, 2);
	add_ring(s, 8);
	set_rings(s, at, ret);
	ret->kind = m->turn == 1 ? SHAPE_TURNED_BOX : SHAPE_RINGS;
	cover_rings(s, ret);
	if (m->turn != 1)
		return;
	memcpy(ret->box, v, sizeof(ret->box));
	memcpy(ret->box, ret->rings[0].points, 2 * sizeof(double)); /* about its own corner it is the same box */
	ret->rotation = degrees;
}

static bool read_box(struct shape *s, const struct mapping *m, struct shape_out *ret)
{
	const struct node *form = shape_member(s, "form");
	double degrees;
	double v[4];
	if (!take_rotation(s, &degrees) || !take_numbers(s, "box", 4, v))
		return false;
	if (is_word(form, "xyxy")) {
		v[2] -= v[0];
		v[3] -= v[1];
	} else if (is_word(form, "cxcywh")) {
		v[0] -= v[2] / 2;
		v[1] -= v[3] / 2;
	}
	for (size_t i = 0; i < 4; i++)
		v[i] *= m->scale[i % 2];
	if (degrees != 0) {
		bool center = shape_member_is(s, "pivot", "center");
		turned_ring(s, m, v, degrees, (double[2]){ v[0] + (center ? v[2] / 2 : 0), v[1] + (center ? v[3] / 2 : 0) }, ret);
		ret->as_came = m->none && is_word(form, "xywh") && !center;
		return true;
	}
	double corners[4] = { v[0], v[1], v[0] + v[2], v[1] + v[3] };
	struct extent e = { 0 };
	turn_point(m->turn, m->width, m->height, corners);
	turn_point(m->turn, m->width, m->height, corners + 2);
	include(&e, corners[0], corners[1]);
	include(&e, corners[2], corners[3]);
	ret->kind = SHAPE_BOX;
	set_box(&e, ret);
	if (m->turn == 1)
		memcpy(ret->box, v, sizeof(v)); /* without the rounding of corners */
	ret->as_came = m->none && is_word(form, "xywh");
	return true;
}

static bool read_rings(struct shape *s, const struct mapping *m, struct shape_out *ret)
{
	const struct node *rings = node_get_kind(&s->dom, s->root, "rings", NODE_ARRAY);
	const struct node *open = shape_member(s, "open");
	bool line = open && open->kind == NODE_TRUE;
	size_t first = s->count;
	if (!rings || !rings->count)
		return false;
	for (const struct node *r = node_first(&s->dom, rings); r; r = node_next(&s->dom, rings, r)) {
		size_t at;
		if (!read_numbers(s, r, &at) || s->count - at < (line ? 4 : 6) || (s->count - at) % 2)
			return false;
		add_ring(s, s->count - at);
	}
	map_points(m, s->numbers + first, s->count - first, 2);
	set_rings(s, first, ret);
	cover_rings(s, ret);
	ret->kind = line ? SHAPE_LINE : SHAPE_RINGS;
	ret->as_came = m->none;
	return true;
}

static bool read_ellipse(struct shape *s, const struct mapping *m, struct shape_out *ret)
{
	struct mapping turned = *m;
	double degrees;
	if (!take_rotation(s, &degrees) || !take_numbers(s, "center", 2, ret->center) || !take_numbers(s, "radii", 2, ret->radii))
		return false;
	const double turn = degrees * M_PI / 180;
	for (size_t i = 0; i < 2; i++) {
		ret->center[i] *= m->scale[i];
		ret->radii[i] *= m->scale[i];
	}
	size_t at = s->count;
	for (size_t i = 0; i < ELLIPSE_CORNERS; i++) {
		double a = 2 * M_PI * (double)i / ELLIPSE_CORNERS;
		double x = ret->radii[0] * cos(a);
		double y = ret->radii[1] * sin(a);
		(void)add_number(s, ret->center[0] + x * cos(turn) - y * sin(turn));
		(void)add_number(s, ret->center[1] + x * sin(turn) + y * cos(turn));
	}
	turned.scale[0] = turned.scale[1] = 1;
	map_points(&turned, s->numbers + at, s->count - at, 2);
	add_ring(s, s->count - at);
	set_rings(s, at, ret);
	cover_rings(s, ret);
	ret->kind = m->turn == 1 ? SHAPE_ELLIPSE : SHAPE_RINGS;
	ret->rotation = degrees;
	ret->as_came = m->none;
	return true;
}

static bool read_mask(struct shape *s, const struct mapping *m, struct shape_out *ret)
{
	double size[2];
	double declared[2];
	struct rle_extent e;
	ret->counts = shape_member(s, "counts");
	ret->rle_size = shape_member(s, "rle_size");
	if (!ret->counts || !shape_member_is(s, "encoding", "coco") || m->turn != 1 || !take_numbers(s, "rle_size", 2, size) ||
		!(size[0] >= 1 && size[0] < 1e9 && size[1] >= 1 && size[1] < 1e9) ||
		rle_measure(ret->counts, (uint64_t)size[0], (uint64_t)size[1], &e) < 0)
		return false;
	if (take_numbers(s, "size", 2, declared) && !m->none)
		return false; /* pixels of a picture of another size */
	set_box(&(struct extent){ (double)e.left, (double)e.top, (double)e.right, (double)e.bottom, true }, ret);
	ret->kind = SHAPE_MASK;
	ret->area = e.area;
	ret->as_came = true;
	return true;
}

static bool read_keypoints(struct shape *s, const struct mapping *m, struct shape_out *ret)
{
	const bool with_v = shape_member_is(s, "form", "xyv");
	const size_t stride = with_v ? 3 : 2;
	struct extent e = { 0 };
	size_t from;
	if (!read_numbers(s, shape_member(s, "points"), &from) || s->count == from || (s->count - from) % stride)
		return false;
	const size_t count = (s->count - from) / stride;
	const size_t at = s->count;
	map_points(m, s->numbers + from, s->count - from, stride);
	for (size_t i = 0; i < count; i++) {
		const double point[3] = { s->numbers[from + i * stride], s->numbers[from + i * stride + 1],
			with_v ? s->numbers[from + i * stride + 2] : 2 };
		for (size_t k = 0; k < 3; k++)
			(void)add_number(s, point[k]);
		if (point[2] != 0) /* 0: not labelled */
			include(&e, point[0], point[1]);
	}
	set_box(&e, ret);
	ret->kind = SHAPE_KEYPOINTS;
	ret->points = s->numbers + at;
	ret->point_count = count;
	ret->as_came = m->none && with_v;
	return true;
}

bool shape_parse(struct shape *s, struct slice geometry)
{
	struct dom_error ignored;
	s->count = s->ring_count = 0;
	s->root = NULL;
	if (dom_parse(&s->dom, geometry, &ignored) < 0)
		return false;
	s->root = dom_root(&s->dom);
	return true;
}

bool shape_read(struct shape *s, struct slice geometry, const struct shape_frame *frame, struct shape_out *ret)
{
	static const struct {
		const char *kind;
		bool (*read)(struct shape *s, const struct mapping *m, struct shape_out *ret);
	} kinds[] = { { "box", read_box }, { "polygon", read_rings }, { "ellipse", read_ellipse }, { "mask", read_mask },
		{ "keypoints", read_keypoints } };
	struct mapping m;
	*ret = (struct shape_out){ 0 };
	if (!shape_parse(s, geometry))
		return false;
	const struct node *kind = shape_member(s, "kind");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_word(kind, kinds[i].kind))
			return read_mapping(s, frame, &m) && kinds[i].read(s, &m, ret);
	return false;
}
