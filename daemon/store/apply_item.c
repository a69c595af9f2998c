/* apply_item.c - what records about items change: their rows, by_state, the queue, and the counters of all that. */
#include "daemon/store/apply_item.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/apply.h"
#include "daemon/store/carrier.h"
#include "daemon/store/work.h"

#include <endian.h>
#include <inttypes.h>

static int count(struct kv_txn *txn, enum counter what, unsigned a, int64_t change)
{
	return pending_count(pending_of(txn), counter_id(what, a, 0, 0), change);
}

static int item_of(struct kv_txn *txn, uint64_t item, const char *what, struct item_row *ret)
{
	int is_there = rows_get_item(txn, item, ret);
	return is_there ? is_there : apply_disagree(txn, "%s of item %" PRIu64 ", which does not exist", what, item);
}

/* Locations */

static bool stored(const struct location *at)
{
	return at->kind == LOCATION_SEGMENT || at->kind == LOCATION_LARGE;
}

static int count_location(struct kv_txn *txn, const struct location *at, uint64_t bytes)
{
	if (at->kind == LOCATION_LARGE && count(txn, COUNTER_LARGE, 0, 1) < 0)
		return -1;
	if (at->kind == LOCATION_SEGMENT &&
		pending_raise(pending_of(txn), counter_id(COUNTER_LAST_SEGMENT, 0, 0, 0), at->segment) < 0)
		return -1;
	return stored(at) ? count(txn, COUNTER_STORED_BYTES, 0, (int64_t)bytes) : 0;
}

/* A content that was known only where it lies at its source has been stored. */
static int item_upgrade(struct kv_txn *txn, const struct record_item *r, struct item_row *row)
{
	if (row->at.kind != LOCATION_REFERENCE || !stored(&r->at) || !content_id_eq(&row->content, &r->content))
		return apply_disagree(txn, "item %" PRIu64 " is to be made, and exists", r->item);
	row->at = r->at;
	return rows_put_item(txn, r->item, row) < 0 ? -1 : count_location(txn, &r->at, r->bytes);
}

/* Gives the content this item unless it has one. 1: given, 0: it is another's or this one's, *ret_item; -1. */
static int content_put(struct kv_txn *txn, const struct content_id *id, uint64_t item, uint64_t *ret_item)
{
	struct slice key = { (const char *)id->sha256, SHA256_BYTES }, old;
	uint64_t n = htole64(item);
	int is_new = kv_put_new(txn, TABLE_CONTENT, key, (struct slice){ (const char *)&n, sizeof(n) }, &old);
	if (is_new != 0)
		return is_new;
	if (old.len != sizeof(n))
		return rows_corrupt(txn, TABLE_CONTENT, key);
	memcpy(&n, old.p, sizeof(n));
	*ret_item = le64toh(n);
	return 0;
}

int apply_claim_content(struct kv_txn *txn, const struct content_id *id, uint64_t *ret_item)
{
	struct pending *p = pending_of(txn);
	uint64_t last;
	if (!p || pending_value(p, counter_id(COUNTER_LAST_ITEM, 0, 0, 0), &last) < 0)
		return -1;
	int is_new = content_put(txn, id, last + 1, ret_item);
	if (is_new > 0) {
		*ret_item = pending_next(p, counter_id(COUNTER_LAST_ITEM, 0, 0, 0));
		pending_claim(p, id, *ret_item);
	}
	return is_new;
}

/* The row of an item that is to be made: claimed for it just now, or given here. */
static int content_give(struct kv_txn *txn, const struct content_id *id, uint64_t item)
{
	uint64_t owner = item;
	if (pending_claimed(pending_of(txn), id, item))
		return 0;
	if (content_put(txn, id, item, &owner) < 0)
		return -1;
	if (owner == item)
		return 0;
	char hex[CONTENT_ID_HEX + 1];
	text_hex(id->sha256, SHA256_BYTES, hex);
	return apply_disagree(txn, "item %" PRIu64 " is to carry content %s, which another item carries", item, hex);
}

