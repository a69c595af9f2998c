/* format_coco.c - COCO annotations: {"images":[…],"annotations":[…],"categories":[…]}, the lists in any order.
 *
 * Images and annotations go through a file, sorted by image; then each image is a row with its annotations as labels, in
 * the order of the images' ids. The ids are only there to join the lists, so that a row is known by its file's name; where
 * several images have one, all but the first are known by NAME#ID, or one of them would be lost. A point is a count of rows. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/coco.h"
#include "daemon/manifest/objects.h"
#include "daemon/manifest/sorter.h"
#include "daemon/manifest/twins.h"

#include <stdlib.h>

enum kind { KIND_BAD, KIND_IMAGE, KIND_ANNOTATION };   /* sorted so within an image */

struct coco {
	struct sorter *sorter;
	bool sorted;
	struct twins *twins;         /* images of one file_name */
	struct arena names;          /* the one at hand */
	struct coco_categories categories;
	struct coco_attributes attributes;
	struct buf text;             /* of the annotation at hand */
};

static int coco_open(struct manifest *m, struct err *err)
{
	char first = '\0';
	if (m->o.spool < 0)
		return err_set(err, ERR_REJECT, 0, "a COCO file needs a temporary file to be read");
	struct coco *c = m->state = mem_zero(1, sizeof(*c));
	c->sorter = sorter_new(m->o.spool);
	c->twins = twins_new();
	values_init(&m->values, &m->window, VALUES_RUN, m->o.record_max);
	if (values_peek(&m->values, &first, err) < 0)
		return -1;
	return first == '{' ? 0 : err_set(err, ERR_REJECT, 0, "a COCO file is one JSON object");
}

/* ---- into the sorter ---- */

static int add(struct manifest *m, enum kind kind, struct slice key, const struct value *v, const char *reason,
	struct err *err)
{
	struct coco *c = m->state;
	return sorter_add(c->sorter, &(struct sorter_record){ .kind = kind, .key = key, .at = v->at, .text = v->text,
		.reason = reason, .cure = v->cure }, err);
}

/* Of an annotation; a node without text where it has none. */
static const struct node *own_id(struct manifest *m, const struct node *root)
{
	static const struct node none = { 0 };
	const struct node *id = node_get_kind(&m->dom, root, "id", NODE_NUMBER);
	return id ? id : &none;
}

/* One element of a list, as JSON in m->dom. */
static int take_element(struct manifest *m, struct slice list, const struct value *v, struct err *err)
{
	struct coco *c = m->state;
	const struct node *root = dom_root(&m->dom);
	if (slice_eq(list, SLICE_LIT("categories"))) {
		coco_attributes_add(&c->attributes, (struct slice){ 0 }, v->text);
		return coco_category(&c->categories, &m->dom, root, err);
	}
	bool image = slice_eq(list, SLICE_LIT("images"));
	const struct node *id = node_get(&m->dom, root, image ? "id" : "image_id");
	if (!id || (id->kind != NODE_NUMBER && id->kind != NODE_STRING) || id->text.len == 0)
		return add(m, KIND_BAD, (struct slice){ 0 }, v, image ? "the image has no id" : "the annotation has no image_id", err);
	if (image) {
		arena_reset(&c->names);
		twins_see(c->twins, coco_image_name(m, &c->names));
	}
	coco_attributes_id(image ? &c->attributes.image_id_max : &c->attributes.annotation_id_max,
		(image ? id : own_id(m, root))->text);
	return add(m, image ? KIND_IMAGE : KIND_ANNOTATION, id->text, v, NULL, err);
}

static int take_list(struct manifest *m, struct slice name, struct err *err)
{
	struct coco *c = m->state;
	struct values list;
	struct value v;
	int got = 0;
	c->attributes.listed = c->attributes.listed || slice_eq(name, SLICE_LIT("categories"));
	values_init(&list, &m->window, VALUES_LIST, m->o.record_max);
	while ((got = values_next(&list, &v, err)) > 0) {
		struct dom_error e;
		int taken = 0;
		if (got == VALUES_BAD) {
			v.at = v.bad_at;
			taken = add(m, KIND_BAD, (struct slice){ 0 }, &v, v.reason, err);
		} else if (!text_is_utf8(v.text)) {
			taken = add(m, KIND_BAD, (struct slice){ 0 }, &v, "it is not UTF-8", err);
		} else if (dom_parse(&m->dom, v.text, &e) < 0) {
			v.at = place_in(v.at, v.text, e.at);
			taken = add(m, KIND_BAD, (struct slice){ 0 }, &v, e.reason, err);
		} else {
			taken = take_element(m, name, &v, err);
		}
		if (taken < 0) {
			got = -1;
			break;
		}
	}
	values_done(&list);
	return got;
}

