/* coco_lists.c - categories by file and id, and by name. */
#include "daemon/export/coco_lists.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/entry.h"

#include <stdlib.h>

struct category {
	char *name;       /* owned */
	char *json;       /* owned: an object as its file has it; NULL: ours */
	char *id;         /* owned, JSON; NULL: not given yet */
};
struct own_id {
	char *id;         /* owned: as in the file, a string without its quotes */
	uint32_t category;
};
struct file {
	struct coco_origin origin;
	struct own_id *ids;
	size_t id_count;
};
struct coco_lists {
	struct category *categories; /* in the order in which they came */
	size_t count, room;
	uint32_t *by_name;           /* of those that are found by their name, sorted by it */
	size_t name_count, name_room;
	struct file *files;          /* by import */
	size_t file_count, file_room;
	uint64_t image_base, annotation_base, id_max;
	bool listed;                 /* a file had the list of categories */
	char *others;                /* owned: of the first file */
	struct dom dom;
};

struct coco_lists *coco_lists_new(void)
{
	return mem_zero(1, sizeof(struct coco_lists));
}

void coco_lists_free(struct coco_lists *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++) {
		free(l->categories[i].name);
		free(l->categories[i].json);
		free(l->categories[i].id);
	}
	for (size_t i = 0; i < l->file_count; i++) {
		for (size_t k = 0; k < l->files[i].id_count; k++)
			free(l->files[i].ids[k].id);
		free(l->files[i].ids);
	}
	free(l->categories);
	free(l->by_name);
	free(l->files);
	free(l->others);
	dom_done(&l->dom);
	free(l);
}

/* ---- by name ---- */

/* Where the name is, or would be, among the sorted ones. */
static bool find_name(const struct coco_lists *l, struct slice name, size_t *ret_at)
{
	size_t low = 0;
	size_t high = l->name_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int cmp = slice_cmp(slice_of(l->categories[l->by_name[middle]].name), name);
		if (cmp == 0) {
			*ret_at = middle;
			return true;
		}
		if (cmp < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

static uint32_t add_category(struct coco_lists *l, struct slice name)
{
	size_t at;
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->categories = mem_resize(l->categories, l->room, sizeof(*l->categories));
	}
	l->categories[l->count] = (struct category){ .name = mem_strndup(name.p, name.len) };
	if (!find_name(l, name, &at)) {
		if (l->name_count == l->name_room) {
			l->name_room = l->name_room ? 2 * l->name_room : 64;
			l->by_name = mem_resize(l->by_name, l->name_room, sizeof(*l->by_name));
		}
		memmove(l->by_name + at + 1, l->by_name + at, (l->name_count - at) * sizeof(*l->by_name));
		l->by_name[at] = (uint32_t)l->count;
		l->name_count++;
	}
	return (uint32_t)l->count++;
}

/* ---- files ---- */

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct own_id *)a)->id, ((const struct own_id *)b)->id);
}

static bool id_taken(const struct coco_lists *l, struct slice id)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->categories[i].id && slice_eq(slice_of(l->categories[i].id), id))
			return true;
	return false;
}

/* A category of a file: a new one, or the one of that name which an earlier file had. */
static void add_own(struct coco_lists *l, struct file *f, const struct node *n, size_t before)
{
	struct arena a = { 0 };
	const struct node *id = node_get(&l->dom, n, "id");
	const struct node *name = node_get(&l->dom, n, "name");
	size_t at;
	uint64_t number;
	if (!id || !name)
		return;
	struct slice name_text = node_scalar(name, &a);
	struct slice id_text = node_scalar(id, &a);
	bool known = find_name(l, name_text, &at) && l->by_name[at] < before;
	uint32_t category = known ? l->by_name[at] : add_category(l, name_text);
	if (!known) {
		struct category *c = &l->categories[category];
		c->json = mem_strndup(n->text.p, n->text.len);
		if (before == 0 || !id_taken(l, node_json(id)))
			c->id = mem_strndup(node_json(id).p, node_json(id).len);
		if (text_u64(id_text, &number) == 0 && number < INT64_MAX && number > l->id_max)
			l->id_max = number;
	}
	f->ids[f->id_count++] = (struct own_id){ mem_strndup(id_text.p ? id_text.p : "", id_text.len), category };
	arena_done(&a);
}

static uint64_t whole(const struct coco_lists *l, const char *name)
{
	const struct node *n = node_get_kind(&l->dom, dom_root(&l->dom), name, NODE_NUMBER);
	uint64_t value = 0;
	return n && text_u64(n->text, &value) == 0 ? value : 0;
}

