/* routes_import.c - passes over manifests that a client reads (daemon/imports/import.h). */
#include "daemon/api/routes.h"

#include "daemon/base/cleanup.h"
#include "daemon/imports/import.h"
#include "daemon/stages/pipeline.h"

static struct reply mend_answer(struct request *r, struct slice which)
{
	struct err err;
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	if (import_mend(pipeline_imports(r->pipeline), which, &j, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	}
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

struct reply import_begin_answer(struct request *r)
{
	struct import_begin b = { 0 };
	struct slice into = { 0 };
	uint64_t pass, import;
	struct err err;
	struct buf text = { 0 };
	CLEANUP(buf_done) struct buf attributes = { 0 };
	if (body_str(r, "into", &into, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (into.len)
		return mend_answer(r, into);
	if (body_str(r, "name", &b.name, &err) < 0 || body_str(r, "file", &b.file, &err) < 0 ||
		body_str(r, "format", &b.format, &err) < 0 || body_str(r, "header", &b.header, &err) < 0 ||
		body_str(r, "attributes", &b.attributes, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (import_begin(pipeline_imports(r->pipeline), &b, &pass, &import, &attributes, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	json_u64(&j, "import", import);
	json_u64(&j, "pass", pass);
	if (attributes.len)
		json_str(&j, "attributes", buf_slice(&attributes));
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

static void *rows_open(const struct request *r)
{
	return import_upload_new(pipeline_imports(r->pipeline), r->item);
}

static void rows_take(void *upload, struct slice bytes)
{
	import_take(upload, bytes);
}

static struct reply rows_finish(void *upload)
{
	struct err err;
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	if (import_finish(upload, &j, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	}
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

static void rows_drop(void *upload)
{
	import_drop(upload);
}

struct reply import_rows_answer(struct request *r)
{
	(void)r;
	return reply_problem(MHD_HTTP_BAD_REQUEST, "this takes rows in its body, and no query parameters");
}

const struct upload_ops import_rows = { rows_open, rows_take, rows_finish, rows_drop };

struct reply import_settle_answer(struct request *r)
{
	struct err err;
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	if (import_settle(pipeline_imports(r->pipeline), r->item, &j, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	}
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

struct reply import_end_answer(struct request *r)
{
	struct import_counts counts;
	struct import_close close = { 0 };
	uint64_t quarantined, retrying;
	bool wait = true;
	struct err err;
	struct buf text = { 0 };
	struct json j = { .to = &text };
	if (body_u64(r, "rows", 0, INT64_MAX, &close.rows, &err) < 0 || body_u64(r, "failed", 0, INT64_MAX, &close.failed, &err) < 0 ||
		body_str(r, "attributes", &close.attributes, &err) < 0 || body_bool(r, "wait", &wait, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (import_end(pipeline_imports(r->pipeline), r->item, &close, &counts, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	json_open(&j, NULL, '{');
	json_u64(&j, "import", counts.import);
	json_u64(&j, "rows", counts.rows);
	json_u64(&j, "failed", counts.failed);
	json_u64(&j, "written", counts.written);
	json_u64(&j, "vanished", counts.vanished);
	if (counts.mending) {
		json_u64(&j, "mended", counts.mended);
		json_u64(&j, "left", counts.left);
	}
	if (outcome_json(r->pipeline, wait, 0, &j, &err) < 0 ||
		import_left(pipeline_imports(r->pipeline), counts.import, &quarantined, &retrying, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	json_u64(&j, "not_fetched", quarantined);
	json_u64(&j, "to_fetch", retrying);
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}
