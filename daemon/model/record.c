/* record.c - the line of each record: how every kind is written, and beside it how it is read back. */
#include "daemon/model/record.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/model/record_line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- members that several kinds share ------------------------------------------------------------------------------- */

static const char *const locations[] = {
	[LOCATION_SEGMENT] = "segment", [LOCATION_LARGE] = "large", [LOCATION_REFERENCE] = "reference"
};
static void put_id(struct json *j, const char *name, const struct content_id *id)
{
	json_hex(j, name, id->sha256, sizeof(id->sha256));
}

static void put_id_if_any(struct json *j, const char *name, const struct content_id *id)
{
	if (!content_id_none(id))
		put_id(j, name, id);
}

static void put_u64_if_any(struct json *j, const char *name, uint64_t n)
{
	if (n)
		json_u64(j, name, n);
}

static enum item_state get_item_state(struct reader *r)
{
	enum item_state state = item_state_parse(reader_text(r, "state"));
	if (state == ITEM_NONE)
		reader_fail(r, "state", "has an unknown value");
	return state;
}

/* --- item ----------------------------------------------------------------------------------------------------------- */

static void put_item(struct json *j, const struct record *r)
{
	const struct record_item *item = &r->item;
	line_put_number(j, "item", item->item);
	put_id(j, "sha256", &item->content);
	json_u64(j, "bytes", item->bytes);
	line_put_name(j, "at", locations, COUNT(locations), item->at.kind);
	if (item->at.kind == LOCATION_SEGMENT) {
		json_u64(j, "segment", item->at.segment);
		json_u64(j, "offset", item->at.offset);
	}
}

static void get_item(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	struct record_item *item = &ret->item;
	item->item = line_get_number(r, "item");
	reader_id(r, "sha256", &item->content);
	item->bytes = reader_u64(r, "bytes", 0, INT64_MAX);
	item->at.kind = (enum location_kind)line_get_name(r, "at", locations, COUNT(locations));
	if (item->at.kind == LOCATION_SEGMENT) {
		item->at.segment = (uint32_t)reader_u64(r, "segment", 0, UINT32_MAX);
		item->at.offset = reader_u64(r, "offset", 0, INT64_MAX);
	}
}

/* --- object, gone --------------------------------------------------------------------------------------------------- */

static void put_object(struct json *j, const struct record *r)
{
	const struct record_object *object = &r->object;
	line_put_place(j, object->source, object->layout, object->key);
	line_put_text(j, "version", object->version);
	json_u64(j, "bytes", object->bytes);
	line_put_number(j, "object", object->object);
	put_u64_if_any(j, "item", object->item);
	if (object->racy)
		json_bool(j, "racy", true);
}

static void get_object(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	struct record_object *object = &ret->object;
	line_get_place(r, &object->source, &object->layout, &object->key);
	object->version = reader_text_or_empty(r, "version");
	object->bytes = reader_u64(r, "bytes", 0, INT64_MAX);
	object->object = line_get_number(r, "object");
	object->item = reader_u64_or(r, "item", INT64_MAX, 0);
	object->racy = reader_flag(r, "racy");
}

static void put_gone(struct json *j, const struct record *r)
{
	line_put_place(j, r->gone.source, r->gone.layout, r->gone.key);
	if (r->gone.directory)
		json_bool(j, "directory", true);
}

static void get_gone(struct record_mem *m, struct record *ret)
{
	line_get_place(&m->reader, &ret->gone.source, &ret->gone.layout, &ret->gone.key);
	ret->gone.directory = reader_flag(&m->reader, "directory");
}

/* --- facts ---------------------------------------------------------------------------------------------------------- */

static bool ends_normalize(enum item_state s)
{
	return s == ITEM_NORMALIZED || s == ITEM_PARKED;
}

