/* coco.c - COCO's members as row and labels. */
#include "daemon/manifest/coco.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"

#include <stdlib.h>

#define CATEGORIES_MAX (1U << 20)
#define CATEGORY_BYTES_MAX (64U << 20)
#define OWN_BYTES 256 /* of attributes that are not received */

struct coco_category {
	char *id, *name;             /* owned */
	char *keypoints;             /* owned, JSON list of names; NULL: none */
};

/* ---- categories ---- */

int coco_category(struct coco_categories *c, const struct dom *dom, const struct node *n, struct err *err)
{
	const struct node *id = node_get(dom, n, "id");
	const struct node *name = node_get(dom, n, "name");
	const struct node *keypoints = node_get_kind(dom, n, "keypoints", NODE_ARRAY);
	struct arena a = { 0 };
	if (!id || !name)
		return 0; /* an annotation that names it fails */
	if (c->count == CATEGORIES_MAX || c->bytes > CATEGORY_BYTES_MAX)
		return err_set(err, ERR_REJECT, 0, "it has too many categories");
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 128;
		c->of = mem_resize(c->of, c->room, sizeof(*c->of));
	}
	struct slice id_text = node_scalar(id, &a);
	struct slice name_text = node_scalar(name, &a);
	c->bytes += n->text.len;
	c->of[c->count++] = (struct coco_category){ mem_strndup(id_text.p ? id_text.p : "", id_text.len),
		mem_strndup(name_text.p ? name_text.p : "", name_text.len),
		keypoints ? mem_strndup(keypoints->text.p, keypoints->text.len) : NULL };
	arena_done(&a);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct coco_category *)a)->id, ((const struct coco_category *)b)->id);
}

void coco_categories_sort(struct coco_categories *c)
{
	if (c->count)
		qsort(c->of, c->count, sizeof(*c->of), compare);
}

void coco_categories_done(struct coco_categories *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->of[i].id);
		free(c->of[i].name);
		free(c->of[i].keypoints);
	}
	free(c->of);
	*c = (struct coco_categories){ 0 };
}

static const struct coco_category *find(const struct coco_categories *c, struct slice id)
{
	char text[64];
	if (id.len == 0 || id.len >= sizeof(text) || c->count == 0)
		return NULL;
	memcpy(text, id.p, id.len);
	text[id.len] = '\0';
	struct coco_category key = { .id = text };
	return bsearch(&key, c->of, c->count, sizeof(*c->of), compare);
}

/* ---- what the file says beyond ---- */

void coco_attributes_add(struct coco_attributes *a, struct slice name, struct slice text)
{
	struct buf *to = name.len ? &a->others : &a->categories;
	a->too_long = a->too_long || a->others.len + a->categories.len + name.len + text.len > MANIFEST_ATTRIBUTES_MAX - OWN_BYTES;
	if (a->too_long)
		return;
	if (to->len)
		buf_char(to, ',');
	if (name.len)
		buf_printf(to, "\"%.*s\":", (int)name.len, name.p);
	buf_add(to, text.p, text.len);
}

void coco_attributes_id(uint64_t *max, struct slice id)
{
	uint64_t n;
	if (text_u64(id, &n) == 0 && n <= INT64_MAX && n > *max)
		*max = n;
}

struct slice coco_attributes_text(struct coco_attributes *a)
{
	struct json j = { .to = &a->text };
	if (a->too_long)
		return (struct slice){ 0 };
	a->text.len = 0;
	json_open(&j, NULL, '{');
	if (a->listed) {
		json_open(&j, "categories", '[');
		buf_add(&a->text, a->categories.data, a->categories.len);
		json_close(&j, ']');
	}
	json_open(&j, "others", '{');
	buf_add(&a->text, a->others.data, a->others.len);
	json_close(&j, '}');
	json_u64(&j, "image_id_max", a->image_id_max);
	json_u64(&j, "annotation_id_max", a->annotation_id_max);
	json_close(&j, '}');
	return buf_slice(&a->text);
}

void coco_attributes_done(struct coco_attributes *a)
{
	buf_done(&a->categories);
	buf_done(&a->others);
	buf_done(&a->text);
}

/* ---- an image ---- */

