/* format_groundtruth.c - SageMaker Ground Truth's augmented manifest, also Rekognition's: {"source-ref":"s3://…"} or
 * {"source":"text"}; each attribute X with an "X-metadata" is a labeling job's answer, by the type that it says. Members
 * without one are metadata. The row's attributes keep the answers as they came; a label's say which one it is from, and as
 * which of its labels. */
#include "daemon/manifest/formats.h"

#include "daemon/base/cleanup.h"
#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"

struct answer {
	struct slice name;             /* of the attribute */
	const struct node *value;      /* NULL: there is metadata only */
	const struct node *metadata;
	size_t labels;                 /* so far */
	enum row_maker maker;
	struct slice job;
};

static const struct node *get(struct manifest *m, const struct node *object, const char *name)
{
	return node_get(&m->dom, object, name);
}

static const struct node *first(struct manifest *m, const struct node *list)
{
	return list && list->kind == NODE_ARRAY ? node_first(&m->dom, list) : NULL;
}

static struct manifest_label *label(struct manifest *m, struct answer *a, struct slice concept, double confidence)
{
	struct manifest_label *l = draft_label(&m->draft, concept.len ? concept : a->name);
	l->confidence = confidence;
	l->maker = a->maker;
	l->worker = a->job;
	m->draft.text.len = 0;
	struct json j = { .to = &m->draft.text };
	json_open(&j, NULL, '{');
	json_str(&j, "attribute", a->name);
	json_u64(&j, "n", a->labels++);
	json_close(&j, '}');
	l->attributes = draft_take(&m->draft);
	return l;
}

/* The class-map's name of a number (a JSON number or string), else the number as a word. */
static struct slice class_name(struct manifest *m, const struct answer *a, const struct node *id)
{
	struct slice number = node_scalar(id, &m->draft.arena);
	const struct node *map = get(m, a->metadata, "class-map");
	const struct node *name = NULL;
	if (map && map->kind == NODE_OBJECT)
		for (const struct node *n = node_first(&m->dom, map); n; n = node_next(&m->dom, map, n))
			if (slice_eq(n->name, number))
				name = n;
	return name ? node_scalar(name, &m->draft.arena) : number;
}

/* {"image_size":[{…}],"annotations":[{"class_id","left","top","width","height"}]}; objects[] of the metadata goes along. */
static void boxes(struct manifest *m, struct answer *a)
{
	const struct node *size = first(m, get(m, a->value, "image_size"));
	const struct node *list = get(m, a->value, "annotations");
	const struct node *objects = get(m, a->metadata, "objects");
	const struct node *object = first(m, objects);
	struct slice width = number_text(get(m, size, "width"));
	struct slice height = number_text(get(m, size, "height"));
	double v = 0;
	if (number_parse(width, &v) && v >= 1 && v <= UINT32_MAX)
		m->draft.row.width = (uint32_t)v;
	if (number_parse(height, &v) && v >= 1 && v <= UINT32_MAX)
		m->draft.row.height = (uint32_t)v;
	for (const struct node *n = first(m, list); n; n = node_next(&m->dom, list, n)) {
		struct slice box[4] = { number_text(get(m, n, "left")), number_text(get(m, n, "top")),
			number_text(get(m, n, "width")), number_text(get(m, n, "height")) };
		double confidence = node_number(get(m, object, "confidence"), -1);
		struct slice geometry = { 0 };
		struct json j;
		if (box[0].len && box[1].len && box[2].len && box[3].len) {
			geometry_begin(&m->draft, &j, "box", "px", width, height);
			geometry_box(&j, "xywh", box);
			geometry = geometry_end(&m->draft, &j);
		} else { /* a polygon (vertices) or what else there may be */
			geometry_begin(&m->draft, &j, "other", "px", width, height);
			json_str(&j, "type", SLICE_LIT("groundtruth"));
			json_raw(&j, "value", node_json(n));
			geometry = geometry_end(&m->draft, &j);
		}
		label(m, a, class_name(m, a, get(m, n, "class_id")), confidence)->geometry = geometry;
		object = object ? node_next(&m->dom, objects, object) : NULL;
	}
}

