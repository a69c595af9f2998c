/* show.c - one item with all that is known of it, and failures, as JSON. */
#include "daemon/api/show.h"

#include "daemon/api/walk.h"

void failure_json(const struct failure *f, const char *name, struct json *j)
{
	char id[FAILURE_ID_MAX];
	failure_id(f, id);
	json_open(j, name, '{');
	json_str(j, "id", slice_of(id));
	json_str(j, "source", f->source);
	json_bytes(j, "key", f->key);
	if (f->subject == SUBJECT_ITEM)
		json_u64(j, "item", f->number);
	json_str(j, "stage", slice_of(stage_name(f->stage)));
	json_str(j, "class", f->retry ? SLICE_LIT("retry") : f->archived ? SLICE_LIT("archived") : SLICE_LIT("quarantined"));
	json_bytes(j, "reason", f->reason);
	json_bytes(j, "cure", f->cure);
	json_u64(j, "attempts", f->attempts);
	if (f->retry)
		time_json(j, "due", f->due_ms);
	else
		json_nil(j, "due");
	json_close(j, '}');
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

int show_json(struct view *v, const struct item *item, struct buf *to, struct err *err)
{
	struct item_full full;
	const struct run *runs;
	size_t run_count;
	struct failure failure;
	if (walk_load(v, item, true, &full, err) < 0 || view_runs(v, item->id, &runs, &run_count, err) < 0)
		return -1;
	int failed = view_failure(v, SUBJECT_ITEM, item->id, &failure, err);
	if (failed < 0)
		return -1;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	item_members_json(&full, &j, true);
	json_str(&j, "location", slice_of(location_name(item->at.kind)));
	if (item->facts.len)
		json_raw(&j, "facts", item->facts);
	json_open(&j, "runs", '[');
	for (size_t i = 0; i < run_count; i++)
		run_json(&runs[i], &j);
	json_close(&j, ']');
	if (failed)
		failure_json(&failure, "failure", &j);
	json_close(&j, '}');
	return 0;
}
