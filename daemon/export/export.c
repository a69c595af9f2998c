/* export.c - chooses what of each item is exported and hands it to a format. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

static const struct format_ops *const formats[EXPORT_FORMATS] = {
	[EXPORT_JSONL] = &format_jsonl,
	[EXPORT_COCO] = &format_coco,
};
const char *const export_format_names[EXPORT_FORMATS + 1] = {
	[EXPORT_JSONL] = "jsonl",
	[EXPORT_COCO] = "coco",
};

struct exporter {
	struct export_options options;
	const struct format_ops *format;
	void *state;
	export_sink_fn *sink;
	void *arg;
	struct buf text;           /* between the format and the sink; reused */
	struct annotation *chosen; /* reused */
	size_t room;
	struct export_left left;
};

const char *export_media_type(enum export_format f)
{
	return formats[f]->type;
}

const char *export_file_name(enum export_format f)
{
	return formats[f]->file_name;
}

struct exporter *exporter_new(const struct export_options *o, export_sink_fn *sink, void *arg)
{
	struct exporter *x = mem_zero(1, sizeof(*x));
	x->options = *o;
	x->format = formats[o->format];
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
	buf_done(&x->text);
	free(x->chosen);
	free(x);
}

/* The annotations to export; of one reference (object != 0) those of the item itself and its own, not its siblings'. */
static size_t choose(struct exporter *x, const struct item_full *it, uint64_t object)
{
	if (x->room < it->annotation_count) {
		x->chosen = mem_resize(x->chosen, it->annotation_count, sizeof(*x->chosen));
		x->room = it->annotation_count;
	}
	size_t n = 0;
	for (size_t i = 0; i < it->annotation_count; i++) {
		const struct annotation *a = &it->annotations[i];
		bool status = a->status == STATUS_SUCCESS ||
			(x->options.with_review && a->status == STATUS_AWAITING_REVIEW);
		if (status && (object == 0 || a->object == 0 || a->object == object))
			x->chosen[n++] = *a;
	}
	return n;
}

static int flush(struct exporter *x, struct err *err)
{
	int r = x->text.len ? x->sink(x->arg, buf_slice(&x->text), err) : 0;
	x->text.len = 0;
	return r;
}

static int add_entry(struct exporter *x, const struct item_full *it, const struct reference *only, struct err *err)
{
	struct item_full entry = *it;
	if (only) {
		entry.references = only;
		entry.reference_count = 1;
	}
	entry.annotation_count = choose(x, it, only ? only->object : 0);
	entry.annotations = x->chosen;
	if (x->format->add(x->state, &entry, &x->text, err) < 0)
		return err_wrap(err, "export item %llu", (unsigned long long)it->item.id);
	return flush(x, err);
}

void exporter_import(struct exporter *x, const struct import *i)
{
	if (x->format->import)
		x->format->import(x->state, i);
}

int exporter_add(struct exporter *x, const struct item_full *it, struct err *err)
{
	if (x->options.by == EXPORT_BY_ITEM)
		return add_entry(x, it, NULL, err);
	struct item_full rest = *it;
	for (size_t i = 0; i < it->reference_count; i++) {
		const struct reference *r = &it->references[i];
		struct item_full one = rest;
		for (one.row_count = 0; one.row_count < rest.row_count && rest.rows[one.row_count].object == r->object;)
			one.row_count++; /* rows are in the order of their references */
		if (r->state == OBJECT_PRESENT && add_entry(x, &one, r, err) < 0)
			return -1;
		rest.rows += one.row_count;
		rest.row_count -= one.row_count;
	}
	return 0;
}

int exporter_end(struct exporter *x, struct err *err)
{
	int more = x->format->end(x->state, &x->text, err);
	if (more < 0)
		return err_wrap(err, "end of export");
	return flush(x, err) < 0 ? -1 : more;
}

void exporter_left(const struct exporter *x, struct buf *to)
{
	const struct export_left *l = &x->left;
	if (l->items)
		buf_printf(to, "%llu item%s", (unsigned long long)l->items, l->items == 1 ? "" : "s");
	if (l->labels)
		buf_printf(to, "%s%llu label%s", l->items ? " and " : "", (unsigned long long)l->labels, l->labels == 1 ? "" : "s");
	if (l->items || l->labels)
		buf_printf(to, " that %s cannot say", export_format_names[x->options.format]);
}
