/* group.c - decides what each arrival is, numbers it, applies and logs it. */
#include "daemon/store/group.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/store/apply.h"
#include "daemon/store/pending.h"
#include "daemon/store/settle.h"
#include "daemon/store/settled.h"

#include <inttypes.h>

#define CHANGE_BYTES_MAX (64U << 20) /* of slices in one change: its lines must fit into a batch that can be read back */

int group_begin(struct group *g, struct store *s, struct appender *log, struct batch *b, const struct mark *last,
	struct err *err)
{
	*g = (struct group){ .store = s, .log = log, .batch = b, .revision = last->revision + 1 };
	g->start = appender_offset(log);
	if (appender_roll(log, err) < 0)
		return -1;
	g->start = appender_offset(log);
	batch_begin(b, g->revision, last->digest, clock_wall_ms());
	return kv_begin(s->kv, true, &g->txn, err);
}

static int failed(struct group *g, struct err *err)
{
	(void)kv_failed(g->txn, err);
	return -1;
}

static void view_end(struct group *g)
{
	view_close(TAKE_PTR(g->now));
}

static struct view *view_now(struct group *g)
{
	if (!g->now)
		g->now = view_of_txn(g->txn);
	return g->now;
}

/* Somebody else labels an item, or a label of it goes. */
static void forget_settled(struct group *g, const struct record *r)
{
	if (r->kind == RECORD_UNTIL)
		settled_drop(g->store->settled, r->until.item);
	else if (r->kind == RECORD_ANNOTATION && !slice_eq(r->annotation.worker, SLICE_LIT("imported")))
		settled_drop(g->store->settled, r->annotation.item);
}

/* Applies one record, and logs it where it is of the logged kind. */
static int put(struct group *g, struct change *c, const struct record *r, struct err *err)
{
	bool logged = record_logged(r);
	uint64_t revision = logged || batch_lines(g->batch) > 0 ? g->revision : g->revision - 1;
	if (apply_record(g->txn, r, revision, err) < 0)
		return -1;
	forget_settled(g, r);
	const uint64_t *touched;
	struct pending *p = pending_of(g->txn);
	if (!p)
		return failed(g, err);
	size_t n = pending_touched(p, &touched);
	for (size_t i = 0; i < n; i++)
		change_touch(c, touched[i], 0);
	g->records++;
	if (logged) {
		batch_add(g->batch, r);
		c->logged = true;
	}
	return 0;
}

/* Content that is known only by reference is not stored: bytes that come now are kept. 1, 0, -1. */
static int stored_elsewhere_only(struct group *g, uint64_t item, struct err *err)
{
	struct item known;
	struct view *now = view_now(g);
	int found = now ? view_item(now, item, &known, err) : failed(g, err);
	if (found == 0)
		return err_set(err, ERR_FATAL, 0, "item %" PRIu64 " has a content row and no item row: run inlet rebuild-index", item);
	return found < 0 ? -1 : known.at.kind == LOCATION_REFERENCE;
}

static struct location place_of(struct group *g, struct change *c, const struct arrival *a)
{
	switch (a->how) {
	case ARRIVAL_ARENA:
		return (struct location){
			.kind = LOCATION_SEGMENT,
			.segment = appender_segment(g->log),
			.offset = appender_offset(g->log) + arena_keep(c->arena, a->place, a->bytes) + TAR_BLOCK,
		};
	case ARRIVAL_FILE:
		return (struct location){ .kind = LOCATION_LARGE };
	case ARRIVAL_REFERENCE:
	case ARRIVAL_NONE:
		break;
	}
	return (struct location){ .kind = LOCATION_REFERENCE };
}

/* The item that an arrival's content is, made when the content is new: the dedup. */
static int arrive_item(struct group *g, struct change *c, const struct arrival *a, uint64_t *ret_item, struct err *err)
{
	int keep = apply_claim_content(g->txn, &a->content, ret_item);
	if (keep == 0 && a->how != ARRIVAL_REFERENCE)
		keep = stored_elsewhere_only(g, *ret_item, err);
	else if (keep < 0)
		return failed(g, err);
	if (keep <= 0)
		return keep;
	struct record r = { .kind = RECORD_ITEM };
	r.item = (struct record_item){
		.item = *ret_item,
		.content = a->content,
		.bytes = a->bytes,
		.at = place_of(g, c, a),
	};
	return put(g, c, &r, err);
}

static int arrive_object(struct group *g, struct change *c, const struct arrival *a, uint64_t object, uint64_t item,
	struct err *err)
{
	struct record r = { .kind = RECORD_OBJECT };
	r.object = (struct record_object){
		.source = a->source,
		.key = a->key,
		.version = a->version,
		.layout = a->layout,
		.bytes = a->bytes,
		.object = object ? object : apply_next_object(g->txn),
		.item = item,
		.racy = a->racy,
	};
	return put(g, c, &r, err);
}

/* What the ledger knew of a key before its arrival: plain data, for the row's slices die at the next write. */
struct known {
	uint64_t object, item; /* 0: none */
	bool same_version;     /* and present */
	bool racy;
};

