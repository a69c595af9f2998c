/* format_yolo.c - a YOLO dataset: data.yaml names folders of images (or lists of them) and classes; the labels of
 * images/X/a.jpg stand in labels/X/a.txt. No label file: nothing is known of the image; an empty one: nothing is on it.
 *
 * The folders are walked in the order of their names, each folder's names in memory. A point is a count of rows. */
#include "daemon/manifest/formats.h"

#include "config/yaml.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/yolo_labels.h"

#include <stdlib.h>

#define YAML_MAX (4U << 20)
#define LABELS_MAX (8U << 20)
#define LIST_MAX (64U << 20)     /* bytes of a train.txt */
#define FOLDER_DEPTH_MAX 16U
#define CLASSES_MAX 65536U
#define KEYPOINTS_MAX 4096U

struct entry {
	char *path;              /* owned */
	bool is_dir;
};
/* Paths to do, the next one last: a folder is replaced by what is in it. */
struct yolo {
	struct yaml_node *yaml;
	struct yolo_classes classes;
	struct bitset unnamed;   /* of classes */
	struct entry *entries;
	size_t count, room;
	const struct yaml_node *value; /* of the split: a scalar, or a list of them */
	size_t split, item;      /* the next item of value, or the next split */
	const char *missing;     /* the place that was just looked for and is not there; NULL */
	uint64_t skip;           /* rows that were given before */
	struct buf text;         /* of a file */
	struct buf raw;          /* the row given last, as JSON */
	struct buf attributes;   /* {"names":{"0":"cat"},"kpt_shape":[17,3],"train":"images/train"} */
};
static const struct {
	const char *key;
	enum row_split split;
} splits[] = { { "train", SPLIT_TRAIN }, { "val", SPLIT_VAL }, { "test", SPLIT_TEST } };
#define SPLITS (sizeof(splits) / sizeof(*splits))

static void push(struct yolo *y, char *path, bool is_dir)
{
	if (y->count == y->room) {
		y->room = y->room ? 2 * y->room : 64;
		y->entries = mem_resize(y->entries, y->room, sizeof(*y->entries));
	}
	y->entries[y->count++] = (struct entry){ path, is_dir };
}

/* ---- data.yaml ---- */

/* [points, numbers of each]: their product counts the numbers of a line. */
static int read_keypoints(struct yolo *y, struct err *err)
{
	const struct yaml_node *shape = yaml_get(y->yaml, "kpt_shape");
	uint64_t n[2] = { 0, 0 };
	if (!shape || shape->kind != YAML_LIST)
		return 0;
	for (size_t i = 0; i < 2 && shape->count == 2; i++)
		if (shape->values[i]->kind != YAML_SCALAR || text_u64(slice_of(shape->values[i]->text), &n[i]) < 0)
			n[i] = 0;
	if (n[0] < 1 || n[0] > KEYPOINTS_MAX || n[1] < 2 || n[1] > 3)
		return err_set(err, ERR_REJECT, 0, "line %zu: kpt_shape wants how many points (1 to %u), and 2 or 3 numbers for each",
			shape->line, KEYPOINTS_MAX);
	y->classes.keypoints = n[0];
	y->classes.dimensions = n[1];
	return 0;
}

static int read_classes(struct yolo *y, struct err *err)
{
	const struct yaml_node *names = yaml_get(y->yaml, "names");
	if (read_keypoints(y, err) < 0)
		return -1;
	if (!names || names->kind == YAML_SCALAR)
		return 0;
	y->classes.names = mem_zero(CLASSES_MAX, sizeof(*y->classes.names));
	for (size_t i = 0; i < names->count; i++) {
		uint64_t number = i;
		bool good = names->kind == YAML_LIST || text_u64(slice_of(names->keys[i]->text), &number) == 0;
		if (!good || number >= CLASSES_MAX || names->values[i]->kind != YAML_SCALAR)
			return err_set(err, ERR_REJECT, 0, "line %zu: names wants class numbers and names",
				names->values[i]->line);
		y->classes.names[number] = slice_of(names->values[i]->text);
		y->classes.count = number + 1 > y->classes.count ? number + 1 : y->classes.count;
	}
	return 0;
}

