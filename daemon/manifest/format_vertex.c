/* format_vertex.c - Vertex AI's import JSON lines: images, texts and videos in buckets, or text in the line. Fractions may
 * come as strings and a coordinate that is 0 may be left out, as protobuf does; member names in any case and with or
 * without underscores, as both are in use. */
#include "daemon/manifest/formats.h"

#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"

/* a is b apart from case and underscores. */
static bool same_name(struct slice a, const char *b)
{
	size_t i = 0;
	for (; *b; b++) {
		while (i < a.len && a.p[i] == '_')
			i++;
		if (i == a.len || (a.p[i] | 32) != (*b | 32))
			return false;
		i++;
	}
	return i == a.len;
}

static const struct node *get(struct manifest *m, const struct node *object, const char *name)
{
	const struct node *found = NULL;
	if (!object || object->kind != NODE_OBJECT)
		return NULL;
	for (const struct node *n = node_first(&m->dom, object); n; n = node_next(&m->dom, object, n))
		if (same_name(n->name, name))
			found = n;
	return found;
}

/* Members that the label and its shape say, and how each is usually written. */
static const struct {
	const char *name;
	enum node_kind kind;
} said[] = { { "displayName", NODE_STRING }, { "xMin", NODE_NUMBER }, { "yMin", NODE_NUMBER }, { "xMax", NODE_NUMBER },
	{ "yMax", NODE_NUMBER }, { "startOffset", NODE_NUMBER }, { "endOffset", NODE_NUMBER }, { "startTime", NODE_STRING },
	{ "endTime", NODE_STRING }, { "timeOffset", NODE_STRING }, { "instanceId", NODE_STRING } };
#define SAID (sizeof(said) / sizeof(*said))

/* Its place in the table, SAID: it is none of them. */
static size_t said_at(const struct node *n)
{
	size_t i = 0;
	while (i < SAID && !same_name(n->name, said[i].name))
		i++;
	return i;
}

/* Fractions as strings, a coordinate that is left out: then "as" has the shape's members as they were written. */
static void write_unusual(struct manifest *m, const struct node *annotation, struct json *j)
{
	size_t corners = 0;
	bool unusual = false;
	for (const struct node *n = node_first(&m->dom, annotation); n; n = node_next(&m->dom, annotation, n)) {
		size_t i = said_at(n);
		corners += i >= 1 && i <= 4;
		unusual = unusual || (i > 0 && i < SAID && n->kind != said[i].kind);
	}
	if (!unusual && (corners == 0 || corners == 4))
		return;
	json_open(j, "as", '{');
	for (const struct node *n = node_first(&m->dom, annotation); n; n = node_next(&m->dom, annotation, n))
		if (said_at(n) > 0 && said_at(n) < SAID)
			node_write(n, j);
	json_close(j, '}');
}

/* What an annotation says beyond its label and shape, and the member of the row that it stands in. */
static struct slice attributes_of(struct manifest *m, const struct node *annotation, const struct node *member)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	json_str(&j, "member", node_name(member, &d->arena));
	write_unusual(m, annotation, &j);
	for (const struct node *n = node_first(&m->dom, annotation); n; n = node_next(&m->dom, annotation, n))
		if (said_at(n) == SAID && !node_name_is(n, "member") && !node_name_is(n, "as"))
			node_write(n, &j);
	json_close(&j, '}');
	return draft_take(d);
}

static struct manifest_label *label(struct manifest *m, const struct node *annotation)
{
	struct draft *d = &m->draft;
	return draft_label(d, node_scalar(get(m, annotation, "displayName"), &d->arena));
}

static void class(struct manifest *m, const struct node *n)
{
	(void)label(m, n);
}

/* "3.5s" as 3.5; empty: it is none. */
static struct slice seconds(const struct node *n)
{
	if (!n || (n->kind != NODE_STRING && n->kind != NODE_NUMBER))
		return (struct slice){ 0 };
	struct slice s = n->text;
	if (s.len && s.p[s.len - 1] == 's')
		s.len--;
	return is_json_number(s) ? s : (struct slice){ 0 };
}

static void box(struct manifest *m, const struct node *n)
{
	static const char *const names[] = { "xMin", "yMin", "xMax", "yMax" };
	struct slice v[4];
	for (size_t i = 0; i < 4; i++) {
		v[i] = number_text(get(m, n, names[i]));
		if (!v[i].len)
			v[i] = SLICE_LIT("0");
	}
	struct json j;
	struct slice none = { 0 };
	geometry_begin(&m->draft, &j, "box", "fraction", none, none);
	geometry_box(&j, "xyxy", v);
	struct slice time = seconds(get(m, n, "timeOffset"));
	if (time.len)
		json_raw(&j, "time", time);
	struct slice instance = node_scalar(get(m, n, "instanceId"), &m->draft.arena);
	if (instance.len)
		json_str(&j, "instance", instance);
	struct slice geometry = geometry_end(&m->draft, &j);
	label(m, n)->geometry = geometry;
}

