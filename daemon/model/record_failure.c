/* record_failure.c - lines of what went to quarantine: objects, items, and rows of manifests. */
#include "daemon/model/record_line.h"

#include <assert.h>

static const char *const subjects[] = { [SUBJECT_OBJECT] = "object", [SUBJECT_ITEM] = "item", [SUBJECT_ROW] = "row" };

static void put_failed_row(struct json *j, const struct record_failure *f)
{
	line_put_number(j, "import", row_import(f->number));
	line_put_number(j, "line", row_line(f->number));
	json_bytes(j, "reason", f->reason);
	line_put_text(j, "cure", f->cure);
	line_put_object(j, "row", f->row);
}

void line_put_failure(struct json *j, const struct record *r)
{
	const struct record_failure *f = &r->failure;
	line_put_name(j, "subject", subjects, COUNT(subjects), f->subject);
	if (f->subject == SUBJECT_ROW) {
		put_failed_row(j, f);
		return;
	}
	assert(f->stage != STAGE_NONE);
	line_put_number(j, "number", f->number);
	json_str(j, "stage", slice_of(stage_name(f->stage)));
	json_bytes(j, "reason", f->reason);
	line_put_text(j, "cure", f->cure);
	if (f->attempts > 0)
		json_u64(j, "attempts", f->attempts);
	if (f->subject == SUBJECT_ITEM)
		line_put_text(j, "media_type", f->media_type);
	if (f->subject != SUBJECT_OBJECT)
		return;
	line_put_place(j, f->source, f->layout, f->key);
	line_put_text(j, "version", f->version);
	json_u64(j, "bytes", f->bytes);
}

static void get_failed_row(struct reader *r, struct record_failure *f)
{
	uint64_t import = reader_u64(r, "import", 1, IMPORT_MAX);
	f->number = row_number(import, reader_u64(r, "line", 1, ROW_LINE_MAX));
	f->reason = reader_text(r, "reason");
	f->cure = reader_text_or_empty(r, "cure");
	f->row = reader_raw_object(r, "row");
}

void line_get_failure(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	struct record_failure *f = &ret->failure;
	f->subject = (enum failure_subject)line_get_name(r, "subject", subjects, COUNT(subjects));
	if (f->subject == SUBJECT_ROW) {
		get_failed_row(r, f);
		return;
	}
	f->number = line_get_number(r, "number");
	f->stage = stage_parse(reader_text(r, "stage"));
	if (f->stage == STAGE_NONE)
		reader_fail(r, "stage", "has an unknown value");
	f->reason = reader_text(r, "reason");
	f->cure = reader_text_or_empty(r, "cure");
	f->attempts = (uint32_t)reader_u64_or(r, "attempts", UINT32_MAX, 0);
	if (f->subject == SUBJECT_ITEM)
		f->media_type = reader_text_or_empty(r, "media_type");
	if (f->subject != SUBJECT_OBJECT)
		return;
	line_get_place(r, &f->source, &f->layout, &f->key);
	f->version = reader_text_or_empty(r, "version");
	f->bytes = reader_u64(r, "bytes", 0, INT64_MAX);
}
