/* export_yolo.c - YOLO's data.yaml and label files, as a tar that is unpacked beside the pictures, which are not in it; or, as
 * JSON lines, the files of a whole dataset with its pictures (export.h).
 *
 * images/X/a.jpg has its labels in labels/X/a.txt (yolo_place.h names both). An entry without labels has no file, unless it
 * came with an empty one (nothing is on it). The classes of imported data.yaml keep their numbers; others follow as they are
 * first seen. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/base/tar.h"
#include "daemon/base/text.h"
#include "daemon/export/box.h"
#include "daemon/export/yolo_place.h"

#include <stdlib.h>

#define CLASSES_MAX 65536U

struct yolo {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	struct shape *shape;
	struct dom dom;
	struct buf lines;        /* of a label file */
	char **classes;          /* by number; NULL: none has it */
	size_t class_count, class_room;
	char *places[3];         /* of train, val and test as imported; NULL: the usual ones */
	bool seen[3];            /* an entry is of that split */
	struct yolo_names *names;
	size_t keypoints, dimensions; /* 0: not known yet */
};
static const char *const splits[3] = { "train", "val", "test" };
#define TEST 2U

static void *yolo_open(const struct export_options *o, struct export_left *left)
{
	struct yolo *y = mem_zero(1, sizeof(*y));
	y->options = o;
	y->left = left;
	y->shape = shape_new();
	y->names = yolo_names_new();
	return y;
}

static void yolo_close(void *state)
{
	struct yolo *y = state;
	entry_done(&y->entry);
	shape_free(y->shape);
	yolo_names_free(y->names);
	dom_done(&y->dom);
	buf_done(&y->lines);
	for (size_t i = 0; i < y->class_count; i++)
		free(y->classes[i]);
	free(y->classes);
	for (size_t i = 0; i < 3; i++)
		free(y->places[i]);
	free(y);
}

/* ---- classes ---- */

static void set_class(struct yolo *y, size_t number, struct slice name)
{
	while (y->class_count <= number) {
		if (y->class_count == y->class_room) {
			y->class_room = y->class_room ? 2 * y->class_room : 64;
			y->classes = mem_resize(y->classes, y->class_room, sizeof(*y->classes));
		}
		y->classes[y->class_count++] = NULL;
	}
	if (!y->classes[number])
		y->classes[number] = mem_strndup(name.p, name.len);
}

static size_t class_number(struct yolo *y, struct slice name)
{
	size_t i = 0;
	while (i < y->class_count && !(y->classes[i] && slice_eq(slice_of(y->classes[i]), name)))
		i++;
	if (i == y->class_count)
		set_class(y, i, name);
	return i;
}

