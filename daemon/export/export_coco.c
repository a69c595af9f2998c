/* export_coco.c - the dataset as one COCO object that pycocotools loads, in memory bounded by the number of concepts.
 *
 * Images go out as they come. Annotations name their category by its place in the sorted list of names, which is known
 * at the end only: until then they wait in an unlinked file, each as a struct spooled and the JSON that follows the
 * category:
 *
 *   {"images":[…],   "annotations":[{"id":1,"category_id":C  + spooled text …],   "categories":[…],"info":{…}}
 */
#include "daemon/export/format.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/coco_shape.h"

#include <errno.h>
#include <fcntl.h>

struct category {
	char *name;            /* owned */
	uint32_t order;        /* in which it was first seen: what spooled.category says */
};
struct spooled {
	uint32_t category;
	uint32_t bytes;        /* of the JSON after it: ",…}" */
};
enum phase { PHASE_IMAGES, PHASE_ANNOTATIONS, PHASE_DONE };
struct coco {
	enum export_by by;
	char *spool_dir;
	int spool;             /* -1: not made yet */
	uint64_t spool_bytes;  /* written to the file */
	struct buf pending;    /* not yet written */
	struct category *categories; /* sorted by name */
	size_t category_count, category_room;
	uint64_t images, annotations;
	struct export_left *left;
	struct shape *shape;
	struct shape_frame frame;    /* of the image at hand */
	enum phase phase;
	/* PHASE_ANNOTATIONS: */
	uint32_t *ids;         /* by order: category_id */
	uint64_t read_at;      /* in the spool */
	uint64_t written;      /* annotations */
};

static void *coco_open(const struct export_options *o, struct export_left *left)
{
	struct coco *c = mem_zero(1, sizeof(*c));
	c->by = o->by;
	c->left = left;
	c->spool_dir = mem_strdup(o->spool_dir ? o->spool_dir : "/var/tmp");
	c->spool = -1;
	c->shape = shape_new();
	return c;
}

static void coco_close(void *state)
{
	struct coco *c = state;
	close_fdp(&c->spool);
	for (size_t i = 0; i < c->category_count; i++)
		free(c->categories[i].name);
	free(c->categories);
	free(c->ids);
	free(c->spool_dir);
	shape_free(c->shape);
	buf_done(&c->pending);
	free(c);
}