static void put_facts(struct json *j, const struct record *r)
{
	const struct record_facts *facts = &r->facts;
	assert(ends_normalize(facts->state));
	line_put_number(j, "item", facts->item);
	json_str(j, "state", slice_of(item_state_name(facts->state)));
	json_str(j, "media", slice_of(media_name(facts->media)));
	line_put_text(j, "media_type", facts->media_type);
	put_u64_if_any(j, "width", facts->width);
	put_u64_if_any(j, "height", facts->height);
	json_u64(j, "normalizer", facts->normalizer);
	put_id_if_any(j, "canonical", &facts->canonical);
	line_put_object(j, "facts", facts->facts);
}

static void get_facts(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	struct record_facts *facts = &ret->facts;
	facts->item = line_get_number(r, "item");
	facts->state = get_item_state(r);
	if (!ends_normalize(facts->state))
		reader_fail(r, "state", "is not one that normalize ends in");
	struct slice media = reader_text(r, "media");
	facts->media = media_parse(media);
	if (facts->media == MEDIA_UNKNOWN && !slice_eq(media, slice_of(media_name(MEDIA_UNKNOWN))))
		reader_fail(r, "media", "has an unknown value");
	facts->media_type = reader_text_or_empty(r, "media_type");
	facts->width = (uint32_t)reader_u64_or(r, "width", UINT32_MAX, 0);
	facts->height = (uint32_t)reader_u64_or(r, "height", UINT32_MAX, 0);
	facts->normalizer = (uint32_t)reader_u64(r, "normalizer", 0, UINT32_MAX);
	reader_id_or_none(r, "canonical", &facts->canonical);
	facts->facts = reader_raw_object(r, "facts");
}

/* --- run: "scores":[["tabby",0.93],["<base64>",0.5,"base64"]] ------------------------------------------------------- */

static void put_score(struct json *j, const struct score *s)
{
	bool plain = text_is_utf8(s->concept);
	json_open(j, NULL, '[');
	if (plain) {
		json_str(j, NULL, s->concept);
	} else {
		struct buf encoded = { 0 };
		text_base64(&encoded, s->concept);
		json_str(j, NULL, buf_slice(&encoded));
		buf_done(&encoded);
	}
	assert(s->confidence >= 0);
	json_float(j, NULL, s->confidence);
	if (!plain)
		json_str(j, NULL, SLICE_LIT("base64"));
	json_close(j, ']');
}

static void put_run(struct json *j, const struct record *r)
{
	const struct record_run *run = &r->run;
	assert(run->score_count <= SCORES_MAX);
	line_put_number(j, "item", run->item);
	json_bytes(j, "model", run->model);
	put_id(j, "model_version", &run->model_version);
	json_open(j, "scores", '[');
	for (size_t i = 0; i < run->score_count; i++)
		put_score(j, &run->scores[i]);
	json_close(j, ']');
}

/* No upper bound of 1 here: what was once written must be readable for ever, whatever a model gave. */
static bool get_score(struct reader *r, const json_t *pair, struct score *ret)
{
	const json_t *concept = json_array_get(pair, 0);
	const json_t *confidence = json_array_get(pair, 1);
	const char *encoding = json_string_value(json_array_get(pair, 2));
	size_t size = json_array_size(pair); /* 0 for what is no list */
	if (!json_is_string(concept) || !reader_is_confidence(confidence))
		return false;
	ret->concept = (struct slice){ json_string_value(concept), json_string_length(concept) };
	ret->confidence = (float)json_number_value(confidence);
	if (size == 2)
		return true;
	bool ok = false;
	if (size == 3 && encoding && strcmp(encoding, "base64") == 0)
		ret->concept = reader_unbase64(r, ret->concept, &ok);
	return ok;
}

