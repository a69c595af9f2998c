/* apply_ledger.c - what records about sources and objects change: ledger rows, references, digests, counters. */
#include "daemon/store/apply_ledger.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/apply.h"
#include "daemon/store/carrier.h"
#include "daemon/store/work.h"

#include <inttypes.h>

/* Rows of a vanished directory that are read before they are changed: no cursor stays open over a write. */
#define GONE_STEP 256

/* The row of one object: where it is, and what it was before. */
struct spot {
	struct place *at;
	struct slice name;
	struct key key;
	struct object_row row; /* all zero while there is none; its version is valid until the next write */
	bool is_there;
};

static int bad_key(struct kv_txn *txn, struct slice key)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	text_printable(&text, key);
	return kv_fail(txn, ERR_FATAL, 0, "'%s' is not the path of a file below a root", text.data ? text.data : "");
}

/* A leading '/' and NUL would make two keys one. */
static bool tree_key(struct slice key)
{
	return key.len == 0 || (key.p[0] != '/' && !memchr(key.p, '\0', key.len));
}

/* 1: at the row of that key. 0: not there; with make only the row itself is missing. -1. */
static int spot_find(struct kv_txn *txn, struct slice source, enum layout layout, struct slice key, bool make,
	struct spot *ret)
{
	struct pending *p = pending_of(txn);
	struct slice path;
	uint32_t word;
	if (layout == LAYOUT_TREE && !tree_key(key))
		return bad_key(txn, key);
	ledger_split(layout, key, &path, &ret->name);
	int is_there = pending_source(p, source, make, &word);
	if (is_there <= 0)
		return is_there;
	if (make) {
		ret->at = pending_place(p, word, path);
		is_there = ret->at && pending_slot(p, ret->at, ret->name, false, &ret->key) == 0 ? 1 : -1;
	} else {
		is_there = pending_find_place(p, word, path, &ret->at);
		if (is_there > 0)
			is_there = ledger_slot(txn, word, ret->at->node, ret->name, false, &ret->key);
	}
	if (is_there < 0 || (is_there == 0 && !make))
		return is_there;
	if (is_there > 0)
		is_there = rows_get_object(txn, key_slice(&ret->key), &ret->row);
	ret->is_there = is_there > 0;
	if (is_there == 0)
		ret->row = (struct object_row){ .kind = OBJECT_FILE, .layout = layout };
	return is_there;
}

/* Digests and counters of a place */

static void digest_change(struct pending *p, struct place *at, struct slice name, struct slice version, bool more)
{
	char stack[512];
	size_t n = name.len + 1 + version.len;
	CLEANUP(freep) char *heap = n > sizeof(stack) ? mem_alloc(n) : NULL;
	char *text = heap ? heap : stack;
	if (name.len > 0)
		memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	if (version.len > 0)
		memcpy(text + name.len + 1, version.p, version.len);
	if (more)
		digest128_add(&at->row.digest, pending_digest_key(p), text, n);
	else
		digest128_sub(&at->row.digest, pending_digest_key(p), text, n);
	at->row.count += more ? 1 : (uint64_t)-1;
	at->dirty = true;
}

static bool unsettled(const struct object_row *row)
{
	return row->state != OBJECT_NONE && row->state != OBJECT_GONE && (row->state != OBJECT_PRESENT || row->racy);
}

/* Known directories are part of their parent's digest. A place that becomes known makes those above it known. */
static int place_know(struct kv_txn *txn, struct place *at, bool known)
{
	for (; at->state != (known ? OBJECT_PRESENT : OBJECT_GONE) && at->parent; at = at->parent) {
		const char *slash = memrchr(at->path, '/', at->path_len);
		const char *name = slash ? slash + 1 : at->path;
		struct slice whole = { name, (size_t)(at->path + at->path_len - name) };
		struct key k;
		at->state = known ? OBJECT_PRESENT : OBJECT_GONE;
		struct object_row row = { .kind = OBJECT_DIRECTORY, .state = at->state, .node = at->node };
		(void)key_object(&k, at->source, at->row.parent, at->row.name, DIRECTORY_MARK, 1);
		if (rows_put_object(txn, key_slice(&k), &row) < 0)
			return -1;
		digest_change(pending_of(txn), at->parent, whole, SLICE_LIT("/"), known);
		if (!known)
			break;
	}
	return 0;
}

