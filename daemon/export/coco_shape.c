/* coco_shape.c - boxes, polygons, run lengths and keypoints in COCO's words. */
#include "daemon/export/coco_shape.h"

#include <math.h>

static void put_numbers(struct json *j, const char *name, const double *p, size_t count)
{
	json_open(j, name, '[');
	for (size_t i = 0; i < count; i++)
		json_double(j, NULL, p[i]);
	json_close(j, ']');
}

/* Of a ring; holes and windings do not count. */
static double ring_area(const struct shape_ring *r)
{
	double twice = 0;
	for (size_t i = 0; i + 1 < r->count; i += 2) {
		size_t k = i + 3 < r->count ? i + 2 : 0;
		twice += r->points[i] * r->points[k + 1] - r->points[k] * r->points[i + 1];
	}
	return fabs(twice) / 2;
}

static void put_facts(struct json *j, double area)
{
	json_double(j, "area", area);
	json_u64(j, "iscrowd", 0);
}

static void put_no_segmentation(struct json *j)
{
	json_open(j, "segmentation", '[');
	json_close(j, ']');
}

static void put_box(const struct shape *s, const struct shape_out *o, struct json *j)
{
	if (o->as_came)
		json_raw(j, "bbox", shape_member(s, "box")->text);
	else
		put_numbers(j, "bbox", o->box, 4);
	put_facts(j, o->box[2] * o->box[3]);
	put_no_segmentation(j);
}

static void put_rings(const struct shape *s, const struct shape_out *o, struct json *j)
{
	double area = 0;
	double cover[4] = { o->box[0], o->box[1], o->box[2], o->box[3] };
	if (o->kind == SHAPE_TURNED_BOX) { /* its box is the one before it was turned */
		double right = cover[0] = o->rings[0].points[0];
		double bottom = cover[1] = o->rings[0].points[1];
		for (size_t i = 0; i < 8; i += 2) {
			cover[0] = fmin(cover[0], o->rings[0].points[i]);
			cover[1] = fmin(cover[1], o->rings[0].points[i + 1]);
			right = fmax(right, o->rings[0].points[i]);
			bottom = fmax(bottom, o->rings[0].points[i + 1]);
		}
		cover[2] = right - cover[0];
		cover[3] = bottom - cover[1];
	}
	for (size_t i = 0; i < o->ring_count; i++)
		area += ring_area(&o->rings[i]);
	put_numbers(j, "bbox", cover, 4);
	put_facts(j, area);
	if (o->kind == SHAPE_RINGS && o->as_came) {
		json_raw(j, "segmentation", shape_member(s, "rings")->text);
		return;
	}
	json_open(j, "segmentation", '[');
	for (size_t i = 0; i < o->ring_count; i++)
		put_numbers(j, NULL, o->rings[i].points, o->rings[i].count);
	json_close(j, ']');
}

static void put_run_lengths(const struct shape_out *o, struct json *j)
{
	json_open(j, "segmentation", '{');
	json_raw(j, "counts", node_json(o->counts));
	json_raw(j, "size", node_json(o->rle_size));
	json_close(j, '}');
}

static void put_mask(const struct shape_out *o, struct json *j)
{
	put_numbers(j, "bbox", o->box, 4);
	json_u64(j, "area", o->area);
	json_u64(j, "iscrowd", 0);
	put_run_lengths(o, j);
}

static void put_keypoints(const struct shape *s, const struct shape_out *o, struct json *j)
{
	uint64_t labelled = 0;
	for (size_t i = 0; i < o->point_count; i++)
		labelled += o->points[3 * i + 2] != 0;
	put_numbers(j, "bbox", o->box, 4);
	put_facts(j, o->box[2] * o->box[3]);
	put_no_segmentation(j);
	json_u64(j, "num_keypoints", labelled);
	if (o->as_came)
		json_raw(j, "keypoints", shape_member(s, "points")->text);
	else
		put_numbers(j, "keypoints", o->points, 3 * o->point_count);
}

bool coco_shape(struct shape *s, struct slice geometry, const struct shape_frame *frame, struct json *j)
{
	struct shape_out o;
	if (!shape_read(s, geometry, frame, &o) || o.kind == SHAPE_LINE) /* COCO has no lines */
		return false;
	switch (o.kind) {
	case SHAPE_BOX: put_box(s, &o, j); break;
	case SHAPE_MASK: put_mask(&o, j); break;
	case SHAPE_KEYPOINTS: put_keypoints(s, &o, j); break;
	case SHAPE_TURNED_BOX:
	case SHAPE_RINGS:
	case SHAPE_ELLIPSE:
	case SHAPE_LINE: put_rings(s, &o, j); break;
	}
	return true;
}

void coco_shape_as_came(struct shape *s, struct slice geometry, struct json *j)
{
	if (!shape_parse(s, geometry))
		return;
	const struct node *box = shape_member(s, "box");
	const struct node *rings = shape_member(s, "rings");
	const struct node *points = shape_member(s, "points");
	const struct node *counts = shape_member(s, "counts");
	const struct node *size = shape_member(s, "rle_size");
	if (box)
		json_raw(j, "bbox", node_json(box));
	else if (rings)
		json_raw(j, "segmentation", node_json(rings));
	else if (points)
		json_raw(j, "keypoints", node_json(points));
	else if (counts && size)
		put_run_lengths(&(struct shape_out){ .counts = counts, .rle_size = size }, j);
}