static void get_scores(struct record_mem *m, struct record_run *ret)
{
	const json_t *list = reader_list(&m->reader, "scores");
	size_t count = json_array_size(list);
	if (count > SCORES_MAX) {
		reader_fail(&m->reader, "scores", "has too many entries");
		return;
	}
	m->scores = mem_zero(count, sizeof(m->scores[0]));
	for (size_t i = 0; i < count; i++) {
		if (!get_score(&m->reader, json_array_get(list, i), &m->scores[i]))
			reader_fail(&m->reader, "scores", "has an entry that is not [concept, confidence]");
	}
	ret->scores = m->scores;
	ret->score_count = count;
}

static void get_run(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	ret->run.item = line_get_number(r, "item");
	ret->run.model = reader_text(r, "model");
	reader_id(r, "model_version", &ret->run.model_version);
	get_scores(m, &ret->run);
}

/* --- annotation, until ---------------------------------------------------------------------------------------------- */

static void put_annotation(struct json *j, const struct record *r)
{
	const struct record_annotation *a = &r->annotation;
	assert(a->status != STATUS_NONE);
	line_put_number(j, "item", a->item);
	line_put_number(j, "n", a->n);
	json_bytes(j, "concept", a->concept);
	if (a->confidence >= 0)
		json_double(j, "confidence", a->confidence);
	json_str(j, "status", slice_of(status_name(a->status)));
	json_bytes(j, "worker", a->worker);
	if (a->maker != BY_UNKNOWN)
		json_str(j, "maker", slice_of(maker_name(a->maker)));
	if (a->reason != REASON_NONE)
		json_str(j, "reason", slice_of(reason_name(a->reason)));
	line_put_text(j, "model", a->model);
	put_id_if_any(j, "model_version", &a->model_version);
	put_u64_if_any(j, "object", a->object);
	line_put_object(j, "geometry", a->geometry);
	line_put_object(j, "attributes", a->attributes);
	json_i64(j, "time", a->time_ms);
}

static void get_annotation(struct record_mem *m, struct record *ret)
{
	struct reader *r = &m->reader;
	struct record_annotation *a = &ret->annotation;
	a->item = line_get_number(r, "item");
	a->n = (uint32_t)reader_u64(r, "n", 1, UINT32_MAX);
	a->concept = reader_text(r, "concept");
	a->confidence = reader_confidence_or(r, "confidence", -1);
	a->status = status_parse(reader_text(r, "status"));
	if (a->status == STATUS_NONE)
		reader_fail(r, "status", "has an unknown value");
	a->worker = reader_text(r, "worker");
	struct slice maker = reader_text_or_empty(r, "maker");
	struct slice reason = reader_text_or_empty(r, "reason");
	a->maker = maker_parse(maker);
	a->reason = reason_parse(reason);
	if (maker.len && a->maker == BY_UNKNOWN)
		reader_fail(r, "maker", "has an unknown value");
	if (reason.len && a->reason == REASON_NONE)
		reader_fail(r, "reason", "has an unknown value");
	a->model = reader_text_or_empty(r, "model");
	reader_id_or_none(r, "model_version", &a->model_version);
	a->object = reader_u64_or(r, "object", INT64_MAX, 0);
	a->geometry = reader_raw_object(r, "geometry");
	a->attributes = reader_raw_object(r, "attributes");
	a->time_ms = reader_i64(r, "time");
}

static void put_until(struct json *j, const struct record *r)
{
	line_put_number(j, "item", r->until.item);
	line_put_number(j, "n", r->until.n);
}

static void get_until(struct record_mem *m, struct record *ret)
{
	ret->until.item = line_get_number(&m->reader, "item");
	ret->until.n = (uint32_t)reader_u64(&m->reader, "n", 1, UINT32_MAX);
}

/* --- state ---------------------------------------------------------------------------------------------------------- */

static void put_state(struct json *j, const struct record *r)
{
	assert(r->state.state != ITEM_NONE);
	line_put_number(j, "item", r->state.item);
	json_str(j, "state", slice_of(item_state_name(r->state.state)));
}

static void get_state(struct record_mem *m, struct record *ret)
{
	ret->state.item = line_get_number(&m->reader, "item");
	ret->state.state = get_item_state(&m->reader);
}

