/* yolo_labels.c - the lines of a YOLO label file. */
#include "daemon/manifest/yolo_labels.h"

#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"

#include <float.h>
#include <strings.h>

#define NUMBERS_MAX 8192U
#define CLASSES_END 1e9 /* class numbers are below it */

bool yolo_is_image(struct slice path)
{
	static const char *const extensions[] = { "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "dng", "mpo", "pfm",
		"heic", "avif", "jp2" };
	const char *dot = path.len ? memrchr(path.p, '.', path.len) : NULL;
	size_t len = dot ? (size_t)(path.p + path.len - dot - 1) : 0;
	for (size_t i = 0; len && i < sizeof(extensions) / sizeof(*extensions); i++)
		if (strlen(extensions[i]) == len && strncasecmp(dot + 1, extensions[i], len) == 0)
			return true;
	return false;
}

/* The blank-separated numbers of a line, as JSON; their count, or -1. */
static ptrdiff_t numbers(struct manifest *m, struct slice line, struct slice to[NUMBERS_MAX])
{
	size_t n = 0;
	while ((line = slice_trim(line)).len) {
		size_t len = 0;
		double v = 0;
		while (len < line.len && !strchr(" \t,", line.p[len]))
			len++;
		struct slice word = { line.p, len };
		if (n == NUMBERS_MAX || !number_parse(word, &v))
			return -1;
		to[n++] = number_json(&m->draft, word, v);
		line = (struct slice){ line.p + len, line.len - len };
	}
	return (ptrdiff_t)n;
}

/* Whole numbers only: 0, or 0.0 as some tools write it. */
static bool is_class(struct slice number)
{
	double v = -1;
	return number_parse(number, &v) && v >= 0 && v < CLASSES_END && v - (double)(uint64_t)v < DBL_MIN;
}

static struct slice concept_of(struct manifest *m, const struct yolo_classes *classes, struct slice number)
{
	double v = 0;
	(void)number_parse(number, &v);
	if (v < (double)classes->count && classes->names[(size_t)v].len)
		return classes->names[(size_t)v];
	return arena_printf(&m->draft.arena, "%.0f", v);
}

static void write_list(struct json *j, const char *name, const struct slice *n, size_t count)
{
	json_open(j, name, '[');
	for (size_t i = 0; i < count; i++)
		json_raw(j, NULL, n[i]);
	json_close(j, ']');
}

/* n[0] is the class. */
static bool add_label(struct manifest *m, const struct yolo_classes *classes, const struct slice *n, size_t count)
{
	struct draft *d = &m->draft;
	struct slice none = { 0 };
	struct slice attributes = { 0 };
	struct json j;
	double confidence = -1;
	if (classes->keypoints && count == 5 + classes->keypoints * classes->dimensions) {
		d->text.len = 0;
		j = (struct json){ .to = &d->text };
		json_open(&j, NULL, '{');
		write_list(&j, "cxcywh", n + 1, 4);
		json_close(&j, '}');
		attributes = draft_take(d);
		geometry_begin(d, &j, "keypoints", "fraction", none, none);
		json_str(&j, "form", slice_of(classes->dimensions == 3 ? "xyv" : "xy"));
		write_list(&j, "points", n + 5, count - 5);
	} else if (count == 5 || count == 6) {
		geometry_begin(d, &j, "box", "fraction", none, none);
		geometry_box(&j, "cxcywh", n + 1);
		if (count == 6)
			(void)number_parse(n[5], &confidence);
	} else if (count >= 7 && count % 2 == 1) {
		geometry_begin(d, &j, "polygon", "fraction", none, none);
		json_open(&j, "rings", '[');
		write_list(&j, NULL, n + 1, count - 1);
		json_close(&j, ']');
	} else if (count == 1) {
		(void)draft_label(d, concept_of(m, classes, n[0]));
		return true;
	} else {
		return false;
	}
	struct slice geometry = geometry_end(d, &j);
	struct manifest_label *l = draft_label(d, concept_of(m, classes, n[0]));
	l->geometry = geometry;
	l->attributes = attributes;
	l->confidence = confidence;
	if (confidence >= 0) { /* only predictions say how sure they are */
		l->maker = MAKER_MACHINE;
		l->status = STATUS_AWAITING_REVIEW;
	}
	return true;
}

/* The next line without what stands around it; *rest goes behind it. */
static struct slice next_line(struct slice *rest)
{
	const char *end = memchr(rest->p, '\n', rest->len);
	struct slice line = { rest->p, end ? (size_t)(end - rest->p) : rest->len };
	size_t passed = line.len + (end != NULL);
	*rest = (struct slice){ rest->p + passed, rest->len - passed };
	return slice_trim(line);
}

/* Once for each number. */
static void warn_unnamed(struct manifest *m, const struct yolo_classes *classes, struct slice path, struct slice text)
{
	for (size_t line = 1; text.len && classes->unnamed; line++) {
		struct slice l = next_line(&text);
		size_t len = 0;
		double v = 0;
		while (len < l.len && !strchr(" \t,", l.p[len]))
			len++;
		uint64_t n = number_parse((struct slice){ l.p, len }, &v) ? (uint64_t)v : 0;
		if (len == 0 || (n < classes->count && classes->names[n].len) || bitset_has(classes->unnamed, n))
			continue;
		bitset_set(classes->unnamed, n);
		draft_warn(&m->draft, "line %zu of '%s': class %llu has no name in data.yaml; its labels are called %llu", line,
			draft_show(&m->draft, path), (unsigned long long)n, (unsigned long long)n);
	}
}

int yolo_labels(struct manifest *m, const struct yolo_classes *classes, struct slice path, struct slice text)
{
	struct slice *n = arena_alloc(&m->draft.arena, NUMBERS_MAX * sizeof(*n));
	struct slice rest = text;
	for (size_t line = 1; rest.len; line++) {
		struct slice l = next_line(&rest);
		if (!l.len)
			continue;
		ptrdiff_t count = numbers(m, l, n);
		if (count < 1 || !is_class(n[0]) || !add_label(m, classes, n, (size_t)count))
			return draft_fail(&m->draft, m->draft.row.at, "a line is: class x y width height, or class x1 y1 x2 y2 …",
				"line %zu of '%s' is no label", line, draft_show(&m->draft, path));
	}
	warn_unnamed(m, classes, path, text);
	return DRAFT_ROW;
}