static void yolo_import(void *state, const struct import *import)
{
	struct yolo *y = state;
	struct dom_error ignored;
	struct arena *a = &y->entry.arena;
	if (!slice_eq(import->format, SLICE_LIT("yolo")) || !import->attributes.len ||
		dom_parse(&y->dom, import->attributes, &ignored) < 0)
		return;
	const struct node *root = dom_root(&y->dom);
	const struct node *names = node_get_kind(&y->dom, root, "names", NODE_OBJECT);
	const struct node *points = node_get_kind(&y->dom, root, "kpt_shape", NODE_ARRAY);
	bool first = y->class_count == 0; /* only one list's numbers can stand */
	for (const struct node *n = names ? node_first(&y->dom, names) : NULL; n; n = node_next(&y->dom, names, n)) {
		uint64_t number;
		if (first && text_u64(n->name, &number) == 0 && number < CLASSES_MAX)
			set_class(y, number, node_string(n, a));
	}
	if (points && points->count == 2 && !y->keypoints) {
		const struct node *count = node_first(&y->dom, points);
		uint64_t n, numbers;
		if (text_u64(count->text, &n) == 0 && text_u64(node_next(&y->dom, points, count)->text, &numbers) == 0) {
			y->keypoints = n;
			y->dimensions = numbers;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		const struct node *place = node_get_kind(&y->dom, root, splits[i], NODE_STRING);
		struct slice text = place ? node_string(place, a) : (struct slice){ 0 };
		if (place && !y->places[i])
			y->places[i] = mem_strndup(text.p, text.len);
	}
}

/* ---- lines ---- */

static void put_double(struct buf *to, double v)
{
	struct json j = { .to = to };
	buf_char(to, ' ');
	json_double(&j, NULL, v);
}

/* The numbers of a JSON list between blanks. */
static void put_list(struct buf *to, struct slice list)
{
	bool blank = true;
	for (size_t i = 1; i + 1 < list.len; i++) {
		bool digit = strchr("+-.eE0123456789", list.p[i]) && list.p[i];
		if (digit && blank)
			buf_char(to, ' ');
		if (digit)
			buf_char(to, list.p[i]);
		blank = !digit;
	}
}

/* A geometry that is YOLO's already: the numbers as they came. */
static bool put_as_came(struct yolo *y, const struct annotation *a)
{
	const struct node *rings = shape_member(y->shape, "rings");
	const struct node *points = shape_member(y->shape, "points");
	const struct node *said = entry_label(&y->entry, a);
	const struct node *box = said ? node_get_kind(&y->entry.label_dom, said, "cxcywh", NODE_ARRAY) : NULL;
	const struct node *open = shape_member(y->shape, "open");
	if (!shape_member_is(y->shape, "unit", "fraction"))
		return false;
	if (shape_member_is(y->shape, "kind", "polygon") && rings && rings->count == 1 && !open) {
		put_list(&y->lines, (struct slice){ rings->text.p + 1, rings->text.len - 2 });
		return true;
	}
	if (shape_member_is(y->shape, "kind", "keypoints") && points && box && points->count == y->keypoints * y->dimensions) {
		put_list(&y->lines, box->text);
		put_list(&y->lines, points->text);
		return true;
	}
	return false;
}

static bool put_shape(struct yolo *y, const struct annotation *a, const struct item *item)
{
	struct slice v[4];
	struct shape_out o;
	if (box_read(y->shape, a->geometry, item, BOX_CXCYWH, BOX_FRACTION, false, &y->entry.arena, v)) {
		for (size_t i = 0; i < 4; i++)
			buf_printf(&y->lines, " %.*s", (int)v[i].len, v[i].p);
		return true;
	}
	if (!shape_parse(y->shape, a->geometry))
		return false;
	if (put_as_came(y, a))
		return true;
	struct shape_frame f = shape_frame(y->shape, item);
	if (!(f.width > 0) || !shape_read(y->shape, a->geometry, &f, &o))
		return false;
	bool ring = (o.kind == SHAPE_RINGS || o.kind == SHAPE_TURNED_BOX || o.kind == SHAPE_ELLIPSE) && o.ring_count == 1;
	for (size_t i = 0; ring && i < o.rings[0].count; i++)
		put_double(&y->lines, o.rings[0].points[i] / (i % 2 ? f.height : f.width));
	if (o.kind != SHAPE_KEYPOINTS)
		return ring;
	if (!y->keypoints) {
		y->keypoints = o.point_count;
		y->dimensions = 3;
	}
	if (o.point_count != y->keypoints || y->dimensions != 3)
		return false;
	put_double(&y->lines, (o.box[0] + o.box[2] / 2) / f.width);
	put_double(&y->lines, (o.box[1] + o.box[3] / 2) / f.height);
	put_double(&y->lines, o.box[2] / f.width);
	put_double(&y->lines, o.box[3] / f.height);
	for (size_t i = 0; i < 3 * o.point_count; i++)
		put_double(&y->lines, o.points[i] / (i % 3 == 0 ? f.width : i % 3 == 1 ? f.height : 1));
	return true;
}

/* Only what waits for review is a prediction, with its confidence. */
static void put_label(struct yolo *y, const struct annotation *a, const struct item *item)
{
	size_t before = y->lines.len;
	if (a->geometry.len) {
		buf_u64(&y->lines, class_number(y, a->concept));
		if (put_shape(y, a, item)) {
			if (a->status == STATUS_AWAITING_REVIEW && a->confidence >= 0)
				put_double(&y->lines, a->confidence);
			buf_char(&y->lines, '\n');
			return;
		}
	}
	y->lines.len = before;
	y->left->labels++;
}

/* ---- files ---- */

static void put_file(struct yolo *y, struct buf *to, const char *name, struct slice text)
{
	struct json j = { .to = to };
	if (!y->options->files) {
		tar_put(to, name, text);
		return;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "path", slice_of(name));
	json_str(&j, "text", text);
	json_close(&j, '}');
	buf_char(to, '\n');
}

static void put_picture(struct buf *to, const struct item *item, struct slice path, struct slice labels, struct slice text)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, "path", path);
	json_u64(&j, "item", item->id);
	json_u64(&j, "bytes", item->bytes);
	json_hex(&j, "sha256", item->content.sha256, SHA256_BYTES);
	json_open(&j, "labels", '{');
	json_str(&j, "path", labels);
	json_str(&j, "text", text);
	json_close(&j, '}');
	json_close(&j, '}');
	buf_char(to, '\n');
}

