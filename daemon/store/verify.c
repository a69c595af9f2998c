/* verify.c - compares the log, the index and the blobs, beside a running committer. */
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/store/parts.h"
#include "daemon/store/rehash.h"
#include "daemon/store/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>

#define SNAPSHOT_NS (NS_PER_SEC / 2) /* a snapshot pins freed pages: it is renewed this often */

struct verify {
	struct store *store;
	unsigned slice, slices;
	verify_fn *fn;
	void *arg;
	struct verify_report *report;
	struct rehash *hash;
	struct view *view;
	uint64_t view_since_ns;
	struct mark end;             /* of the log when verify began */
	int fd;                      /* of fd_segment, for the headers that items point to */
	uint32_t fd_segment;
};

static void problem(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct verify *v, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->report->problems++;
	if (v->fn)
		v->fn(v->arg, text);
}

static int fresh_view(struct verify *v, struct err *err)
{
	uint64_t now = clock_mono_ns();
	if (atomic_load_explicit(&v->store->interrupted, memory_order_relaxed))
		return rehash_stopped(err);
	if (now - v->view_since_ns < SNAPSHOT_NS)
		return 0;
	v->view_since_ns = now;
	kv_drop_cache(v->store->kv);
	return view_renew(v->view, err);
}

static bool in_slice(const struct verify *v, const struct content_id *id)
{
	uint32_t n;
	memcpy(&n, id->sha256, sizeof(n));
	return n % v->slices == v->slice;
}

/* The log */

static int check_bytes(struct verify *v, const struct walk *w, const struct walk_batch *b, const struct record_item *item,
	struct err *err)
{
	int good = 1;
	if (item->at.kind == LOCATION_LARGE) {
		good = rehash_large(v->hash, v->store->large, item->bytes, &item->content, err);
	} else if (item->at.kind == LOCATION_SEGMENT) {
		const struct walk_blob *blob = item->at.segment == b->segment ? walk_blob_at(b, item->at.offset) : NULL;
		good = blob && blob->bytes == item->bytes;
		if (good)
			good = rehash_range(v->hash, walk_fd(w), blob->offset, blob->bytes, &item->content, err);
	} else {
		return 0;
	}
	if (good < 0)
		return -1;
	v->report->blobs++;
	v->report->bytes += item->bytes;
	char hex[CONTENT_ID_HEX + 1];
	text_hex(item->content.sha256, SHA256_BYTES, hex);
	if (good == 0 && item->at.kind == LOCATION_LARGE)
		problem(v, "item %" PRIu64 ": large blob %s is missing or is not what was stored", item->item, hex);
	else if (good == 0)
		problem(v, "item %" PRIu64 ": blob %s in segment %08" PRIu32 ".tar at %" PRIu64 " is not what was stored", item->item,
			hex, item->at.segment, item->at.offset);
	return 0;
}

/* Where the index says that an item is, against a line of the log: a line of a reference may be overtaken by a copy. */
static bool location_agrees(const struct location *line, const struct location *row)
{
	if (line->kind == LOCATION_REFERENCE && row->kind != LOCATION_REFERENCE)
		return true;
	return line->kind == row->kind &&
	       (line->kind != LOCATION_SEGMENT || (line->segment == row->segment && line->offset == row->offset));
}

static int check_line(struct verify *v, const struct walk *w, const struct walk_batch *b, const struct record *r, struct err *err)
{
	uint64_t id = r->kind == RECORD_ITEM ? r->item.item : r->kind == RECORD_OBJECT ? r->object.item : 0;
	struct item row;
	if (id == 0)
		return 0;
	int found = view_item(v->view, id, &row, err);
	if (found < 0)
		return -1;
	if (found == 0) {
		problem(v, "item %" PRIu64 " is in batch %" PRIu64 " and not in the index: run inlet rebuild-index", id,
			b->head.revision);
		return 0;
	}
	if (r->kind != RECORD_ITEM)
		return 0;
	if (!content_id_eq(&row.content, &r->item.content) || !location_agrees(&r->item.at, &row.at))
		problem(v, "item %" PRIu64 ": the index has another content or place than batch %" PRIu64 ": run inlet rebuild-index",
			id, b->head.revision);
	return in_slice(v, &r->item.content) ? check_bytes(v, w, b, &r->item, err) : 0;
}

