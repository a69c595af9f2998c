/* view_ledger.c - what a view says of sources, places and objects (view.h). */
#include "daemon/store/view.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/store/view_internal.h"

#include <stdlib.h>

/* Objects */

int view_object(struct view *v, struct slice source, enum layout layout, struct slice key, struct ledger_row *ret,
	struct err *err)
{
	uint32_t word;
	struct key at;
	struct object_row row;
	struct slice place, name;
	int is_there = rows_find_word(v->txn, source, &word);
	if (is_there > 0)
		is_there = ledger_find(v->txn, word, layout, key, &at, &row);
	ledger_split(layout, key, &place, &name);
	if (is_there < 0 || (is_there && ledger_show(v->txn, name, &row, ret) < 0))
		return view_failed_call(v, err);
	return is_there;
}

int view_locate(struct view *v, uint64_t object, struct slice *ret_source, struct slice *ret_key,
	struct object_row *ret_row, struct slice *ret_name)
{
	struct key k;
	struct slice at, source, place;
	/* Settled: its path is made of the rows of directories. */
	int is_there = view_settle(v) < 0 ? -1 : kv_get(v->txn, TABLE_OBJECT_KEY, key_ref(&k, 0, object), &at);
	if (is_there <= 0)
		return is_there;
	v->scratch.len = 0;
	int has_row = rows_get_object(v->txn, at, ret_row);
	if (has_row == 0)
		return rows_corrupt(v->txn, TABLE_OBJECT_KEY, key_slice(&k));
	if (has_row < 0 || ledger_path(v->txn, at, &v->scratch) < 0 || rows_word(v->txn, read_be32(at.p), &source) < 0)
		return -1;
	*ret_source = view_copy(v, source);
	*ret_key = view_copy(v, buf_slice(&v->scratch));
	ledger_split(ret_row->layout, *ret_key, &place, ret_name);
	return 1;
}

int view_object_by_number(struct view *v, uint64_t object, struct slice *ret_source, struct slice *ret_key,
	struct ledger_row *ret, struct err *err)
{
	struct object_row row;
	struct slice name;
	int is_there = object > 0 ? view_locate(v, object, ret_source, ret_key, &row, &name) : 0;
	if (is_there < 0 || (is_there && ledger_show(v->txn, name, &row, ret) < 0))
		return view_failed_call(v, err);
	return is_there;
}

/* Places */

int view_place(struct view *v, struct slice source, struct slice place, struct place_digest *ret, struct err *err)
{
	uint32_t word;
	uint64_t node;
	bool gone = false;
	struct directory_row row;
	int is_there = view_settle(v) < 0 ? -1 : rows_find_word(v->txn, source, &word);
	if (is_there > 0)
		is_there = ledger_node(v->txn, word, place, &node, &gone);
	if (is_there > 0 && !gone)
		is_there = rows_get_directory(v->txn, word, node, &row);
	if (is_there < 0)
		return view_failed_call(v, err);
	if (!is_there || gone)
		return 0;
	*ret = (struct place_digest){ .digest = row.digest,
		.count = row.count,
		.skipped = row.skipped,
		.mounted = row.mounted,
		.trusted = row.unsettled == 0 };
	return 1;
}

/* A walk goes down into the nodes of continued names and comes back up, so that names come in byte order. */
struct walk_level {
	struct kv_cursor *cursor;
	uint64_t node;
	size_t prefix_len; /* of the names at this level, in name */
};
struct ledger_walk {
	struct view *v;
	uint32_t source;
	enum layout layout;
	struct walk_level *levels;
	size_t depth, cap;
	struct buf name; /* of the row shown last, when it is a continued one's; the prefix of the level */
};

/* A level whose rows come from `from` on, a stored name or the beginning of one. */
static int level_push(struct ledger_walk *w, uint64_t node, struct slice from, const char *mark, size_t mark_len)
{
	struct key k;
	struct kv_cursor *c;
	if (kv_cursor_open(w->v->txn, TABLE_OBJECT, key_object(&k, w->source, node, from, mark, mark_len), &c) < 0)
		return -1;
	if (w->depth == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 4;
		w->levels = mem_resize(w->levels, w->cap, sizeof(*w->levels));
	}
	w->levels[w->depth++] = (struct walk_level){ .cursor = c, .node = node, .prefix_len = w->name.len };
	return 0;
}

