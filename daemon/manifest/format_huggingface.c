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

/* One of the lists that stand side by side, on the way through it. */
struct column {
	const struct node *list;
	const struct node *at; /* an element */
	struct node number;    /* an element of a long list of numbers, where they are no nodes (DOM_NUMBERS_MAX)... */
	struct slice rest;     /* ...and what follows it */
};

/* NULL: there are no more. */
static const struct node *column_at(const struct column *c)
{
	return c->number.text.len ? &c->number : c->at;
}

/* The next of "1, 2, 3]". */
static void next_number(struct column *c)
{
	size_t blanks = 0, n = 0;
	while (blanks < c->rest.len && strchr(" \t\r\n,", c->rest.p[blanks]))
		blanks++;
	const char *p = c->rest.p + blanks;
	while (blanks + n < c->rest.len && strchr("+-.0123456789eE", p[n]))
		n++;
	c->number = (struct node){ .kind = NODE_NUMBER, .text = { p, n } };
	c->rest = (struct slice){ p + n, c->rest.len - blanks - n };
}

static void column_open(const struct manifest *m, const struct node *list, struct column *c)
{
	*c = (struct column){ .list = list, .at = node_first(&m->dom, list) };
	if (c->at || list->count == 0)
		return;
	c->rest = (struct slice){ list->text.p + 1, list->text.len - 1 };
	next_number(c);
}

static void column_next(const struct manifest *m, struct column *c)
{
	if (c->number.text.len)
		next_number(c);
	else if (c->at)
		c->at = node_next(&m->dom, c->list, c->at);
}

static const struct node *categories_of(struct manifest *m, const struct node *objects)
{
	static const char *const names[] = { "categories", "category", "labels", "label", "category_id" };
	const struct node *n = NULL;
	for (size_t i = 0; i < 5 && !n; i++)
		n = node_get_kind(&m->dom, objects, names[i], NODE_ARRAY);
	return n;
}

/* The lists beside bbox and category, into the arena. */
static size_t columns_open(struct manifest *m, const struct node *objects, const struct node *boxes, const struct node *categories,
	struct column **ret)
{
	struct column *columns = arena_alloc(&m->draft.arena, (objects->count + 1) * sizeof(*columns));
	size_t n = 0;
	for (const struct node *list = node_first(&m->dom, objects); list; list = node_next(&m->dom, objects, list))
		if (list->kind == NODE_ARRAY && list != boxes && list != categories)
			column_open(m, list, &columns[n++]);
	*ret = columns;
	return n;
}

/* What they say of one object; then they stand at the next. *n: those that have something to say of it or a later one. */
static struct slice attributes_of(struct manifest *m, struct column *columns, size_t *n)
{
	struct draft *d = &m->draft;
	size_t left = 0;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	for (size_t i = 0; i < *n; i++) {
		struct column c = columns[i];
		if (!column_at(&c))
			continue;
		json_str(&j, NULL, node_name(c.list, &d->arena));
		buf_char(j.to, ':');
		j.comma = false;
		json_raw(&j, NULL, node_json(column_at(&c)));
		column_next(m, &c);
		columns[left++] = c;
	}
	*n = left;
	json_close(&j, '}');
	struct slice s = draft_take(d);
	return s.len > 2 ? s : (struct slice){ 0 };
}

static struct slice box_geometry(struct manifest *m, const struct node *box)
{
	struct slice v[4], none = { 0 };
	uint32_t n = 0;
	if (box->kind != NODE_ARRAY)
		return none;
	for (const struct node *e = node_first(&m->dom, box); e && n < 4; e = node_next(&m->dom, box, e), n++) {
		v[n] = number_text(e);
		if (!v[n].len)
			return none;
	}
	if (n < 4)
		return none;
	struct json j;
	geometry_begin(&m->draft, &j, "box", "px", none, none);
	geometry_box(&j, "xywh", v);
	return geometry_end(&m->draft, &j);
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
	struct column category, *columns;
	size_t n = columns_open(m, objects, boxes, categories, &columns);
	column_open(m, categories, &category);
	for (const struct node *b = node_first(&m->dom, boxes); b; b = node_next(&m->dom, boxes, b), column_next(m, &category)) {
		struct slice geometry = box_geometry(m, b);
		if (!geometry.len)
			return draft_fail(d, node_place(m, b), NULL, "a bbox is four numbers");
		struct slice attributes = attributes_of(m, columns, &n);
		struct slice concept = node_scalar(column_at(&category), &d->arena);
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
	struct column first = { 0 };
	if (categories)
		column_open(m, categories, &first);
	const struct node *category = column_at(&first);
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
