/* item_json.c - an item as the line that scripts rely on. */
#include "daemon/export/item_json.h"

#include <time.h>

void time_json(struct json *j, const char *name, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char text[sizeof("-2147483648-12-31T23:59:60Z")];
	if (!gmtime_r(&seconds, &utc) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		json_nil(j, name);
	else
		json_str(j, name, slice_of(text));
}

static void reference_json(const struct reference *r, struct json *j, bool history)
{
	json_open(j, NULL, '{');
	json_str(j, "source", r->source);
	json_bytes(j, "key", r->key);
	json_bytes(j, "version", r->version);
	if (history)
		json_str(j, "state", slice_of(object_state_name(r->state)));
	json_close(j, '}');
}

/* "source:key" of the reference that the annotation came with; nothing when the object carries the item no longer. */
static void annotation_reference(
	const struct annotation *a, const struct reference *refs, size_t ref_count, struct json *j)
{
	for (size_t i = 0; i < ref_count; i++) {
		if (refs[i].object != a->object)
			continue;
		struct buf name = { 0 };
		buf_add(&name, refs[i].source.p, refs[i].source.len);
		buf_char(&name, ':');
		buf_add(&name, refs[i].key.p, refs[i].key.len);
		json_bytes(j, "reference", buf_slice(&name));
		buf_done(&name);
		return;
	}
}

static void annotation_history(const struct annotation *a, struct json *j)
{
	json_u64(j, "n", a->n);
	time_json(j, "time", a->time_ms);
	json_u64(j, "since", a->since);
	if (a->until)
		json_u64(j, "until", a->until);
}

void annotation_json(
	const struct annotation *a, const struct reference *refs, size_t ref_count, struct json *j, bool history)
{
	json_open(j, NULL, '{');
	json_str(j, "concept", a->concept);
	if (a->confidence >= 0)
		json_double(j, "confidence", a->confidence);
	else
		json_nil(j, "confidence");
	json_str(j, "status", slice_of(status_name(a->status)));
	json_str(j, "worker", a->worker);
	if (a->maker != BY_UNKNOWN)
		json_str(j, "maker", slice_of(maker_name(a->maker)));
	if (a->reason != REASON_NONE)
		json_str(j, "reason", slice_of(reason_name(a->reason)));
	if (a->model.len)
		json_str(j, "model", a->model);
	if (!content_id_none(&a->model_version))
		json_hex(j, "model_version", a->model_version.sha256, SHA256_BYTES);
	if (a->object)
		annotation_reference(a, refs, ref_count, j);
	if (a->geometry.len)
		json_raw(j, "geometry", a->geometry);
	if (a->attributes.len)
		json_raw(j, "attributes", a->attributes);
	if (history)
		annotation_history(a, j);
	json_close(j, '}');
}

void item_members_json(const struct item_full *it, struct json *j, bool history)
{
	const struct item *item = &it->item;
	json_u64(j, "id", item->id);
	json_hex(j, "sha256", item->content.sha256, SHA256_BYTES);
	json_str(j, "media_type", item->media_type.len ? item->media_type : SLICE_LIT("application/octet-stream"));
	json_u64(j, "bytes", item->bytes);
	if (item->width && item->height) {
		json_u64(j, "width", item->width);
		json_u64(j, "height", item->height);
	}
	json_str(j, "state", slice_of(item_state_name(item->state)));
	json_open(j, "references", '[');
	for (size_t i = 0; i < it->reference_count; i++)
		reference_json(&it->references[i], j, history);
	json_close(j, ']');
	json_open(j, "annotations", '[');
	for (size_t i = 0; i < it->annotation_count; i++)
		annotation_json(&it->annotations[i], it->references, it->reference_count, j, history);
	json_close(j, ']');
}

void item_json(const struct item_full *it, struct buf *to)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	item_members_json(it, &j, false);
	json_close(&j, '}');
}