/* Positions the walk behind the rows of the name `after`, which may lead down through continued names. */
static int walk_start(struct ledger_walk *w, uint64_t node, enum layout layout, struct slice after)
{
	while (after.len > NAME_PART) {
		struct slice part = { after.p, NAME_PART }, key, value;
		struct object_row row;
		if (level_push(w, node, part, CONTINUED_MARK, 1) < 0)
			return -1;
		struct key k;
		int is_there =
			rows_get_object(w->v->txn, key_object(&k, w->source, node, part, CONTINUED_MARK, 1), &row);
		if (is_there <= 0)
			return is_there;
		if (kv_cursor_next(w->levels[w->depth - 1].cursor, &key, &value) < 0)
			return -1; /* past the row that is followed here */
		buf_add(&w->name, part.p, part.len);
		after = (struct slice){ after.p + NAME_PART, after.len - NAME_PART };
		node = row.node;
	}
	/* The file's row is the name, a directory's the name and \0: strictly after both, in a tree. */
	size_t mark_len = after.len == 0 ? 0 : layout == LAYOUT_TREE ? 2 : 1;
	return level_push(w, node, after, "\0\0", mark_len);
}

static int walk_open(struct ledger_walk *w, struct slice source, enum layout layout, struct slice place,
	struct slice after)
{
	uint64_t node = 0;
	bool gone = false;
	int is_there = rows_find_word(w->v->txn, source, &w->source);
	if (is_there > 0 && layout == LAYOUT_TREE)
		is_there = ledger_node(w->v->txn, w->source, place, &node, &gone);
	if (is_there <= 0)
		return is_there; /* an unknown place has no rows */
	return walk_start(w, node, layout, after);
}

int view_walk(struct view *v, struct slice source, enum layout layout, struct slice place, struct slice after,
	struct ledger_walk **ret, struct err *err)
{
	struct ledger_walk *w = mem_zero(1, sizeof(*w));
	w->v = v;
	w->layout = layout;
	if (walk_open(w, source, layout, place, after) < 0) {
		ledger_close(w);
		return view_failed_call(v, err);
	}
	*ret = w;
	return 0;
}

static void level_pop(struct ledger_walk *w)
{
	kv_cursor_close(w->levels[--w->depth].cursor);
}

/* The next row of the innermost level. 1, 0 the level is done, -1. */
static int level_next(struct ledger_walk *w, struct slice *ret_stored, struct object_row *ret)
{
	const struct walk_level *level = &w->levels[w->depth - 1];
	struct slice key, value;
	int is_there = kv_cursor_next(level->cursor, &key, &value);
	if (is_there <= 0)
		return is_there;
	if (key.len < OBJECT_KEY_HEAD)
		return rows_corrupt(w->v->txn, TABLE_OBJECT, key);
	if (read_be32(key.p) != w->source || read_be64(key.p + sizeof(uint32_t)) != level->node)
		return 0;
	*ret_stored = (struct slice){ key.p + OBJECT_KEY_HEAD, key.len - OBJECT_KEY_HEAD };
	if (rows_read_object(w->v->txn, key, value, ret) < 0)
		return -1;
	if (ret->kind != OBJECT_FILE && ret_stored->len == 0)
		return rows_corrupt(w->v->txn, TABLE_OBJECT, key);
	if (ret->kind != OBJECT_FILE)
		ret_stored->len--; /* its mark */
	return 1;
}

/* A file and a directory of one name: the one that is gone is passed over, of two that are gone the directory. */
static int passed_over(struct ledger_walk *w, struct slice stored, const struct object_row *row)
{
	struct key k;
	struct object_row other;
	bool directory = row->kind == OBJECT_DIRECTORY;
	if (w->layout != LAYOUT_TREE || row->state != OBJECT_GONE || row->kind == OBJECT_CONTINUED)
		return 0;
	struct slice suffix = ledger_suffix(!directory);
	uint64_t node = w->levels[w->depth - 1].node;
	int is_there = rows_get_object(w->v->txn, key_object(&k, w->source, node, stored, suffix.p, suffix.len), &other);
	return is_there <= 0 ? is_there : directory || other.state != OBJECT_GONE;
}

