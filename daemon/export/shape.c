/* shape.c - boxes, polygons, masks and keypoints in pixels. */
#include "daemon/export/shape.h"

#include "daemon/base/mem.h"
#include "daemon/export/rle.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_MAX 64U
#define COORDINATE_MAX 1e12 /* so that products of coordinates stay finite */
#define ELLIPSE_CORNERS 64

struct shape {
	struct dom dom;
	const struct node *root;
	double scale[2];       /* pixels of one unit, x and y */
	bool pixels;           /* numbers are pixels as they are */
	double *points;        /* x, y, x, y, … of the ring at hand */
	size_t count, room;
};

struct extent {
	double left, top, right, bottom;
	bool any;
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
	free(s->points);
	free(s);
}

/* ---- numbers ---- */

static bool is_word(const struct node *n, const char *word)
{
	return n && n->kind == NODE_STRING && slice_eq(n->text, slice_of(word));
}

/* The numbers of a list into s->points, whatever its length; false: something else is in it, or one is out of all bounds. */
static bool read_numbers(struct shape *s, const struct node *list)
{
	s->count = 0;
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
		if (s->count == s->room) {
			s->room = s->room ? 2 * s->room : 64;
			s->points = mem_resize(s->points, s->room, sizeof(*s->points));
		}
		double v = strtod(number, NULL);
		if (!(fabs(v) < COORDINATE_MAX))
			return false;
		s->points[s->count++] = v;
	}
	return p >= end;
}

static void scale_points(struct shape *s, size_t stride)
{
	for (size_t i = 0; i + 1 < s->count; i += stride) {
		s->points[i] *= s->scale[0];
		s->points[i + 1] *= s->scale[1];
	}
}

static void include(struct extent *e, double x, double y)
{
	e->left = !e->any || x < e->left ? x : e->left;
	e->right = !e->any || x > e->right ? x : e->right;
	e->top = !e->any || y < e->top ? y : e->top;
	e->bottom = !e->any || y > e->bottom ? y : e->bottom;
	e->any = true;
}

/* Of a ring; holes and windings do not count. */
static double ring_area(const double *p, size_t count)
{
	double twice = 0;
	for (size_t i = 0; i + 1 < count; i += 2) {
		size_t k = i + 3 < count ? i + 2 : 0;
		twice += p[i] * p[k + 1] - p[k] * p[i + 1];
	}
	return fabs(twice) / 2;
}

static void write_ring(struct json *j, const double *p, size_t count)
{
	json_open(j, NULL, '[');
	for (size_t i = 0; i < count; i++)
		json_double(j, NULL, p[i]);
	json_close(j, ']');
}

static void write_extent(struct json *j, const struct extent *e)
{
	json_open(j, "bbox", '[');
	json_double(j, NULL, e->left);
	json_double(j, NULL, e->top);
	json_double(j, NULL, e->right - e->left);
	json_double(j, NULL, e->bottom - e->top);
	json_close(j, ']');
}

static void write_facts(struct json *j, double area)
{
	json_double(j, "area", area);
	json_u64(j, "iscrowd", 0);
}

/* A shape that is a ring of our own making. */
static bool write_polygon(struct json *j, const double *p, size_t count)
{
	struct extent e = { 0 };
	for (size_t i = 0; i < count; i += 2)
		include(&e, p[i], p[i + 1]);
	write_extent(j, &e);
	write_facts(j, ring_area(p, count));
	json_open(j, "segmentation", '[');
	write_ring(j, p, count);
	json_close(j, ']');
	return true;
}

/* ---- kinds ---- */

/* Corners of a box turned by so many degrees clockwise about x,y. */
static bool write_turned(struct json *j, const double box[4], double degrees, double x, double y)
{
	const double angle = degrees * M_PI / 180;
	double ring[8] = { box[0], box[1], box[0] + box[2], box[1], box[0] + box[2], box[1] + box[3], box[0],
		box[1] + box[3] };
	for (size_t i = 0; i < 8; i += 2) {
		double dx = ring[i] - x;
		double dy = ring[i + 1] - y;
		ring[i] = x + dx * cos(angle) - dy * sin(angle);
		ring[i + 1] = y + dx * sin(angle) + dy * cos(angle);
	}
	return write_polygon(j, ring, 8);
}