static uint32_t category_order(struct coco *c, struct slice name)
{
	size_t low = 0;
	size_t high = c->category_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int cmp = slice_cmp(slice_of(c->categories[middle].name), name);
		if (cmp == 0)
			return c->categories[middle].order;
		if (cmp < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (c->category_count == c->category_room) {
		c->category_room = c->category_room ? 2 * c->category_room : 64;
		c->categories = mem_resize(c->categories, c->category_room, sizeof(*c->categories));
	}
	memmove(c->categories + low + 1, c->categories + low, (c->category_count - low) * sizeof(*c->categories));
	c->categories[low] = (struct category){ mem_strndup(name.p, name.len), (uint32_t)c->category_count };
	return (uint32_t)c->category_count++;
}

static int spool_flush(struct coco *c, struct err *err)
{
	if (c->spool < 0)
		c->spool = open(c->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (c->spool < 0)
		return err_set(err, ERR_RETRY, errno, "make a temporary file in '%s'", c->spool_dir);
	if (file_write_at(c->spool, c->pending.data, c->pending.len, c->spool_bytes, err) < 0)
		return err_wrap(err, "temporary file in '%s'", c->spool_dir);
	c->spool_bytes += c->pending.len;
	c->pending.len = 0;
	return 0;
}

/* The key of the first reference where it can be written as text, else a name made of the content. */
static void file_name(const struct item_full *it, struct json *j)
{
	struct buf name = { 0 };
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

static void add_image(struct coco *c, const struct item_full *it, uint64_t id, struct buf *to)
{
	buf_str(to, c->images++ == 0 ? "{\"images\":[" : ",\n");
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_u64(&j, "id", id);
	json_u64(&j, "width", it->item.width);
	json_u64(&j, "height", it->item.height);
	file_name(it, &j);
	json_u64(&j, "item", it->item.id);
	json_hex(&j, "sha256", it->item.content.sha256, SHA256_BYTES);
	if (it->reference_count)
		json_str(&j, "source", it->references[0].source);
	json_close(&j, '}');
}

/* A label of the whole image is a box around it, and says so in its attributes. */
static void whole_image(const struct item *item, struct json *j)
{
	json_open(j, "bbox", '[');
	json_u64(j, NULL, 0);
	json_u64(j, NULL, 0);
	json_u64(j, NULL, item->width);
	json_u64(j, NULL, item->height);
	json_close(j, ']');
	json_u64(j, "area", (uint64_t)item->width * item->height);
	json_u64(j, "iscrowd", 0);
	json_open(j, "segmentation", '[');
	json_close(j, ']');
}

static int add_annotation(struct coco *c, const struct item_full *it, const struct annotation *a, uint64_t image,
	struct err *err)
{
	struct buf text = { 0 };
	struct json j = { .to = &text, .comma = true };
	json_u64(&j, "image_id", image);
	if (a->geometry.len == 0) {
		whole_image(&it->item, &j);
	} else if (!coco_shape(c->shape, a->geometry, &c->frame, &j)) {
		c->left->labels++;
		buf_done(&text);
		return 0;
	}
	if (a->confidence >= 0)
		json_double(&j, "score", a->confidence);
	json_open(&j, "attributes", '{');
	json_bool(&j, "image_level", a->geometry.len == 0);
	json_str(&j, "status", slice_of(status_name(a->status)));
	json_str(&j, "worker", a->worker);
	json_close(&j, '}');
	json_close(&j, '}');
	struct spooled head = { category_order(c, a->concept), (uint32_t)text.len };
	buf_add(&c->pending, &head, sizeof(head));
	buf_add(&c->pending, text.data, text.len);
	buf_done(&text);
	c->annotations++;
	return c->pending.len < EXPORT_PIECE ? 0 : spool_flush(c, err);
}

static int coco_add(void *state, const struct item_full *entry, struct buf *to, struct err *err)
{
	struct coco *c = state;
	if (entry->item.width == 0 || entry->item.height == 0) {
		c->left->items++;
		c->left->labels += entry->annotation_count;
		return 0;
	}
	uint64_t id = c->by == EXPORT_BY_ITEM ? entry->item.id : c->images + 1;
	c->frame = shape_frame(c->shape, &entry->item);
	add_image(c, entry, id, to);
	for (size_t i = 0; i < entry->annotation_count; i++)
		if (add_annotation(c, entry, &entry->annotations[i], id, err) < 0)
			return -1;
	return 0;
}

static int begin_annotations(struct coco *c, struct buf *to, struct err *err)
{
	buf_str(to, c->images == 0 ? "{\"images\":[],\n\"annotations\":[" : "],\n\"annotations\":[");
	c->ids = mem_zero(c->category_count + 1, sizeof(*c->ids));
	for (size_t i = 0; i < c->category_count; i++)
		c->ids[c->categories[i].order] = (uint32_t)i + 1;
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
	buf_printf(to, "{\"id\":%llu,\"category_id\":%u", (unsigned long long)c->written, c->ids[head.category]);
	if (file_read_at(c->spool, buf_grow(to, head.bytes), head.bytes, c->read_at + sizeof(head), err) < 0)
		return -1;
	to->len += head.bytes;
	c->read_at += sizeof(head) + head.bytes;
	return 0;
}

static void finish(struct coco *c, struct buf *to)
{
	buf_str(to, "],\n\"categories\":[");
	struct json j = { .to = to };
	for (size_t i = 0; i < c->category_count; i++) {
		json_open(&j, NULL, '{');
		json_u64(&j, "id", i + 1);
		json_str(&j, "name", slice_of(c->categories[i].name));
		json_str(&j, "supercategory", SLICE_LIT(""));
		json_close(&j, '}');
	}
	buf_str(to, "],\n");
	j = (struct json){ .to = to };
	json_open(&j, "info", '{');
	json_str(&j, "description", SLICE_LIT("exported by Inlet"));
	json_u64(&j, "images", c->images);
	json_u64(&j, "annotations", c->annotations);
	json_u64(&j, "items_without_pixels", c->left->items);
	json_u64(&j, "labels_without_shape", c->left->labels);
	json_close(&j, '}');
	buf_str(to, ",\"licenses\":[]}\n");
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
	.open = coco_open, .add = coco_add, .end = coco_end, .close = coco_close };