static int expect(struct manifest *m, char wanted, const char *what, struct err *err)
{
	char c = '\0';
	if (values_peek(&m->values, &c, err) < 0)
		return -1;
	if (c != wanted)
		return err_set(err, ERR_REJECT, 0, "line %llu: %s is expected", (unsigned long long)m->window.line, what);
	window_pass(&m->window, 1);
	return 0;
}

/* A member that is no list of ours stands in the attributes. */
static int take_other(struct manifest *m, struct slice name, struct err *err)
{
	struct coco *c = m->state;
	struct value v;
	struct dom_error e;
	m->values.max = MANIFEST_ATTRIBUTES_MAX;
	int got = values_next(&m->values, &v, err);
	m->values.max = m->o.record_max;
	if (got == VALUES_BAD && !v.too_long)
		return err_set(err, ERR_REJECT, 0, "line %llu: %s", (unsigned long long)v.bad_at.line, v.reason);
	if (got == VALUES_BAD)
		c->attributes.too_long = true;
	else if (got == VALUES_ONE && text_is_utf8(name) && text_is_utf8(v.text) && dom_parse(&m->dom, v.text, &e) == 0)
		coco_attributes_add(&c->attributes, name, v.text);
	return got < 0 ? -1 : 0;
}

/* "name": value */
static int take_member(struct manifest *m, struct err *err)
{
	struct value v;
	char c = '\0';
	char name[64] = { 0 };
	int got = values_next(&m->values, &v, err);
	if (got < 0)
		return -1;
	if (got != VALUES_ONE || v.text.len < 2 || *v.text.p != '"')
		return err_set(err, ERR_REJECT, 0, "line %llu: the name of a member is expected", (unsigned long long)v.at.line);
	size_t len = v.text.len - 2 < sizeof(name) - 1 ? v.text.len - 2 : sizeof(name) - 1;
	bool name_is_cut = len < v.text.len - 2;
	memcpy(name, v.text.p + 1, len);
	if (expect(m, ':', "a colon", err) < 0 || values_peek(&m->values, &c, err) < 0)
		return -1;
	bool list = strcmp(name, "images") == 0 || strcmp(name, "annotations") == 0 || strcmp(name, "categories") == 0;
	if (list && c == '[')
		return take_list(m, (struct slice){ name, len }, err);
	if (name_is_cut)
		return values_skip(&m->values, err) < 0 ? -1 : 0;
	return take_other(m, (struct slice){ name, len }, err);
}

static int sort(struct manifest *m, struct err *err)
{
	struct coco *c = m->state;
	char next = ',';
	if (expect(m, '{', "a brace", err) < 0 || values_peek(&m->values, &next, err) < 0)
		return -1;
	while (next != '}') {
		if (take_member(m, err) < 0 || values_peek(&m->values, &next, err) < 0)
			return -1;
		if (next == ',')
			window_pass(&m->window, 1);
		else if (next != '}')
			return err_set(err, ERR_REJECT, 0, "line %llu: it ends within its object: the rest of it may be missing",
				(unsigned long long)m->window.line);
	}
	struct dom_error e;
	struct slice said = coco_attributes_text(&c->attributes);
	if (said.len && dom_parse(&m->dom, said, &e) < 0)
		return err_set(err, ERR_REJECT, 0, "what it says beside its images and annotations cannot be kept: %s", e.reason);
	c->sorted = true;
	coco_categories_sort(&c->categories);
	return sorter_finish(c->sorter, err);
}

/* ---- rows ---- */

/* Annotations of the image `key`; they become labels as long as `use`. */
static int take_annotations(struct manifest *m, struct slice key, bool use, struct err *err)
{
	struct coco *c = m->state;
	const struct sorter_record *r = NULL;
	size_t bytes = 0;
	int result = DRAFT_ROW;
	while ((r = sorter_peek(c->sorter)) && r->kind == KIND_ANNOTATION && slice_eq(r->key, key)) {
		struct dom_error e;
		bytes += r->text.len;
		if (use && result == DRAFT_ROW && bytes > m->o.record_max)
			result = draft_fail(&m->draft, r->at, "split it, or raise the limit",
				"the image's annotations are longer than %zu bytes", m->o.record_max);
		if (use && result == DRAFT_ROW) {
			c->text.len = 0;
			buf_add(&c->text, r->text.p, r->text.len);
			(void)dom_parse(&m->dom, buf_slice(&c->text), &e);
			result = coco_label(m, &c->categories, r->at);
		}
		if (sorter_pop(c->sorter, err) < 0)
			return -1;
	}
	return result;
}