static int known_of(struct group *g, const struct arrival *a, struct known *ret, struct err *err)
{
	struct ledger_row row;
	int found = apply_find_object(g->txn, a->source, a->layout, a->key, &row);
	if (found < 0)
		return failed(g, err);
	*ret = (struct known){ 0 };
	if (found > 0)
		*ret = (struct known){
			.object = row.object,
			.item = row.item,
			.same_version = row.state == OBJECT_PRESENT && slice_eq(row.version, a->version),
			.racy = row.racy,
		};
	return 0;
}

static int arrive(struct group *g, struct change *c, const struct arrival *a, struct err *err)
{
	struct known before;
	uint64_t item;
	if (known_of(g, a, &before, err) < 0 || arrive_item(g, c, a, &item, err) < 0)
		return -1;
	bool unchanged = before.same_version && before.item == item;
	/* Labels wait for it, or stay behind. In a tree they wait for what carried nothing, as a sidecar that is a file again. */
	if ((a->layout == LAYOUT_FLAT || before.item == 0) && before.object && before.item != item) {
		change_touch(c, before.item, 0);
		change_touch(c, item, before.item ? 0 : before.object);
	}
	if (!unchanged || (a->racy && !before.racy))
		return arrive_object(g, c, a, before.object, item, err);
	if (a->racy || !before.racy)
		return 0;
	struct record r = { .kind = RECORD_CALM };
	r.calm = (struct record_calm){ .source = a->source, .key = a->key, .layout = a->layout };
	return put(g, c, &r, err);
}

/* The number of the object at a key, a fresh one where the ledger has none. 0: failed. */
static uint64_t object_number(struct group *g, struct slice source, enum layout layout, struct slice key)
{
	struct ledger_row row;
	int found = apply_find_object(g->txn, source, layout, key, &row);
	if (found < 0)
		return 0;
	return found > 0 && row.object ? row.object : apply_next_object(g->txn);
}

/* The object that a row speaks of, which is in the ledger by now. 0: failed. */
static uint64_t row_object(struct group *g, const struct record_row *r)
{
	struct ledger_row row;
	int found = apply_find_object(g->txn, r->source, r->layout ? r->layout : LAYOUT_FLAT, r->key, &row);
	if (found == 0)
		(void)kv_fail(g->txn, ERR_FATAL, 0, "a row of import %" PRIu64 " speaks of an object that is not there", r->import);
	return found > 0 ? row.object : 0;
}

/* Fills in the numbers that a submitted record leaves to the committer. */
static int number(struct group *g, struct record *r, struct err *err)
{
	uint64_t n = 1;
	if (r->kind == RECORD_ROW && r->row.object == 0)
		r->row.object = r->row.pending ? object_number(g, r->row.source, LAYOUT_FLAT, r->row.key) : row_object(g, &r->row);
	if (r->kind == RECORD_ROW && r->row.object == 0)
		return failed(g, err);
	if (r->kind == RECORD_ROW && r->row.row == 0)
		r->row.row = n = apply_next_row(g->txn);
	else if (r->kind == RECORD_IMPORT && r->import.import == 0)
		r->import.import = n = apply_next_import(g->txn);
	else if (r->kind == RECORD_OBJECT && r->object.object == 0)
		r->object.object = n = object_number(g, r->object.source, r->object.layout, r->object.key);
	else if (r->kind == RECORD_ANNOTATION && r->annotation.n == 0)
		r->annotation.n = (uint32_t)(n = apply_next_annotation(g->txn, r->annotation.item));
	else if (r->kind == RECORD_FAILURE && r->failure.subject == SUBJECT_OBJECT && r->failure.number == 0)
		r->failure.number = n = object_number(g, r->failure.source, r->failure.layout, r->failure.key);
	return n > 0 ? 0 : failed(g, err);
}

/* Notes the item that a record of a row is about, if the object has one yet. */
static int touch_row(struct group *g, struct change *c, const struct record *r, struct err *err)
{
	uint64_t object = r->kind == RECORD_ROW ? r->row.object : r->kind == RECORD_ROW_GONE ? r->row_gone.object : 0;
	uint64_t item;
	if (object == 0)
		return 0;
	if (apply_item_of(g->txn, object, &item) < 0)
		return failed(g, err);
	change_touch(c, item, r->kind == RECORD_ROW && r->row.fresh ? object : 0);
	return 0;
}

