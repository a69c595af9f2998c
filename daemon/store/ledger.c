/* ledger.c - finds the row of a key, and the key of a row, in TABLE_OBJECT (ledger.h). */
#include "daemon/store/ledger.h"

#define DEPTH_MAX 65536 /* nodes from a row to its root: more is a damaged index that runs in a circle */

struct slice ledger_suffix(bool directory)
{
	return directory ? (struct slice){ DIRECTORY_MARK, 1 } : (struct slice){ "", 0 };
}

void ledger_split(enum layout layout, struct slice key, struct slice *ret_place, struct slice *ret_name)
{
	const char *slash = layout == LAYOUT_TREE && key.len > 0 ? memrchr(key.p, '/', key.len) : NULL;
	if (!slash) {
		*ret_place = (struct slice){ "", 0 };
		*ret_name = key;
		return;
	}
	size_t before = (size_t)(slash - key.p);
	*ret_place = (struct slice){ key.p, before };
	*ret_name = (struct slice){ slash + 1, key.len - before - 1 };
}

int ledger_slot(struct kv_txn *txn, uint32_t source, uint64_t node, struct slice name, bool directory, struct key *ret)
{
	while (name.len > NAME_PART) {
		struct object_row row;
		struct slice part = { name.p, NAME_PART };
		int is_there = rows_get_object(txn, key_object(ret, source, node, part, CONTINUED_MARK, 1), &row);
		if (is_there <= 0)
			return is_there;
		if (row.kind != OBJECT_CONTINUED)
			return rows_corrupt(txn, TABLE_OBJECT, key_slice(ret));
		node = row.node;
		name = (struct slice){ name.p + NAME_PART, name.len - NAME_PART };
	}
	struct slice suffix = ledger_suffix(directory);
	(void)key_object(ret, source, node, name, suffix.p, suffix.len);
	return 1;
}

static int find_row(struct kv_txn *txn, uint32_t source, uint64_t node, struct slice name, bool directory,
	struct key *ret_key, struct object_row *ret)
{
	int is_there = ledger_slot(txn, source, node, name, directory, ret_key);
	return is_there > 0 ? rows_get_object(txn, key_slice(ret_key), ret) : is_there;
}

int ledger_node(struct kv_txn *txn, uint32_t source, struct slice path, uint64_t *ret_node, bool *ret_gone)
{
	*ret_node = 0;
	*ret_gone = false;
	if (path.len == 0)
		return 1;
	uint64_t node = 0;
	const char *end = path.p + path.len;
	for (const char *p = path.p; p <= end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		const char *stop = slash ? slash : end;
		struct key k;
		struct object_row row;
		int is_there = find_row(txn, source, node, (struct slice){ p, (size_t)(stop - p) }, true, &k, &row);
		if (is_there <= 0)
			return is_there;
		if (row.kind != OBJECT_DIRECTORY)
			return rows_corrupt(txn, TABLE_OBJECT, key_slice(&k));
		node = row.node;
		*ret_gone = row.state == OBJECT_GONE;
		p = stop + 1;
	}
	*ret_node = node;
	return 1;
}

int ledger_find(struct kv_txn *txn, uint32_t source, enum layout layout, struct slice key, struct key *ret_key,
	struct object_row *ret)
{
	struct slice place, name;
	uint64_t node;
	bool gone;
	ledger_split(layout, key, &place, &name);
	int is_there = ledger_node(txn, source, place, &node, &gone);
	if (is_there <= 0)
		return is_there;
	is_there = find_row(txn, source, node, name, false, ret_key, ret);
	if (is_there < 0 || layout != LAYOUT_TREE || (is_there && ret->state != OBJECT_GONE))
		return is_there;
	struct key dir_key;
	struct object_row dir;
	int is_dir = find_row(txn, source, node, name, true, &dir_key, &dir);
	if (is_dir <= 0 || (is_there && dir.state == OBJECT_GONE))
		return is_dir < 0 ? -1 : is_there;
	*ret_key = dir_key;
	*ret = dir;
	return 1;
}

static void reverse(char *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		char c = p[i];
		p[i] = p[n - 1 - i];
		p[n - 1 - i] = c;
	}
}

/* The path is met from its end: collect it backwards, then turn it round. */
static void add_backwards(struct buf *to, struct slice s)
{
	char *at = buf_grow(to, s.len);
	for (size_t i = 0; i < s.len; i++)
		at[i] = s.p[s.len - 1 - i];
	to->len += s.len;
}

int ledger_path(struct kv_txn *txn, struct slice object_key, struct buf *to)
{
	if (object_key.len < OBJECT_KEY_HEAD)
		return rows_corrupt(txn, TABLE_OBJECT, object_key);
	size_t start = to->len;
	uint32_t source = read_be32(object_key.p);
	uint64_t node = read_be64(object_key.p + sizeof(uint32_t));
	add_backwards(to, (struct slice){ object_key.p + OBJECT_KEY_HEAD, object_key.len - OBJECT_KEY_HEAD });
	for (int depth = 0; node != 0; depth++) {
		struct directory_row dir;
		int is_there = rows_get_directory(txn, source, node, &dir);
		if (is_there < 0)
			return -1;
		if (!is_there || depth == DEPTH_MAX)
			return rows_corrupt(txn, TABLE_OBJECT, object_key);
		if (!dir.continued)
			buf_char(to, '/');
		add_backwards(to, dir.name);
		node = dir.parent;
	}
	reverse(to->data + start, to->len - start);
	return 0;
}

int ledger_show(struct kv_txn *txn, struct slice name, const struct object_row *row, struct ledger_row *ret)
{
	*ret = (struct ledger_row){ .name = name,
		.directory = row->kind == OBJECT_DIRECTORY,
		.state = row->state,
		.racy = row->racy,
		.version = row->version,
		.bytes = row->bytes,
		.object = row->number,
		.item = row->item };
	if (row->state == OBJECT_PRESENT || row->state == OBJECT_GONE)
		return 0;
	struct failure_row failure;
	int is_there = rows_get_failure(txn, SUBJECT_OBJECT, row->number, &failure);
	if (is_there > 0) {
		ret->version = failure.version;
		ret->bytes = failure.bytes;
		ret->due_ms = failure.archived ? failure.due_ms : 0;
	}
	return is_there < 0 ? -1 : 0;
}