static int walk_next(struct ledger_walk *w, struct ledger_row *ret)
{
	while (w->depth > 0) {
		struct slice name;
		struct object_row row;
		size_t prefix_len = w->levels[w->depth - 1].prefix_len;
		int is_there = level_next(w, &name, &row);
		if (is_there < 0)
			return -1;
		if (is_there == 0) {
			level_pop(w);
			continue;
		}
		int passed = passed_over(w, name, &row);
		if (passed < 0)
			return -1;
		if (passed)
			continue;
		w->name.len = prefix_len;
		if (prefix_len > 0 || row.kind == OBJECT_CONTINUED) {
			buf_add(&w->name, name.p, name.len);
			name = buf_slice(&w->name);
		}
		if (row.kind != OBJECT_CONTINUED)
			return ledger_show(w->v->txn, name, &row, ret) < 0 ? -1 : 1;
		if (level_push(w, row.node, (struct slice){ "", 0 }, "", 0) < 0)
			return -1;
	}
	return 0;
}

int ledger_next(struct ledger_walk *w, struct ledger_row *ret, struct err *err)
{
	int is_there = walk_next(w, ret);
	return is_there < 0 ? view_failed_call(w->v, err) : is_there;
}

void ledger_close(struct ledger_walk *w)
{
	if (!w)
		return;
	while (w->depth > 0)
		level_pop(w);
	free(w->levels);
	buf_done(&w->name);
	free(w);
}

/* Sources */

static int count_of(struct view *v, enum counter what, unsigned a, uint32_t word, uint64_t *ret)
{
	return rows_counter(v->txn, counter_id(what, a, 0, word), ret);
}

static int source_fill(struct view *v, struct slice name, const struct source_value *value, struct source_row *ret)
{
	uint32_t word;
	*ret = (struct source_row){ .name = name, .kind = value->kind, .root = value->root, .state = value->state,
		.message = value->message, .last_pass_ms = value->last_pass_ms };
	if (rows_find_word(v->txn, name, &word) < 0 ||
		count_of(v, COUNTER_OBJECTS, OBJECT_PRESENT, word, &ret->present) < 0 ||
		count_of(v, COUNTER_OBJECTS, OBJECT_GONE, word, &ret->gone) < 0 ||
		count_of(v, COUNTER_OBJECTS, OBJECT_QUARANTINED, word, &ret->quarantined) < 0 ||
		count_of(v, COUNTER_OBJECTS, OBJECT_RETRYING, word, &ret->retrying) < 0 ||
		count_of(v, COUNTER_OBJECTS, OBJECT_ARCHIVED, word, &ret->archived) < 0)
		return -1;
	return count_of(v, COUNTER_SKIPPED, 0, word, &ret->skipped);
}

int view_source(struct view *v, struct slice name, struct source_row *ret, struct err *err)
{
	struct source_value value;
	int is_there = name.len == 0 ? 0 : view_settle(v) < 0 ? -1 : rows_get_source(v->txn, name, &value);
	if (is_there < 0 || (is_there && source_fill(v, name, &value, ret) < 0))
		return view_failed_call(v, err);
	return is_there;
}

int view_source_next(struct view *v, struct slice after, struct source_row *ret, struct err *err)
{
	struct slice key, value;
	struct source_value row;
	struct buf from = { 0 };
	buf_add(&from, after.p, after.len);
	if (after.len > 0)
		buf_char(&from, '\0');
	int is_there = view_settle(v) < 0 ? -1 : kv_seek(v->txn, TABLE_SOURCE, buf_slice(&from), &key, &value);
	buf_done(&from);
	if (is_there < 0 ||
		(is_there && (rows_read_source(v->txn, key, value, &row) < 0 || source_fill(v, key, &row, ret) < 0)))
		return view_failed_call(v, err);
	return is_there;
}