/* A number or a word, named by class-name or class-map. */
static void one_class(struct manifest *m, struct answer *a)
{
	const struct node *name = get(m, a->metadata, "class-name");
	struct slice concept = name ? node_scalar(name, &m->draft.arena) : class_name(m, a, a->value);
	(void)label(m, a, concept, node_number(get(m, a->metadata, "confidence"), -1));
}

static double mapped_confidence(struct manifest *m, const struct node *map, const struct node *id)
{
	double confidence = -1;
	for (const struct node *n = map && map->kind == NODE_OBJECT ? node_first(&m->dom, map) : NULL; n;
		n = node_next(&m->dom, map, n))
		if (slice_eq(n->name, id->text))
			confidence = node_number(n, -1);
	return confidence;
}

static void many_classes(struct manifest *m, struct answer *a)
{
	const struct node *map = get(m, a->metadata, "confidence-map");
	for (const struct node *n = first(m, a->value); n; n = node_next(&m->dom, a->value, n))
		(void)label(m, a, class_name(m, a, n), mapped_confidence(m, map, n));
}

/* "X-ref": a PNG whose colours are classes. */
static void segmentation(struct manifest *m, struct answer *a)
{
	const struct node *colours = get(m, a->metadata, "internal-color-map");
	struct json j;
	geometry_begin(&m->draft, &j, "mask", "px", (struct slice){ 0 }, (struct slice){ 0 });
	json_str(&j, "encoding", SLICE_LIT("png-url"));
	json_raw(&j, "counts", node_json(a->value));
	struct slice geometry = geometry_end(&m->draft, &j);
	const struct node *n = colours && colours->kind == NODE_OBJECT ? node_first(&m->dom, colours) : NULL;
	if (!n)
		label(m, a, a->name, -1)->geometry = geometry;
	for (; n; n = node_next(&m->dom, colours, n)) {
		struct slice concept = node_scalar(get(m, n, "class-name"), &m->draft.arena);
		struct manifest_label *l = label(m, a, concept, node_number(get(m, n, "confidence"), -1));
		l->geometry = geometry;
		m->draft.text.len = 0;
		j = (struct json){ .to = &m->draft.text };
		node_write(get(m, n, "hex-color"), &j);
		if (m->draft.text.len)
			l->attributes = join_members(&m->draft, l->attributes, draft_take(&m->draft));
	}
}

/* {"annotations":{"entities":[{"label","startOffset","endOffset"}]}} */
static void entities(struct manifest *m, struct answer *a)
{
	const struct node *list = get(m, get(m, a->value, "annotations"), "entities");
	const struct node *facts = get(m, a->metadata, "entities");
	const struct node *fact = first(m, facts);
	for (const struct node *n = first(m, list); n; n = node_next(&m->dom, list, n)) {
		struct slice start = number_text(get(m, n, "startOffset"));
		struct slice end = number_text(get(m, n, "endOffset"));
		struct slice concept = node_scalar(get(m, n, "label"), &m->draft.arena);
		struct manifest_label *l = label(m, a, concept, node_number(get(m, fact, "confidence"), -1));
		if (start.len && end.len) {
			struct json j;
			geometry_begin(&m->draft, &j, "span", "character", (struct slice){ 0 }, (struct slice){ 0 });
			json_raw(&j, "start", start);
			json_raw(&j, "end", end);
			l->geometry = geometry_end(&m->draft, &j);
		}
		fact = fact ? node_next(&m->dom, facts, fact) : NULL;
	}
}

static void anything(struct manifest *m, struct answer *a)
{
	struct json j;
	geometry_begin(&m->draft, &j, "other", NULL, (struct slice){ 0 }, (struct slice){ 0 });
	json_str(&j, "type", node_scalar(get(m, a->metadata, "type"), &m->draft.arena));
	json_raw(&j, "value", node_json(a->value));
	struct slice geometry = geometry_end(&m->draft, &j);
	label(m, a, a->name, node_number(get(m, a->metadata, "confidence"), -1))->geometry = geometry;
}

