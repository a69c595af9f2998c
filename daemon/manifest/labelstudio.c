/* labelstudio.c - Label Studio's result types, and what geometry each has.
 *
 *   {"id","from_name","to_name","type","original_width","original_height","image_rotation","score","value":{…}}
 *
 * Its CSV and JSON-MIN exports have regions: the members of value, with original_width and original_height among them. */
#include "daemon/manifest/labelstudio.h"

#include "daemon/manifest/objects.h"

/* Members of value that hold the words of a result, by what the control is called. */
static const char *const word_members[] = { "rectanglelabels", "polygonlabels", "keypointlabels", "ellipselabels",
	"brushlabels", "bitmasklabels", "vectorlabels", "choices", "hypertextlabels", "paragraphlabels", "timeserieslabels",
	"timelinelabels", "videolabels", "labels", NULL };

static bool all_words(struct manifest *m, const struct node *list)
{
	for (const struct node *n = node_first(&m->dom, list); n; n = node_next(&m->dom, list, n))
		if (n->kind != NODE_STRING || n->text.len == 0)
			return false;
	return true;
}

static const struct node *words_of(struct manifest *m, const struct node *value)
{
	for (size_t i = 0; word_members[i]; i++) {
		const struct node *n = node_get_kind(&m->dom, value, word_members[i], NODE_ARRAY);
		if (n && n->count && all_words(m, n))
			return n;
	}
	return NULL;
}

static bool has(struct manifest *m, const struct node *value, const char *name)
{
	const struct node *n = node_get(&m->dom, value, name);
	return n && n->kind != NODE_NULL;
}

static bool has_numbers(struct manifest *m, const struct node *value, const char *const *names)
{
	for (; *names; names++)
		if (!node_get_kind(&m->dom, value, *names, NODE_NUMBER))
			return false;
	return true;
}

static void number(struct manifest *m, struct json *j, const char *name, const struct node *value, const char *member)
{
	const struct node *n = node_get_kind(&m->dom, value, member, NODE_NUMBER);
	json_raw(j, name, n ? n->text : SLICE_LIT("0"));
}

static void begin(struct manifest *m, struct json *j, const char *kind, const char *unit, const struct node *result)
{
	const struct node *width = node_get_kind(&m->dom, result, "original_width", NODE_NUMBER);
	const struct node *height = node_get_kind(&m->dom, result, "original_height", NODE_NUMBER);
	json_open(j, NULL, '{');
	json_str(j, "kind", slice_of(kind));
	if (unit)
		json_str(j, "unit", slice_of(unit));
	if (unit && strcmp(unit, "percent") == 0)
		json_str(j, "frame", SLICE_LIT("upright"));
	if (width && height) {
		json_open(j, "size", '[');
		json_raw(j, NULL, width->text);
		json_raw(j, NULL, height->text);
		json_close(j, ']');
	}
}

static void rotation(struct manifest *m, struct json *j, const struct node *value, const char *pivot)
{
	const struct node *n = node_get_kind(&m->dom, value, "rotation", NODE_NUMBER);
	if (!n)
		return;
	json_raw(j, "rotation", n->text);
	if (pivot)
		json_str(j, "pivot", slice_of(pivot));
}

static void write_box(struct manifest *m, struct json *j, const struct node *value)
{
	json_str(j, "form", SLICE_LIT("xywh"));
	json_open(j, "box", '[');
	number(m, j, NULL, value, "x");
	number(m, j, NULL, value, "y");
	number(m, j, NULL, value, "width");
	number(m, j, NULL, value, "height");
	json_close(j, ']');
	rotation(m, j, value, "corner");
}

/* [[x,y],…] as one ring. */
static void write_polygon(struct manifest *m, struct json *j, const struct node *value)
{
	const struct node *points = node_get(&m->dom, value, "points");
	json_open(j, "rings", '[');
	json_open(j, NULL, '[');
	for (const struct node *p = node_first(&m->dom, points); p; p = node_next(&m->dom, points, p))
		for (const struct node *n = p->kind == NODE_ARRAY ? node_first(&m->dom, p) : NULL; n;
			n = node_next(&m->dom, p, n))
			json_raw(j, NULL, node_json(n));
	json_close(j, ']');
	json_close(j, ']');
}