/* --- source --------------------------------------------------------------------------------------------------------- */

static void put_source(struct json *j, const struct record *r)
{
	json_bytes(j, "source", r->source.source);
	json_bytes(j, "kind", r->source.kind);
	line_put_text(j, "root", r->source.root);
}

static void get_source(struct record_mem *m, struct record *ret)
{
	ret->source.source = reader_text(&m->reader, "source");
	ret->source.kind = reader_text(&m->reader, "kind");
	ret->source.root = reader_text_or_empty(&m->reader, "root");
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *op; /* NULL: index-only, has no line */
	void (*put)(struct json *j, const struct record *r);
	void (*get)(struct record_mem *m, struct record *ret);
} kinds[RECORD_KINDS] = {
	[RECORD_ITEM]       = { "item", put_item, get_item },
	[RECORD_OBJECT]     = { "object", put_object, get_object },
	[RECORD_GONE]       = { "gone", put_gone, get_gone },
	[RECORD_FACTS]      = { "facts", put_facts, get_facts },
	[RECORD_RUN]        = { "run", put_run, get_run },
	[RECORD_ANNOTATION] = { "annotation", put_annotation, get_annotation },
	[RECORD_UNTIL]      = { "until", put_until, get_until },
	[RECORD_STATE]      = { "state", put_state, get_state },
	[RECORD_FAILURE]    = { "failure", line_put_failure, line_get_failure },
	[RECORD_SOURCE]     = { "source", put_source, get_source },
	[RECORD_IMPORT]     = { "import", line_put_import, line_get_import },
	[RECORD_ROW]        = { "row", line_put_row, line_get_row },
	[RECORD_ROW_GONE]   = { "row_gone", line_put_row_gone, line_get_row_gone },
	[RECORD_MENDED]     = { "mended", line_put_mended, line_get_mended },
};

bool record_logged(const struct record *r)
{
	return kinds[r->kind].op && !(r->kind == RECORD_FAILURE && (r->failure.retry || r->failure.archived));
}

void record_encode(const struct record *r, struct buf *to)
{
	assert(record_logged(r));
	size_t start = to->len;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, "op", slice_of(kinds[r->kind].op));
	kinds[r->kind].put(&j, r);
	json_close(&j, '}');
	assert(to->len - start <= RECORD_LINE_MAX);
}

static int decode(struct record_mem *m, struct record *ret, struct err *err)
{
	struct slice op = reader_text(&m->reader, "op");
	for (enum record_kind kind = 0; op.len && kind < RECORD_KINDS; kind++) {
		if (!kinds[kind].op || !slice_eq(slice_of(kinds[kind].op), op))
			continue;
		*ret = (struct record){ .kind = kind };
		kinds[kind].get(m, ret);
		return reader_finish(&m->reader, err) < 0 ? err_wrap(err, "op \"%s\"", kinds[kind].op) : 0;
	}
	reader_fail(&m->reader, "op", "has an unknown value: was it written by a newer Inlet?");
	return reader_finish(&m->reader, err);
}

int record_decode(struct slice line, struct record *ret, struct record_mem **ret_mem, struct err *err)
{
	if (line.len > RECORD_LINE_MAX)
		return err_set(err, ERR_REJECT, 0, "log line of %zu bytes: more than %u", line.len, RECORD_LINE_MAX);
	CLEANUP(record_mem_freep) struct record_mem *m = mem_zero(1, sizeof(*m));
	struct record record;
	if (reader_init(&m->reader, line, err) < 0 || decode(m, &record, err) < 0)
		return err_wrap(err, "log line");
	*ret = record;
	*ret_mem = TAKE_PTR(m);
	return 0;
}

void record_mem_free(struct record_mem *m)
{
	if (!m)
		return;
	reader_done(&m->reader);
	free(m->scores);
	free(m);
}
