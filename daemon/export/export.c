/* export.c - chooses what of each item is exported and hands it to a format. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/ordered.h"

#include <stdlib.h>

static const struct format_ops *const formats[EXPORT_FORMATS] = {
	[EXPORT_JSONL] = &format_jsonl,
	[EXPORT_COCO] = &format_coco,
	[EXPORT_LABEL_STUDIO] = &format_labelstudio,
	[EXPORT_CVAT] = &format_cvat,
	[EXPORT_CLARIFAI] = &format_clarifai,
	[EXPORT_VERTEX] = &format_vertex,
	[EXPORT_GROUND_TRUTH] = &format_groundtruth,
	[EXPORT_HUGGING_FACE] = &format_huggingface,
	[EXPORT_YOLO] = &format_yolo,
};
const char *const export_format_names[EXPORT_FORMATS + 1] = {
	[EXPORT_JSONL] = "jsonl",
	[EXPORT_COCO] = "coco",
	[EXPORT_LABEL_STUDIO] = "labelstudio",
	[EXPORT_CVAT] = "cvat",
	[EXPORT_CLARIFAI] = "clarifai",
	[EXPORT_VERTEX] = "vertex",
	[EXPORT_GROUND_TRUTH] = "groundtruth",
	[EXPORT_HUGGING_FACE] = "huggingface",
	[EXPORT_YOLO] = "yolo",
};
const char *const export_by_names[] = { "item", "reference", "row", NULL };

struct exporter {
	struct export_options options;
	const struct format_ops *format;
	void *state;
	export_sink_fn *sink;
	void *arg;
	struct buf text;           /* between the format and the sink; reused */
	struct annotation *chosen; /* reused */
	size_t room;
	struct import_row *rows;   /* reused: of an item, those of manifests and then the others */
	size_t row_room;
	struct export_left left;
	struct ordered *ordered;   /* NULL: entries go out as they come */
	bool begun, any;           /* the end has begun; an entry of a list has gone out */
};

const char *export_media_type(enum export_format f)
{
	return formats[f]->type;
}

const char *export_file_name(enum export_format f)
{
	return formats[f]->file_name;
}

bool export_attribute_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	return len >= 1 && len <= 100 && name[len] == '\0' && name[0] != '-';
}

struct exporter *exporter_new(const struct export_options *o, export_sink_fn *sink, void *arg)
{
	struct exporter *x = mem_zero(1, sizeof(*x));
	x->options = *o;
	x->format = formats[o->format];
	if (o->by == EXPORT_BY_FORMAT)
		x->options.by = x->format->list || x->format->by_row ? EXPORT_BY_ROW : EXPORT_BY_ITEM;
	x->ordered = x->format->list ? ordered_new(o->spool_dir) : NULL;
	x->state = x->format->open(&x->options, &x->left);
	x->sink = sink;
	x->arg = arg;
	return x;
}

void exporter_free(struct exporter *x)
{
	if (!x)
		return;
	x->format->close(x->state);
	ordered_free(x->ordered);
	buf_done(&x->text);
	free(x->chosen);
	free(x->rows);
	free(x);
}

/* Rows of manifests make entries and say where they are; what a source says of its own files does neither. */
static void part_rows(struct exporter *x, struct item_full *it)
{
	size_t listed = 0, own = 0;
	if (x->row_room < it->row_count) {
		x->rows = mem_resize(x->rows, it->row_count, sizeof(*x->rows));
		x->row_room = it->row_count;
	}
	for (size_t i = 0; i < it->row_count; i++)
		if (it->rows[i].import)
			x->rows[listed++] = it->rows[i];
	for (size_t i = 0; i < it->row_count; i++)
		if (!it->rows[i].import)
			x->rows[listed + own++] = it->rows[i];
	it->rows = x->rows;
	it->row_count = listed;
	it->own = own ? x->rows + listed : NULL;
	it->own_count = own;
}

static bool has_rows(const struct item_full *it, uint64_t object)
{
	for (size_t i = 0; i < it->row_count; i++)
		if (it->rows[i].object == object)
			return true;
	return false;
}

/* Of an entry of one reference (only, else NULL): not what is told of a sibling that has an entry of its own. */
static bool belongs(const struct exporter *x, const struct item_full *it, const struct annotation *a, const struct reference *only)
{
	if (!only || a->object == 0 || a->object == only->object)
		return true;
	return x->options.by == EXPORT_BY_ROW && !has_rows(it, a->object);
}

static void choose(struct exporter *x, const struct item_full *it, const struct reference *only, struct item_full *entry)
{
	if (x->room < it->annotation_count) {
		x->chosen = mem_resize(x->chosen, it->annotation_count, sizeof(*x->chosen));
		x->room = it->annotation_count;
	}
	size_t n = 0;
	for (size_t i = 0; i < it->annotation_count; i++) {
		const struct annotation *a = &it->annotations[i];
		bool status = x->format->says_status || a->status == STATUS_SUCCESS ||
			(x->options.with_review && a->status == STATUS_AWAITING_REVIEW);
		if (status && belongs(x, it, a, only))
			x->chosen[n++] = *a;
	}
	entry->annotations = x->chosen;
	entry->annotation_count = n;
}