static bool write_box(struct shape *s, struct json *j)
{
	const struct node *list = node_get(&s->dom, s->root, "box");
	const struct node *form = node_get(&s->dom, s->root, "form");
	double degrees = node_number(node_get(&s->dom, s->root, "rotation"), 0);
	if (!read_numbers(s, list) || s->count != 4)
		return false;
	scale_points(s, 2);
	double *v = s->points;
	if (is_word(form, "xyxy")) {
		v[2] -= v[0];
		v[3] -= v[1];
	} else if (is_word(form, "cxcywh")) {
		v[0] -= v[2] / 2;
		v[1] -= v[3] / 2;
	}
	if (degrees != 0) {
		bool center = is_word(node_get(&s->dom, s->root, "pivot"), "center");
		return write_turned(j, v, degrees, v[0] + (center ? v[2] / 2 : 0), v[1] + (center ? v[3] / 2 : 0));
	}
	if (s->pixels && is_word(form, "xywh"))
		json_raw(j, "bbox", list->text);
	else
		write_extent(j, &(struct extent){ v[0], v[1], v[0] + v[2], v[1] + v[3], true });
	write_facts(j, v[2] * v[3]);
	json_open(j, "segmentation", '[');
	json_close(j, ']');
	return true;
}

static bool write_rings(struct shape *s, struct json *j)
{
	const struct node *rings = node_get_kind(&s->dom, s->root, "rings", NODE_ARRAY);
	const struct node *open = node_get(&s->dom, s->root, "open");
	struct extent e = { 0 };
	double area = 0;
	if (!rings || !rings->count || (open && open->kind == NODE_TRUE)) /* COCO has no lines */
		return false;
	for (const struct node *r = node_first(&s->dom, rings); r; r = node_next(&s->dom, rings, r)) {
		if (!read_numbers(s, r) || s->count < 6 || s->count % 2)
			return false;
		scale_points(s, 2);
		for (size_t i = 0; i < s->count; i += 2)
			include(&e, s->points[i], s->points[i + 1]);
		area += ring_area(s->points, s->count);
	}
	write_extent(j, &e);
	write_facts(j, area);
	if (s->pixels) {
		json_raw(j, "segmentation", rings->text);
		return true;
	}
	json_open(j, "segmentation", '[');
	for (const struct node *r = node_first(&s->dom, rings); r; r = node_next(&s->dom, rings, r)) {
		(void)read_numbers(s, r);
		scale_points(s, 2);
		write_ring(j, s->points, s->count);
	}
	json_close(j, ']');
	return true;
}

static bool write_ellipse(struct shape *s, struct json *j)
{
	double center[2];
	double radii[2];
	double ring[2 * ELLIPSE_CORNERS];
	const double turn = node_number(node_get(&s->dom, s->root, "rotation"), 0) * M_PI / 180;
	if (!read_numbers(s, node_get(&s->dom, s->root, "center")) || s->count != 2)
		return false;
	scale_points(s, 2);
	memcpy(center, s->points, sizeof(center));
	if (!read_numbers(s, node_get(&s->dom, s->root, "radii")) || s->count != 2)
		return false;
	scale_points(s, 2);
	memcpy(radii, s->points, sizeof(radii));
	for (size_t i = 0; i < ELLIPSE_CORNERS; i++) {
		double a = 2 * M_PI * (double)i / ELLIPSE_CORNERS;
		double x = radii[0] * cos(a);
		double y = radii[1] * sin(a);
		ring[2 * i] = center[0] + x * cos(turn) - y * sin(turn);
		ring[2 * i + 1] = center[1] + x * sin(turn) + y * cos(turn);
	}
	return write_polygon(j, ring, 2 * ELLIPSE_CORNERS);
}

