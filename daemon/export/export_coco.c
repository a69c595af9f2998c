/* export_coco.c - the dataset as one COCO object that pycocotools loads, in memory bounded by the number of concepts.
 *
 * Images go out as they come. Annotations name their category by an id that is known at the end only: until then they wait in
 * an unlinked file, each as a struct spooled and the JSON that follows the category:
 *
 *   {"images":[…],   "annotations":[{"category_id":C  + spooled text …],   "categories":[…],"info":{…}}
 *
 * What came from a COCO file goes out as it came: its images, annotations and categories with their ids and all their members,
 * its info. Ids of other images and annotations begin behind the highest of these. */
#include "daemon/export/format.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/coco_lists.h"
#include "daemon/export/coco_shape.h"
#include "daemon/export/entry.h"

#include <errno.h>
#include <fcntl.h>

struct spooled {
	uint32_t category;     /* NO_CATEGORY: it goes without */
	bool has_id;           /* among the JSON that follows */
	uint32_t bytes;        /* of that: ",…}" */
};
#define NO_CATEGORY UINT32_MAX
#define SAME_ITEM (1ULL << 40)
enum phase { PHASE_IMAGES, PHASE_ANNOTATIONS, PHASE_DONE };
struct coco {
	const struct export_options *o;
	int spool;             /* -1: not made yet */
	uint64_t spool_bytes;  /* written to the file */
	struct buf pending;    /* not yet written */
	struct coco_lists *lists;
	struct entry entry;          /* the image's row */
	const struct coco_origin *origin; /* of the image: NULL where no COCO file lists it */
	uint64_t images, annotations;
	uint64_t last_item, same_item; /* entries of that item before this one */
	uint64_t image_id;           /* of an image that has none of its own */
	struct export_left *left;
	struct shape *shape;
	struct shape_frame frame;    /* of the image at hand */
	enum phase phase;
	/* PHASE_ANNOTATIONS: */
	uint64_t read_at;      /* in the spool */
	uint64_t written;      /* annotations */
	uint64_t given;        /* ids that we gave */
};

static void *coco_open(const struct export_options *o, struct export_left *left)
{
	struct coco *c = mem_zero(1, sizeof(*c));
	c->o = o;
	c->lists = coco_lists_new();
	c->left = left;
	c->spool = -1;
	c->shape = shape_new();
	return c;
}

static void coco_close(void *state)
{
	struct coco *c = state;
	close_fdp(&c->spool);
	coco_lists_free(c->lists);
	entry_done(&c->entry);
	shape_free(c->shape);
	buf_done(&c->pending);
	free(c);
}

static void coco_import(void *state, const struct import *i)
{
	struct coco *c = state;
	coco_lists_import(c->lists, i);
}