static int flush(struct exporter *x, struct err *err)
{
	int r = x->text.len ? x->sink(x->arg, buf_slice(&x->text), err) : 0;
	x->text.len = 0;
	return r;
}

/* A run of rows: those of a reference. */
struct row_run {
	const struct import_row *rows;
	size_t count;
};

/* Rows are in the order of their references. */
static struct row_run run_of(const struct import_row *rows, size_t n, uint64_t object)
{
	size_t from = 0, count = 0;
	while (from < n && rows[from].object != object)
		from++;
	while (from + count < n && rows[from + count].object == object)
		count++;
	return (struct row_run){ rows + from, count };
}

/* only, with its rows: the entry is of this reference; NULL: of the item. */
static int add_entry(struct exporter *x, const struct item_full *it, const struct reference *only, struct row_run rows, struct err *err)
{
	struct item_full entry = *it;
	if (only) {
		entry.references = only;
		entry.reference_count = 1;
		entry.rows = rows.rows;
		entry.row_count = rows.count;
	}
	if (only && x->options.by == EXPORT_BY_REFERENCE) {
		struct row_run own = run_of(it->own, it->own_count, only->object);
		entry.own = own.rows;
		entry.own_count = own.count;
	}
	choose(x, it, only, &entry);
	const char *separator = x->format->separator ? x->format->separator : "";
	buf_str(&x->text, separator);
	if (x->format->add(x->state, &entry, &x->text, err) < 0)
		return err_wrap(err, "export item %llu", (unsigned long long)it->item.id);
	if (x->text.len == strlen(separator))
		x->text.len = 0;
	if (!x->ordered || x->text.len == 0)
		return flush(x, err);
	int r = ordered_add(x->ordered, &entry, buf_slice(&x->text), err);
	x->text.len = 0;
	return r;
}

void exporter_import(struct exporter *x, const struct import *i)
{
	if (x->format->import)
		x->format->import(x->state, i);
}

int exporter_add(struct exporter *x, const struct item_full *whole, struct err *err)
{
	bool by_row = x->options.by == EXPORT_BY_ROW;
	struct item_full it = *whole;
	part_rows(x, &it);
	if (x->options.by == EXPORT_BY_ITEM || (by_row && it.row_count == 0))
		return add_entry(x, &it, NULL, (struct row_run){ 0 }, err);
	size_t at = 0;
	for (size_t i = 0; i < it.reference_count; i++) {
		const struct reference *r = &it.references[i];
		struct row_run run = { it.rows + at, 0 };
		while (at + run.count < it.row_count && it.rows[at + run.count].object == r->object)
			run.count++;
		bool wanted = by_row ? run.count > 0 : r->state == OBJECT_PRESENT;
		if (wanted && add_entry(x, &it, r, run, err) < 0)
			return -1;
		at += run.count;
	}
	return 0;
}

/* The first entry goes without the separator before it. */
static int next_entries(struct exporter *x, struct err *err)
{
	size_t from = x->text.len;
	int more = ordered_next(x->ordered, EXPORT_PIECE, &x->text, err);
	size_t n = x->format->separator && !x->any ? strlen(x->format->separator) : 0;
	if (more < 0 || x->text.len == from)
		return more;
	memmove(x->text.data + from, x->text.data + from + n, x->text.len - from - n);
	x->text.len -= n;
	x->any = true;
	return more;
}

int exporter_end(struct exporter *x, struct err *err)
{
	if (!x->begun && x->format->begin)
		x->format->begin(x->state, &x->text);
	x->begun = true;
	int more = x->ordered ? next_entries(x, err) : 0;
	if (more == 0 && x->format->end)
		more = x->format->end(x->state, &x->text, err);
	if (more < 0)
		return err_wrap(err, "end of export");
	return flush(x, err) < 0 ? -1 : more;
}

void exporter_left(const struct exporter *x, struct buf *to)
{
	const struct export_left *l = &x->left;
	if (l->items)
		buf_printf(to, "%llu item%s", (unsigned long long)l->items, text_s(l->items));
	if (l->labels)
		buf_printf(to, "%s%llu label%s", l->items ? " and " : "", (unsigned long long)l->labels,
			text_s(l->labels));
	if (l->items || l->labels)
		buf_printf(to, " that %s cannot say", export_format_names[x->options.format]);
	if (l->unlabelled)
		buf_printf(to, "%s%llu picture%s without such labels", l->items || l->labels ? ", and " : "", (unsigned long long)l->unlabelled,
			text_s(l->unlabelled));
	if (l->ambiguous)
		buf_printf(to, "%s; but %llu text%s, and %s read back so: import it with --input raw", l->items || l->labels ? "" : "nothing",
			(unsigned long long)l->ambiguous, l->ambiguous == 1 ? " begins as a path or URL does" : "s begin as paths or URLs do",
			l->ambiguous == 1 ? "is" : "are");
}
