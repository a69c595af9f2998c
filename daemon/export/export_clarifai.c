/* export_clarifai.c - Clarifai's CSV: inputid,input,concepts,metadata,geopoints, as its SDK reads it.
 *
 * concepts is a list in one cell: names between commas, or JSON where a name has what separates names in it. metadata is
 * JSON; the SDK makes it of Python's spelling by turning every apostrophe into a quote, so that those in it are written
 * \u0027. The member geopoints of the metadata is a column. Shapes cannot be said. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/export/entry.h"
#include "daemon/manifest/reference.h"

#include <stdlib.h>

struct clarifai {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	struct dom metadata;
	struct buf cell;
};

static void *clarifai_open(const struct export_options *o, struct export_left *left)
{
	struct clarifai *c = mem_zero(1, sizeof(*c));
	c->options = o;
	c->left = left;
	return c;
}

static void clarifai_close(void *state)
{
	struct clarifai *c = state;
	entry_done(&c->entry);
	dom_done(&c->metadata);
	buf_done(&c->cell);
	free(c);
}

static void clarifai_begin(void *state, struct buf *to)
{
	(void)state;
	buf_str(to, "inputid,input,concepts,metadata,geopoints\r\n");
}

/* One field of RFC 4180. */
static void add_field(struct buf *to, struct slice s)
{
	bool plain = true;
	for (size_t i = 0; i < s.len && plain; i++)
		plain = !strchr(",\"\r\n", s.p[i]) || s.p[i] == '\0';
	if (plain && (s.len == 0 || (s.p[0] != ' ' && s.p[s.len - 1] != ' '))) {
		buf_add(to, s.p, s.len);
		return;
	}
	buf_char(to, '"');
	for (const char *quote; s.len && (quote = memchr(s.p, '"', s.len));) {
		size_t n = (size_t)(quote + 1 - s.p);
		buf_add(to, s.p, n);
		buf_char(to, '"');
		s = (struct slice){ s.p + n, s.len - n };
	}
	buf_add(to, s.p, s.len);
	buf_char(to, '"');
}

/* Whether a reader of a list between commas finds this name again. */
static bool is_plain(struct slice concept)
{
	for (size_t i = 0; i < concept.len; i++)
		if (concept.p[i] == '\0' || strchr(",;|\t\r\n", concept.p[i]))
			return false;
	return concept.len && !strchr("[\" ", concept.p[0]) && concept.p[concept.len - 1] != ' ';
}

static void add_concepts(struct clarifai *c, const struct item_full *it, struct buf *to)
{
	bool plain = true;
	struct json j = { .to = &c->cell };
	c->cell.len = 0;
	for (size_t i = 0; i < it->annotation_count; i++)
		plain = plain && (it->annotations[i].geometry.len || is_plain(it->annotations[i].concept));
	if (!plain)
		json_open(&j, NULL, '[');
	for (size_t i = 0; i < it->annotation_count; i++) {
		struct slice concept = it->annotations[i].concept;
		if (it->annotations[i].geometry.len) {
			c->left->labels++;
			continue;
		}
		if (labels_say_before(it, i))
			continue;
		if (!plain) {
			json_str(&j, NULL, concept);
			continue;
		}
		if (c->cell.len)
			buf_char(&c->cell, ',');
		buf_add(&c->cell, concept.p, concept.len);
	}
	if (!plain)
		json_close(&j, ']');
	add_field(to, buf_slice(&c->cell));
}

static bool is_place(const struct clarifai *c, const struct node *geopoints)
{
	if (!geopoints)
		return false;
	return geopoints->kind == NODE_STRING || (geopoints->kind == NODE_ARRAY && geopoints->count == 2 &&
		node_first(&c->metadata, geopoints)->kind == NODE_NUMBER);
}

/* In strings only an apostrophe can stand. */
static void add_without_apostrophes(struct buf *to, struct slice s)
{
	for (const char *p; s.len && (p = memchr(s.p, '\'', s.len));) {
		buf_add(to, s.p, (size_t)(p - s.p));
		buf_str(to, "\\u0027");
		s = (struct slice){ p + 1, s.len - (size_t)(p + 1 - s.p) };
	}
	buf_add(to, s.p, s.len);
}