static void write_attributes(struct yolo *y)
{
	struct json j = { .to = &y->attributes };
	json_open(&j, NULL, '{');
	json_open(&j, "names", '{');
	for (size_t i = 0; i < y->classes.count; i++) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%zu", i);
		if (y->classes.names[i].len)
			json_str(&j, number, y->classes.names[i]);
	}
	json_close(&j, '}');
	if (y->classes.keypoints) {
		json_open(&j, "kpt_shape", '[');
		json_u64(&j, NULL, y->classes.keypoints);
		json_u64(&j, NULL, y->classes.dimensions);
		json_close(&j, ']');
	}
	for (size_t i = 0; i < SPLITS; i++) {
		const struct yaml_node *place = yaml_get(y->yaml, splits[i].key);
		if (place && place->kind == YAML_SCALAR && *place->text && text_is_utf8(slice_of(place->text)))
			json_str(&j, splits[i].key, slice_of(place->text));
	}
	json_close(&j, '}');
}

static struct slice yolo_attributes(const struct manifest *m)
{
	const struct yolo *y = m->state;
	return y->attributes.len <= MANIFEST_ATTRIBUTES_MAX ? buf_slice(&y->attributes) : (struct slice){ 0 };
}

static bool names_pictures(const struct yolo *y)
{
	bool any = false;
	for (size_t i = 0; i < SPLITS; i++) {
		const struct yaml_node *place = yaml_get(y->yaml, splits[i].key);
		any = any || (place && (place->kind == YAML_SCALAR ? *place->text != '\0' : place->count > 0));
	}
	return any;
}

static int yolo_open(struct manifest *m, struct err *err)
{
	struct yolo *y = m->state = mem_zero(1, sizeof(*y));
	y->classes.unnamed = &y->unnamed;
	struct window *w = &m->window;
	if (!m->o.tree)
		return err_set(err, ERR_REJECT, 0, "it describes a YOLO dataset, whose pictures and labels lie in folders beside it; "
			"import its folder (inlet import FOLDER), or put it into a folder that is a source of manifests");
	while (!w->ended && window_left(w) <= YAML_MAX)
		if (window_more(w, err) < 0)
			return -1;
	if (window_left(w) > YAML_MAX)
		return err_set(err, ERR_REJECT, 0, "it is longer than a data.yaml");
	struct slice text = { w->data + w->at, window_left(w) };
	if (yaml_parse("data.yaml", text, &y->yaml, err) < 0)
		return -1;
	window_pass(w, window_left(w));
	if (!names_pictures(y))
		return err_set(err, ERR_REJECT, 0, "it names no folder of pictures; give one as train, val or test");
	if (read_classes(y, err) < 0)
		return -1;
	write_attributes(y);
	return 0;
}

/* ---- the tree ---- */

/* The file's text into y->text: 1, 0 there is none, -1. */
static int slurp(struct manifest *m, const char *path, size_t max, struct err *err)
{
	struct yolo *y = m->state;
	const struct manifest_tree *tree = m->o.tree;
	void *file = NULL;
	int there = tree->open(tree->arg, path, &file, err);
	y->text.len = 0;
	if (there <= 0)
		return there;
	ssize_t got = 0;
	do {
		got = tree->read(file, buf_grow(&y->text, 65536), 65536, err);
		y->text.len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && y->text.len <= max);
	tree->close(file);
	if (got > 0)
		return err_set(err, ERR_REJECT, 0, "'%s' is longer than %zu bytes", path, max);
	return got < 0 ? -1 : 1;
}

static int backwards(const void *a, const void *b)
{
	return strcmp(((const struct entry *)b)->path, ((const struct entry *)a)->path);
}

/* Puts what is in the folder on the list: 1, 0 there is no such folder, -1. */
static int open_folder(struct manifest *m, const char *path, struct err *err)
{
	struct yolo *y = m->state;
	const struct manifest_tree *tree = m->o.tree;
	CLEANUP(buf_done) struct buf name = { 0 };
	void *dir = NULL;
	int there = tree->open_dir(tree->arg, path, &dir, err);
	if (there <= 0)
		return there;
	size_t first = y->count;
	int got = 0;
	bool is_dir = false;
	while ((got = tree->next(dir, &name, &is_dir, err)) > 0)
		if (name.len && name.data[0] != '.')
			push(y, mem_printf("%s/%.*s", path, (int)name.len, name.data), is_dir);
	tree->close_dir(dir);
	qsort(y->entries + first, y->count - first, sizeof(*y->entries), backwards);
	return got < 0 ? -1 : 1;
}

