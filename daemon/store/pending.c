/* pending.c - counters and directories of a running write transaction, put when it commits (pending.h). */
#include "daemon/store/pending.h"

#include "daemon/base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define FNV_BASIS 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL

struct counter_slot {
	uint64_t id; /* 0: free */
	uint64_t value;
	bool dirty;
};

struct pending {
	struct kv_txn *txn;
	struct hash_key digest_key;
	struct counter_slot *counters; /* open addressing; counter_size is a power of two, at most half are used */
	size_t counter_size, counter_count;
	struct place **places;         /* the same */
	size_t place_size, place_count;
	struct place *last;            /* files arrive directory by directory, */
	char *source;                  /* and source by source: the last one whose row is known to be there */
	size_t source_len;
	uint32_t source_word;
	uint64_t *touched;             /* items */
	size_t touched_count, touched_cap;
	struct content_id claimed;     /* the last content claimed, and for which item; 0: none */
	uint64_t claimed_by;
};

static uint64_t mix(uint64_t n)
{
	n ^= n >> 33;
	n *= 0xff51afd7ed558ccdULL;
	return n ^ n >> 33;
}

/* Counters */

static struct counter_slot *counter_find(struct counter_slot *slots, size_t size, uint64_t id)
{
	size_t i = mix(id) & (size - 1);
	while (slots[i].id != 0 && slots[i].id != id)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void counters_grow(struct pending *p)
{
	size_t size = p->counter_size ? 2 * p->counter_size : 128;
	struct counter_slot *to = mem_zero(size, sizeof(*to));
	for (size_t i = 0; i < p->counter_size; i++)
		if (p->counters[i].id != 0)
			*counter_find(to, size, p->counters[i].id) = p->counters[i];
	free(p->counters);
	p->counters = to;
	p->counter_size = size;
}

static struct counter_slot *counter_slot(struct pending *p, uint64_t id)
{
	if (2 * (p->counter_count + 1) > p->counter_size)
		counters_grow(p);
	struct counter_slot *slot = counter_find(p->counters, p->counter_size, id);
	if (slot->id == 0) {
		uint64_t value;
		if (rows_counter(p->txn, id, &value) < 0)
			return NULL;
		*slot = (struct counter_slot){ .id = id, .value = value };
		p->counter_count++;
	}
	return slot;
}

int pending_count(struct pending *p, uint64_t counter, int64_t change)
{
	struct counter_slot *slot = counter_slot(p, counter);
	if (!slot)
		return -1;
	if (change < 0 && slot->value < (uint64_t)-change)
		return kv_fail(p->txn, ERR_FATAL, 0,
			"the index is damaged: counter %" PRIx64
			" would fall below 0; \"inlet rebuild-index\" makes it anew",
			counter);
	slot->value += (uint64_t)change;
	slot->dirty = true;
	return 0;
}

int pending_raise(struct pending *p, uint64_t counter, uint64_t to)
{
	struct counter_slot *slot = counter_slot(p, counter);
	if (!slot)
		return -1;
	if (slot->value < to) {
		slot->value = to;
		slot->dirty = true;
	}
	return 0;
}

int pending_value(struct pending *p, uint64_t counter, uint64_t *ret)
{
	struct counter_slot *slot = counter_slot(p, counter);
	if (!slot)
		return -1;
	*ret = slot->value;
	return 0;
}

uint64_t pending_next(struct pending *p, uint64_t counter)
{
	struct counter_slot *slot = counter_slot(p, counter);
	if (!slot)
		return 0;
	slot->dirty = true;
	return ++slot->value;
}

void pending_claim(struct pending *p, const struct content_id *id, uint64_t item)
{
	p->claimed = *id;
	p->claimed_by = item;
}

void pending_touch(struct pending *p, uint64_t item)
{
	if (p->touched_count == p->touched_cap) {
		p->touched_cap = p->touched_cap ? 2 * p->touched_cap : 16;
		p->touched = mem_resize(p->touched, p->touched_cap, sizeof(*p->touched));
	}
	p->touched[p->touched_count++] = item;
}

size_t pending_touched(struct pending *p, const uint64_t **ret)
{
	size_t n = p->touched_count;
	*ret = p->touched;
	p->touched_count = 0;
	return n;
}

bool pending_claimed(const struct pending *p, const struct content_id *id, uint64_t item)
{
	return p->claimed_by == item && content_id_eq(&p->claimed, id);
}

int pending_word(struct pending *p, struct slice bytes, uint32_t *ret)
{
	int is_there = rows_find_word(p->txn, bytes, ret);
	if (is_there != 0)
		return is_there < 0 ? -1 : 0;
	uint64_t word = pending_next(p, counter_id(COUNTER_LAST_WORD, 0, 0, 0));
	if (word > UINT32_MAX)
		return kv_fail(p->txn, ERR_FATAL, 0, "the index holds 2^32 distinct names: it cannot hold one more");
	if (word == 0 || rows_put_word(p->txn, bytes, (uint32_t)word) < 0)
		return -1;
	*ret = (uint32_t)word;
	return 0;
}

const struct hash_key *pending_digest_key(struct pending *p)
{
	return &p->digest_key;
}

int pending_source(struct pending *p, struct slice name, bool make, uint32_t *ret)
{
	if (p->source && slice_eq(name, (struct slice){ p->source, p->source_len })) {
		*ret = p->source_word;
		return 1;
	}
	if (name.len == 0 || name.len > KEY_MAX)
		return kv_fail(p->txn, ERR_FATAL, 0, "a source's name has %zu bytes: 1 to %d are possible", name.len,
			KEY_MAX);
	struct source_value row = { 0 };
	int is_there = rows_get_source(p->txn, name, &row);
	if (is_there < 0 || (!is_there && !make))
		return is_there;
	if (!is_there && rows_put_source(p->txn, name, &row) < 0)
		return -1;
	if (pending_word(p, name, ret) < 0)
		return -1;
	free(p->source);
	p->source = mem_strndup(name.p, name.len);
	p->source_len = name.len;
	p->source_word = *ret;
	return 1;
}

/* Places */

static struct place **place_find(struct place **slots, size_t size, uint64_t hash, uint32_t source, struct slice path)
{
	size_t i = hash & (size - 1);
	for (; slots[i]; i = (i + 1) & (size - 1)) {
		struct place *at = slots[i];
		if (at->hash == hash && at->source == source &&
			slice_eq((struct slice){ at->path, at->path_len }, path))
			break;
	}
	return &slots[i];
}

static void places_grow(struct pending *p)
{
	size_t size = p->place_size ? 2 * p->place_size : 64;
	struct place **to = mem_zero(size, sizeof(struct place *));
	for (size_t i = 0; i < p->place_size; i++) {
		struct place *at = p->places[i];
		if (at)
			*place_find(to, size, at->hash, at->source, (struct slice){ at->path, at->path_len }) = at;
	}
	free(p->places);
	p->places = to;
	p->place_size = size;
}

static void place_free(struct place *at)
{
	free((char *)at->row.name.p);
	free(at->path);
	free(at);
}

static uint64_t hash_source(uint32_t source)
{
	return (FNV_BASIS ^ source) * FNV_PRIME;
}

static uint64_t hash_more(uint64_t hash, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (uint8_t)s.p[i]) * FNV_PRIME;
	return hash;
}