static void write_ellipse(struct manifest *m, struct json *j, const struct node *value)
{
	json_open(j, "center", '[');
	number(m, j, NULL, value, "x");
	number(m, j, NULL, value, "y");
	json_close(j, ']');
	json_open(j, "radii", '[');
	number(m, j, NULL, value, "radiusX");
	number(m, j, NULL, value, "radiusY");
	json_close(j, ']');
	rotation(m, j, value, NULL);
}

static void write_range(struct manifest *m, struct json *j, const struct node *value)
{
	number(m, j, "start", value, "start");
	number(m, j, "end", value, "end");
}

static void write_span(struct manifest *m, struct json *j, const struct node *value)
{
	write_range(m, j, value);
	const struct node *text = node_get_kind(&m->dom, value, "text", NODE_STRING);
	if (text)
		json_raw(j, "text", node_json(text));
}

/* A value that has no shape of ours travels as it is: hypertext by XPath, paragraphs, transcripts, ratings. */
static void write_other(struct json *j, const struct node *value, struct slice type)
{
	json_str(j, "type", type);
	if (value)
		json_raw(j, "value", value->text);
}

/* ---- which shape a value has ---- */

static bool is_track(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	return node_get_kind(&m->dom, value, "sequence", NODE_ARRAY);
}

static void write_track(struct manifest *m, struct json *j, const struct node *value)
{
	json_raw(j, "sequence", node_get(&m->dom, value, "sequence")->text);
}

static bool is_mask(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	return node_get_kind(&m->dom, value, "rle", NODE_ARRAY);
}

static void write_mask(struct manifest *m, struct json *j, const struct node *value)
{
	json_str(j, "encoding", SLICE_LIT("labelstudio"));
	json_raw(j, "counts", node_get(&m->dom, value, "rle")->text);
}

static bool is_polygon(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	const struct node *points = node_get_kind(&m->dom, value, "points", NODE_ARRAY);
	const struct node *first = points ? node_first(&m->dom, points) : NULL;
	for (const struct node *p = first; p; p = node_next(&m->dom, points, p))
		if (p->kind != NODE_ARRAY || p->count != 2)
			return false;
	return first != NULL;
}

static bool is_ellipse(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	return has_numbers(m, value, (const char *const[]){ "x", "y", "radiusX", "radiusY", NULL });
}

static bool is_keypoint(struct manifest *m, const struct node *value, struct slice type)
{
	return (slice_eq(type, SLICE_LIT("keypointlabels")) || slice_eq(type, SLICE_LIT("keypoint"))) &&
		has_numbers(m, value, (const char *const[]){ "x", "y", NULL });
}

static void write_keypoint(struct manifest *m, struct json *j, const struct node *value)
{
	json_str(j, "form", SLICE_LIT("xy"));
	json_open(j, "points", '[');
	number(m, j, NULL, value, "x");
	number(m, j, NULL, value, "y");
	json_close(j, ']');
}

static bool is_box(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	return has_numbers(m, value, (const char *const[]){ "x", "y", "width", "height", NULL });
}

/* An audio region says which channel; a text span does not. */
static bool is_range(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	return has_numbers(m, value, (const char *const[]){ "start", "end", NULL }) && has(m, value, "channel");
}

static bool is_span(struct manifest *m, const struct node *value, struct slice type)
{
	(void)type;
	const struct node *text = node_get(&m->dom, value, "text");
	return has_numbers(m, value, (const char *const[]){ "start", "end", NULL }) && !has(m, value, "startOffset") &&
		(!text || text->kind == NODE_STRING);
}

