/* entry.c - an entry's row, or what its item and references say where there is none. */
#include "daemon/export/entry.h"

#include "daemon/base/text.h"
#include "daemon/model/import_body.h"
#include "daemon/model/reader.h"

void entry_done(struct entry *e)
{
	dom_done(&e->said_dom);
	dom_done(&e->label_dom);
	arena_done(&e->arena);
	buf_done(&e->place);
	buf_done(&e->text);
}

static const struct node *parse(struct dom *t, struct slice object)
{
	struct dom_error ignored;
	return object.len && dom_parse(t, object, &ignored) == 0 ? dom_root(t) : NULL;
}

static enum row_content content_of(struct slice at)
{
	for (enum row_content k = ROW_URL; k <= ROW_TEXT; k++)
		if (slice_eq(at, slice_of(row_content_name(k))))
			return k;
	return 0;
}

static bool begins(struct slice s, const char *with)
{
	size_t n = strlen(with);
	return s.len >= n && memcmp(s.p, with, n) == 0;
}

/* The key of a row is its own id, unless it was made of where it is (daemon/sender/group.c). */
static struct slice own_id(const struct entry *e, struct slice key)
{
	bool made = slice_eq(key, e->where) || (begins(key, "text:") && key.len == 5 + CONTENT_ID_HEX) ||
		(begins(key, "sha256:") && key.len == 7 + CONTENT_ID_HEX);
	return made || !text_is_utf8(key) ? (struct slice){ 0 } : key;
}

static const struct reference *reference_of(const struct item_full *full, uint64_t object)
{
	for (size_t i = 0; i < full->reference_count; i++)
		if (full->references[i].object == object)
			return &full->references[i];
	return NULL;
}

static int read_row(struct entry *e, const struct item_full *full, struct err *err)
{
	struct reader r;
	struct import_body b;
	if (import_body_read(full->rows[0].body, &r, &b, err) < 0)
		return -1;
	const struct reference *ref = reference_of(full, full->rows[0].object);
	e->listed = true;
	e->at = content_of(b.at);
	e->where = arena_copy(&e->arena, b.where);
	if (b.media.len)
		e->media = media_parse(b.media);
	e->split = arena_copy(&e->arena, b.split);
	e->metadata = arena_copy(&e->arena, b.metadata);
	e->unreadable = arena_copy(&e->arena, b.unreadable);
	e->said = parse(&e->said_dom, arena_copy(&e->arena, b.attributes));
	if (ref)
		e->id = own_id(e, ref->key);
	reader_done(&r);
	return 0;
}

/* By folder and sidecar, where no row says it. What a list says goes out as it came, so it gets nobody else's metadata. */
static int read_own(struct entry *e, const struct item_full *full, struct err *err)
{
	for (size_t i = 0; i < full->own_count; i++) {
		struct reader r;
		struct import_body b;
		if (import_body_read(full->own[i].body, &r, &b, err) < 0)
			return -1;
		if (e->split.len == 0)
			e->split = arena_copy(&e->arena, b.split);
		if (!e->listed && e->metadata.len == 0)
			e->metadata = arena_copy(&e->arena, b.metadata);
		reader_done(&r);
	}
	return 0;
}

static enum row_content kind_of_place(struct slice place)
{
	return begins(place, "s3://") ? ROW_S3 : begins(place, "gs://") ? ROW_GS : ROW_PATH;
}

int entry_read(struct entry *e, const struct export_options *o, const struct item_full *full, struct err *err)
{
	arena_reset(&e->arena);
	*e = (struct entry){ .said_dom = e->said_dom, .label_dom = e->label_dom, .arena = e->arena, .place = e->place, .text = e->text,
		.media = full->item.media };
	if (full->row_count && read_row(e, full, err) < 0)
		return -1;
	for (size_t i = 0; !e->listed && i < full->reference_count && o->place && !e->at; i++) {
		e->place.len = 0;
		o->place(o->place_arg, &full->references[i], &e->place);
		if (e->place.len && text_is_utf8(buf_slice(&e->place))) {
			e->where = buf_slice(&e->place);
			e->at = kind_of_place(e->where);
		}
	}
	return read_own(e, full, err);
}

int entry_text(struct entry *e, const struct export_options *o, const struct item *item, struct err *err)
{
	e->text.len = 0;
	if (!o->text || o->text(o->text_arg, item, &e->text, err) < 0)
		return o->text ? -1 : 0;
	e->where = buf_slice(&e->text);
	return text_is_utf8(e->where) ? 1 : 0;
}

bool labels_say_before(const struct item_full *it, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (it->annotations[i].geometry.len == 0 && slice_eq(it->annotations[i].concept, it->annotations[n].concept))
			return true;
	return false;
}

const struct node *entry_label(struct entry *e, const struct annotation *a)
{
	return parse(&e->label_dom, a->attributes);
}

void members_write_but(const struct dom *t, const struct node *object, const char *const *but, struct json *j)
{
	if (!object || object->kind != NODE_OBJECT)
		return;
	for (const struct node *n = node_first(t, object); n; n = node_next(t, object, n)) {
		size_t i = 0;
		while (but[i] && !node_name_is(n, but[i]))
			i++;
		if (!but[i])
			node_write(n, j);
	}
}

void members_write(const struct dom *t, const struct node *object, struct json *j)
{
	members_write_but(t, object, (const char *const[]){ NULL }, j);
}

void members_raw(struct slice object, struct json *j)
{
	size_t from = 1;
	while (from + 1 < object.len && strchr(" \t\r\n", object.p[from]))
		from++;
	if (object.len < 2 || from + 1 >= object.len)
		return;
	if (j->comma)
		buf_char(j->to, ',');
	buf_add(j->to, object.p + from, object.len - from - 1);
	j->comma = true;
}
