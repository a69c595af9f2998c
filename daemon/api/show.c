/* show.c - one item with all that is known of it, and failures, as JSON. */
#include "daemon/api/show.h"

#include "daemon/api/walk.h"
#include "daemon/model/import_body.h"

static void place_members(uint64_t line, const struct import_failure *row, struct json *j)
{
	json_u64(j, "line", line);
	json_u64(j, "column", row->column);
	json_u64(j, "offset", row->offset);
}

static void put_further(uint64_t line, const struct import_failure *row, bool *any, struct json *j)
{
	if (!*any)
		json_open(j, "more", '[');
	*any = true;
	json_open(j, NULL, '{');
	place_members(line, row, j);
	if (row->values.len)
		json_raw(j, "values", row->values);
	json_close(j, '}');
}

static void put_list(struct slice list, bool *any, struct json *j)
{
	struct import_failure row;
	struct reader r;
	while (import_failure_next(&list, &r, &row)) {
		put_further(row.line, &row, any, j);
		reader_done(&r);
	}
}

/* Further rows of the same object, which fail with it. more: of the first one. */
static void further_members(const struct failure *f, struct slice more, struct json *j)
{
	bool any = false;
	put_list(more, &any, j);
	for (size_t i = 0; i < f->more_count; i++) {
		struct import_failure row;
		struct reader r;
		struct err err;
		if (import_failure_read(f->more[i].origin, &r, &row, &err) < 0)
			continue;
		put_further(f->more[i].line, &row, &any, j);
		put_list(row.more, &any, j);
		reader_done(&r);
	}
	if (any)
		json_close(j, ']');
}

/* Where the row is in its manifest, and what it says. The URL is not shown: it may carry a signature. */
static void row_members(const struct failure *f, struct json *j)
{
	struct import_failure row = { 0 };
	struct reader r;
	struct err err;
	bool read = import_failure_read(f->row, &r, &row, &err) == 0;
	json_u64(j, "import", f->import);
	json_bytes(j, "file", f->file);
	if (row.column) {
		place_members(f->line, &row, j);
	} else { /* no row but a file of a folder */
		json_bytes(j, "path", row.raw);
	}
	if (f->subject == SUBJECT_ROW) {
		json_str(j, "stage", SLICE_LIT("import"));
		json_str(j, "class", row.retry ? SLICE_LIT("retry") : SLICE_LIT("quarantined"));
	}
	if (row.values.len)
		json_raw(j, "values", row.values);
	further_members(f, row.more, j);
	if (read)
		reader_done(&r);
}

static void work_members(const struct failure *f, struct json *j)
{
	json_bytes(j, "key", f->key);
	if (f->subject == SUBJECT_ITEM)
		json_u64(j, "item", f->number);
	json_str(j, "stage", slice_of(stage_name(f->stage)));
	json_str(j, "class", f->retry ? SLICE_LIT("retry") : f->archived ? SLICE_LIT("archived") : SLICE_LIT("quarantined"));
}

void failure_json(const struct failure *f, const char *name, struct json *j)
{
	char id[FAILURE_ID_MAX];
	failure_id(f, id);
	json_open(j, name, '{');
	json_str(j, "id", slice_of(id));
	json_bytes(j, "source", f->source);
	if (f->import)
		row_members(f, j);
	if (f->subject != SUBJECT_ROW)
		work_members(f, j);
	json_bytes(j, "reason", f->reason);
	json_bytes(j, "cure", f->cure);
	json_u64(j, "attempts", f->attempts);
	if (f->retry && f->due_ms && f->due_ms != DUE_NEVER) /* 0: at once */
		time_json(j, "due", f->due_ms);
	else
		json_nil(j, "due");
	json_close(j, '}');
}

/* What manifests say of the objects that carry the item. */
static void rows_json(const struct item_full *full, struct json *j)
{
	size_t k = 0;
	json_open(j, "rows", '[');
	for (size_t i = 0; i < full->reference_count; i++) {
		for (; k < full->row_count && full->rows[k].object == full->references[i].object; k++) {
			json_open(j, NULL, '{');
			json_u64(j, "import", full->rows[k].import);
			json_bytes(j, "source", full->references[i].source);
			json_bytes(j, "key", full->references[i].key);
			if (full->rows[k].line)
				json_u64(j, "line", full->rows[k].line);
			json_raw(j, "row", full->rows[k].body);
			json_close(j, '}');
		}
	}
	json_close(j, ']');
}

static void run_json(const struct run *r, struct json *j)
{
	json_open(j, NULL, '{');
	json_str(j, "model", r->model);
	json_hex(j, "model_version", r->model_version.sha256, SHA256_BYTES);
	json_open(j, "scores", '[');
	for (size_t i = 0; i < r->score_count; i++) {
		json_open(j, NULL, '[');
		json_str(j, NULL, r->scores[i].concept);
		json_float(j, NULL, r->scores[i].confidence);
		json_close(j, ']');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static const char *location_name(enum location_kind kind)
{
	switch (kind) {
	case LOCATION_SEGMENT: return "segment";
	case LOCATION_LARGE: return "large";
	case LOCATION_REFERENCE: return "reference";
	case LOCATION_NONE: break;
	}
	return "none";
}

/* What stood once and was replaced, by whom and from when to when (revisions). */
static int superseded_json(struct view *v, const struct item_full *it, struct json *j, struct err *err)
{
	const struct annotation *all;
	size_t n;
	if (view_annotations(v, it->item.id, REVISION_ANY, &all, &n, err) < 0)
		return -1;
	json_open(j, "superseded", '[');
	for (size_t i = 0; i < n; i++)
		if (all[i].until)
			annotation_json(&all[i], it->references, it->reference_count, j, true);
	json_close(j, ']');
	return 0;
}

int show_json(struct view *v, const struct item *item, struct buf *to, struct err *err)
{
	struct item_full full;
	const struct run *runs;
	size_t run_count;
	struct failure failure;
	if (walk_load(v, item, true, &full, err) < 0 || walk_load_rows(v, &full, err) < 0 ||
		view_runs(v, item->id, &runs, &run_count, err) < 0)
		return -1;
	int failed = view_failure(v, SUBJECT_ITEM, item->id, &failure, err);
	if (failed < 0)
		return -1;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	item_members_json(&full, &j, true);
	if (superseded_json(v, &full, &j, err) < 0)
		return -1;
	json_str(&j, "location", slice_of(location_name(item->at.kind)));
	if (item->facts.len)
		json_raw(&j, "facts", item->facts);
	rows_json(&full, &j);
	json_open(&j, "runs", '[');
	for (size_t i = 0; i < run_count; i++)
		run_json(&runs[i], &j);
	json_close(&j, ']');
	if (failed)
		failure_json(&failure, "failure", &j);
	json_close(&j, '}');
	return 0;
}
