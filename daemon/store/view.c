/* view.c - a snapshot of the index and the memory of what was read from it. */
#include "daemon/store/view.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/store/internal.h"
#include "daemon/store/pending.h"
#include "daemon/store/view_internal.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#define CHUNK_BYTES 4096U

struct view_chunk {
	struct view_chunk *next;
	size_t used, size;
	uint64_t data[];
};

/* Memory */

void *view_alloc(struct view *v, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	struct view_chunk *c = v->chunks;
	if (!c || c->size - c->used < n) {
		size_t size = c ? 2 * c->size : CHUNK_BYTES;
		size = size < n ? n : size;
		c = mem_alloc(sizeof(*c) + size);
		*c = (struct view_chunk){ .next = v->chunks, .size = size };
		v->chunks = c;
	}
	void *p = (char *)c->data + c->used;
	c->used += n;
	return p;
}

struct slice view_copy(struct view *v, struct slice s)
{
	char *p = view_alloc(v, s.len + 1);
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return (struct slice){ p, s.len };
}

void *view_more(struct view *v, void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 4;
	void *to = view_alloc(v, *cap * size);
	if (count > 0)
		memcpy(to, array, count * size);
	return to;
}

/* Keeps the newest chunk, which is the largest, unless one long answer has made it very large. */
static void forget(struct view *v, size_t keep_bytes)
{
	struct view_chunk *c = v->chunks, *keep = NULL;
	while (c) {
		struct view_chunk *next = c->next;
		if (!keep && c->size <= keep_bytes)
			keep = c;
		else
			free(c);
		c = next;
	}
	v->chunks = keep;
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
}

/* Opening and closing */

int view_open_kv(struct kv *kv, struct view **ret, struct err *err)
{
	CLEANUP(view_closep) struct view *v = mem_zero(1, sizeof(*v));
	if (kv_begin(kv, false, &v->txn, err) < 0)
		return -1;
	int is_there = rows_digest_key(v->txn, &v->digest_key);
	if (is_there < 0)
		return view_failed_call(v, err);
	if (is_there == 0)
		return err_set(err, ERR_FATAL, 0, "the index has no digest key: it was never set up (apply_init)");
	*ret = TAKE_PTR(v);
	return 0;
}

int view_open(struct store *s, struct view **ret, struct err *err)
{
	return view_open_kv(store_kv(s), ret, err);
}

struct view *view_of_txn(struct kv_txn *txn)
{
	struct pending *p = pending_of(txn);
	if (!p)
		return NULL;
	struct view *v = mem_zero(1, sizeof(*v));
	v->txn = txn;
	v->borrowed = true;
	v->digest_key = *pending_digest_key(p);
	return v;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	if (!v->borrowed)
		kv_abort(v->txn);
	forget(v, 0);
	buf_done(&v->scratch);
	free(v);
}

void view_rest(struct view *v)
{
	assert(!v->borrowed);
	if (!v->rests)
		kv_reset(v->txn);
	v->rests = true;
}

int view_renew(struct view *v, struct err *err)
{
	view_rest(v);
	forget(v, 64 * CHUNK_BYTES);
	if (kv_renew(v->txn, err) < 0)
		return -1;
	v->rests = false;
	return 0;
}

int view_settle(struct view *v)
{
	return v->borrowed ? pending_flush(v->txn) : 0;
}

int view_failed_call(struct view *v, struct err *err)
{
	return kv_failed(v->txn, err);
}

const struct hash_key *view_digest_key(struct view *v)
{
	return &v->digest_key;
}

uint64_t view_revision(struct view *v)
{
	uint64_t revision;
	if (view_settle(v) < 0 || rows_counter(v->txn, counter_id(COUNTER_REVISION, 0, 0, 0), &revision) < 0)
		return 0;
	return revision;
}

int view_meta(struct view *v, const char *name, struct slice *ret)
{
	return kv_get(v->txn, TABLE_META, slice_of(name), ret);
}
