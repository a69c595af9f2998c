/* format_automl.c - AutoML's CSV without a header: [ML_USE,]content,… with what follows by its shape:
 *
 *   labels                                    LABEL,LABEL,…
 *   boxes of an image                         LABEL,x,y,,,x,y,,      two corners, or four: 8 values each, fractions
 *   a segment of a video                      LABEL,start,end        seconds, end may be inf
 *   a box of a video's track                  LABEL,INSTANCE,time,x,y,,,x,y,,
 *
 * A row that names another list must not be lost: it fails, and says that the list is to be imported itself. */
#include "daemon/manifest/formats.h"

#include "daemon/manifest/geometry.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/reference.h"

#include <strings.h>

#define CORNERS 8U

/* TRAIN, TEST, VALIDATION, VALIDATE, UNASSIGNED. */
static bool is_use(struct slice s)
{
	s = slice_trim(s);
	return split_parse(s) != SPLIT_NONE || (s.len == 10 && strncasecmp(s.p, "UNASSIGNED", 10) == 0);
}

/* The first row of such a list: a use and something, or an object in a bucket and something. */
bool automl_is_row(const struct slice *cells, size_t count)
{
	if (count < 2)
		return false;
	if (is_use(cells[0]))
		return true;
	return reference_kind(cells[cells[0].len == 0]) == REFERENCE_GS;
}

static int automl_open(struct manifest *m, struct err *err)
{
	return table_open(m, ',', false, err);
}

static bool has_extension(struct slice s, const char *const *extensions)
{
	for (; *extensions; extensions++) {
		size_t n = strlen(*extensions);
		if (s.len > n && strncasecmp(s.p + s.len - n, *extensions, n) == 0)
			return true;
	}
	return false;
}

/* Numbers or nothing. */
static bool are_numbers(const struct slice *cells, size_t n)
{
	double v = 0;
	for (size_t i = 0; i < n; i++)
		if (slice_trim(cells[i]).len && !number_parse(cells[i], &v))
			return false;
	return true;
}

static struct slice number_of(struct manifest *m, struct slice cell)
{
	double v = 0;
	return number_parse(cell, &v) ? number_json(&m->draft, cell, v) : (struct slice){ 0 };
}

/* Eight values: all, the first and third pair, or none. Empty: none. */
static struct slice corners(struct manifest *m, const struct slice *cells, struct slice time, struct slice instance)
{
	struct slice v[CORNERS];
	size_t given = 0;
	for (size_t i = 0; i < CORNERS; i++) {
		v[i] = number_of(m, cells[i]);
		given += v[i].len > 0;
	}
	struct json j;
	struct slice none = { 0 };
	if (given == CORNERS) {
		geometry_begin(&m->draft, &j, "polygon", "fraction", none, none);
		json_open(&j, "rings", '[');
		json_open(&j, NULL, '[');
		for (size_t i = 0; i < CORNERS; i++)
			json_raw(&j, NULL, v[i]);
		json_close(&j, ']');
		json_close(&j, ']');
	} else if (v[0].len && v[1].len && v[4].len && v[5].len) {
		geometry_begin(&m->draft, &j, "box", "fraction", none, none);
		geometry_box(&j, "xyxy", (struct slice[]){ v[0], v[1], v[4], v[5] });
	} else {
		return none;
	}
	if (time.len)
		json_raw(&j, "time", time);
	if (instance.len)
		json_str(&j, "instance", instance);
	return geometry_end(&m->draft, &j);
}

static struct manifest_label *label(struct manifest *m, struct slice cell, struct slice geometry)
{
	struct manifest_label *l = draft_label(&m->draft, slice_trim(cell));
	l->geometry = geometry;
	return l;
}

static void segment(struct manifest *m, const struct slice *cells)
{
	struct slice start = number_of(m, cells[1]);
	struct slice end = number_of(m, cells[2]); /* "inf" is no number: to the end of the video */
	struct json j;
	struct slice none = { 0 };
	if (!start.len) {
		(void)label(m, cells[0], none);
		return;
	}
	geometry_begin(&m->draft, &j, "range", "s", none, none);
	json_raw(&j, "start", start);
	if (end.len)
		json_raw(&j, "end", end);
	struct slice geometry = geometry_end(&m->draft, &j);
	(void)label(m, cells[0], geometry);
}

static bool is_segment(const struct slice *cells, size_t n)
{
	return n == 3 && are_numbers(cells + 1, 1) &&
		(are_numbers(cells + 2, 1) || slice_eq(slice_trim(cells[2]), SLICE_LIT("inf")));
}

static bool are_boxes(const struct slice *cells, size_t n)
{
	if (n == 0 || n % (CORNERS + 1))
		return false;
	for (size_t i = 0; i < n; i += CORNERS + 1)
		if (!are_numbers(cells + i + 1, CORNERS))
			return false;
	return true;
}

static void take_labels(struct manifest *m, const struct slice *cells, size_t n, bool video)
{
	struct slice none = { 0 };
	if (video && is_segment(cells, n)) {
		segment(m, cells);
	} else if (video && n == CORNERS + 3 && are_numbers(cells + 2, CORNERS + 1)) {
		struct slice time = number_of(m, cells[2]);
		struct slice geometry = corners(m, cells + 3, time, slice_trim(cells[1]));
		(void)label(m, cells[0], geometry);
	} else if (are_boxes(cells, n)) {
		for (size_t i = 0; i < n; i += CORNERS + 1)
			if (slice_trim(cells[i]).len) {
				struct slice geometry = corners(m, cells + i + 1, none, none);
				(void)label(m, cells[i], geometry);
			}
	} else {
		for (size_t i = 0; i < n; i++)
			if (slice_trim(cells[i]).len)
				(void)label(m, cells[i], none);
	}
}

static int automl_row(struct manifest *m, const struct csv_record *r)
{
	static const char *const videos[] = { ".mp4", ".mov", ".avi", ".mpeg4", ".mpg", ".mpeg", NULL };
	static const char *const lists[] = { ".csv", NULL };
	struct draft *d = &m->draft;
	size_t i = r->count > 1 && (is_use(r->fields[0]) || r->fields[0].len == 0);
	if (i)
		d->row.split = split_parse(r->fields[0]);
	struct slice value = r->fields[i];
	bool reference = reference_kind(slice_trim(value)) != REFERENCE_NONE;
	if (reference && has_extension(slice_trim(value), lists))
		return draft_fail(d, table_place(m, i), "import that list itself", "the row names another list, '%s'",
			draft_show(d, slice_trim(value)));
	if (draft_content(d, reference ? slice_trim(value) : value, INPUT_AUTO, table_place(m, i)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	bool video = reference && has_extension(slice_trim(value), videos);
	if (video)
		d->row.media = MEDIA_VIDEO;
	take_labels(m, r->fields + i + 1, r->count - i - 1, video);
	for (size_t k = 0; k < d->label_count; k++)
		if (d->labels[k].concept.len == 0)
			return draft_fail(d, table_place(m, i + 1), NULL, "there is a box without a label");
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	return table_next(m, automl_row, err);
}

const struct format manifest_automl = { .title = "AutoML CSV", .open = automl_open, .next = next,
	.describe = table_describe, .values = table_values };
