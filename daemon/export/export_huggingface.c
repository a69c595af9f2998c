/* export_huggingface.c - Hugging Face's metadata.jsonl: a line a file, file_name relative to where the list is to lie, labels
 * of the whole in a column, boxes as lists side by side:
 *
 *   {"file_name":"train/a.jpg","label":"cat","objects":{"bbox":[[1,2,3,4]],"categories":["dog"]},"split":"train",…}
 *
 * A row that came as one keeps its columns as they were, as long as its labels are what they say. Items of a watched folder or
 * bucket are named by their keys. URLs and texts are no files, and shapes other than boxes cannot be said. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/box.h"
#include "daemon/export/entry.h"
#include "daemon/manifest/mapped.h"

#include <stdlib.h>

struct face {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	struct shape *shape;
	struct dom metadata;
	const struct item_full *it;
};

static void *face_open(const struct export_options *o, struct export_left *left)
{
	struct face *f = mem_zero(1, sizeof(*f));
	f->options = o;
	f->left = left;
	f->shape = shape_new();
	return f;
}

static void face_close(void *state)
{
	struct face *f = state;
	entry_done(&f->entry);
	dom_done(&f->metadata);
	shape_free(f->shape);
	free(f);
}

static const struct node *said(const struct face *f, const char *name)
{
	return f->entry.said ? node_get(&f->entry.said_dom, f->entry.said, name) : NULL;
}

/* ---- labels of the whole ---- */

/* The next label of the whole; false: there is none. */
static bool next_class(const struct item_full *it, size_t *at)
{
	while (*at < it->annotation_count && (it->annotations[*at].geometry.len || labels_say_before(it, *at)))
		(*at)++;
	return *at < it->annotation_count;
}

/* Whether a string in which there are several, as "a;b", says just the labels that stand. */
static bool says_in_one(const struct face *f, struct slice cell)
{
	char separator = concepts_separator(cell);
	struct slice concept;
	size_t at = 0;
	for (; next_class(f->it, &at); at++)
		if (!concepts_next(&cell, separator, &concept) || !slice_eq(concept, f->it->annotations[at].concept))
			return false;
	return !concepts_next(&cell, separator, &concept);
}

/* Whether a column, a name or a list of them, says just the labels that stand. */
static bool says_classes(const struct face *f, const struct node *column)
{
	struct arena *a = (struct arena *)&f->entry.arena;
	const struct dom *t = &f->entry.said_dom;
	const struct node *n = column->kind == NODE_ARRAY ? node_first(t, column) : column;
	size_t at = 0;
	if (column->kind == NODE_STRING && says_in_one(f, node_string(column, a)))
		return true;
	for (; n && next_class(f->it, &at); at++) {
		if (!slice_eq(node_scalar(n, a), f->it->annotations[at].concept))
			return false;
		n = column->kind == NODE_ARRAY ? node_next(t, column, n) : NULL;
	}
	return !n && !next_class(f->it, &at);
}

static const struct node *label_column(const struct face *f, const struct node *columns)
{
	static const char *const names[] = { "label", "labels", "class", "category", "concept", "concepts", "tags" };
	const struct node *n = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !n; i++)
		n = node_get(&f->entry.said_dom, columns, names[i]);
	return n;
}

static void put_classes(const struct face *f, const char *name, struct json *j)
{
	size_t count = 0;
	size_t last = 0;
	for (size_t at = 0; next_class(f->it, &at); at++) {
		last = at;
		count++;
	}
	if (count == 1) {
		json_str(j, name ? name : "label", f->it->annotations[last].concept);
	} else if (count > 1) {
		json_open(j, name ? name : "labels", '[');
		for (size_t at = 0; next_class(f->it, &at); at++)
			json_str(j, NULL, f->it->annotations[at].concept);
		json_close(j, ']');
	}
}

static void put_columns(struct face *f, struct json *j)
{
	const struct node *columns = said(f, "columns");
	const struct dom *t = &f->entry.said_dom;
	const struct node *label = label_column(f, columns);
	bool stands = label && says_classes(f, label);
	for (const struct node *n = columns ? node_first(t, columns) : NULL; n; n = node_next(t, columns, n))
		if (n != label || stands)
			node_write(n, j);
	if (!stands)
		put_classes(f, label ? arena_printf(&f->entry.arena, "%.*s", (int)label->name.len, label->name.p).p : NULL, j);
}

/* ---- boxes ---- */

static bool box_of(struct face *f, const struct annotation *a, struct slice v[4])
{
	return box_read(f->shape, a->geometry, &f->it->item, BOX_XYWH, BOX_PIXELS, false, &f->entry.arena, v);
}

static void put_boxes(struct face *f, struct json *j)
{
	struct slice v[4];
	json_open(j, "bbox", '[');
	for (size_t i = 0; i < f->it->annotation_count; i++) {
		if (f->it->annotations[i].geometry.len == 0 || !box_of(f, &f->it->annotations[i], v))
			continue;
		json_open(j, NULL, '[');
		for (size_t k = 0; k < 4; k++)
			json_raw(j, NULL, v[k]);
		json_close(j, ']');
	}
	json_close(j, ']');
}