/* Takes the place into the cache; the row's name is copied. */
static struct place *place_keep(struct pending *p, struct place *parent, const struct place *like, struct slice path)
{
	if (2 * (p->place_count + 1) > p->place_size)
		places_grow(p);
	struct place *at = mem_alloc(sizeof(*at));
	*at = *like;
	at->parent = parent;
	at->path = mem_strndup(path.len > 0 ? path.p : "", path.len);
	at->path_len = path.len;
	at->row.name.p = mem_strndup(like->row.name.len > 0 ? like->row.name.p : "", like->row.name.len);
	*place_find(p->places, p->place_size, at->hash, at->source, path) = at;
	p->place_count++;
	return at;
}

/* Where a name leads below a node, made if it is not there: a node that is a continued name or a directory. */
static int node_make(struct pending *p, uint32_t source, const struct key *at, enum object_kind kind,
	uint64_t *ret_node)
{
	*ret_node = pending_next(p, counter_id(COUNTER_LAST_NODE, 0, 0, 0));
	struct object_row row = { .kind = kind, .node = *ret_node,
		.state = kind == OBJECT_CONTINUED ? OBJECT_PRESENT : OBJECT_GONE };
	if (*ret_node == 0 || rows_put_object(p->txn, key_slice(at), &row) < 0)
		return -1;
	if (kind != OBJECT_CONTINUED)
		return 0; /* its directory row is kept here and put when the transaction commits */
	struct directory_row dir = { .continued = true, .parent = read_be64(at->bytes + sizeof(uint32_t)),
		.name = { (const char *)at->bytes + OBJECT_KEY_HEAD, NAME_PART } };
	return rows_put_directory(p->txn, source, *ret_node, &dir);
}