static int take_from(struct group *g, struct change *c, size_t first, struct err *err)
{
	for (size_t i = first; i < c->records.count; i++) {
		struct record *r = &c->records.at[i];
		if (number(g, r, err) < 0 || put(g, c, r, err) < 0 || touch_row(g, c, &c->records.at[i], err) < 0)
			return -1;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct change_touch *x = a, *y = b;
	return x->item != y->item ? (x->item > y->item) - (x->item < y->item) : (x->fresh > y->fresh) - (x->fresh < y->fresh);
}

/* What was said of items is settled when all of the change is in the index. */
static int take_settled(struct group *g, struct change *c, struct err *err)
{
	uint64_t whole = 0; /* the item that was settled as a whole */
	size_t first = c->records.count;
	if (c->touched.count == 0)
		return 0;
	if (pending_flush(g->txn) < 0) /* paths of references are made of directories' rows */
		return failed(g, err);
	qsort(c->touched.at, c->touched.count, sizeof(*c->touched.at), by_number);
	for (size_t i = 0; i < c->touched.count; i++) {
		struct view *now = view_now(g);
		uint64_t item = c->touched.at[i].item, fresh = c->touched.at[i].fresh;
		if (item == whole)
			continue;
		if (!now)
			return failed(g, err);
		int done = fresh ? settle_fresh(c, now, g->store->settled, item, fresh, err) : 0;
		if (done == 0) {
			whole = item;
			done = settle_item(c, now, g->store->settled, item, err);
		}
		if (done < 0 || take_from(g, c, first, err) < 0)
			return -1;
		first = c->records.count;
	}
	return 0;
}

static int take_records(struct group *g, struct change *c, struct err *err)
{
	return take_from(g, c, 0, err) < 0 || take_settled(g, c, err) < 0 ? -1 : 0;
}

static int take_derived(struct group *g, struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->derived.count; i++) {
		const struct derived_blob *d = &c->derived.at[i];
		struct record r = { .kind = RECORD_DERIVED };
		r.derived = (struct record_derived){ .item = d->item, .kind = d->kind };
		if (derived_put(g->store->derived, d->data, d->bytes, &r.derived, err) < 0 || put(g, c, &r, err) < 0)
			return -1;
	}
	return 0;
}

static int take_metas(struct group *g, struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->metas.count; i++) {
		if (kv_put(g->txn, TABLE_META, c->metas.at[i].name, c->metas.at[i].value) < 0)
			return failed(g, err);
		g->records++;
	}
	return 0;
}

static void release_arena(void *a)
{
	arena_put(a);
}

static int take_arrivals(struct group *g, struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->arrivals.count; i++) {
		if (c->arrivals.at[i].how != ARRIVAL_NONE && arrive(g, c, &c->arrivals.at[i], err) < 0)
			return -1;
	}
	if (!c->arena)
		return 0;
	struct arena *a = TAKE_PTR(c->arena);
	size_t n;
	const void *bytes = arena_seal(a, &n);
	if (n > 0)
		appender_put(g->log, bytes, n, release_arena, a);
	else
		arena_put(a);
	return 0;
}

/* May this change be tried at all? Intake waits for room; people's decisions and results of stages may use the reserve, and
 * so may large blobs: their room was claimed when they were created, and refusing them now would throw it away. */
static int admit(struct group *g, struct change *c, struct err *err)
{
	uint64_t stored = 0;
	bool claimed = true;
	for (size_t i = 0; i < c->arrivals.count; i++) {
		stored += c->arrivals.at[i].how == ARRIVAL_ARENA ? c->arrivals.at[i].bytes : 0;
		claimed = claimed && c->arrivals.at[i].how == ARRIVAL_FILE;
	}
	if (!claimed && store_ready(g->store, stored, err) < 0)
		return -1;
	if (c->bytes > CHANGE_BYTES_MAX)
		return err_set(err, ERR_REJECT, 0, "a change of %zu bytes is over the limit of %u", c->bytes, CHANGE_BYTES_MAX);
	for (size_t i = 0; i < c->derived.count; i++) {
		if (c->derived.at[i].bytes > DERIVED_BYTES_MAX)
			return err_set(err, ERR_REJECT, 0, "derived bytes of item %" PRIu64 ": %zu is over the limit of %u",
				c->derived.at[i].item, c->derived.at[i].bytes, DERIVED_BYTES_MAX);
	}
	if (!c->prepare)
		return 0;
	struct view *now = view_now(g);
	return now ? c->prepare(c, now, c->prepare_arg, err) : failed(g, err);
}

int group_take(struct group *g, struct change *c, struct err *err)
{
	if (c->refused.class != 0)
		return 0;
	if (admit(g, c, &c->refused) < 0)
		return kv_failed(g->txn, err);
	if (take_arrivals(g, c, err) < 0 || take_records(g, c, err) < 0 || take_derived(g, c, err) < 0 ||
	    take_metas(g, c, err) < 0)
		return -1;
	return kv_failed(g->txn, err);
}

int group_commit(struct group *g, struct mark *mark, struct err *err)
{
	struct mark next = *mark;
	view_end(g);
	if (batch_lines(g->batch) > 0) {
		size_t n;
		const void *bytes = batch_end(g->batch, &n, next.digest);
		appender_put(g->log, bytes, n, NULL, NULL);
		next.segment = appender_segment(g->log);
		next.offset = appender_offset(g->log);
		next.revision = g->revision;
		(void)mark_put(g->txn, &next); /* a failure is the transaction's */
		if (appender_sync(g->log, err) < 0)
			return -1;
	}
	if (kv_commit(TAKE_PTR(g->txn), err) < 0)
		return -1;
	*mark = next;
	return 0;
}

void group_abort(struct group *g)
{
	view_end(g);
	settled_clear(g->store->settled);
	kv_abort(TAKE_PTR(g->txn));
}

int group_undo(struct group *g, struct err *err)
{
	return appender_cut(g->log, g->start, err);
}