static int count_object(struct kv_txn *txn, const struct place *at, enum object_state state, int change)
{
	return pending_count(pending_of(txn), counter_id(COUNTER_OBJECTS, state, 0, at->source), change);
}

/* Puts the row (NULL: deletes it) in place of the one that was, in everything that is made of rows. */
static int spot_set(struct kv_txn *txn, struct spot *s, const struct object_row *row)
{
	struct pending *p = pending_of(txn);
	enum object_state to = row ? row->state : OBJECT_NONE;
	if (row && !object_may_move(s->row.state, to))
		return apply_disagree(txn, "object %" PRIu64 " may not move from %s to %s", row->number,
			object_state_name(s->row.state), object_state_name(to));
	if (s->row.state == OBJECT_PRESENT)
		digest_change(p, s->at, s->name, s->row.version, false);
	if (to == OBJECT_PRESENT)
		digest_change(p, s->at, s->name, row->version, true);
	s->at->row.unsettled += (uint64_t)((int)(row && unsettled(row)) - (int)unsettled(&s->row));
	s->at->dirty = true;
	struct slice key = key_slice(&s->key);
	if ((row ? rows_put_object(txn, key, row) : kv_delete(txn, TABLE_OBJECT, key)) < 0)
		return -1;
	if (s->is_there && count_object(txn, s->at, s->row.state, -1) < 0)
		return -1;
	return row ? count_object(txn, s->at, to, 1) : 0;
}

/* Finds the row of an object that carries a number, or makes room for it. */
static int spot_numbered(struct kv_txn *txn, struct slice source, enum layout layout, struct slice key, uint64_t number,
	struct spot *ret)
{
	if (spot_find(txn, source, layout, key, true, ret) < 0)
		return -1;
	if (ret->is_there ? number != 0 && number != ret->row.number : number == 0) {
		CLEANUP(buf_done) struct buf text = { 0 };
		text_printable(&text, key);
		return apply_disagree(txn, "'%s' is to be object %" PRIu64 ", and is %" PRIu64,
			text.data ? text.data : "", number, ret->row.number);
	}
	if (ret->is_there)
		return 0;
	ret->row.number = number;
	struct key k;
	if (kv_put(txn, TABLE_OBJECT_KEY, key_ref(&k, 0, number), key_slice(&ret->key)) < 0)
		return -1;
	return pending_raise(pending_of(txn), counter_id(COUNTER_LAST_OBJECT, 0, 0, 0), number);
}

/* The item of an object that says something of it, and is not what or where it was. */
static int touch_if_labelled(struct kv_txn *txn, uint64_t object, uint64_t item)
{
	struct slice key, value;
	struct key k;
	int found = item ? kv_seek(txn, TABLE_IMPORT_ROW, key_ref(&k, object, 0), &key, &value) : 0;
	if (found > 0 && read_be64(key.p) == object)
		pending_touch(pending_of(txn), item);
	return found < 0 ? -1 : 0;
}