/* Key of the row for name below a node, and the node that holds it, which the name's continuation may have made. */
static int slot_make(struct pending *p, uint32_t source, uint64_t *node, struct slice *name, bool directory,
	struct key *ret)
{
	while (name->len > NAME_PART) {
		struct object_row row;
		struct slice part = { name->p, NAME_PART };
		int is_there = rows_get_object(p->txn, key_object(ret, source, *node, part, CONTINUED_MARK, 1), &row);
		if (is_there < 0 || (!is_there && node_make(p, source, ret, OBJECT_CONTINUED, &row.node) < 0))
			return -1;
		*node = row.node;
		*name = (struct slice){ name->p + NAME_PART, name->len - NAME_PART };
	}
	struct slice suffix = ledger_suffix(directory);
	(void)key_object(ret, source, *node, *name, suffix.p, suffix.len);
	return 0;
}

int pending_slot(struct pending *p, struct place *at, struct slice name, bool directory, struct key *ret)
{
	uint64_t node = at->node;
	return slot_make(p, at->source, &node, &name, directory, ret);
}

/* The root has no row of its own in TABLE_OBJECT. */
static int root_load(struct pending *p, uint32_t source, bool make, struct place *ret)
{
	*ret = (struct place){ .source = source, .hash = hash_source(source), .state = OBJECT_PRESENT };
	int is_there = rows_get_directory(p->txn, source, 0, &ret->row);
	if (is_there == 0 && make)
		ret->dirty = true;
	return is_there == 0 && make ? 1 : is_there;
}

static int child_load(struct pending *p, struct place *parent, struct slice name, bool make, struct place *ret)
{
	struct key k;
	struct object_row row;
	*ret = (struct place){ .source = parent->source };
	int is_there = ledger_slot(p->txn, parent->source, parent->node, name, true, &k);
	if (is_there > 0)
		is_there = rows_get_object(p->txn, key_slice(&k), &row);
	if (is_there < 0)
		return -1;
	if (is_there) {
		ret->node = row.node;
		ret->state = row.state;
		int has_row = rows_get_directory(p->txn, parent->source, row.node, &ret->row);
		return has_row == 0 ? rows_corrupt(p->txn, TABLE_OBJECT, key_slice(&k)) : has_row;
	}
	if (!make)
		return 0;
	uint64_t above = parent->node;
	if (slot_make(p, parent->source, &above, &name, true, &k) < 0 ||
		node_make(p, parent->source, &k, OBJECT_DIRECTORY, &ret->node) < 0)
		return -1;
	ret->state = OBJECT_GONE;
	ret->row = (struct directory_row){ .parent = above, .name = name };
	ret->dirty = true;
	return 1;
}