/* In this order: an ellipse has a box's x and y, an audio region a span's ends. */
static const struct shape {
	const char *kind, *unit;
	bool (*is)(struct manifest *m, const struct node *value, struct slice type);
	void (*write)(struct manifest *m, struct json *j, const struct node *value);
	const char *known[6];        /* members of value that the geometry says */
} shapes[] = {
	{ "track", "percent", is_track, write_track, { "sequence" } },
	{ "mask", "px", is_mask, write_mask, { "rle" } },
	{ "polygon", "percent", is_polygon, write_polygon, { "points" } },
	{ "ellipse", "percent", is_ellipse, write_ellipse, { "x", "y", "radiusX", "radiusY", "rotation" } },
	{ "keypoints", "percent", is_keypoint, write_keypoint, { "x", "y" } },
	{ "box", "percent", is_box, write_box, { "x", "y", "width", "height", "rotation" } },
	{ "range", "s", is_range, write_range, { "start", "end" } },
	{ "span", "character", is_span, write_span, { "start", "end", "text" } },
};

static bool is_one_of(const struct node *n, const char *const *names, size_t max)
{
	for (size_t i = 0; i < max && names[i]; i++)
		if (node_name_is(n, names[i]))
			return true;
	return false;
}

static const char *const sizes[] = { "original_width", "original_height" };

/* Members of value that neither the geometry nor the words say. sized: the sizes are among them. */
static void write_rest_of_value(struct manifest *m, struct json *j, const struct node *value, const struct shape *shape,
	const struct node *words, bool sized)
{
	bool open = false;
	for (const struct node *n = node_first(&m->dom, value); n; n = node_next(&m->dom, value, n)) {
		if (n == words || (shape && is_one_of(n, shape->known, 6)) || (sized && is_one_of(n, sizes, 2)))
			continue;
		if (!open)
			json_open(j, "value", '{');
		open = true;
		node_write(n, j);
	}
	if (open)
		json_close(j, '}');
}

/* "of": where the label stood (word -1: the result has none), and under which name its words were, where that is not the type. */
static void write_origin(struct json *j, const struct result_origin *origin, int64_t word, const struct node *words, struct slice type)
{
	json_open(j, "of", '{');
	json_str(j, "list", slice_of(origin->list));
	json_u64(j, "index", origin->index);
	json_u64(j, "result", origin->result);
	json_i64(j, "word", word);
	if (words && !slice_eq(words->name, type))
		json_str(j, "words", words->name); /* one of word_members: no escapes */
	json_close(j, '}');
}

struct result_parts {
	const struct node *result, *value, *words;
	const struct shape *shape;
	struct slice type;
	bool has_geometry;
};

static struct slice attributes_of(struct manifest *m, const struct result_parts *p, const struct result_origin *origin, int64_t word)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	bool sized = p->has_geometry && node_get_kind(&m->dom, p->result, sizes[0], NODE_NUMBER) &&
		node_get_kind(&m->dom, p->result, sizes[1], NODE_NUMBER);
	json_open(&j, NULL, '{');
	for (const struct node *n = node_first(&m->dom, p->result); n; n = node_next(&m->dom, p->result, n))
		if (n != p->value && !(sized && is_one_of(n, sizes, 2)) && !node_name_is(n, "of"))
			node_write(n, &j);
	if (p->value && (p->words || p->shape)) /* else all of value is the geometry "other" */
		write_rest_of_value(m, &j, p->value, p->shape, p->words, false);
	write_origin(&j, origin, word, p->words, p->type);
	json_close(&j, '}');
	return draft_take(d);
}

static struct slice geometry_of(struct manifest *m, const struct node *result, const struct node *value,
	const struct shape *shape, struct slice type)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	begin(m, &j, shape ? shape->kind : "other", shape ? shape->unit : NULL, result);
	if (shape)
		shape->write(m, &j, value);
	else
		write_other(&j, value, type);
	json_close(&j, '}');
	return draft_take(d);
}