/* A record of its own that is no row. */
static int failed(struct manifest *m, const struct sorter_record *r, const char *reason, struct err *err)
{
	struct coco *c = m->state;
	draft_begin(&m->draft, r->at, (struct slice){ 0 });
	m->draft.row.raw = arena_copy(&m->draft.arena, r->text);
	(void)draft_fail(&m->draft, r->at, r->cure, "%s", reason);
	return sorter_pop(c->sorter, err) < 0 ? -1 : DRAFT_FAILED;
}

static struct slice name_of(struct manifest *m, struct slice image, struct arena *a)
{
	struct dom_error e;
	(void)dom_parse(&m->dom, image, &e);
	return coco_image_name(m, a);
}

/* Annotations name images by id, and of two images with one id they are the last one's, as pycocotools has it. An earlier one is
 * the same image, which is no row of its own, or it fails. */
static int doubled(struct manifest *m, struct slice text, const struct sorter_record *last)
{
	struct draft *d = &m->draft;
	struct slice name = name_of(m, text, &d->arena), other = name_of(m, last->text, &d->arena);
	if (slice_eq(name, other))
		return DRAFT_SKIP;
	return draft_fail(d, d->row.at, "give each image an id of its own",
		"line %llu gives the id %s to the image '%s', and the annotations with it", (unsigned long long)last->at.line,
		draft_show(d, last->key), draft_show(d, other));
}

static void tell_apart(struct manifest *m, struct slice id)
{
	struct coco *c = m->state;
	struct draft *d = &m->draft;
	struct slice name = coco_image_name(m, &d->arena);
	const char *first = twins_first(c->twins, name, id);
	if (!first)
		return;
	draft_id(d, arena_printf(&d->arena, "%.*s#%.*s", (int)name.len, name.p, (int)id.len, id.p));
	draft_warn(d, "the images %s and %.*s are both '%s': one picture gets the labels of both", first, (int)id.len, id.p,
		draft_show(d, name));
}

static int image_row(struct manifest *m, const struct sorter_record *r, struct err *err)
{
	struct coco *c = m->state;
	struct draft *d = &m->draft;
	struct dom_error e;
	draft_begin(d, r->at, (struct slice){ 0 });
	struct slice key = arena_copy(&d->arena, r->key);
	struct slice text = arena_copy(&d->arena, r->text);
	d->row.raw = text;
	if (sorter_pop(c->sorter, err) < 0)
		return -1;
	const struct sorter_record *next = sorter_peek(c->sorter);
	if (next && next->kind == KIND_IMAGE && slice_eq(next->key, key))
		return doubled(m, text, next);
	(void)dom_parse(&m->dom, text, &e);
	int image = coco_image(m);
	if (image == DRAFT_ROW)
		tell_apart(m, key);
	int labels = take_annotations(m, key, image == DRAFT_ROW, err);
	if (labels < 0)
		return -1;
	if (image == DRAFT_FAILED || labels == DRAFT_FAILED)
		return DRAFT_FAILED;
	return draft_finish(d);
}

static int coco_next(struct manifest *m, struct err *err)
{
	struct coco *c = m->state;
	if (!c->sorted && sort(m, err) < 0)
		return -1;
	const struct sorter_record *r = sorter_peek(c->sorter);
	if (!r)
		return 0;
	if (r->kind == KIND_BAD)
		return failed(m, r, r->reason, err);
	if (r->kind == KIND_ANNOTATION)
		return failed(m, r, "the annotation is of an image that is not in the list of images", err);
	return image_row(m, r, err);
}

static int coco_resume(struct manifest *m, struct err *err)
{
	int got = 1;
	for (uint64_t n = m->o.from.rows; n > 0 && got > 0; n--)
		got = coco_next(m, err);
	return got < 0 ? -1 : 0;
}

static int no_header(const struct manifest *m, struct slice *ret)
{
	(void)m;
	(void)ret;
	return -1;
}

static struct slice attributes(const struct manifest *m)
{
	struct coco *c = m->state;
	return coco_attributes_text(&c->attributes);
}

static void coco_close(struct manifest *m)
{
	struct coco *c = m->state;
	sorter_free(c->sorter);
	twins_free(c->twins);
	arena_done(&c->names);
	coco_categories_done(&c->categories);
	coco_attributes_done(&c->attributes);
	buf_done(&c->text);
	free(c);
}

const struct format manifest_coco = { .title = "COCO annotations", .open = coco_open, .next = coco_next,
	.header = no_header, .attributes = attributes, .values = objects_values, .resume = coco_resume, .close = coco_close };