static int spool_flush(struct coco *c, struct err *err)
{
	if (c->spool < 0)
		c->spool = open(c->o->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (c->spool < 0)
		return err_set(err, ERR_RETRY, errno, "make a temporary file in '%s'", c->o->spool_dir);
	if (file_write_at(c->spool, c->pending.data, c->pending.len, c->spool_bytes, err) < 0)
		return err_wrap(err, "temporary file in '%s'", c->o->spool_dir);
	c->spool_bytes += c->pending.len;
	c->pending.len = 0;
	return 0;
}

/* Where its row says it is, else the key of the first reference that can be written as text, else a name made of the content. */
static void file_name(const struct coco *c, const struct item_full *it, struct json *j)
{
	struct buf name = { 0 };
	if (c->entry.listed && c->entry.at != ROW_TEXT)
		buf_add(&name, c->entry.where.p, c->entry.where.len);
	for (size_t i = 0; i < it->reference_count && name.len == 0; i++)
		if (text_is_utf8(it->references[i].key))
			buf_add(&name, it->references[i].key.p, it->references[i].key.len);
	if (name.len == 0) {
		char hex[CONTENT_ID_HEX + 1];
		text_hex(it->item.content.sha256, SHA256_BYTES, hex);
		struct slice type = it->item.media_type;
		const char *subtype = type.len ? memchr(type.p, '/', type.len) : NULL;
		int len = subtype ? (int)(type.p + type.len - subtype - 1) : 0;
		buf_printf(&name, "%s.%.*s", hex, subtype ? len : 3, subtype ? subtype + 1 : "bin");
	}
	json_str(j, "file_name", buf_slice(&name));
	buf_done(&name);
}

/* An id of a COCO file: as it is, or moved behind those of the files before it. */
static void put_moved(const struct node *id, uint64_t base, struct json *j)
{
	uint64_t n;
	if (base && id->kind == NODE_NUMBER && text_u64(id->text, &n) == 0 && n <= INT64_MAX)
		json_u64(j, "id", n + base);
	else
		json_raw(j, "id", node_json(id));
}

static void own_image(struct coco *c, struct json *j)
{
	const struct entry *e = &c->entry;
	members_raw(e->metadata, j);
	members_write_but(&e->said_dom, e->said, (const char *const[]){ "id", "unnamed", NULL }, j);
	put_moved(node_get(&e->said_dom, e->said, "id"), c->origin->image_base, j);
	if (!node_get(&e->said_dom, e->said, "file_name") && !node_get(&e->said_dom, e->said, "unnamed"))
		json_str(j, "file_name", e->where);
}

static void other_image(struct coco *c, const struct item_full *it, struct json *j)
{
	json_u64(j, "id", c->image_id);
	json_u64(j, "width", it->item.width);
	json_u64(j, "height", it->item.height);
	file_name(c, it, j);
	json_u64(j, "item", it->item.id);
	json_hex(j, "sha256", it->item.content.sha256, SHA256_BYTES);
	if (it->reference_count)
		json_str(j, "source", it->references[0].source);
}

static void add_image(struct coco *c, const struct item_full *it, struct buf *to)
{
	buf_str(to, c->images++ == 0 ? "{\"images\":[" : ",\n");
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	if (c->origin)
		own_image(c, &j);
	else
		other_image(c, it, &j);
	json_close(&j, '}');
}

/* "image_id" of an annotation. */
static void put_image_id(const struct coco *c, struct json *j)
{
	const struct entry *e = &c->entry;
	const struct node *id = c->origin ? node_get(&e->said_dom, e->said, "id") : NULL;
	uint64_t n;
	if (!id)
		json_u64(j, "image_id", c->image_id);
	else if (c->origin->image_base && id->kind == NODE_NUMBER && text_u64(id->text, &n) == 0 && n <= INT64_MAX)
		json_u64(j, "image_id", n + c->origin->image_base);
	else
		json_raw(j, "image_id", node_json(id));
}

/* A label of the whole image is a box around it, and says so in its attributes. */
static void whole_image(const struct shape_frame *f, struct json *j)
{
	json_open(j, "bbox", '[');
	json_u64(j, NULL, 0);
	json_u64(j, NULL, 0);
	json_double(j, NULL, f->width);
	json_double(j, NULL, f->height);
	json_close(j, ']');
	json_double(j, "area", f->width * f->height);
	json_u64(j, "iscrowd", 0);
	json_open(j, "segmentation", '[');
	json_close(j, ']');
}

/* Its members as its file had them, and the geometry under the name that it had. */
static void own_annotation(struct coco *c, const struct coco_origin *from, const struct annotation *a, const struct node *said,
	struct json *j)
{
	const struct dom *dom = &c->entry.label_dom;
	const struct node *id = node_get(dom, said, "id");
	if (id)
		put_moved(id, from->annotation_base, j);
	members_write_but(dom, said, (const char *const[]){ "id", "category_id", NULL }, j);
	if (a->geometry.len)
		coco_shape_as_came(c->shape, a->geometry, j);
	if (a->confidence >= 0)
		json_double(j, "score", a->confidence);
}

static bool other_annotation(struct coco *c, const struct annotation *a, struct json *j)
{
	if (a->geometry.len == 0)
		whole_image(&c->frame, j);
	else if (!coco_shape(c->shape, a->geometry, &c->frame, j))
		return false;
	if (a->confidence >= 0)
		json_double(j, "score", a->confidence);
	json_open(j, "attributes", '{');
	json_bool(j, "image_level", a->geometry.len == 0);
	json_str(j, "status", slice_of(status_name(a->status)));
	json_str(j, "worker", a->worker);
	json_close(j, '}');
	return true;
}

/* The COCO file that a label came from. Rows are in the order of their objects' numbers. */
static const struct coco_origin *origin_of(const struct coco *c, const struct item_full *it, const struct annotation *a)
{
	size_t low = 0;
	size_t high = it->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (it->rows[middle].object == a->object)
			return a->attributes.len ? coco_lists_find(c->lists, it->rows[middle].import) : NULL;
		if (it->rows[middle].object < a->object)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int add_annotation(struct coco *c, const struct item_full *it, const struct annotation *a, struct err *err)
{
	struct buf text = { 0 };
	struct json j = { .to = &text, .comma = true };
	struct spooled head = { .category = NO_CATEGORY };
	struct arena arena = { 0 };
	const struct coco_origin *from = origin_of(c, it, a);
	const struct node *said = from ? entry_label(&c->entry, a) : NULL;
	const struct node *category = node_get(&c->entry.label_dom, said, "category_id");
	put_image_id(c, &j);
	if (said)
		own_annotation(c, from, a, said, &j);
	else if (!other_annotation(c, a, &j)) {
		c->left->labels++;
		buf_done(&text);
		return 0;
	}
	json_close(&j, '}');
	if (!said || category)
		head.category = coco_lists_category(c->lists, from, node_scalar(category, &arena), a->concept);
	head.has_id = node_get(&c->entry.label_dom, said, "id") != NULL;
	head.bytes = (uint32_t)text.len;
	buf_add(&c->pending, &head, sizeof(head));
	buf_add(&c->pending, text.data, text.len);
	buf_done(&text);
	arena_done(&arena);
	c->annotations++;
	return c->pending.len < EXPORT_PIECE ? 0 : spool_flush(c, err);
}

/* The entry as the first COCO file that lists it says it; else as its first row does. */
static int read_entry(struct coco *c, const struct item_full *entry, struct err *err)
{
	struct item_full from = *entry;
	c->origin = NULL;
	for (size_t i = 0; i < entry->row_count && !c->origin; i++) {
		c->origin = coco_lists_find(c->lists, entry->rows[i].import);
		if (c->origin) {
			from.rows = entry->rows + i;
			from.row_count = 1;
		}
	}
	if (entry_read(&c->entry, c->o, &from, err) < 0)
		return -1;
	if (!node_get(&c->entry.said_dom, c->entry.said, "id"))
		c->origin = NULL; /* read by an Inlet that did not keep it */
	return 0;
}

/* The pixels that the image's numbers are of: those that its file declares, raw where its width and height are. */
static void find_frame(struct coco *c, const struct item *item)
{
	const struct entry *e = &c->entry;
	struct shape_frame *f = &c->frame;
	*f = shape_frame(c->shape, item);
	double width = c->origin ? node_number(node_get(&e->said_dom, e->said, "width"), 0) : 0;
	double height = c->origin ? node_number(node_get(&e->said_dom, e->said, "height"), 0) : 0;
	if (!(width > 0 && width <= UINT32_MAX && height > 0 && height <= UINT32_MAX))
		return;
	f->raw = f->orientation >= 5 && width == f->height && height == f->width && width != height;
	f->width = width;
	f->height = height;
}

/* The item's, behind those of all files; further entries of one item are SAME_ITEM apart. */
static void give_image_id(struct coco *c, const struct item *item)
{
	c->same_item = c->images && c->last_item == item->id ? c->same_item + 1 : 0;
	c->last_item = item->id;
	c->image_id = coco_lists_image_base(c->lists) +
		(c->o->by == EXPORT_BY_REFERENCE ? c->images + 1 : item->id + c->same_item * SAME_ITEM);
}

static int coco_add(void *state, const struct item_full *entry, struct buf *to, struct err *err)
{
	struct coco *c = state;
	if (read_entry(c, entry, err) < 0)
		return -1;
	find_frame(c, &entry->item);
	if (!c->origin && (entry->item.width == 0 || entry->item.height == 0)) {
		c->left->items++;
		c->left->labels += entry->annotation_count;
		return 0;
	}
	give_image_id(c, &entry->item);
	add_image(c, entry, to);
	for (size_t i = 0; i < entry->annotation_count; i++)
		if (add_annotation(c, entry, &entry->annotations[i], err) < 0)
			return -1;
	return 0;
}

static int begin_annotations(struct coco *c, struct buf *to, struct err *err)
{
	buf_str(to, c->images == 0 ? "{\"images\":[],\n\"annotations\":[" : "],\n\"annotations\":[");
	coco_lists_number(c->lists);
	c->phase = PHASE_ANNOTATIONS;
	return c->pending.len ? spool_flush(c, err) : 0;
}

static int next_annotation(struct coco *c, struct buf *to, struct err *err)
{
	struct spooled head;
	if (file_read_at(c->spool, &head, sizeof(head), c->read_at, err) < 0)
		return -1;
	if (c->written++ > 0)
		buf_str(to, ",\n");
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	if (!head.has_id)
		json_u64(&j, "id", coco_lists_annotation_base(c->lists) + ++c->given);
	if (head.category != NO_CATEGORY)
		coco_lists_put_id(c->lists, head.category, &j);
	const size_t skip = j.comma ? 0 : 1; /* of the text that follows: its comma */
	const size_t bytes = head.bytes - skip;
	if (file_read_at(c->spool, buf_grow(to, bytes), bytes, c->read_at + sizeof(head) + skip, err) < 0)
		return -1;
	to->len += bytes;
	c->read_at += sizeof(head) + head.bytes;
	return 0;
}

static void put_info(const struct coco *c, struct json *j)
{
	json_open(j, "info", '{');
	json_str(j, "description", SLICE_LIT("exported by Inlet"));
	json_u64(j, "images", c->images);
	json_u64(j, "annotations", c->annotations);
	json_u64(j, "items_without_pixels", c->left->items);
	json_u64(j, "labels_without_shape", c->left->labels);
	json_close(j, '}');
	json_open(j, "licenses", '[');
	json_close(j, ']');
}

static void finish(struct coco *c, struct buf *to)
{
	buf_str(to, "]");
	struct json j = { .to = to, .comma = true };
	coco_lists_put_categories(c->lists, &j);
	if (!coco_lists_put_others(c->lists, &j))
		put_info(c, &j);
	json_close(&j, '}');
	buf_char(to, '\n');
	c->phase = PHASE_DONE;
}

static int coco_end(void *state, struct buf *to, struct err *err)
{
	struct coco *c = state;
	if (c->phase == PHASE_IMAGES && begin_annotations(c, to, err) < 0)
		return -1;
	while (c->read_at < c->spool_bytes && to->len < EXPORT_PIECE)
		if (next_annotation(c, to, err) < 0)
			return -1;
	if (c->phase == PHASE_ANNOTATIONS && c->read_at == c->spool_bytes)
		finish(c, to);
	return c->phase == PHASE_DONE ? 0 : 1;
}

const struct format_ops format_coco = { .type = "application/json", .file_name = "coco.json",
	.by_row = true, .open = coco_open, .import = coco_import, .add = coco_add, .end = coco_end, .close = coco_close };
