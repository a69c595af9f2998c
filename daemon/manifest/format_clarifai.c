/* format_clarifai.c - Clarifai's CSV: inputid,input,concepts,metadata,geopoints, of which input must be there.
 *
 * concepts is a list in one cell, metadata a Python dictionary or JSON, geopoints "longitude,latitude", which becomes the
 * member "geopoints" of the metadata. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/mapped.h"

#include <stdlib.h>

#define ID_SHORT 1024U /* bytes: a longer id is known by its digest (daemon/sender/group.c) */

enum column { INPUTID, INPUT, CONCEPTS, METADATA, GEOPOINTS, COLUMNS };
static const char *const column_names[COLUMNS + 1] = { "inputid", "input", "concepts", "metadata", "geopoints", NULL };

struct clarifai {
	ptrdiff_t of[COLUMNS];   /* -1: not there */
};

bool clarifai_is_header(const struct slice *names, size_t count)
{
	bool input = false;
	bool other = false;      /* "input" alone could be anybody's */
	for (size_t i = 0; i < count; i++) {
		size_t c = 0;
		while (c < COLUMNS && !slice_eq(slice_trim(names[i]), slice_of(column_names[c])))
			c++;
		if (c == COLUMNS)
			return false;
		input = input || c == INPUT;
		other = other || c == INPUTID || c == CONCEPTS || c == GEOPOINTS;
	}
	return input && other;
}

static int clarifai_open(struct manifest *m, struct err *err)
{
	struct clarifai *c = m->state = mem_zero(1, sizeof(*c));
	const struct table *t = &m->table;
	char delimiter = table_delimiter((struct slice){ m->window.data + m->window.at, window_left(&m->window) });
	if (table_open(m, delimiter, true, err) < 0)
		return -1;
	for (size_t i = 0; i < COLUMNS; i++)
		c->of[i] = table_column(t, column_names[i]);
	for (size_t i = 0; i < t->width; i++) {
		size_t k = 0;
		while (k < COLUMNS && !slice_eq(t->names[i], slice_of(column_names[k])))
			k++;
		if (k < COLUMNS)
			continue;
		const char *near = text_nearest(t->names[i].p, column_names);
		return err_set(err, ERR_REJECT, 0, "a Clarifai CSV has no column '%.100s'%s%s%s; import it as csv to keep it "
			"as metadata", t->names[i].p, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
	return c->of[INPUT] >= 0 ? 0 : err_set(err, ERR_REJECT, 0, "a Clarifai CSV has a column 'input'");
}

static struct slice cell(const struct manifest *m, const struct csv_record *r, enum column i)
{
	const struct clarifai *c = m->state;
	return c->of[i] < 0 ? (struct slice){ 0 } : r->fields[c->of[i]];
}

/* "geopoints":[longitude,latitude]; what is none stays as text, with a warning. */
static struct slice geopoints_member(struct manifest *m, struct slice text)
{
	struct draft *d = &m->draft;
	double v[2];
	text = slice_trim(text);
	if (text.len == 0)
		return (struct slice){ 0 };
	const char *comma = memchr(text.p, ',', text.len);
	const char *end = text.p + text.len;
	struct slice longitude = slice_trim((struct slice){ text.p, (size_t)((comma ? comma : end) - text.p) });
	struct slice latitude = slice_trim((struct slice){ comma ? comma + 1 : end, comma ? (size_t)(end - comma - 1) : 0 });
	bool good = comma && number_parse(longitude, &v[0]) && number_parse(latitude, &v[1]) && v[0] >= -180 &&
		v[0] <= 180 && v[1] >= -90 && v[1] <= 90;
	struct slice x = good ? number_json(d, longitude, v[0]) : (struct slice){ 0 };
	struct slice y = good ? number_json(d, latitude, v[1]) : (struct slice){ 0 };
	d->text.len = 0;
	struct json j = { .to = &d->text };
	if (!good) {
		draft_warn(d, "its geopoints are not \"longitude,latitude\"; they are kept as text");
		json_str(&j, "geopoints", text);
		return draft_take(d);
	}
	json_open(&j, "geopoints", '[');
	json_raw(&j, NULL, x);
	json_raw(&j, NULL, y);
	json_close(&j, ']');
	return draft_take(d);
}

/* What an export cannot tell from where the content is and what the row is known by. */
static void take_spelling(struct manifest *m, struct slice input)
{
	struct draft *d = &m->draft;
	struct manifest_row *row = &d->row;
	bool same = row->identity_kind == ROW_BY_ID && (slice_eq(row->identity, row->content) || row->identity.len > ID_SHORT);
	bool file = row->content_kind == ROW_PATH && !slice_eq(row->content, input);
	if (!same && !file)
		return;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	if (same)
		json_str(&j, "inputid", row->identity);
	if (file)
		json_str(&j, "input", input);
	json_close(&j, '}');
	row->attributes = draft_take(d);
}

static int clarifai_row(struct manifest *m, const struct csv_record *r)
{
	const struct clarifai *c = m->state;
	struct draft *d = &m->draft;
	struct manifest_row *row = &d->row;
	draft_id(d, slice_trim(cell(m, r, INPUTID)));
	struct slice input = cell(m, r, INPUT);
	if (slice_trim(input).len == 0)
		return draft_fail(d, table_place(m, (size_t)c->of[INPUT]), NULL, "its input is empty");
	if (draft_content(d, input, m->o.input, table_place(m, (size_t)c->of[INPUT])) == DRAFT_FAILED)
		return DRAFT_FAILED;
	take_spelling(m, input);
	add_labels(m, cell(m, r, CONCEPTS));
	struct slice geopoints = geopoints_member(m, cell(m, r, GEOPOINTS));
	struct slice own = { 0 };
	if (!metadata_json(m, cell(m, r, METADATA), &own))
		row->unreadable = cell(m, r, METADATA);
	row->metadata = join_apart(m, own, geopoints);
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	return table_next(m, clarifai_row, err);
}

static void clarifai_close(struct manifest *m)
{
	free(m->state);
}

const struct format manifest_clarifai = { .title = "Clarifai CSV", .open = clarifai_open, .next = next,
	.describe = table_describe, .header = table_header, .values = table_values, .close = clarifai_close };