/* One of the lists beside them: the classes, or what the row said of each box. */
static void put_list(struct face *f, const char *name, bool classes, struct json *j)
{
	struct slice v[4];
	const struct node *numbers = said(f, "numbers");
	bool as_numbers = numbers && numbers->kind == NODE_TRUE;
	json_open(j, name, '[');
	for (size_t i = 0; i < f->it->annotation_count; i++) {
		const struct annotation *a = &f->it->annotations[i];
		if (a->geometry.len == 0 || !box_of(f, a, v))
			continue;
		const struct node *of = entry_label(&f->entry, a);
		const struct node *value = of ? node_get(&f->entry.label_dom, of, name) : NULL;
		if (classes && as_numbers && is_json_number(a->concept))
			json_raw(j, NULL, a->concept);
		else if (classes)
			json_str(j, NULL, a->concept);
		else
			json_raw(j, NULL, value ? node_json(value) : SLICE_LIT("null"));
	}
	json_close(j, ']');
}

static void put_objects(struct face *f, struct json *j)
{
	const struct node *lists = said(f, "objects");
	const struct dom *t = &f->entry.said_dom;
	struct slice v[4];
	size_t boxes = 0;
	bool classes = false;
	for (size_t i = 0; i < f->it->annotation_count; i++) {
		const struct annotation *a = &f->it->annotations[i];
		bool box = a->geometry.len && box_of(f, a, v);
		boxes += box;
		f->left->labels += a->geometry.len && !box;
	}
	if (!lists && boxes == 0)
		return;
	json_open(j, "objects", '{');
	if (!lists) {
		put_boxes(f, j);
		put_list(f, "categories", true, j);
	}
	for (const struct node *n = lists ? node_first(t, lists) : NULL; n; n = node_next(t, lists, n)) {
		static const char *const names[] = { "categories", "category", "labels", "label", "category_id" };
		const char *name = arena_printf(&f->entry.arena, "%.*s", (int)n->text.len, n->text.p).p;
		bool is_class = false;
		for (size_t i = 0; i < 5 && !classes; i++)
			is_class = is_class || strcmp(names[i], name) == 0;
		classes = classes || is_class;
		if (strcmp(name, "bbox") == 0)
			put_boxes(f, j);
		else
			put_list(f, name, is_class, j);
	}
	json_close(j, '}');
}

/* ---- the rest ---- */

static bool path_says(struct slice path, struct slice split)
{
	for (size_t i = 0; i + split.len < path.len; i++)
		if ((i == 0 || path.p[i - 1] == '/') && memcmp(path.p + i, split.p, split.len) == 0)
			return true;
	return false;
}

static void put_facts(struct face *f, struct json *j)
{
	struct dom_error ignored;
	const struct entry *e = &f->entry;
	const struct node *columns = said(f, "columns");
	const struct node *column = node_get_kind(&e->said_dom, columns, "metadata", NODE_OBJECT);
	if (e->split.len && !e->said && !path_says(e->where, e->split))
		json_str(j, "split", e->split);
	if (!e->metadata.len || dom_parse(&f->metadata, e->metadata, &ignored) < 0)
		return;
	const struct node *root = dom_root(&f->metadata);
	for (const struct node *n = node_first(&f->metadata, root); n; n = node_next(&f->metadata, root, n)) {
		const char *name = arena_printf(&f->entry.arena, "%.*s", (int)n->name.len, n->name.p).p;
		if (!node_get(&e->said_dom, column, name) && !node_get(&e->said_dom, columns, name)) /* else a column says it */
			node_write(n, j);
	}
}

/* Relative to where the list lies; empty: it is no file beside one. */
static struct slice file_of(const struct face *f)
{
	const struct entry *e = &f->entry;
	if (e->listed)
		return e->at == ROW_PATH ? e->where : (struct slice){ 0 };
	bool keyed = f->it->reference_count && text_is_utf8(f->it->references[0].key);
	return keyed ? f->it->references[0].key : (struct slice){ 0 };
}

static int face_add(void *state, const struct item_full *it, struct buf *to, struct err *err)
{
	struct face *f = state;
	f->it = it;
	if (entry_read(&f->entry, f->options, it, err) < 0)
		return -1;
	struct slice file = file_of(f);
	if (!file.len) {
		f->left->items++;
		return 0;
	}
	const struct node *name = said(f, "file");
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, name ? arena_printf(&f->entry.arena, "%.*s", (int)name->text.len, name->text.p).p : "file_name", file);
	put_columns(f, &j);
	put_objects(f, &j);
	put_facts(f, &j);
	json_close(&j, '}');
	buf_char(to, '\n');
	return 0;
}

const struct format_ops format_huggingface = { .type = "application/jsonl", .file_name = "metadata.jsonl", .list = true,
	.open = face_open, .add = face_add, .close = face_close };