/* {"type":"relation","from_id","to_id","direction","labels":[…]} */
static void relation(struct manifest *m, const struct node *result, const struct result_origin *origin)
{
	static const char *const ends[] = { "from_id", "to_id" };
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	json_str(&j, "kind", SLICE_LIT("relation"));
	json_str(&j, "from", node_scalar(node_get(&m->dom, result, "from_id"), &d->arena));
	json_str(&j, "to", node_scalar(node_get(&m->dom, result, "to_id"), &d->arena));
	const struct node *direction = node_get_kind(&m->dom, result, "direction", NODE_STRING);
	if (direction)
		json_raw(&j, "direction", node_json(direction));
	json_close(&j, '}');
	struct slice geometry = draft_take(d);
	j = (struct json){ .to = &d->text };
	json_open(&j, NULL, '{');
	for (const struct node *n = node_first(&m->dom, result); n; n = node_next(&m->dom, result, n))
		if (n != direction && !is_one_of(n, ends, 2) && !node_name_is(n, "of"))
			node_write(n, &j);
	write_origin(&j, origin, -1, NULL, SLICE_LIT("relation"));
	json_close(&j, '}');
	struct slice attributes = draft_take(d);
	const struct node *words = node_get_kind(&m->dom, result, "labels", NODE_ARRAY);
	const struct node *first = words ? node_first(&m->dom, words) : NULL;
	struct slice concept = node_scalar(first, &d->arena);
	struct manifest_label *l = draft_label(d, concept.len ? concept : SLICE_LIT("relation"));
	l->geometry = geometry;
	l->attributes = attributes;
	l->maker = origin->maker;
	l->status = origin->status;
	l->worker = origin->worker;
}

static const struct shape *shape_of(struct manifest *m, const struct node *value, struct slice type)
{
	for (size_t i = 0; value && i < sizeof(shapes) / sizeof(*shapes); i++)
		if (shapes[i].is(m, value, type))
			return &shapes[i];
	return NULL;
}

void labelstudio_result(struct manifest *m, const struct node *result, const struct result_origin *origin)
{
	struct arena *a = &m->draft.arena;
	if (result->kind != NODE_OBJECT)
		return;
	struct slice type = node_scalar(node_get(&m->dom, result, "type"), a);
	if (slice_eq(type, SLICE_LIT("relation"))) {
		relation(m, result, origin);
		return;
	}
	const struct node *value = node_get_kind(&m->dom, result, "value", NODE_OBJECT);
	const struct node *words = value ? words_of(m, value) : NULL;
	const struct shape *shape = shape_of(m, value, type);
	/* words without a shape are about the whole item */
	const struct result_parts parts = { result, value, words, shape, type, shape || !words };
	int64_t n = words ? 0 : -1;
	struct slice geometry = { 0 };
	if (parts.has_geometry)
		geometry = geometry_of(m, result, value, shape, type);
	const struct node *score = node_get_kind(&m->dom, result, "score", NODE_NUMBER);
	const struct node *word = words ? node_first(&m->dom, words) : NULL;
	do {
		struct slice concept = word ? node_scalar(word, a) : node_scalar(node_get(&m->dom, result, "from_name"), a);
		struct slice attributes = attributes_of(m, &parts, origin, n++);
		struct manifest_label *l = draft_label(&m->draft, concept.len ? concept : type);
		l->confidence = node_number(score, origin->confidence);
		l->maker = origin->maker;
		l->status = origin->status;
		l->worker = origin->worker;
		l->geometry = geometry;
		l->attributes = attributes;
		word = word ? node_next(&m->dom, words, word) : NULL;
	} while (word);
}

static struct slice region_attributes(struct manifest *m, const struct node *region, const struct shape *shape,
	const struct node *words, struct slice type)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	json_str(&j, "type", type);
	write_rest_of_value(m, &j, region, shape, words, shape != NULL);
	json_close(&j, '}');
	return draft_take(d);
}

bool labelstudio_region(struct manifest *m, const struct node *region)
{
	const struct node *words = words_of(m, region);
	if (!words)
		return false;
	struct arena *a = &m->draft.arena;
	struct slice type = node_name(words, a);
	const struct shape *shape = shape_of(m, region, type);
	struct slice attributes = region_attributes(m, region, shape, words, type);
	struct slice geometry = shape ? geometry_of(m, region, region, shape, type) : (struct slice){ 0 };
	for (const struct node *word = node_first(&m->dom, words); word; word = node_next(&m->dom, words, word)) {
		struct slice concept = node_scalar(word, a);
		struct manifest_label *l = draft_label(&m->draft, concept.len ? concept : type);
		l->geometry = geometry;
		l->attributes = attributes;
	}
	return true;
}