/* A picture without labels is left out: to a trainer it would be one with nothing on it. */
static void add_to_tree(struct yolo *y, const struct item_full *it, struct buf *to)
{
	struct entry *e = &y->entry;
	bool image = (it->item.media ? it->item.media : e->media) == MEDIA_IMAGE;
	bool picture = image && e->at && e->at != ROW_TEXT;
	struct slice labels = picture ? yolo_labels_place(y->names, e, it, true) : (struct slice){ 0 };
	struct slice path = picture ? yolo_picture_place(e, &it->item, labels) : (struct slice){ 0 };
	if (path.len)
		put_picture(to, &it->item, path, labels, buf_slice(&y->lines));
	else
		y->left->items++;
}

static void see_split(struct yolo *y)
{
	for (size_t i = 0; i < 3; i++)
		y->seen[i] = y->seen[i] || slice_eq(YOLO_SPLIT(y->entry.split), slice_of(splits[i]));
}

static int yolo_add(void *state, const struct item_full *it, struct buf *to, struct err *err)
{
	struct yolo *y = state;
	if (entry_read(&y->entry, y->options, it, err) < 0)
		return -1;
	bool background = y->entry.said && node_get(&y->entry.said_dom, y->entry.said, "background");
	y->lines.len = 0;
	for (size_t i = 0; i < it->annotation_count; i++)
		put_label(y, &it->annotations[i], &it->item);
	bool told = y->lines.len || background;
	if (told || !y->options->files)
		see_split(y);
	if (told && y->options->files)
		add_to_tree(y, it, to);
	else if (told && y->entry.at && y->entry.at != ROW_TEXT)
		tar_put(to, yolo_labels_place(y->names, &y->entry, it, false).p, buf_slice(&y->lines));
	else if (told)
		y->left->items++;
	else if (it->item.media == MEDIA_IMAGE && y->options->files)
		y->left->unlabelled++;
	return 0;
}

/* Trainers want the key of each of the first two, and what it names must be there. */
static void put_split(struct yolo *y, size_t i, struct buf *yaml, struct buf *to)
{
	struct json j = { .to = yaml };
	const char *place = y->options->files ? NULL : y->places[i];
	if (i == TEST && !y->seen[i] && !place)
		return;
	if (!place)
		place = arena_printf(&y->entry.arena, "images/%s", splits[i]).p;
	buf_printf(yaml, "%s: ", splits[i]);
	json_str(&j, NULL, slice_of(place));
	buf_char(yaml, '\n');
	size_t n = strlen(place);
	bool folder = *place && *place != '/' && !strstr(place, "..") && !(n > 4 && strcmp(place + n - 4, ".txt") == 0);
	if (!y->seen[i] && folder)
		put_file(y, to, arena_printf(&y->entry.arena, "%s/", place).p, (struct slice){ 0 });
}

static int yolo_end(void *state, struct buf *to, struct err *err)
{
	struct yolo *y = state;
	struct buf yaml = { 0 };
	(void)err;
	for (size_t i = 0; i < 3; i++)
		put_split(y, i, &yaml, to);
	if (y->keypoints)
		buf_printf(&yaml, "kpt_shape: [%zu, %zu]\n", y->keypoints, y->dimensions);
	buf_str(&yaml, y->class_count ? "names:\n" : "names: {}\n");
	for (size_t i = 0; i < y->class_count; i++) {
		struct json j = { .to = &yaml };
		if (!y->classes[i])
			continue;
		buf_printf(&yaml, "  %zu: ", i);
		json_str(&j, NULL, slice_of(y->classes[i]));
		buf_char(&yaml, '\n');
	}
	put_file(y, to, "data.yaml", buf_slice(&yaml));
	if (!y->options->files)
		tar_end(to);
	buf_done(&yaml);
	return 0;
}

const struct format_ops format_yolo = { .type = "application/x-tar", .file_name = "yolo.tar", .open = yolo_open,
	.import = yolo_import, .add = yolo_add, .end = yolo_end, .close = yolo_close };