int apply_object(struct kv_txn *txn, const struct record_object *r)
{
	struct spot s;
	struct key k;
	struct slice value;
	if (spot_numbered(txn, r->source, r->layout, r->key, r->object, &s) < 0)
		return -1;
	uint64_t number = s.row.number, old_item = s.row.item;
	enum object_state old_state = s.row.state;
	bool carried = old_item == r->item && !s.row.ref_gone;
	int has_item = old_item == r->item || r->item == 0 ? 1 : kv_get(txn, TABLE_ITEM, key_item(&k, r->item), &value);
	if (has_item < 0)
		return -1;
	if (has_item == 0)
		return apply_disagree(txn, "object %" PRIu64 " is to carry item %" PRIu64 ", which does not exist",
			number, r->item);
	struct object_row row = { .kind = OBJECT_FILE,
		.state = OBJECT_PRESENT,
		.layout = r->layout,
		.racy = r->racy,
		.number = number,
		.item = r->item,
		.bytes = r->bytes,
		.version = r->version };
	if (spot_set(txn, &s, &row) < 0 || place_know(txn, s.at, true) < 0)
		return -1;
	if (old_item != r->item) {
		if (old_item != 0 && kv_delete(txn, TABLE_REF, key_ref(&k, old_item, number)) < 0)
			return -1;
		if (r->item != 0 && kv_put(txn, TABLE_REF, key_ref(&k, r->item, number), (struct slice){ "", 0 }) < 0)
			return -1;
		if (old_item != 0 && carrier_lost(txn, old_item) < 0)
			return -1;
	}
	if (!carried && r->item != 0 && carrier_gained(txn, r->item) < 0)
		return -1;
	bool labelled = old_item != 0 && (old_item != r->item || old_state == OBJECT_GONE);
	if (labelled && (touch_if_labelled(txn, number, old_item) < 0 || touch_if_labelled(txn, number, r->item) < 0))
		return -1;
	bool had_failed = old_state != OBJECT_NONE && old_state != OBJECT_PRESENT && old_state != OBJECT_GONE;
	return had_failed ? failure_clear(txn, SUBJECT_OBJECT, number) : 0;
}

int apply_find_object(struct kv_txn *txn, struct slice source, enum layout layout, struct slice key,
	struct ledger_row *ret)
{
	struct spot s;
	if (!pending_of(txn))
		return -1;
	int is_there = spot_find(txn, source, layout, key, false, &s);
	if (is_there <= 0)
		return is_there;
	return ledger_show(txn, s.name, &s.row, ret) < 0 ? -1 : 1;
}

int apply_item_of(struct kv_txn *txn, uint64_t object, uint64_t *ret_item)
{
	struct object_row row = { 0 };
	struct slice at;
	struct key k;
	int found = kv_get(txn, TABLE_OBJECT_KEY, key_ref(&k, 0, object), &at);
	if (found > 0)
		found = rows_get_object(txn, at, &row);
	*ret_item = row.item;
	return found < 0 ? -1 : 0;
}

uint64_t apply_next_object(struct kv_txn *txn)
{
	struct pending *p = pending_of(txn);
	return p ? pending_next(p, counter_id(COUNTER_LAST_OBJECT, 0, 0, 0)) : 0;
}

int apply_object_failure(struct kv_txn *txn, const struct record_failure *r)
{
	struct spot s;
	if (spot_numbered(txn, r->source, r->layout, r->key, r->number, &s) < 0)
		return -1;
	struct object_row row = s.row; /* keeps the item and the version that it came from */
	row.state = r->retry ? OBJECT_RETRYING : r->archived ? OBJECT_ARCHIVED : OBJECT_QUARANTINED;
	row.racy = false;
	struct record_failure f = *r;
	f.number = row.number;
	if (spot_set(txn, &s, &row) < 0 || place_know(txn, s.at, true) < 0)
		return -1;
	return failure_set(txn, &f);
}

/* Gone */

/* An object that was never read leaves nothing behind: its retries are not in the log for a rebuild to find. */
static int file_gone(struct kv_txn *txn, struct spot *s)
{
	struct object_row row = s->row;
	enum object_state was = row.state;
	struct key k;
	if (was == OBJECT_GONE)
		return 0;
	row.state = OBJECT_GONE;
	row.ref_gone = true;
	row.racy = false;
	bool was_read = row.item != 0 || row.version.len > 0; /* a list or a sidecar carries no item */
	if (spot_set(txn, s, was_read ? &row : NULL) < 0)
		return -1;
	if (touch_if_labelled(txn, row.number, row.item) < 0)
		return -1;
	if (!was_read && kv_delete(txn, TABLE_OBJECT_KEY, key_ref(&k, 0, row.number)) < 0)
		return -1;
	if (row.item != 0 && carrier_lost(txn, row.item) < 0)
		return -1;
	return was == OBJECT_PRESENT ? 0 : failure_clear(txn, SUBJECT_OBJECT, row.number);
}

