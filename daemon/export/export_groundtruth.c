/* export_groundtruth.c - SageMaker Ground Truth's augmented manifest: a line an entry, with the answers that it came with as
 * they came, less what does not stand any more, and one of Inlet's own for classes and one for boxes:
 *
 *   {"source-ref":"s3://…","label":0,"label-metadata":{…},"label-boxes":{"image_size":[…],"annotations":[…]},
 *    "label-boxes-metadata":{…}}
 *
 * Polygons, masks, points and spans of Inlet's own cannot be said. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/export/box.h"
#include "daemon/export/entry.h"

#include <stdlib.h>

struct truth {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	struct shape *shape;
	const struct item_full *it;
	bool *done;              /* [labels] told, or given up */
	bool *stands;            /* [total] of the answer at hand */
	size_t done_room, stands_room;
	char **classes;          /* by number, as they were first seen */
	size_t class_count, class_room;
};

static void *truth_open(const struct export_options *o, struct export_left *left)
{
	struct truth *g = mem_zero(1, sizeof(*g));
	g->options = o;
	g->left = left;
	g->shape = shape_new();
	return g;
}

static void truth_close(void *state)
{
	struct truth *g = state;
	entry_done(&g->entry);
	shape_free(g->shape);
	free(g->done);
	free(g->stands);
	for (size_t i = 0; i < g->class_count; i++)
		free(g->classes[i]);
	free(g->classes);
	free(g);
}

/* ---- answers as they came ---- */

#define SUFFIX "-metadata"

static const struct dom *said(const struct truth *g)
{
	return &g->entry.said_dom;
}

/* Is each element of a list in it a label? Any other answer is one label, whatever its value is. */
static bool is_of_lists(const struct truth *g, const struct node *metadata)
{
	static const char *const types[] = { "groundtruth/object-detection", "groundtruth/image-classification-multilabel",
		"groundtruth/text-classification-multilabel", "groundtruth/text-span" };
	const struct node *type = node_get_kind(said(g), metadata, "type", NODE_STRING);
	for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++)
		if (slice_eq(type->text, slice_of(types[i])))
			return true;
	return false;
}

/* The list of which each element is a label; NULL: there is none. */
static const struct node *list_of(const struct truth *g, const struct node *value)
{
	const struct node *annotations = node_get(said(g), value, "annotations");
	const struct node *entities = node_get_kind(said(g), annotations, "entities", NODE_ARRAY);
	if (value->kind == NODE_ARRAY)
		return value;
	return entities ? entities : annotations && annotations->kind == NODE_ARRAY ? annotations : NULL;
}

/* Marks labels of this answer as told, and which of its elements they are. Returns how many. */
static size_t find_standing(struct truth *g, struct slice name, size_t total)
{
	size_t n = 0;
	if (g->stands_room < total) {
		g->stands_room = total;
		g->stands = mem_resize(g->stands, total, sizeof(*g->stands));
	}
	for (size_t i = 0; i < total; i++)
		g->stands[i] = false;
	for (size_t i = 0; i < g->it->annotation_count; i++) {
		const struct node *a = entry_label(&g->entry, &g->it->annotations[i]);
		const struct node *attribute = a ? node_get_kind(&g->entry.label_dom, a, "attribute", NODE_STRING) : NULL;
		double at = a ? node_number(node_get(&g->entry.label_dom, a, "n"), -1) : -1;
		if (!slice_eq(node_scalar(attribute, &g->entry.arena), name) || !(at >= 0))
			continue;
		g->done[i] = true;
		n++;
		if (at < (double)total)
			g->stands[(size_t)at] = true;
	}
	return n;
}

static void put_standing(const struct truth *g, const struct node *list, struct json *j)
{
	size_t i = 0;
	json_open(j, NULL, '[');
	for (const struct node *n = node_first(said(g), list); n; n = node_next(said(g), list, n))
		if (g->stands[i++])
			json_raw(j, NULL, node_json(n));
	json_close(j, ']');
}

/* A copy in which the lists that go by labels have those that stand. */
static void put_some(const struct truth *g, const struct node *n, size_t total, struct json *j)
{
	static const char *const by_label[] = { "annotations", "objects", "entities" };
	if (n->kind == NODE_ARRAY && n->count == total) {
		put_standing(g, n, j);
		return;
	}
	if (n->kind != NODE_OBJECT) {
		json_raw(j, NULL, node_json(n));
		return;
	}
	json_open(j, NULL, '{');
	for (const struct node *e = node_first(said(g), n); e; e = node_next(said(g), n, e)) {
		bool inside = false;
		for (size_t i = 0; i < 3; i++)
			inside = inside || node_name_is(e, by_label[i]);
		if (!inside) {
			node_write(e, j);
			continue;
		}
		if (j->comma)
			buf_char(j->to, ',');
		buf_printf(j->to, "\"%.*s\":", (int)e->name.len, e->name.p);
		j->comma = false;
		put_some(g, e, total, j);
		j->comma = true;
	}
	json_close(j, '}');
}