/* A train.txt: a path a line, relative to the data.yaml. */
static int open_list(struct manifest *m, const char *path, struct err *err)
{
	struct yolo *y = m->state;
	int there = slurp(m, path, LIST_MAX, err);
	size_t first = y->count;
	struct slice text = buf_slice(&y->text);
	while (there > 0 && text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end - text.p) : text.len;
		size_t shown = len && text.p[len - 1] == '\r' ? len - 1 : len;
		if (shown)
			push(y, mem_strndup(text.p, shown), false);
		len += end ? 1 : 0;
		text = (struct slice){ text.p + len, text.len - len };
	}
	for (size_t a = first, b = y->count; a + 1 < b; a++, b--) { /* the next one is the last */
		struct entry e = y->entries[a];
		y->entries[a] = y->entries[b - 1];
		y->entries[b - 1] = e;
	}
	return there;
}

/* A split's value is relative to `path`, which writers fill with anything: what is there is taken, else it is missing.
 * Roboflow writes "../train/images" and means "train/images". */
static int open_place(struct manifest *m, const char *value, struct err *err)
{
	struct yolo *y = m->state;
	const struct yaml_node *base = yaml_get(y->yaml, "path");
	const char *stripped = strncmp(value, "../", 3) == 0 ? value + 3 : value;
	CLEANUP(freep) char *joined = base && base->kind == YAML_SCALAR && *base->text ?
		mem_printf("%s/%s", base->text, value) : NULL;
	const char *const places[] = { joined, value, stripped };
	size_t n = strlen(value);
	bool list = n > 4 && strcmp(value + n - 4, ".txt") == 0;
	for (size_t i = 0; i < 3; i++) {
		struct err why = { 0 };
		int there = places[i] ? (list ? open_list : open_folder)(m, places[i], &why) : 0;
		if (there > 0)
			return 0;
		if (there < 0 && (i == 2 || why.class != ERR_REJECT)) { /* a place outside is refused: another may be meant */
			if (err)
				*err = why;
			return -1;
		}
	}
	y->missing = value;
	return 0;
}

/* The next folder or list of the data.yaml: 1, 0 there is none, -1. */
static int next_place(struct manifest *m, struct err *err)
{
	struct yolo *y = m->state;
	for (;;) {
		if (y->value && y->value->kind == YAML_SCALAR && y->item == 0) {
			y->item = 1;
			if (*y->value->text)
				return open_place(m, y->value->text, err) < 0 ? -1 : 1;
		} else if (y->value && y->value->kind == YAML_LIST && y->item < y->value->count) {
			const struct yaml_node *n = y->value->values[y->item++];
			if (n->kind == YAML_SCALAR)
				return open_place(m, n->text, err) < 0 ? -1 : 1;
		} else if (y->split < SPLITS) {
			y->value = yaml_get(y->yaml, splits[y->split++].key);
			y->item = 0;
		} else {
			return 0;
		}
	}
}

/* ---- rows ---- */

/* images/X/a.jpg -> labels/X/a.txt: the last folder "images" counts; without one the text lies beside the image. */
static char *labels_path(const char *image)
{
	const char *folder = NULL;
	for (const char *p = strstr(image, "images/"); p; p = strstr(p + 1, "images/"))
		if (p == image || p[-1] == '/')
			folder = p;
	const char *dot = strrchr(image, '.');
	if (!folder)
		return mem_printf("%.*s.txt", (int)(dot - image), image);
	return mem_printf("%.*slabels/%.*s.txt", (int)(folder - image), image, (int)(dot - folder - 7), folder + 7);
}