int apply_item(struct kv_txn *txn, const struct record_item *r)
{
	struct item_row row;
	if (r->item == 0)
		return apply_disagree(txn, "an item is to be made without a number");
	int is_there = rows_get_item(txn, r->item, &row);
	if (is_there != 0)
		return is_there < 0 ? -1 : item_upgrade(txn, r, &row);
	struct key k;
	row = (struct item_row){ .state = ITEM_COMMITTED, .at = r->at, .bytes = r->bytes, .content = r->content };
	if (content_give(txn, &r->content, r->item) < 0 || rows_put_item(txn, r->item, &row) < 0 ||
		kv_put(txn, TABLE_BY_STATE, key_by_state(&k, row.state, r->item), (struct slice){ "", 0 }) < 0 ||
		work_put(txn, item_state_work(row.state), MEDIA_UNKNOWN, 0, r->item, 0) < 0)
		return -1;
	if (pending_raise(pending_of(txn), counter_id(COUNTER_LAST_ITEM, 0, 0, 0), r->item) < 0 ||
		count(txn, COUNTER_ITEMS, 0, 1) < 0 || count(txn, COUNTER_BY_STATE, row.state, 1) < 0)
		return -1;
	return count_location(txn, &r->at, r->bytes);
}

/* States */

static int by_state_move(struct kv_txn *txn, uint64_t item, enum item_state from, enum item_state to)
{
	struct key k;
	if (from == to)
		return 0;
	if (kv_delete(txn, TABLE_BY_STATE, key_by_state(&k, from, item)) < 0 ||
		count(txn, COUNTER_BY_STATE, from, -1) < 0 ||
		kv_put(txn, TABLE_BY_STATE, key_by_state(&k, to, item), (struct slice){ "", 0 }) < 0)
		return -1;
	return count(txn, COUNTER_BY_STATE, to, 1);
}

/* Moves the item and its work to a state and media kind; *row gets both and is put before all
 * else, while its slices are valid. */
static int item_move(struct kv_txn *txn, uint64_t item, struct item_row *row, enum item_state to, enum media media)
{
	enum item_state from = row->state;
	enum media old_media = row->media;
	int64_t old_due_ms = row->due_ms;
	if (!item_may_move(from, to))
		return apply_disagree(txn, "item %" PRIu64 " may not move from %s to %s", item, item_state_name(from),
			item_state_name(to));
	row->state = to;
	row->media = media;
	row->due_ms = 0;
	if (rows_put_item(txn, item, row) < 0 || by_state_move(txn, item, from, to) < 0)
		return -1;
	enum stage old_work = item_state_work(from), work = item_state_work(to);
	if (old_work != STAGE_NONE && work_remove(txn, old_work, old_media, old_due_ms, item) < 0)
		return -1;
	return work == STAGE_NONE ? 0 : work_put(txn, work, media, 0, item, 0);
}

int apply_state(struct kv_txn *txn, const struct record_state *r)
{
	struct item_row row;
	if (item_of(txn, r->item, "a state", &row) < 0)
		return -1;
	if (row.state == r->state)
		return 0;
	if (r->state != ITEM_QUARANTINED)
		row.failed_stage = STAGE_NONE;
	return item_move(txn, r->item, &row, r->state, row.media) < 0 ? -1 : failure_clear(txn, SUBJECT_ITEM, r->item);
}

int apply_facts(struct kv_txn *txn, const struct record_facts *r)
{
	struct item_row row;
	uint32_t type;
	if (pending_word(pending_of(txn), r->media_type, &type) < 0 || item_of(txn, r->item, "facts", &row) < 0)
		return -1;
	row.media_type = type;
	row.width = r->width;
	row.height = r->height;
	row.normalizer = r->normalizer;
	row.canonical = r->canonical;
	row.facts = r->facts;
	row.failed_stage = STAGE_NONE;
	return item_move(txn, r->item, &row, r->state, r->media) < 0 ? -1 : failure_clear(txn, SUBJECT_ITEM, r->item);
}

int apply_item_failure(struct kv_txn *txn, const struct record_failure *r)
{
	struct item_row row;
	uint32_t type;
	if (pending_word(pending_of(txn), r->media_type, &type) < 0 || item_of(txn, r->number, "a failure", &row) < 0)
		return -1;
	if (!r->retry) {
		row.failed_stage = r->stage;
		if (type)
			row.media_type = type;
		if (item_move(txn, r->number, &row, ITEM_QUARANTINED, row.media) < 0 || failure_set(txn, r) < 0)
			return -1;
		return carrier_lost(txn, r->number); /* its file may have gone meanwhile */
	}
	if (item_state_work(row.state) != r->stage)
		return 0; /* the work has been done or dropped meanwhile: nothing is left to try again */
	enum media media = row.media;
	int64_t old_due_ms = row.due_ms;
	row.due_ms = r->due_ms;
	if (rows_put_item(txn, r->number, &row) < 0 || work_remove(txn, r->stage, media, old_due_ms, r->number) < 0 ||
		work_put(txn, r->stage, media, r->due_ms, r->number, r->attempts) < 0)
		return -1;
	return failure_set(txn, r);
}