static void put_answer(struct truth *g, const struct node *value, const struct node *metadata, struct json *j)
{
	bool by_list = is_of_lists(g, metadata);
	const struct node *list = by_list ? list_of(g, value) : NULL;
	size_t total = list ? list->count : 0;
	size_t standing = find_standing(g, node_name(value, &g->entry.arena), total);
	if (by_list ? standing >= total : standing > 0) { /* a list that is not there had no labels that could have gone */
		node_write(value, j);
		node_write(metadata, j);
	} else if (standing > 0) {
		const struct node *both[] = { value, metadata };
		for (size_t i = 0; i < 2; i++) {
			buf_printf(j->to, "%s\"%.*s\":", j->comma ? "," : "", (int)both[i]->name.len, both[i]->name.p);
			j->comma = false;
			put_some(g, both[i], total, j);
			j->comma = true;
		}
	}
}

/* Value and metadata lie side by side, the value first. */
static void put_answers(struct truth *g, const struct node *answers, struct json *j)
{
	const struct node *value = NULL;
	for (const struct node *n = answers ? node_first(said(g), answers) : NULL; n; n = node_next(said(g), answers, n)) {
		if (value)
			put_answer(g, value, n, j);
		value = value ? NULL : n;
	}
}

/* ---- labels that came otherwise ---- */

static size_t class_number(struct truth *g, struct slice concept)
{
	for (size_t i = 0; i < g->class_count; i++)
		if (slice_eq(slice_of(g->classes[i]), concept))
			return i;
	if (g->class_count == g->class_room) {
		g->class_room = g->class_room ? 2 * g->class_room : 64;
		g->classes = mem_resize(g->classes, g->class_room, sizeof(*g->classes));
	}
	g->classes[g->class_count] = mem_strndup(concept.p, concept.len);
	return g->class_count++;
}

/* An accepted label without a confidence has the whole of it: the format wants one. */
static double confidence_of(const struct annotation *a)
{
	return a->confidence >= 0 ? a->confidence : 1;
}

/* One label by its place, the next that is not told yet and is of this kind; false: there is none. */
static bool next_of(const struct truth *g, bool whole, size_t *at)
{
	while (*at < g->it->annotation_count && (g->done[*at] || (g->it->annotations[*at].geometry.len == 0) != whole))
		(*at)++;
	return *at < g->it->annotation_count;
}

static void put_maker(const struct truth *g, bool whole, const char *type, struct json *j)
{
	bool human = true;
	int64_t time_ms = 0;
	for (size_t i = 0; next_of(g, whole, &i); i++) {
		const struct annotation *a = &g->it->annotations[i];
		human = human && (a->maker == BY_HUMAN || (a->worker.len > 5 && memcmp(a->worker.p, "user:", 5) == 0));
		time_ms = a->time_ms > time_ms ? a->time_ms : time_ms;
	}
	json_str(j, "type", slice_of(type));
	json_str(j, "human-annotated", slice_of(human ? "yes" : "no"));
	time_json(j, "creation-date", time_ms);
	json_str(j, "job-name", SLICE_LIT("inlet"));
}

static void put_map(struct truth *g, bool whole, struct json *j)
{
	json_open(j, "class-map", '{');
	for (size_t i = 0; next_of(g, whole, &i); i++) {
		struct slice concept = g->it->annotations[i].concept;
		bool before = false;
		for (size_t k = 0; next_of(g, whole, &k) && k < i; k++)
			before = before || slice_eq(g->it->annotations[k].concept, concept);
		const char *number = arena_printf(&g->entry.arena, "%zu", class_number(g, concept)).p;
		if (!before)
			json_str(j, number, concept);
	}
	json_close(j, '}');
}

static void put_classes(struct truth *g, const char *name, size_t count, struct json *j)
{
	bool text = g->entry.media == MEDIA_TEXT;
	struct arena *arena = &g->entry.arena;
	size_t first = 0;
	(void)next_of(g, true, &first);
	const struct annotation *one = &g->it->annotations[first];
	const char *metadata = arena_printf(arena, "%s" SUFFIX, name).p;
	if (count == 1) {
		json_u64(j, name, class_number(g, one->concept));
		json_open(j, metadata, '{');
		json_str(j, "class-name", one->concept);
		json_double(j, "confidence", confidence_of(one));
		put_maker(g, true, text ? "groundtruth/text-classification" : "groundtruth/image-classification", j);
		json_close(j, '}');
		return;
	}
	json_open(j, name, '[');
	for (size_t i = 0; next_of(g, true, &i); i++)
		json_u64(j, NULL, class_number(g, g->it->annotations[i].concept));
	json_close(j, ']');
	json_open(j, metadata, '{');
	put_map(g, true, j);
	json_open(j, "confidence-map", '{');
	for (size_t i = 0; next_of(g, true, &i); i++) {
		const struct annotation *a = &g->it->annotations[i];
		json_double(j, arena_printf(arena, "%zu", class_number(g, a->concept)).p, confidence_of(a));
	}
	json_close(j, '}');
	put_maker(g, true, text ? "groundtruth/text-classification-multilabel" : "groundtruth/image-classification-multilabel", j);
	json_close(j, '}');
}