void coco_lists_import(struct coco_lists *l, const struct import *i)
{
	struct dom_error ignored;
	if (!slice_eq(i->format, SLICE_LIT("coco")) || i->attributes.len == 0 || dom_parse(&l->dom, i->attributes, &ignored) < 0)
		return;
	const struct node *root = dom_root(&l->dom);
	const struct node *list = node_get_kind(&l->dom, root, "categories", NODE_ARRAY);
	const struct node *others = node_get_kind(&l->dom, root, "others", NODE_OBJECT);
	uint64_t images = whole(l, "image_id_max");
	uint64_t annotations = whole(l, "annotation_id_max");
	if (images > INT64_MAX - l->image_base || annotations > INT64_MAX - l->annotation_base)
		return; /* its ids cannot be moved: they are given anew */
	if (l->file_count == l->file_room) {
		l->file_room = l->file_room ? 2 * l->file_room : 4;
		l->files = mem_resize(l->files, l->file_room, sizeof(*l->files));
	}
	struct file *f = &l->files[l->file_count];
	*f = (struct file){ .origin = { i->id, l->image_base, l->annotation_base } };
	f->ids = mem_zero(list ? list->count + 1 : 1, sizeof(*f->ids));
	const size_t before = l->count;
	for (const struct node *n = list ? node_first(&l->dom, list) : NULL; n; n = node_next(&l->dom, list, n))
		add_own(l, f, n, before);
	qsort(f->ids, f->id_count, sizeof(*f->ids), compare_ids);
	l->listed = l->listed || list;
	if (l->file_count++ == 0 && others)
		l->others = mem_strndup(others->text.p, others->text.len);
	l->image_base += images;
	l->annotation_base += annotations;
}

static const struct file *find_file(const struct coco_lists *l, uint64_t import)
{
	size_t low = 0;
	size_t high = l->file_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (l->files[middle].origin.import == import)
			return &l->files[middle];
		if (l->files[middle].origin.import < import)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct coco_origin *coco_lists_find(const struct coco_lists *l, uint64_t import)
{
	const struct file *f = find_file(l, import);
	return f ? &f->origin : NULL;
}

uint64_t coco_lists_image_base(const struct coco_lists *l)
{
	return l->image_base;
}

uint64_t coco_lists_annotation_base(const struct coco_lists *l)
{
	return l->annotation_base;
}

uint32_t coco_lists_category(struct coco_lists *l, const struct coco_origin *from, struct slice id, struct slice name)
{
	const struct file *f = from && id.len ? find_file(l, from->import) : NULL;
	size_t at;
	for (size_t low = 0, high = f ? f->id_count : 0; low < high;) {
		size_t middle = low + (high - low) / 2;
		int cmp = slice_cmp(slice_of(f->ids[middle].id), id);
		if (cmp == 0)
			return f->ids[middle].category;
		if (cmp < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return find_name(l, name, &at) ? l->by_name[at] : add_category(l, name);
}

/* ---- at the end ---- */

void coco_lists_number(struct coco_lists *l)
{
	for (size_t i = 0; i < l->name_count; i++) {
		struct category *c = &l->categories[l->by_name[i]];
		if (!c->id)
			c->id = mem_printf("%llu", (unsigned long long)++l->id_max);
	}
	for (size_t i = 0; i < l->count; i++) /* a later file's second one of a name */
		if (!l->categories[i].id)
			l->categories[i].id = mem_printf("%llu", (unsigned long long)++l->id_max);
}

void coco_lists_put_id(const struct coco_lists *l, uint32_t category, struct json *j)
{
	json_raw(j, "category_id", slice_of(l->categories[category].id));
}

static void put_own(struct dom *dom, const struct category *c, struct json *j)
{
	struct dom_error ignored;
	if (dom_parse(dom, slice_of(c->json), &ignored) < 0)
		return;
	json_open(j, NULL, '{');
	json_raw(j, "id", slice_of(c->id));
	members_write_but(dom, dom_root(dom), (const char *const[]){ "id", NULL }, j);
	json_close(j, '}');
}

void coco_lists_put_categories(const struct coco_lists *l, struct json *j)
{
	struct dom dom = { 0 };
	if (!l->listed && l->count == 0 && l->file_count)
		return;
	json_open(j, "categories", '[');
	for (size_t i = 0; i < l->count; i++)
		if (l->categories[i].json)
			put_own(&dom, &l->categories[i], j);
	for (size_t i = 0; i < l->name_count; i++) {
		const struct category *c = &l->categories[l->by_name[i]];
		if (c->json)
			continue;
		json_open(j, NULL, '{');
		json_raw(j, "id", slice_of(c->id));
		json_str(j, "name", slice_of(c->name));
		json_str(j, "supercategory", SLICE_LIT(""));
		json_close(j, '}');
	}
	json_close(j, ']');
	dom_done(&dom);
}

bool coco_lists_put_others(const struct coco_lists *l, struct json *j)
{
	if (l->others)
		members_raw(slice_of(l->others), j);
	return l->file_count > 0;
}