/* Directories below a vanished one, still to be done: NUL-terminated paths one after the other. */
struct vanished {
	struct kv_txn *txn;
	struct place *at;
	struct buf paths;
};

static int rows_gone(struct vanished *v, uint64_t node, struct slice prefix);

static int row_gone(struct vanished *v, struct slice key, struct slice prefix)
{
	struct slice stored = { key.p + OBJECT_KEY_HEAD, key.len - OBJECT_KEY_HEAD };
	CLEANUP(buf_done) struct buf name = { 0 };
	struct spot s = { .at = v->at, .is_there = true };
	if (rows_get_object(v->txn, key, &s.row) < 0)
		return -1;
	buf_add(&name, prefix.p, prefix.len);
	buf_add(&name, stored.p, stored.len - (s.row.kind == OBJECT_FILE ? 0 : 1));
	if (s.row.kind == OBJECT_CONTINUED)
		return rows_gone(v, s.row.node, buf_slice(&name));
	if (s.row.kind == OBJECT_DIRECTORY) {
		if (s.row.state == OBJECT_GONE)
			return 0;
		if (v->at->path_len > 0) {
			buf_add(&v->paths, v->at->path, v->at->path_len);
			buf_char(&v->paths, '/');
		}
		buf_add(&v->paths, name.data, name.len);
		buf_char(&v->paths, '\0');
		return 0;
	}
	s.name = buf_slice(&name);
	s.key.len = key.len;
	memcpy(s.key.bytes, key.p, key.len);
	return file_gone(v->txn, &s);
}

/* Reads keys below a node from *from on, at most GONE_STEP, each as u16 length and bytes; moves *from past them. */
static int rows_collect(struct kv_txn *txn, struct key *from, struct buf *to)
{
	struct kv_cursor *c;
	struct slice key, value;
	struct key head = *from;
	if (kv_cursor_open(txn, TABLE_OBJECT, key_slice(from), &c) < 0)
		return -1;
	int is_there, n = 0;
	while ((is_there = kv_cursor_next(c, &key, &value)) > 0 && n < GONE_STEP) {
		if (key.len < OBJECT_KEY_HEAD || memcmp(key.p, head.bytes, OBJECT_KEY_HEAD) != 0)
			break;
		if (key.len > OBJECT_KEY_HEAD + NAME_PART + 1) {
			is_there = rows_corrupt(txn, TABLE_OBJECT, key);
			break;
		}
		uint16_t len = (uint16_t)key.len;
		buf_add(to, &len, sizeof(len));
		buf_add(to, key.p, key.len);
		memcpy(from->bytes, key.p, key.len);
		from->bytes[key.len] = 0; /* the first key after this one */
		from->len = key.len + 1;
		n++;
	}
	kv_cursor_close(c);
	return is_there < 0 ? -1 : n;
}

static int rows_gone(struct vanished *v, uint64_t node, struct slice prefix)
{
	struct key from;
	int n;
	(void)key_directory(&from, v->at->source, node);
	do {
		CLEANUP(buf_done) struct buf keys = { 0 };
		n = rows_collect(v->txn, &from, &keys);
		for (size_t at = 0; n > 0 && at < keys.len;) {
			uint16_t len;
			memcpy(&len, keys.data + at, sizeof(len));
			if (row_gone(v, (struct slice){ keys.data + at + sizeof(len), len }, prefix) < 0)
				return -1;
			at += sizeof(len) + len;
		}
	} while (n == GONE_STEP);
	return n < 0 ? -1 : 0;
}

