/* format_huggingface.c - Hugging Face's metadata.csv and metadata.jsonl: file_name, or *_file_name, is relative to the
 * manifest; "objects" are boxes, as lists side by side: {"bbox":[[x,y,w,h],…],"category":[0,…],…}. Class numbers stay
 * numbers: their names are not in this file. A folder train, val(idation) or test on the way is the split. The row's
 * attributes say how it was written: {"file":"image_file_name","objects":["bbox","category"],"numbers":true,"columns":{…}}. */
#include "daemon/manifest/formats.h"

#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"
#include "daemon/manifest/roles.h"

static bool is_json(const struct manifest *m)
{
	return m->table.csv.window == NULL;
}

static int hf_open(struct manifest *m, struct err *err)
{
	struct window *w = &m->window;
	size_t i = w->at;
	while (i < w->end && strchr(" \t\r\n", w->data[i]) && w->data[i])
		i++;
	if (i < w->end && (w->data[i] == '{' || w->data[i] == '['))
		return objects_open(m, err);
	return plain_table_open(m, "file_name", err);
}

static const struct node *file_member(struct manifest *m, const struct node *root)
{
	const struct node *found = node_get(&m->dom, root, "file_name");
	for (const struct node *n = node_first(&m->dom, root); n && !found; n = node_next(&m->dom, root, n))
		if (n->name.len > 10 && memcmp(n->name.p + n->name.len - 10, "_file_name", 10) == 0)
			found = n;
	return found;
}

/* Element i of a list. */
static const struct node *element(const struct manifest *m, const struct node *list, uint32_t i)
{
	const struct node *n = list && list->kind == NODE_ARRAY ? node_first(&m->dom, list) : NULL;
	while (n && i-- > 0)
		n = node_next(&m->dom, list, n);
	return n;
}

static const struct node *categories_of(struct manifest *m, const struct node *objects)
{
	static const char *const names[] = { "categories", "category", "labels", "label", "category_id" };
	const struct node *n = NULL;
	for (size_t i = 0; i < 5 && !n; i++)
		n = node_get_kind(&m->dom, objects, names[i], NODE_ARRAY);
	return n;
}

/* What the lists beside bbox and category say of object i. */
static struct slice attributes_of(struct manifest *m, const struct node *objects, const struct node *boxes,
	const struct node *categories, uint32_t i)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	for (const struct node *n = node_first(&m->dom, objects); n; n = node_next(&m->dom, objects, n)) {
		const struct node *e = n == boxes || n == categories ? NULL : element(m, n, i);
		if (!e)
			continue;
		json_str(&j, NULL, node_name(n, &d->arena));
		buf_char(j.to, ':');
		j.comma = false;
		json_raw(&j, NULL, node_json(e));
	}
	json_close(&j, '}');
	struct slice s = draft_take(d);
	return s.len > 2 ? s : (struct slice){ 0 };
}

/* DRAFT_ROW or DRAFT_FAILED. */
static int take_objects(struct manifest *m, const struct node *objects)
{
	struct draft *d = &m->draft;
	const struct node *boxes = node_get_kind(&m->dom, objects, "bbox", NODE_ARRAY);
	const struct node *categories = categories_of(m, objects);
	if (!boxes || !categories || boxes->count != categories->count)
		return draft_fail(d, node_place(m, objects), NULL, "objects wants bbox and categories, as many of one as of the "
			"other");
	uint32_t i = 0;
	for (const struct node *b = node_first(&m->dom, boxes); b; b = node_next(&m->dom, boxes, b), i++) {
		struct slice v[4];
		for (uint32_t k = 0; k < 4; k++) {
			v[k] = number_text(element(m, b, k));
			if (!v[k].len)
				return draft_fail(d, node_place(m, b), NULL, "a bbox is four numbers");
		}
		struct json j;
		struct slice none = { 0 };
		geometry_begin(d, &j, "box", "px", none, none);
		geometry_box(&j, "xywh", v);
		struct slice geometry = geometry_end(d, &j);
		struct slice attributes = attributes_of(m, objects, boxes, categories, i);
		struct slice concept = node_scalar(element(m, categories, i), &d->arena);
		if (!concept.len)
			return draft_fail(d, node_place(m, categories), NULL, "a bbox has no category");
		struct manifest_label *l = draft_label(d, concept);
		l->geometry = geometry;
		l->attributes = attributes;
	}
	return DRAFT_ROW;
}