static int check_batch(struct verify *v, const struct walk *w, struct walk_batch *b, struct mark *at, struct err *err)
{
	if (b->head.revision != at->revision + 1)
		problem(v, "segment %08" PRIu32 ".tar: batch %" PRIu64 " follows batch %" PRIu64, b->segment, b->head.revision,
			at->revision);
	else if (memcmp(b->head.prev, at->digest, SHA256_BYTES) != 0)
		problem(v, "segment %08" PRIu32 ".tar: batch %" PRIu64 " does not continue the chain: it or batch %" PRIu64
			" was altered", b->segment, b->head.revision, at->revision);
	at->segment = b->segment;
	at->offset = b->end;
	at->revision = b->head.revision;
	memcpy(at->digest, b->digest, SHA256_BYTES);
	v->report->batches++;
	struct slice line;
	enum batch_line kind;
	for (uint64_t n = 2; (kind = batch_next(&b->lines, &line)) != BATCH_END; n++) {
		struct record r;
		struct record_mem *mem;
		struct err why;
		if (kind == BATCH_ERASED)
			continue;
		if (record_decode(line, &r, &mem, &why) < 0) {
			problem(v, "batch %" PRIu64 ", line %" PRIu64 ": %s", b->head.revision, n, why.text);
			continue;
		}
		int done = check_line(v, w, b, &r, err);
		record_mem_free(mem);
		if (done < 0 || fresh_view(v, err) < 0)
			return -1;
	}
	return 0;
}