static void add_metadata(struct clarifai *c, const struct node *root, const struct node *geopoints, struct buf *to)
{
	struct buf json = { 0 };
	struct json j = { .to = &json };
	json_open(&j, NULL, '{');
	for (const struct node *n = node_first(&c->metadata, root); n; n = node_next(&c->metadata, root, n))
		if (n != geopoints)
			node_write(n, &j);
	struct slice unreadable = c->entry.unreadable;
	if (unreadable.len && j.to->len > 1 && !node_get(&c->metadata, root, "metadata"))
		json_bytes(&j, "metadata", unreadable);
	json_close(&j, '}');
	c->cell.len = 0;
	if (unreadable.len && j.to->len == 2)
		buf_add(&c->cell, unreadable.p, unreadable.len);
	else if (!geopoints || j.to->len > 2) /* else the column is all that there is */
		add_without_apostrophes(&c->cell, buf_slice(&json));
	add_field(to, buf_slice(&c->cell));
	buf_done(&json);
}

static void add_geopoints(struct clarifai *c, const struct node *n, struct buf *to)
{
	if (!n)
		return;
	if (n->kind == NODE_STRING) {
		add_field(to, node_string(n, &c->entry.arena));
		return;
	}
	const struct node *longitude = node_first(&c->metadata, n);
	const struct node *latitude = node_next(&c->metadata, n, longitude);
	c->cell.len = 0;
	buf_add(&c->cell, longitude->text.p, longitude->text.len);
	buf_char(&c->cell, ',');
	buf_add(&c->cell, latitude->text.p, latitude->text.len);
	add_field(to, buf_slice(&c->cell));
}

static void add_facts(struct clarifai *c, struct buf *to)
{
	struct dom_error ignored;
	const struct entry *e = &c->entry;
	const struct node *geopoints = NULL;
	if (e->metadata.len && dom_parse(&c->metadata, e->metadata, &ignored) == 0) {
		const struct node *root = dom_root(&c->metadata);
		geopoints = node_get(&c->metadata, root, "geopoints");
		if (!is_place(c, geopoints))
			geopoints = NULL;
		add_metadata(c, root, geopoints, to);
	} else {
		add_field(to, e->unreadable);
	}
	buf_char(to, ',');
	add_geopoints(c, geopoints, to);
}

/* A path that a reader would take for a text gets "./" before it. */
static struct slice as_input(struct clarifai *c)
{
	const struct entry *e = &c->entry;
	if (e->at != ROW_PATH || reference_kind(e->where) != REFERENCE_NONE)
		return e->where;
	c->cell.len = 0;
	buf_str(&c->cell, "./");
	buf_add(&c->cell, e->where.p, e->where.len);
	return buf_slice(&c->cell);
}

static int clarifai_add(void *state, const struct item_full *it, struct buf *to, struct err *err)
{
	struct clarifai *c = state;
	struct entry *e = &c->entry;
	if (entry_read(e, c->options, it, err) < 0)
		return -1;
	int told = e->at == ROW_TEXT ? entry_text(e, c->options, &it->item, err) : e->at != 0;
	if (told <= 0) {
		c->left->items++;
		return told;
	}
	if (e->at == ROW_TEXT && reference_kind(e->where) != REFERENCE_NONE)
		c->left->ambiguous++;
	const struct node *id = e->said ? node_get(&e->said_dom, e->said, "inputid") : NULL;
	const struct node *input = e->said ? node_get(&e->said_dom, e->said, "input") : NULL;
	add_field(to, id ? node_string(id, &e->arena) : e->id);
	buf_char(to, ',');
	add_field(to, input ? node_string(input, &e->arena) : as_input(c));
	buf_char(to, ',');
	add_concepts(c, it, to);
	buf_char(to, ',');
	add_facts(c, to);
	buf_str(to, "\r\n");
	return 0;
}

const struct format_ops format_clarifai = { .type = "text/csv; charset=utf-8", .file_name = "clarifai.csv", .list = true,
	.open = clarifai_open, .begin = clarifai_begin, .add = clarifai_add, .close = clarifai_close };