static bool write_mask(struct shape *s, struct json *j)
{
	const struct node *counts = node_get(&s->dom, s->root, "counts");
	const struct node *size = node_get(&s->dom, s->root, "rle_size");
	struct rle_extent e;
	if (!counts || !is_word(node_get(&s->dom, s->root, "encoding"), "coco") || !read_numbers(s, size) || s->count != 2 ||
		!(s->points[0] >= 1 && s->points[0] < 1e9 && s->points[1] >= 1 && s->points[1] < 1e9) ||
		rle_measure(counts, (uint64_t)s->points[0], (uint64_t)s->points[1], &e) < 0)
		return false;
	json_open(j, "bbox", '[');
	json_u64(j, NULL, e.left);
	json_u64(j, NULL, e.top);
	json_u64(j, NULL, e.right - e.left);
	json_u64(j, NULL, e.bottom - e.top);
	json_close(j, ']');
	json_u64(j, "area", e.area);
	json_u64(j, "iscrowd", 0);
	json_open(j, "segmentation", '{');
	json_raw(j, "counts", node_json(counts));
	json_raw(j, "size", size->text);
	json_close(j, '}');
	return true;
}

static bool write_keypoints(struct shape *s, struct json *j)
{
	const struct node *points = node_get(&s->dom, s->root, "points");
	bool with_v = is_word(node_get(&s->dom, s->root, "form"), "xyv");
	size_t stride = with_v ? 3 : 2;
	struct extent e = { 0 };
	uint64_t visible = 0;
	if (!read_numbers(s, points) || s->count == 0 || s->count % stride)
		return false;
	scale_points(s, stride);
	for (size_t i = 0; i < s->count; i += stride) {
		if (with_v && s->points[i + 2] == 0) /* not labelled */
			continue;
		include(&e, s->points[i], s->points[i + 1]);
		visible++;
	}
	write_extent(j, &e);
	write_facts(j, (e.right - e.left) * (e.bottom - e.top));
	json_open(j, "segmentation", '[');
	json_close(j, ']');
	json_u64(j, "num_keypoints", visible);
	if (with_v && s->pixels) {
		json_raw(j, "keypoints", points->text);
		return true;
	}
	json_open(j, "keypoints", '[');
	for (size_t i = 0; i < s->count; i += stride) {
		json_double(j, NULL, s->points[i]);
		json_double(j, NULL, s->points[i + 1]);
		json_double(j, NULL, with_v ? s->points[i + 2] : 2); /* 2: labelled and visible */
	}
	json_close(j, ']');
	return true;
}

/* What one unit is in pixels; false: this unit is none of a picture's. */
static bool read_unit(struct shape *s, uint32_t width, uint32_t height)
{
	const struct node *unit = node_get(&s->dom, s->root, "unit");
	double size[2] = { width, height };
	if (read_numbers(s, node_get(&s->dom, s->root, "size")) && s->count == 2)
		memcpy(size, s->points, sizeof(size));
	double divisor = is_word(unit, "fraction") ? 1 : is_word(unit, "percent") ? 100 : 0;
	s->pixels = is_word(unit, "px");
	for (size_t i = 0; i < 2; i++)
		s->scale[i] = s->pixels ? 1 : divisor > 0 ? size[i] / divisor : 0;
	return s->scale[0] > 0 && s->scale[1] > 0;
}

bool shape_coco(struct shape *s, struct slice geometry, uint32_t width, uint32_t height, struct json *j)
{
	static const struct {
		const char *kind;
		bool (*write)(struct shape *s, struct json *j);
	} kinds[] = { { "box", write_box }, { "polygon", write_rings }, { "ellipse", write_ellipse }, { "mask", write_mask },
		{ "keypoints", write_keypoints } };
	struct dom_error ignored;
	if (dom_parse(&s->dom, geometry, &ignored) < 0)
		return false;
	s->root = dom_root(&s->dom);
	const struct node *kind = node_get(&s->dom, s->root, "kind");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_word(kind, kinds[i].kind))
			return read_unit(s, width, height) && kinds[i].write(s, j);
	return false;
}