static int check_log(struct verify *v, struct err *err)
{
	CLEANUP(walk_closep) struct walk *w = NULL;
	struct mark at = { .segment = 1, .offset = SEGMENT_FIRST };
	struct walk_batch b;
	int more = 0;
	if (walk_open(v->store->segments, 1, SEGMENT_FIRST, &w, err) < 0)
		return -1;
	while (at.revision < v->end.revision && (more = walk_next(w, &b, err)) > 0) {
		if (check_batch(v, w, &b, &at, err) < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (at.revision < v->end.revision)
		problem(v, "segment %08" PRIu32 ".tar at %" PRIu64 ": batch %" PRIu64 " cannot be read, nor what follows it up to batch %"
			PRIu64, at.segment, at.offset, at.revision + 1, v->end.revision);
	else if (at.revision > 0 && memcmp(at.digest, v->end.digest, SHA256_BYTES) != 0)
		problem(v, "batch %" PRIu64 " was altered: its digest is not the one in the index", at.revision);
	return 0;
}

/* The index */

/* Is the member that an item points to the item's? 1, 0, -1. */
static int member_there(struct verify *v, const struct item *item, struct err *err)
{
	struct stat st;
	struct segment_member m;
	struct content_id named;
	struct err why;
	uint64_t header = item->at.offset - TAR_BLOCK;
	if (v->fd_segment != item->at.segment) {
		close_fdp(&v->fd);
		v->fd = -1;
		v->fd_segment = 0;
		if (segment_open(v->store->segments, item->at.segment, O_RDONLY, &v->fd, &why) < 0)
			return 0;
		v->fd_segment = item->at.segment;
	}
	if (fstat(v->fd, &st) < 0 || item->at.offset < TAR_BLOCK)
		return 0;
	int step = segment_next(v->fd, (uint64_t)st.st_size, &header, &m, err);
	if (step < 0)
		return -1;
	return step == SEGMENT_MEMBER && m.tar.bytes == item->bytes &&
	       text_unhex((struct slice){ m.tar.name, CONTENT_ID_HEX }, named.sha256, SHA256_BYTES) == 0 &&
	       content_id_eq(&named, &item->content);
}

static int check_references(struct verify *v, const struct item *item, struct err *err)
{
	const struct reference *refs;
	size_t n;
	if (view_references(v->view, item->id, false, &refs, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct ledger_row row;
		int found = view_object(v->view, refs[i].source, refs[i].layout, refs[i].key, &row, err);
		if (found < 0)
			return -1;
		if (found == 0 || row.object != refs[i].object || row.item != item->id)
			problem(v, "item %" PRIu64 ": object o%" PRIu64 " refers to it, and the ledger says otherwise: run inlet "
				"rebuild-index", item->id, refs[i].object);
	}
	return 0;
}

static int check_item(struct verify *v, const struct item *item, struct err *err)
{
	if (view_item_by_content(v->view, &item->content) != item->id)
		problem(v, "item %" PRIu64 ": its content leads to another item: run inlet rebuild-index", item->id);
	int there = item->at.kind == LOCATION_SEGMENT ? member_there(v, item, err) : 1;
	if (there == 0)
		problem(v, "item %" PRIu64 ": segment %08" PRIu32 ".tar has no such blob at %" PRIu64, item->id, item->at.segment,
			item->at.offset);
	return there < 0 ? -1 : check_references(v, item, err);
}

/* Counts the items of a state, or all. */
static int count_items(struct verify *v, enum item_state state, bool check, uint64_t by_state[ITEM_STATES], struct err *err)
{
	struct item item = { 0 };
	uint64_t last = 0;
	int more;
	while ((more = view_item_next(v->view, last, state, &item, err)) > 0) {
		last = item.id;
		if (state == ITEM_NONE || item.state == state)
			by_state[item.state]++;
		if (check && check_item(v, &item, err) < 0)
			return -1;
		if (fresh_view(v, err) < 0)
			return -1;
	}
	return more;
}

static void compare_counts(struct verify *v, const struct totals *totals, const uint64_t rows[ITEM_STATES],
	const uint64_t listed[ITEM_STATES])
{
	uint64_t items = 0;
	for (int s = ITEM_NONE + 1; s < ITEM_STATES; s++) {
		items += rows[s];
		if (rows[s] != totals->by_state[s] || rows[s] != listed[s])
			problem(v, "state %s: %" PRIu64 " items, %" PRIu64 " listed, %" PRIu64 " counted: run inlet rebuild-index",
				item_state_name((enum item_state)s), rows[s], listed[s], totals->by_state[s]);
	}
	if (items != totals->items)
		problem(v, "%" PRIu64 " items, %" PRIu64 " counted: run inlet rebuild-index", items, totals->items);
}

static int check_index(struct verify *v, struct err *err)
{
	struct totals totals;
	uint64_t rows[ITEM_STATES] = { 0 };
	uint64_t listed[ITEM_STATES] = { 0 };
	if (view_renew(v->view, err) < 0)
		return -1;
	uint64_t before = view_revision(v->view);
	if (view_totals(v->view, &totals, err) < 0 || count_items(v, ITEM_NONE, true, rows, err) < 0)
		return -1;
	for (int s = ITEM_NONE + 1; s < ITEM_STATES; s++) {
		if (count_items(v, (enum item_state)s, false, listed, err) < 0)
			return -1;
	}
	for (int s = ITEM_NONE + 1; s < ITEM_STATES; s++)
		v->report->items += rows[s];
	if (view_renew(v->view, err) < 0)
		return -1;
	if (view_revision(v->view) == before) /* else the store moved on meanwhile, and the counts with it */
		compare_counts(v, &totals, rows, listed);
	return 0;
}

void store_interrupt(struct store *s)
{
	atomic_store(&s->interrupted, true);
}

int store_verify(struct store *s, unsigned slice, unsigned slices, verify_fn *fn, void *arg, struct verify_report *ret,
	struct err *err)
{
	struct verify_report report = { 0 };
	struct verify v = {
		.store = s,
		.slice = slice,
		.slices = slices > 0 ? slices : 1,
		.fn = fn,
		.arg = arg,
		.report = &report,
		.fd = -1,
	};
	committer_mark(s->committer, &v.end); /* before the view: what the log holds by then, the view sees */
	if (view_open(s, &v.view, err) < 0)
		return -1;
	v.view_since_ns = clock_mono_ns();
	v.hash = rehash_new(&s->interrupted);
	int result = check_log(&v, err) < 0 || check_index(&v, err) < 0 ? -1 : 0;
	close_fdp(&v.fd);
	rehash_free(v.hash);
	view_close(v.view);
	if (result == 0)
		*ret = report;
	return result;
}
