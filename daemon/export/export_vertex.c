/* export_vertex.c - Vertex AI's import JSON lines: images, videos and texts in gs:// buckets, or text in the line.
 *
 * A row that came as one says in its attributes which members it had, and a label in which one it stood; others stand where
 * their shape belongs. What is not in a bucket of Google's is left out, unless its row named it that way. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/export/box.h"
#include "daemon/export/entry.h"

#include <stdlib.h>

struct vertex {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	struct shape *shape;
	struct dom metadata;
	const struct item_full *it;
	struct slice *members;   /* [labels] the member that each stands in; empty: none, or written */
	size_t room;
};

static void *vertex_open(const struct export_options *o, struct export_left *left)
{
	struct vertex *x = mem_zero(1, sizeof(*x));
	x->options = o;
	x->left = left;
	x->shape = shape_new();
	return x;
}

static void vertex_close(void *state)
{
	struct vertex *x = state;
	entry_done(&x->entry);
	dom_done(&x->metadata);
	shape_free(x->shape);
	free(x->members);
	free(x);
}

#define ONE_CLASS SLICE_LIT("classificationAnnotation")
#define CLASSES SLICE_LIT("classificationAnnotations")

static const struct node *said_members(const struct vertex *x)
{
	return x->entry.said ? node_get_kind(&x->entry.said_dom, x->entry.said, "members", NODE_OBJECT) : NULL;
}

static bool is_said(const struct vertex *x, struct slice name)
{
	const struct node *members = said_members(x);
	for (const struct node *n = members ? node_first(&x->entry.said_dom, members) : NULL; n;
		n = node_next(&x->entry.said_dom, members, n))
		if (slice_eq(n->name, name))
			return true;
	return false;
}

/* Where a label that came with no member of its own belongs; empty: nowhere. */
static struct slice usual_member(struct vertex *x, const struct annotation *a)
{
	struct slice v[4];
	if (a->geometry.len == 0)
		return is_said(x, CLASSES) ? CLASSES : ONE_CLASS;
	if (shape_parse(x->shape, a->geometry) && shape_member_is(x->shape, "kind", "span") && shape_member_is(x->shape, "unit", "character"))
		return SLICE_LIT("textSegmentAnnotations");
	if (shape_parse(x->shape, a->geometry) && shape_member_is(x->shape, "kind", "range") && shape_member_is(x->shape, "unit", "s"))
		return SLICE_LIT("timeSegmentAnnotations");
	bool box = box_read(x->shape, a->geometry, &x->it->item, BOX_XYXY, BOX_FRACTION, false, &x->entry.arena, v);
	return box ? SLICE_LIT("boundingBoxAnnotations") : (struct slice){ 0 };
}

static void place_labels(struct vertex *x)
{
	if (x->room < x->it->annotation_count) {
		x->room = x->it->annotation_count;
		x->members = mem_resize(x->members, x->room, sizeof(*x->members));
	}
	for (size_t i = 0; i < x->it->annotation_count; i++) {
		const struct annotation *a = &x->it->annotations[i];
		const struct node *said = entry_label(&x->entry, a);
		const struct node *member = said ? node_get_kind(&x->entry.label_dom, said, "member", NODE_STRING) : NULL;
		struct slice name = node_scalar(member, &x->entry.arena);
		bool own = name.len && is_said(x, name);
		x->members[i] = own ? arena_copy(&x->entry.arena, name) : usual_member(x, a);
		x->left->labels += x->members[i].len == 0;
	}
}

static void put_number(struct json *j, const char *name, const struct node *n)
{
	if (n)
		json_raw(j, name, node_json(n));
}

/* 3.5 as "3.5s". */
static void put_seconds(struct json *j, const char *name, const struct node *n, struct arena *a)
{
	if (n)
		json_str(j, name, arena_printf(a, "%.*ss", (int)n->text.len, n->text.p));
}

static void put_shape(struct vertex *x, const struct annotation *a, struct json *j)
{
	static const char *const names[] = { "xMin", "yMin", "xMax", "yMax" };
	struct arena *arena = &x->entry.arena;
	struct slice v[4];
	if (box_read(x->shape, a->geometry, &x->it->item, BOX_XYXY, BOX_FRACTION, false, arena, v)) {
		for (size_t i = 0; i < 4; i++)
			json_raw(j, names[i], v[i]);
		put_seconds(j, "timeOffset", shape_member(x->shape, "time"), arena);
		const struct node *instance = shape_member(x->shape, "instance");
		if (instance)
			json_str(j, "instanceId", node_scalar(instance, arena));
		return;
	}
	(void)shape_parse(x->shape, a->geometry);
	if (shape_member_is(x->shape, "kind", "span")) {
		put_number(j, "startOffset", shape_member(x->shape, "start"));
		put_number(j, "endOffset", shape_member(x->shape, "end"));
	} else if (shape_member_is(x->shape, "kind", "range")) {
		put_seconds(j, "startTime", shape_member(x->shape, "start"), arena);
		put_seconds(j, "endTime", shape_member(x->shape, "end"), arena);
	}
}