static int skipped_set(struct kv_txn *txn, struct place *at, uint32_t skipped)
{
	int64_t change = (int64_t)skipped - at->row.skipped;
	if (change == 0)
		return 0;
	at->row.skipped = skipped;
	at->dirty = true;
	return pending_count(pending_of(txn), counter_id(COUNTER_SKIPPED, 0, 0, at->source), change);
}

static int place_gone(struct vanished *v)
{
	if (rows_gone(v, v->at->node, (struct slice){ "", 0 }) < 0 || skipped_set(v->txn, v->at, 0) < 0)
		return -1;
	return place_know(v->txn, v->at, false);
}

static int directory_gone(struct kv_txn *txn, uint32_t source, struct slice path)
{
	struct pending *p = pending_of(txn);
	struct vanished v = { .txn = txn };
	CLEANUP(buf_done) struct buf todo = { 0 };
	buf_add(&todo, path.p, path.len);
	buf_char(&todo, '\0');
	while (todo.len > 0) {
		size_t start = todo.len - 1;
		while (start > 0 && todo.data[start - 1] != '\0')
			start--;
		struct slice next = { todo.data + start, todo.len - 1 - start };
		int is_there = pending_find_place(p, source, next, &v.at);
		if (is_there < 0)
			return -1;
		todo.len = start;
		if (is_there == 0 || v.at->state == OBJECT_GONE)
			continue;
		v.paths = todo;
		int done = place_gone(&v);
		todo = v.paths;
		if (done < 0)
			return -1;
	}
	return 0;
}

int apply_gone(struct kv_txn *txn, const struct record_gone *r)
{
	struct spot s;
	uint32_t word;
	if (!r->directory) {
		int is_there = spot_find(txn, r->source, r->layout, r->key, false, &s);
		return is_there <= 0 ? is_there : file_gone(txn, &s);
	}
	if (!tree_key(r->key))
		return bad_key(txn, r->key);
	int is_there = pending_source(pending_of(txn), r->source, false, &word);
	return is_there <= 0 ? is_there : directory_gone(txn, word, r->key);
}

/* What a pass found */

int apply_calm(struct kv_txn *txn, const struct record_calm *r)
{
	struct spot s;
	int is_there = spot_find(txn, r->source, r->layout, r->key, false, &s);
	if (is_there <= 0 || s.row.state != OBJECT_PRESENT || !s.row.racy)
		return is_there < 0 ? -1 : 0; /* it changed meanwhile: the next pass looks at it again */
	struct object_row row = s.row;
	row.racy = false;
	return spot_set(txn, &s, &row);
}

int apply_directory(struct kv_txn *txn, const struct record_directory *r)
{
	struct pending *p = pending_of(txn);
	uint32_t word;
	if (!tree_key(r->key))
		return bad_key(txn, r->key);
	struct place *at = pending_source(p, r->source, true, &word) < 0 ? NULL : pending_place(p, word, r->key);
	if (!at || place_know(txn, at, true) < 0)
		return -1;
	at->dirty |= at->row.mounted != r->mounted;
	at->row.mounted = r->mounted;
	return skipped_set(txn, at, r->skipped);
}

static int source_row(struct kv_txn *txn, struct slice name, struct source_value *ret)
{
	uint32_t word;
	return pending_source(pending_of(txn), name, true, &word) < 0 ? -1 : rows_get_source(txn, name, ret);
}

int apply_source(struct kv_txn *txn, const struct record_source *r)
{
	struct source_value row;
	if (source_row(txn, r->source, &row) < 0)
		return -1;
	row.kind = r->kind;
	row.root = r->root;
	return rows_put_source(txn, r->source, &row);
}

int apply_pass(struct kv_txn *txn, const struct record_pass *r)
{
	struct source_value row;
	if (source_row(txn, r->source, &row) < 0)
		return -1;
	row.state = r->state;
	row.message = r->message;
	if (r->complete)
		row.last_pass_ms = r->time_ms;
	return rows_put_source(txn, r->source, &row);
}