static void read_answer(struct manifest *m, struct answer *a)
{
	static const struct {
		const char *type;
		void (*read)(struct manifest *m, struct answer *a);
	} types[] = { { "groundtruth/object-detection", boxes }, { "groundtruth/image-classification", one_class },
		{ "groundtruth/text-classification", one_class }, { "groundtruth/label-verification", one_class },
		{ "groundtruth/image-classification-multilabel", many_classes },
		{ "groundtruth/text-classification-multilabel", many_classes },
		{ "groundtruth/semantic-segmentation", segmentation }, { "groundtruth/text-span", entities },
		{ "groundtruth/video-classification", one_class } };
	struct draft *d = &m->draft;
	struct slice type = node_scalar(get(m, a->metadata, "type"), &d->arena);
	struct slice human = node_scalar(get(m, a->metadata, "human-annotated"), &d->arena);
	a->maker = slice_eq(human, SLICE_LIT("yes")) ? MAKER_HUMAN : slice_eq(human, SLICE_LIT("no")) ? MAKER_MACHINE :
		MAKER_UNKNOWN;
	a->job = node_scalar(get(m, a->metadata, "job-name"), &d->arena);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (slice_eq(type, slice_of(types[i].type))) {
			types[i].read(m, a);
			return;
		}
	}
	anything(m, a);
}

#define SUFFIX "-metadata"

static bool has_suffix(struct slice name)
{
	return name.len > sizeof(SUFFIX) - 1 &&
		memcmp(name.p + name.len - (sizeof(SUFFIX) - 1), SUFFIX, sizeof(SUFFIX) - 1) == 0;
}

/* Segmentation's attribute is "X-ref", its metadata "X-ref-metadata". */
static const struct node *named(struct manifest *m, const struct node *root, struct slice name, const char *suffix)
{
	char whole[512];
	if (name.len + strlen(suffix) >= sizeof(whole))
		return NULL;
	(void)snprintf(whole, sizeof(whole), "%.*s%s", (int)name.len, name.p, suffix);
	return get(m, root, whole);
}

#define ANSWERS_MAX (256U << 10) /* bytes of a row whose answers are kept as they came */

/* What is neither the source nor an answer is metadata, *others; answers go to *answers as they are. */
static void read_members(struct manifest *m, const struct node *root, const struct node *source, struct json *others,
	struct json *answers)
{
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n)) {
		struct slice name = node_name(n, &m->draft.arena);
		if (n == source)
			continue;
		if (!has_suffix(name)) {
			if (!named(m, root, name, SUFFIX))
				node_write(n, others);
			continue;
		}
		struct answer a = { .name = { name.p, name.len - (sizeof(SUFFIX) - 1) }, .metadata = n };
		a.value = named(m, root, a.name, "");
		if (!a.value) {
			node_write(n, others);
			continue;
		}
		read_answer(m, &a);
		node_write(a.value, answers);
		node_write(n, answers);
	}
}

static int truth_row(struct manifest *m, const struct node *root)
{
	struct draft *d = &m->draft;
	const struct node *reference = get(m, root, "source-ref");
	const struct node *source = reference ? reference : get(m, root, "source");
	if (!source || source->kind != NODE_STRING)
		return draft_fail(d, d->row.at, NULL, "the row has neither a source-ref nor a source");
	struct slice value = node_string(source, &d->arena);
	enum manifest_input input = reference ? INPUT_FILE_PATH : INPUT_RAW;
	if (draft_content(d, value, input, node_place(m, source)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	CLEANUP(buf_done) struct buf others = { 0 };
	CLEANUP(buf_done) struct buf answers = { 0 };
	struct json to_others = { .to = &others };
	struct json to_answers = { .to = &answers };
	read_members(m, root, source, &to_others, &to_answers);
	if (others.len)
		d->row.metadata = join_members(d, (struct slice){ 0 }, arena_copy(&d->arena, buf_slice(&others)));
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	if (d->row.content_kind == ROW_PATH && !slice_eq(d->row.content, value))
		json_str(&j, "source-ref", value);
	if (answers.len && answers.len <= ANSWERS_MAX) {
		json_open(&j, "answers", '{');
		buf_add(j.to, answers.data, answers.len);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	if (d->text.len > 2)
		d->row.attributes = draft_take(d);
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	return objects_next(m, truth_row, err);
}

const struct format manifest_groundtruth = { .title = "Ground Truth manifest", .open = objects_open,
	.next = next, .describe = objects_describe, .values = objects_values };