static void put_label(struct vertex *x, const struct annotation *a, struct json *j)
{
	const struct node *said = entry_label(&x->entry, a);
	const struct dom *t = &x->entry.label_dom;
	bool sentiment = said && node_get(t, said, "sentiment");
	const struct node *as = said ? node_get_kind(t, said, "as", NODE_OBJECT) : NULL;
	json_open(j, NULL, '{');
	if (!sentiment)
		json_str(j, "displayName", a->concept);
	for (const struct node *n = as ? node_first(t, as) : NULL; n; n = node_next(t, as, n))
		node_write(n, j);
	if (a->geometry.len && !as)
		put_shape(x, a, j);
	for (const struct node *n = said ? node_first(t, said) : NULL; n; n = node_next(t, said, n))
		if (!node_name_is(n, "member") && n != as)
			node_write(n, j);
	json_close(j, '}');
}

/* All labels that stand in one member, which is a list unless it came as one and is one. */
static void put_member(struct vertex *x, struct slice name, bool one, struct json *j)
{
	size_t count = 0;
	for (size_t i = 0; i < x->it->annotation_count; i++)
		count += slice_eq(x->members[i], name);
	if (one && count == 0)
		return;
	bool list = !one || count > 1;
	json_str(j, NULL, one && count > 1 ? arena_printf(&x->entry.arena, "%.*ss", (int)name.len, name.p) : name);
	buf_char(j->to, ':');
	j->comma = false;
	if (list)
		json_open(j, NULL, '[');
	for (size_t i = 0; i < x->it->annotation_count; i++) {
		if (!slice_eq(x->members[i], name))
			continue;
		put_label(x, &x->it->annotations[i], j);
		x->members[i] = (struct slice){ 0 };
	}
	if (list)
		json_close(j, ']');
	j->comma = true;
}

static void put_labels(struct vertex *x, struct json *j)
{
	const struct node *said = said_members(x);
	const struct dom *t = &x->entry.said_dom;
	place_labels(x);
	for (const struct node *n = said ? node_first(t, said) : NULL; n; n = node_next(t, said, n))
		put_member(x, node_name(n, &x->entry.arena), slice_eq(n->text, SLICE_LIT("one")), j);
	for (size_t i = 0; i < x->it->annotation_count; i++)
		if (x->members[i].len)
			put_member(x, x->members[i], slice_eq(x->members[i], ONE_CLASS), j);
}

#define RESOURCES "dataItemResourceLabels"

/* The split is one of the item's labels of resources; a row that had more of them carries all in its metadata. */
static void put_facts(struct vertex *x, struct json *j)
{
	static const char *const uses[][2] = { { "train", "training" }, { "val", "validation" }, { "test", "test" } };
	struct dom_error ignored;
	const struct entry *e = &x->entry;
	bool there = false;
	if (e->metadata.len && dom_parse(&x->metadata, e->metadata, &ignored) == 0) {
		there = node_get(&x->metadata, dom_root(&x->metadata), RESOURCES) != NULL;
		members_write(&x->metadata, dom_root(&x->metadata), j);
	}
	for (size_t i = 0; i < 3 && !there; i++) {
		if (!slice_eq(e->split, slice_of(uses[i][0])))
			continue;
		json_open(j, RESOURCES, '{');
		json_str(j, "aiplatform.googleapis.com/ml_use", slice_of(uses[i][1]));
		json_close(j, '}');
	}
}

static const char *content_member(const struct entry *e)
{
	if (e->at == ROW_TEXT)
		return "textContent";
	if (e->at != ROW_GS && !e->listed)
		return NULL;
	return e->media == MEDIA_IMAGE ? "imageGcsUri" : e->media == MEDIA_VIDEO ? "videoGcsUri" :
		e->media == MEDIA_TEXT ? "textGcsUri" : NULL;
}

static int vertex_add(void *state, const struct item_full *it, struct buf *to, struct err *err)
{
	struct vertex *x = state;
	struct entry *e = &x->entry;
	x->it = it;
	if (entry_read(e, x->options, it, err) < 0)
		return -1;
	const char *member = content_member(e);
	int told = e->at == ROW_TEXT ? entry_text(e, x->options, &it->item, err) : member != NULL;
	if (told <= 0) {
		x->left->items++;
		return told;
	}
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, member, e->where);
	put_labels(x, &j);
	put_facts(x, &j);
	json_close(&j, '}');
	buf_char(to, '\n');
	return 0;
}

const struct format_ops format_vertex = { .type = "application/jsonl", .file_name = "vertex.jsonl", .list = true,
	.open = vertex_open, .add = vertex_add, .close = vertex_close };