static bool box_of(struct truth *g, const struct annotation *a, struct slice v[4])
{
	return box_read(g->shape, a->geometry, &g->it->item, BOX_XYWH, BOX_PIXELS, true, &g->entry.arena, v);
}

static void put_boxes(struct truth *g, const char *name, struct json *j)
{
	static const char *const sides[] = { "left", "top", "width", "height" };
	const struct shape_frame f = shape_frame(g->shape, &g->it->item);
	struct slice v[4];
	json_open(j, name, '{');
	json_open(j, "image_size", '[');
	if (f.width > 0) {
		json_open(j, NULL, '{');
		json_double(j, "width", f.width);
		json_double(j, "height", f.height);
		json_u64(j, "depth", 3);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "annotations", '[');
	for (size_t i = 0; next_of(g, false, &i); i++) {
		if (!box_of(g, &g->it->annotations[i], v))
			continue;
		json_open(j, NULL, '{');
		json_u64(j, "class_id", class_number(g, g->it->annotations[i].concept));
		for (size_t k = 0; k < 4; k++)
			json_raw(j, sides[k], v[k]);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	json_open(j, arena_printf(&g->entry.arena, "%s" SUFFIX, name).p, '{');
	json_open(j, "objects", '[');
	for (size_t i = 0; next_of(g, false, &i); i++) {
		json_open(j, NULL, '{');
		json_double(j, "confidence", confidence_of(&g->it->annotations[i]));
		json_close(j, '}');
	}
	json_close(j, ']');
	put_map(g, false, j);
	put_maker(g, false, "groundtruth/object-detection", j);
	json_close(j, '}');
}

/* A name that no answer has. */
static const char *free_name(struct truth *g, const struct node *answers, const char *suffix)
{
	const char *name = arena_printf(&g->entry.arena, "%s%s", g->options->attribute ? g->options->attribute : "label", suffix).p;
	while (answers && node_get(said(g), answers, name))
		name = arena_printf(&g->entry.arena, "%s-more", name).p;
	return name;
}

static void put_own(struct truth *g, const struct node *answers, struct json *j)
{
	struct slice v[4];
	size_t classes = 0;
	size_t boxes = 0;
	for (size_t i = 0; next_of(g, true, &i); i++) { /* what several references say of the whole is one class */
		for (size_t k = 0; k < i && !g->done[i]; k++)
			g->done[i] = !g->done[k] && g->it->annotations[k].geometry.len == 0 &&
				slice_eq(g->it->annotations[k].concept, g->it->annotations[i].concept);
		classes += !g->done[i];
	}
	for (size_t i = 0; next_of(g, false, &i); i++) {
		bool said_as_box = box_of(g, &g->it->annotations[i], v);
		boxes += said_as_box;
		g->left->labels += !said_as_box;
		g->done[i] = !said_as_box;
	}
	if (classes)
		put_classes(g, free_name(g, answers, ""), classes, j);
	if (boxes)
		put_boxes(g, free_name(g, answers, "-boxes"), j);
}

static int truth_add(void *state, const struct item_full *it, struct buf *to, struct err *err)
{
	struct truth *g = state;
	struct entry *e = &g->entry;
	g->it = it;
	if (entry_read(e, g->options, it, err) < 0)
		return -1;
	int told = e->at == ROW_TEXT ? entry_text(e, g->options, &it->item, err) : e->at != 0;
	if (told <= 0) {
		g->left->items++;
		return told;
	}
	if (g->done_room < it->annotation_count) {
		g->done_room = it->annotation_count;
		g->done = mem_resize(g->done, g->done_room, sizeof(*g->done));
	}
	for (size_t i = 0; i < it->annotation_count; i++)
		g->done[i] = false;
	const struct node *spelled = e->said ? node_get_kind(said(g), e->said, "source-ref", NODE_STRING) : NULL;
	const struct node *answers = e->said ? node_get_kind(said(g), e->said, "answers", NODE_OBJECT) : NULL;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, e->at == ROW_TEXT ? "source" : "source-ref", spelled ? node_string(spelled, &e->arena) : e->where);
	put_answers(g, answers, &j);
	put_own(g, answers, &j);
	members_raw(e->metadata, &j);
	json_close(&j, '}');
	buf_char(to, '\n');
	return 0;
}

const struct format_ops format_groundtruth = { .type = "application/jsonl", .file_name = "output.manifest", .list = true,
	.open = truth_open, .add = truth_add, .close = truth_close };