/* columns: members that are neither the file nor objects nor metadata, as they are. */
static struct slice form_of(struct manifest *m, const struct node *root, const struct node *file, const struct node *objects)
{
	struct draft *d = &m->draft;
	const struct node *categories = categories_of(m, objects);
	const struct node *category = element(m, categories, 0);
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	if (!node_name_is(file, "file_name"))
		json_str(&j, "file", node_name(file, &d->arena));
	if (objects) {
		json_open(&j, "objects", '[');
		for (const struct node *n = node_first(&m->dom, objects); n; n = node_next(&m->dom, objects, n))
			json_str(&j, NULL, node_name(n, &d->arena));
		json_close(&j, ']');
		json_bool(&j, "numbers", category && category->kind == NODE_NUMBER);
	}
	json_open(&j, "columns", '{');
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n))
		if (n != file && n != objects && role_by_usual_name(n->name) != ROLE_NONE)
			node_write(n, &j);
	json_close(&j, '}');
	json_close(&j, '}');
	return draft_take(d);
}

/* By the folders of a path. */
static enum row_split split_of_path(struct slice path)
{
	enum row_split split = SPLIT_NONE;
	for (const char *slash; path.len && (slash = memchr(path.p, '/', path.len));) {
		enum row_split s = split_parse((struct slice){ path.p, (size_t)(slash - path.p) });
		split = s ? s : split;
		path = (struct slice){ slash + 1, path.len - (size_t)(slash + 1 - path.p) };
	}
	return split;
}

static int hf_row(struct manifest *m, const struct node *root)
{
	struct draft *d = &m->draft;
	const struct node *file = file_member(m, root);
	const struct node *objects = node_get_kind(&m->dom, root, "objects", NODE_OBJECT);
	const struct node *const taken[] = { file, objects, NULL };
	if (!file || file->kind != NODE_STRING)
		return draft_fail(d, file ? node_place(m, file) : d->row.at, "one row is one file", "the row has no file_name");
	struct slice path = node_string(file, &d->arena);
	if (draft_content(d, path, INPUT_FILE_PATH, node_place(m, file)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	if (objects && take_objects(m, objects) == DRAFT_FAILED)
		return DRAFT_FAILED;
	struct slice form = form_of(m, root, file, objects);
	d->row.attributes = form;
	return plain_object_row(m, root, taken);
}

static int hf_next(struct manifest *m, struct err *err)
{
	int got = is_json(m) ? objects_next(m, hf_row, err) : plain_table_next(m, err);
	struct manifest_row *row = &m->draft.row;
	if (got == DRAFT_ROW && row->split == SPLIT_NONE)
		row->split = split_of_path(row->content);
	if (got == DRAFT_ROW && row->split == SPLIT_NONE)
		row->split = split_of_path(slice_of(m->name));
	return got;
}

static void hf_describe(const struct manifest *m, struct buf *to)
{
	if (is_json(m))
		objects_describe(m, to);
	else
		table_describe(m, to);
}

static int hf_header(const struct manifest *m, struct slice *ret)
{
	return is_json(m) ? 0 : table_header(m, ret);
}

static bool hf_values(const struct manifest *m, struct json *j)
{
	return is_json(m) ? objects_values(m, j) : table_values(m, j);
}

const struct format manifest_huggingface = { .title = "Hugging Face metadata", .open = hf_open,
	.next = hf_next, .describe = hf_describe, .header = hf_header, .values = hf_values, .close = plain_table_close };