static void range(struct manifest *m, const struct node *n, const char *kind, const char *unit, struct slice start,
	struct slice end)
{
	struct json j;
	struct slice none = { 0 };
	geometry_begin(&m->draft, &j, kind, unit, none, none);
	json_raw(&j, "start", start.len ? start : SLICE_LIT("0"));
	if (end.len)
		json_raw(&j, "end", end);
	struct slice geometry = geometry_end(&m->draft, &j);
	label(m, n)->geometry = geometry;
}

static void text_segment(struct manifest *m, const struct node *n)
{
	range(m, n, "span", "character", number_text(get(m, n, "startOffset")), number_text(get(m, n, "endOffset")));
}

static void time_segment(struct manifest *m, const struct node *n)
{
	range(m, n, "range", "s", seconds(get(m, n, "startTime")), seconds(get(m, n, "endTime")));
}

static void sentiment(struct manifest *m, const struct node *n)
{
	struct draft *d = &m->draft;
	struct slice value = node_scalar(get(m, n, "sentiment"), &d->arena);
	(void)draft_label(d, value.len ? value : SLICE_LIT("0"));
}

/* Which member holds what: one annotation, or a list of them. */
static const struct {
	const char *name;
	void (*read)(struct manifest *m, const struct node *n);
} members[] = { { "classificationAnnotation", class }, { "classificationAnnotations", class },
	{ "boundingBoxAnnotations", box }, { "temporalBoundingBoxAnnotations", box },
	{ "textSegmentAnnotations", text_segment }, { "timeSegmentAnnotations", time_segment },
	{ "timeSegmentAnnotation", time_segment }, { "sentimentAnnotation", sentiment } };
#define MEMBERS (sizeof(members) / sizeof(*members))

static void take_one(struct manifest *m, size_t i, const struct node *annotation, const struct node *member)
{
	struct draft *d = &m->draft;
	size_t at = d->label_count;
	struct slice attributes = attributes_of(m, annotation, member);
	members[i].read(m, annotation);
	d->labels[at].attributes = attributes;
}

/* *ret_form: which members there are, each "one" or a "list". */
static void take_annotations(struct manifest *m, const struct node *root, struct buf *ret_form)
{
	struct json j = { .to = ret_form };
	for (size_t i = 0; i < MEMBERS; i++) {
		const struct node *n = get(m, root, members[i].name);
		if (!n || (n->kind != NODE_OBJECT && n->kind != NODE_ARRAY))
			continue;
		json_str(&j, NULL, node_name(n, &m->draft.arena));
		buf_str(ret_form, n->kind == NODE_OBJECT ? ":\"one\"" : ":\"list\"");
		if (n->kind == NODE_OBJECT)
			take_one(m, i, n, n);
		for (const struct node *e = n->kind == NODE_ARRAY ? node_first(&m->dom, n) : NULL; e; e = node_next(&m->dom, n, e))
			if (e->kind == NODE_OBJECT)
				take_one(m, i, e, n);
	}
}

#define ML_USE "aiplatform.googleapis.com/ml_use"

/* Everything that is no content, no annotation and not the split. */
static void take_metadata(struct manifest *m, const struct node *root, const struct node *content)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n)) {
		bool known = n == content;
		for (size_t i = 0; i < MEMBERS; i++)
			known = known || same_name(n->name, members[i].name);
		const struct node *use = same_name(n->name, "dataItemResourceLabels") ? node_get(&m->dom, n, ML_USE) : NULL;
		if (use) {
			d->row.split = split_parse(node_scalar(use, &d->arena));
			known = known || (n->count == 1 && d->row.split != SPLIT_NONE);
		}
		if (!known)
			node_write(n, &j);
	}
	if (d->text.len)
		d->row.metadata = join_members(d, (struct slice){ 0 }, draft_take(d));
}

static int vertex_row(struct manifest *m, const struct node *root)
{
	static const struct {
		const char *name;
		enum media media;
	} contents[] = { { "imageGcsUri", MEDIA_IMAGE }, { "videoGcsUri", MEDIA_VIDEO }, { "textGcsUri", MEDIA_TEXT } };
	struct draft *d = &m->draft;
	const struct node *content = get(m, root, "textContent");
	if (content && content->kind == NODE_STRING)
		draft_text(d, node_string(content, &d->arena));
	else
		content = NULL;
	for (size_t i = 0; i < 3 && !content; i++) {
		content = get(m, root, contents[i].name);
		if (!content || content->kind != NODE_STRING)
			continue;
		struct slice uri = node_string(content, &d->arena);
		if (draft_content(d, uri, INPUT_FILE_PATH, node_place(m, content)) == DRAFT_FAILED)
			return DRAFT_FAILED;
		d->row.media = contents[i].media;
	}
	struct buf form = { 0 };
	take_annotations(m, root, &form);
	d->row.attributes = arena_printf(&d->arena, "{\"members\":{%.*s}}", (int)form.len, form.len ? form.data : "");
	buf_done(&form);
	take_metadata(m, root, content);
	for (size_t i = 0; i < d->label_count; i++)
		if (d->labels[i].concept.len == 0)
			return draft_fail(d, d->row.at, NULL, "an annotation has no displayName");
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	return objects_next(m, vertex_row, err);
}

const struct format manifest_vertex = { .title = "Vertex AI JSON lines", .open = objects_open, .next = next,
	.describe = objects_describe, .values = objects_values };
