/* record_import.c - lines of imports and their rows. */
#include "daemon/model/record_line.h"

void line_put_import(struct json *j, const struct record *r)
{
	const struct record_import *i = &r->import;
	line_put_number(j, "import", i->import);
	json_bytes(j, "source", i->source);
	line_put_text(j, "format", i->format);
	line_put_text(j, "header", i->header);
	line_put_object(j, "attributes", i->attributes);
	json_u64(j, "rows", i->rows);
	json_u64(j, "failed", i->failed);
	json_u64(j, "vanished", i->vanished);
	if (i->complete)
		json_bool(j, "complete", true);
	json_i64(j, "time", i->time_ms);
}

void line_get_import(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	ret->import.import = reader_u64(r, "import", 1, IMPORT_MAX);
	ret->import.source = reader_text(r, "source");
	ret->import.format = reader_text_or_empty(r, "format");
	ret->import.header = reader_text_or_empty(r, "header");
	ret->import.attributes = reader_raw_object(r, "attributes");
	ret->import.rows = reader_u64(r, "rows", 0, INT64_MAX);
	ret->import.failed = reader_u64(r, "failed", 0, INT64_MAX);
	ret->import.vanished = reader_u64(r, "vanished", 0, INT64_MAX);
	ret->import.complete = reader_flag(r, "complete");
	ret->import.time_ms = reader_i64(r, "time");
}

void line_put_row(struct json *j, const struct record *r)
{
	line_put_number(j, "object", r->row.object);
	line_put_number(j, "row", r->row.row);
	if (r->row.import)
		json_u64(j, "import", r->row.import);
	if (r->row.line)
		json_u64(j, "line", r->row.line);
	if (r->row.pending) {
		json_bool(j, "pending", true);
		json_bytes(j, "source", r->row.source);
		json_bytes(j, "key", r->row.key);
	}
	line_put_object(j, "body", r->row.body);
	line_put_object(j, "origin", r->row.origin);
}

void line_get_row(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	ret->row.object = line_get_number(r, "object");
	ret->row.row = line_get_number(r, "row");
	ret->row.import = reader_u64_or(r, "import", IMPORT_MAX, 0);
	ret->row.line = reader_u64_or(r, "line", ROW_LINE_MAX, 0);
	ret->row.pending = reader_flag(r, "pending");
	if (ret->row.pending) {
		ret->row.source = reader_text(r, "source");
		ret->row.key = reader_text(r, "key");
	}
	ret->row.body = reader_raw_object(r, "body");
	ret->row.origin = reader_raw_object(r, "origin");
	if (ret->row.body.len == 0)
		reader_fail(r, "body", "is missing");
}

void line_put_row_gone(struct json *j, const struct record *r)
{
	line_put_number(j, "object", r->row_gone.object);
	line_put_number(j, "row", r->row_gone.row);
}

void line_get_row_gone(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	ret->row_gone.object = line_get_number(r, "object");
	ret->row_gone.row = line_get_number(r, "row");
}

void line_put_mended(struct json *j, const struct record *r)
{
	line_put_number(j, "import", row_import(r->mended.number));
	line_put_number(j, "line", row_line(r->mended.number));
}

void line_get_mended(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	uint64_t import = reader_u64(r, "import", 1, IMPORT_MAX);
	ret->mended.number = row_number(import, reader_u64(r, "line", 1, ROW_LINE_MAX));
}