static uint32_t pixels(const struct node *n)
{
	double v = node_number(n, 0);
	return v >= 1 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

/* Its id, its size as written, and its file_name where that is not the row's content. A URL's signature is not kept. */
static struct slice image_attributes(struct manifest *m, const struct node *root, struct slice name)
{
	struct draft *d = &m->draft;
	const struct node *file = node_get_kind(&m->dom, root, "file_name", NODE_STRING);
	bool differs = d->row.content_kind == ROW_PATH && !slice_eq(d->row.content, name);
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	node_write(node_get(&m->dom, root, "id"), &j);
	node_write(node_get(&m->dom, root, "width"), &j);
	node_write(node_get(&m->dom, root, "height"), &j);
	if (file && differs)
		node_write(file, &j);
	else if (!file)
		json_bool(&j, "unnamed", true);
	json_close(&j, '}');
	return draft_take(d);
}

static const struct node *name_node(struct manifest *m)
{
	const struct node *file = node_get_kind(&m->dom, dom_root(&m->dom), "file_name", NODE_STRING);
	return file ? file : node_get_kind(&m->dom, dom_root(&m->dom), "coco_url", NODE_STRING);
}

struct slice coco_image_name(struct manifest *m, struct arena *a)
{
	const struct node *name = name_node(m);
	return name ? arena_copy(a, node_string(name, a)) : (struct slice){ 0 };
}

int coco_image(struct manifest *m)
{
	static const char *const known[] = { "id", "file_name", "width", "height", NULL };
	struct draft *d = &m->draft;
	const struct node *root = dom_root(&m->dom);
	const struct node *file = name_node(m);
	if (!file)
		return draft_fail(d, d->row.at, NULL, "the image has no file_name");
	struct slice name = arena_copy(&d->arena, node_string(file, &d->arena));
	if (draft_content(d, name, INPUT_FILE_PATH, d->row.at) == DRAFT_FAILED)
		return DRAFT_FAILED;
	d->row.media = MEDIA_IMAGE;
	d->row.width = pixels(node_get(&m->dom, root, "width"));
	d->row.height = pixels(node_get(&m->dom, root, "height"));
	d->row.metadata = join_members(d, (struct slice){ 0 }, other_members(m, root, known));
	d->row.attributes = image_attributes(m, root, name);
	return DRAFT_ROW;
}

/* ---- an annotation ---- */

static void begin(struct manifest *m, struct json *j, const char *kind)
{
	struct draft *d = &m->draft;
	struct slice width = { 0 };
	struct slice height = { 0 };
	if (d->row.width && d->row.height) {
		width = arena_printf(&d->arena, "%u", d->row.width);
		height = arena_printf(&d->arena, "%u", d->row.height);
	}
	geometry_begin(d, j, kind, "px", width, height);
}

/* {"counts":[…] or "…","size":[height,width]} */
static struct slice mask(struct manifest *m, const struct node *rle)
{
	struct json j;
	const struct node *counts = node_get(&m->dom, rle, "counts");
	const struct node *size = node_get(&m->dom, rle, "size");
	if (!counts || !size || rle->count != 2)
		return (struct slice){ 0 };
	begin(m, &j, "mask");
	json_str(&j, "encoding", SLICE_LIT("coco"));
	json_raw(&j, "counts", node_json(counts));
	json_raw(&j, "rle_size", node_json(size));
	return geometry_end(&m->draft, &j);
}

static struct slice polygon(struct manifest *m, const struct node *rings)
{
	struct json j;
	begin(m, &j, "polygon");
	json_raw(&j, "rings", rings->text);
	return geometry_end(&m->draft, &j);
}

static struct slice keypoints(struct manifest *m, const struct node *points, const struct coco_category *category)
{
	struct json j;
	begin(m, &j, "keypoints");
	json_str(&j, "form", SLICE_LIT("xyv"));
	json_raw(&j, "points", points->text);
	if (category->keypoints)
		json_raw(&j, "names", slice_of(category->keypoints));
	return geometry_end(&m->draft, &j);
}

static bool is_box(struct manifest *m, const struct node *bbox)
{
	if (!bbox || bbox->count != 4)
		return false;
	for (const struct node *n = node_first(&m->dom, bbox); n; n = node_next(&m->dom, bbox, n))
		if (n->kind != NODE_NUMBER)
			return false;
	return true;
}

static struct slice box(struct manifest *m, const struct node *bbox)
{
	struct json j;
	begin(m, &j, "box");
	json_str(&j, "form", SLICE_LIT("xywh"));
	json_raw(&j, "box", bbox->text);
	return geometry_end(&m->draft, &j);
}

/* The geometry; *ret_said is the member that it is made of, NULL: there is none. */
static struct slice geometry_of(struct manifest *m, const struct coco_category *category, const char **ret_said)
{
	const struct node *root = dom_root(&m->dom);
	const struct node *points = node_get_kind(&m->dom, root, "keypoints", NODE_ARRAY);
	const struct node *segmentation = node_get(&m->dom, root, "segmentation");
	const struct node *bbox = node_get_kind(&m->dom, root, "bbox", NODE_ARRAY);
	*ret_said = "keypoints";
	if (points && points->count)
		return keypoints(m, points, category);
	*ret_said = "segmentation";
	if (segmentation && segmentation->kind == NODE_OBJECT) {
		struct slice made = mask(m, segmentation);
		if (made.len)
			return made;
	}
	const struct node *ring = segmentation && segmentation->kind == NODE_ARRAY ? node_first(&m->dom, segmentation) : NULL;
	if (ring && ring->kind == NODE_ARRAY)
		return polygon(m, segmentation);
	*ret_said = "bbox";
	if (is_box(m, bbox))
		return box(m, bbox);
	*ret_said = NULL;
	return (struct slice){ 0 };
}

int coco_label(struct manifest *m, const struct coco_categories *categories, struct manifest_place at)
{
	struct draft *d = &m->draft;
	const struct node *root = dom_root(&m->dom);
	struct slice id = node_scalar(node_get(&m->dom, root, "category_id"), &d->arena);
	const struct coco_category *category = find(categories, id);
	if (!category)
		return draft_fail(d, at, "add it to categories", "the annotation is of category '%s', which is not in the list",
			draft_show(d, id));
	const struct node *attributes = node_get(&m->dom, root, "attributes");
	const struct node *whole = node_get(&m->dom, attributes, "image_level"); /* as Inlet exports labels of whole images */
	const char *said = NULL;
	struct slice geometry = geometry_of(m, category, &said);
	double score = node_number(node_get(&m->dom, root, "score"), -1);
	if (whole && whole->kind == NODE_TRUE) {
		geometry = (struct slice){ 0 };
		said = NULL;
	}
	const char *const known[] = { "image_id", score < 0 ? "image_id" : "score", said, NULL };
	struct slice others = other_members(m, root, known);
	struct manifest_label *l = draft_label(d, slice_of(category->name));
	l->geometry = geometry;
	l->confidence = score;
	l->attributes = join_members(d, (struct slice){ 0 }, others);
	return DRAFT_ROW;
}
