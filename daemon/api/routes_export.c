/* routes_export.c - the whole dataset: as a file, and checked. */
#include "daemon/api/routes.h"

#include "config/source_config.h"
#include "daemon/api/walk.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/export/export.h"
#include "daemon/stages/bytes.h"
#include "daemon/stages/pipeline.h"
#include "daemon/store/store.h"

#include <stdlib.h>

#define PROBLEMS_MAX 10000U /* lines that one answer names; the report counts all */
#define TEXT_MAX (16U << 20) /* the longest row that a manifest may have */

struct download {
	struct walk walk;
	bool items_done;
	struct pipeline *pipeline;
	struct exporter *exporter;
	struct buf *to;      /* while a piece is made */
};

static void download_free(void *arg)
{
	struct download *d = arg;
	exporter_free(d->exporter);
	free(d);
}

static int download_text(void *arg, struct slice text, struct err *err)
{
	(void)err;
	struct download *d = arg;
	buf_add(d->to, text.p, text.len);
	return 0;
}

static int download_item(void *arg, struct view *v, const struct item_full *it, struct err *err)
{
	struct download *d = arg;
	int excluded = it->reference_count == 0 ? pipeline_excluded(d->pipeline, v, it->item.id, err) : 0;
	if (excluded != 0)
		return excluded < 0 ? -1 : 0;
	return exporter_add(d->exporter, it, err);
}

static int download_fill(void *arg, struct buf *to, struct err *err)
{
	struct download *d = arg;
	d->to = to;
	if (d->items_done)
		return exporter_end(d->exporter, err);
	int more = walk_page(&d->walk, download_item, d, err);
	d->items_done = more == 0;
	return more < 0 ? -1 : 1;
}

static void download_foot(void *arg, struct buf *to)
{
	const struct download *d = arg;
	exporter_left(d->exporter, to);
}

static int download_bytes(void *arg, const struct item *item, struct buf *to, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	uint64_t offset;
	if (item->bytes > TEXT_MAX)
		return err_set(err, ERR_REJECT, 0, "its text is longer than %u bytes", TEXT_MAX);
	if (pipeline_bytes(arg, item, &fd, &offset, err) < 0)
		return -1;
	if (file_read_at(fd, buf_grow(to, item->bytes), item->bytes, offset, err) < 0)
		return err_wrap(err, "the text of item %llu", (unsigned long long)item->id);
	to->len += item->bytes;
	return 0;
}

/* Sources are few. */
static void download_place(void *arg, const struct reference *r, struct buf *to)
{
	const struct config *c = arg;
	for (size_t i = 0; i < c->source_count; i++) {
		const struct source_config *s = &c->sources[i];
		if (!slice_eq(r->source, slice_of(s->name)))
			continue;
		if (source_config_is_bucket(s))
			buf_printf(to, "%s://%s/", source_config_url_scheme(s), s->bucket.bucket);
		else
			buf_printf(to, "%s/", s->folder.path);
		buf_add(to, r->key.p, r->key.len);
	}
}

/* What manifests say of all their rows: a format may need it from its first line on. */
static int tell_imports(struct exporter *x, struct store *store, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct import i = { 0 };
	int more = view_open(store, &v, err) < 0 ? -1 : 1;
	while (more > 0 && (more = view_import_next(v, i.id, &i, err)) > 0)
		exporter_import(x, &i);
	return more;
}

struct reply export_answer(struct request *r)
{
	struct export_options o = { .spool_dir = pipeline_config(r->pipeline)->state_dir };
	struct err err;
	int format = EXPORT_JSONL;
	int by = -1;
	if (query_choice(r, "format", export_format_names, &format, &err) < 0 || query_choice(r, "by", export_by_names, &by, &err) < 0 ||
		query_bool(r, "review", &o.with_review, &err) < 0 || query_bool(r, "files", &o.files, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	o.attribute = query_get(r, "attribute");
	if (o.attribute && !export_attribute_good(o.attribute))
		return reply_problem(MHD_HTTP_BAD_REQUEST, "parameter 'attribute' takes a name of letters, digits and '-', up to 100");
	if (o.files && format != EXPORT_YOLO)
		return reply_problem(MHD_HTTP_BAD_REQUEST, "parameter 'files' is for the format yolo");
	o.format = (enum export_format)format;
	o.by = by < 0 ? EXPORT_BY_FORMAT : EXPORT_BY_ITEM + (enum export_by)by;
	struct download *d = mem_zero(1, sizeof(*d));
	o.text = download_bytes;
	o.text_arg = r->pipeline;
	o.place = download_place;
	o.place_arg = (void *)pipeline_config(r->pipeline);
	d->walk = (struct walk){ .store = pipeline_store(r->pipeline), .left = UINT64_MAX, .rows = true };
	d->pipeline = r->pipeline;
	d->exporter = exporter_new(&o, download_text, d);
	if (tell_imports(d->exporter, d->walk.store, &err) < 0) {
		download_free(d);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	struct reply reply = reply_stream(r, o.files ? TYPE_JSONL : export_media_type(o.format), download_fill, d, download_free);
	CLEANUP(freep) char *disposition = mem_printf("attachment; filename=\"%s\"", export_file_name(o.format));
	if (!o.files)
		reply_header(&reply, "Content-Disposition", disposition);
	reply_footer(&reply, EXPORT_LEFT_OUT, download_foot);
	return reply;
}

struct problems {
	struct buf text;
	uint64_t named;
};

static void name_problem(void *arg, const char *text)
{
	struct problems *p = arg;
	if (p->named++ >= PROBLEMS_MAX)
		return;
	struct json j = { .to = &p->text };
	json_open(&j, NULL, '{');
	json_bytes(&j, "problem", slice_of(text));
	json_close(&j, '}');
	buf_char(&p->text, '\n');
}

struct reply verify_answer(struct request *r)
{
	struct problems problems = { 0 };
	struct verify_report report;
	struct err err;
	uint64_t slice = 0;
	uint64_t slices = 1;
	if (body_u64(r, "slices", 1, VERIFY_SLICES_MAX, &slices, &err) < 0 ||
		body_u64(r, "slice", 0, slices - 1, &slice, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (store_verify(pipeline_store(r->pipeline), (unsigned)slice, (unsigned)slices, name_problem, &problems,
		    &report, &err) < 0) {
		buf_done(&problems.text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	struct json j = { .to = &problems.text };
	json_open(&j, NULL, '{');
	json_u64(&j, "batches", report.batches);
	json_u64(&j, "blobs", report.blobs);
	json_u64(&j, "bytes", report.bytes);
	json_u64(&j, "items", report.items);
	json_u64(&j, "problems", report.problems);
	json_close(&j, '}');
	buf_char(&problems.text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSONL, &problems.text);
}