static int image_row(struct manifest *m, const char *path, enum row_split split)
{
	struct yolo *y = m->state;
	struct draft *d = &m->draft;
	struct err why = { 0 };
	CLEANUP(freep) char *labels = labels_path(path);
	y->raw.len = 0;
	struct json j = { .to = &y->raw };
	json_open(&j, NULL, '{');
	json_bytes(&j, "image", slice_of(path));
	json_bytes(&j, "labels", slice_of(labels));
	json_close(&j, '}');
	draft_begin(d, (struct manifest_place){ .line = 1, .column = 1 }, buf_slice(&y->raw));
	if (!text_is_utf8(slice_of(path)))
		return draft_fail(d, d->row.at, "rename it", "the name of '%s' is not UTF-8", draft_show(d, slice_of(path)));
	struct slice name = arena_copy(&d->arena, slice_of(path));
	if (draft_content(d, name, INPUT_FILE_PATH, d->row.at) == DRAFT_FAILED)
		return DRAFT_FAILED;
	d->row.media = MEDIA_IMAGE;
	d->row.split = split;
	int there = slurp(m, labels, LABELS_MAX, &why);
	if (there < 0) {
		(void)draft_fail(d, d->row.at, "see that its labels can be read and nobody writes them, and import again", "%s", why.text);
		d->failure.class = why.class == ERR_REJECT ? ERR_REJECT : ERR_RETRY;
		return DRAFT_FAILED;
	}
	if (there > 0 && yolo_labels(m, &y->classes, slice_of(labels), buf_slice(&y->text)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	if (there > 0 && d->label_count == 0)
		d->row.attributes = SLICE_LIT("{\"background\":true}");
	return draft_finish(d);
}

/* A folder of which nothing comes in; the others do. */
static struct draft *folder_row(struct manifest *m, const char *place)
{
	struct yolo *y = m->state;
	struct draft *d = &m->draft;
	y->raw.len = 0;
	struct json j = { .to = &y->raw };
	json_open(&j, NULL, '{');
	json_bytes(&j, "folder", slice_of(place));
	json_close(&j, '}');
	draft_begin(d, (struct manifest_place){ .line = 1, .column = 1 }, buf_slice(&y->raw));
	return d;
}

/* A split that nobody has, as the test of many a data.yaml. */
static int missing_row(struct manifest *m, const char *place)
{
	struct draft *d = folder_row(m, place);
	(void)draft_fail(d, d->row.at, "put it there, or take it out of data.yaml, and import again", "there is no folder '%s' beside it",
		draft_show(d, slice_of(place)));
	d->failure.class = ERR_RETRY;
	d->failure.folder = true;
	return DRAFT_FAILED;
}

static int unread_row(struct manifest *m, const char *place, const struct err *why)
{
	struct draft *d = folder_row(m, place);
	(void)draft_fail(d, d->row.at, "see that it can be read, and import again", "%s", why->text);
	d->failure.class = why->class == ERR_REJECT ? ERR_REJECT : ERR_RETRY;
	d->failure.folder = true;
	return DRAFT_FAILED;
}

static int yolo_next(struct manifest *m, struct err *err)
{
	struct yolo *y = m->state;
	for (;;) {
		if (y->count == 0) {
			int more = next_place(m, err);
			const char *missing = TAKE_PTR(y->missing);
			if (more <= 0)
				return more;
			if (missing && y->skip == 0)
				return missing_row(m, missing);
			y->skip -= missing != NULL;
			continue;
		}
		struct entry e = y->entries[--y->count];
		CLEANUP(freep) char *path = e.path;
		if (e.is_dir) {
			size_t depth = 0;
			for (const char *p = path; (p = strchr(p, '/')); p++)
				depth++;
			struct err why;
			if (depth >= FOLDER_DEPTH_MAX || open_folder(m, path, &why) >= 0)
				continue;
			if (y->skip == 0)
				return unread_row(m, path, &why);
			y->skip--;
			continue;
		}
		if (!yolo_is_image(slice_of(path)))
			continue;
		if (y->skip == 0)
			return image_row(m, path, splits[y->split - 1].split);
		y->skip--;
	}
}

static int yolo_resume(struct manifest *m, struct err *err)
{
	struct yolo *y = m->state;
	(void)err;
	y->skip = m->o.from.rows;
	return 0;
}

static int no_header(const struct manifest *m, struct slice *ret)
{
	(void)m;
	(void)ret;
	return -1;
}

static bool yolo_values(const struct manifest *m, struct json *j)
{
	const struct yolo *y = m->state;
	if (y->raw.len)
		json_raw(j, NULL, buf_slice(&y->raw));
	return y->raw.len > 0;
}

static void yolo_describe(const struct manifest *m, struct buf *to)
{
	const struct yolo *y = m->state;
	buf_printf(to, ", %zu class%s", y->classes.count, y->classes.count == 1 ? "" : "es");
}

static void yolo_close(struct manifest *m)
{
	struct yolo *y = m->state;
	for (size_t i = 0; i < y->count; i++)
		free(y->entries[i].path);
	free(y->entries);
	free(y->classes.names);
	bitset_done(&y->unnamed);
	yaml_node_free(y->yaml);
	buf_done(&y->text);
	buf_done(&y->raw);
	buf_done(&y->attributes);
	free(y);
}

const struct format manifest_yolo = { .title = "YOLO dataset", .open = yolo_open, .next = yolo_next,
	.describe = yolo_describe, .header = no_header, .attributes = yolo_attributes, .values = yolo_values, .resume = yolo_resume, .close = yolo_close };