/* Runs and annotations */

int apply_run(struct kv_txn *txn, const struct record_run *r)
{
	struct pending *p = pending_of(txn);
	struct item_row row;
	if (item_of(txn, r->item, "a run", &row) < 0)
		return -1;
	struct slice version_bytes = { (const char *)r->model_version.sha256, SHA256_BYTES };
	uint32_t model, version;
	CLEANUP(freep) uint32_t *concepts = mem_zero(r->score_count + 1, sizeof(*concepts));
	if (pending_word(p, r->model, &model) < 0 || pending_word(p, version_bytes, &version) < 0)
		return -1;
	for (size_t i = 0; i < r->score_count; i++)
		if (pending_word(p, r->scores[i].concept, &concepts[i]) < 0)
			return -1;
	if (rows_put_run(txn, r->item, version, model, r->scores, concepts, r->score_count) < 0)
		return -1;
	return failure_clear(txn, SUBJECT_ITEM, r->item);
}

static int annotation_words(struct pending *p, const struct record_annotation *r, struct annotation_row *row)
{
	struct slice version = content_id_none(&r->model_version)
		? (struct slice){ "", 0 }
		: (struct slice){ (const char *)r->model_version.sha256, SHA256_BYTES };
	if (pending_word(p, r->concept, &row->concept) < 0 || pending_word(p, r->worker, &row->worker) < 0 ||
		pending_word(p, r->model, &row->model) < 0)
		return -1;
	return pending_word(p, version, &row->version);
}

uint64_t apply_next_annotation(struct kv_txn *txn, uint64_t item)
{
	struct item_row row;
	if (!pending_of(txn) || item_of(txn, item, "an annotation", &row) < 0)
		return 0;
	uint64_t n = ++row.annotations;
	return rows_put_item(txn, item, &row) < 0 ? 0 : n;
}

int apply_annotation(struct kv_txn *txn, const struct record_annotation *r, uint64_t revision)
{
	struct item_row item;
	struct annotation_row row, old;
	int is_there = r->n > 0 ? rows_get_annotation(txn, r->item, r->n, &old) : 1;
	if (is_there < 0 || item_of(txn, r->item, "an annotation", &item) < 0)
		return -1;
	if (is_there)
		return apply_disagree(txn, "annotation %" PRIu32 " of item %" PRIu64 " is to be made, and %s", r->n,
			r->item, r->n > 0 ? "exists" : "has no number");
	if (item.annotations < r->n) {
		item.annotations = r->n;
		if (rows_put_item(txn, r->item, &item) < 0)
			return -1;
	}
	row = (struct annotation_row){ .status = r->status, .maker = r->maker, .reason = r->reason, .confidence = r->confidence, .object = r->object,
		.time_ms = r->time_ms, .since = revision, .geometry = r->geometry, .attributes = r->attributes };
	if (annotation_words(pending_of(txn), r, &row) < 0 || rows_put_annotation(txn, r->item, r->n, &row) < 0)
		return -1;
	return count(txn, COUNTER_BY_STATUS, r->status, 1);
}

int apply_until(struct kv_txn *txn, const struct record_until *r, uint64_t revision)
{
	struct annotation_row row;
	int is_there = rows_get_annotation(txn, r->item, r->n, &row);
	if (is_there < 0)
		return -1;
	if (!is_there || row.until != 0)
		return apply_disagree(txn, "annotation %" PRIu32 " of item %" PRIu64 " is to be superseded, and %s",
			r->n, r->item, is_there ? "was before" : "does not exist");
	row.until = revision;
	if (rows_put_annotation(txn, r->item, r->n, &row) < 0)
		return -1;
	return count(txn, COUNTER_BY_STATUS, row.status, -1);
}

int apply_derived(struct kv_txn *txn, const struct record_derived *r)
{
	struct item_row row;
	return item_of(txn, r->item, "derived bytes", &row) < 0 ? -1 : rows_put_derived(txn, r);
}