/* One step down from parent (NULL: to the root), from the cache or the index. 1, 0 not there, -1. */
static int step(struct pending *p, struct place *parent, uint32_t source, uint64_t hash, struct slice path,
	struct slice name, bool make, struct place **ret)
{
	struct place *at = p->place_size ? *place_find(p->places, p->place_size, hash, source, path) : NULL;
	if (!at) {
		struct place like;
		int is_there = parent ? child_load(p, parent, name, make, &like) : root_load(p, source, make, &like);
		if (is_there <= 0)
			return is_there;
		like.hash = hash;
		at = place_keep(p, parent, &like, path);
	}
	*ret = at;
	return 1;
}

static int place_at(struct pending *p, uint32_t source, struct slice path, bool make, struct place **ret)
{
	struct place *at = p->last;
	if (at && at->source == source && slice_eq((struct slice){ at->path, at->path_len }, path)) {
		*ret = at;
		return 1;
	}
	uint64_t hash = hash_source(source);
	int is_there = step(p, NULL, source, hash, (struct slice){ "", 0 }, (struct slice){ "", 0 }, make, &at);
	for (size_t from = 0; is_there > 0 && path.len > 0 && from <= path.len;) {
		const char *slash = memchr(path.p + from, '/', path.len - from);
		struct slice name = { path.p + from, (slash ? (size_t)(slash - path.p) : path.len) - from };
		hash = hash_more(hash_more(hash, SLICE_LIT("/")), name);
		from += name.len + 1;
		is_there = step(p, at, source, hash, (struct slice){ path.p, from - 1 }, name, make, &at);
	}
	if (is_there <= 0)
		return is_there;
	p->last = *ret = at;
	return 1;
}

struct place *pending_place(struct pending *p, uint32_t source, struct slice path)
{
	struct place *at;
	return place_at(p, source, path, true, &at) > 0 ? at : NULL;
}

int pending_find_place(struct pending *p, uint32_t source, struct slice path, struct place **ret)
{
	return place_at(p, source, path, false, ret);
}

/* The transaction's end */

static int flush(struct kv_txn *txn, void *kept)
{
	struct pending *p = kept;
	for (size_t i = 0; i < p->place_size; i++) {
		struct place *at = p->places[i];
		if (!at || !at->dirty)
			continue;
		if (rows_put_directory(txn, at->source, at->node, &at->row) < 0)
			return -1;
		at->dirty = false;
	}
	for (size_t i = 0; i < p->counter_size; i++) {
		struct counter_slot *slot = &p->counters[i];
		if (!slot->dirty)
			continue;
		if (rows_put_counter(txn, slot->id, slot->value) < 0)
			return -1;
		slot->dirty = false;
	}
	return 0;
}

static void drop(void *kept)
{
	struct pending *p = kept;
	for (size_t i = 0; i < p->place_size; i++)
		if (p->places[i])
			place_free(p->places[i]);
	free(p->places);
	free(p->counters);
	free(p->source);
	free(p->touched);
	free(p);
}

static const struct kv_hook hook = { flush, drop };

struct pending *pending_of(struct kv_txn *txn)
{
	struct pending *p = kv_kept(txn);
	if (p)
		return p;
	assert(kv_writes(txn));
	struct hash_key key;
	int is_there = rows_digest_key(txn, &key);
	if (is_there <= 0) {
		(void)kv_fail(txn, ERR_FATAL, 0, "the index has no digest key: it was never set up (apply_init)");
		return NULL;
	}
	p = mem_zero(1, sizeof(*p));
	p->txn = txn;
	p->digest_key = key;
	kv_keep(txn, &hook, p);
	return p;
}

int pending_flush(struct kv_txn *txn)
{
	struct pending *p = kv_kept(txn);
	return p ? flush(txn, p) : 0;
}
