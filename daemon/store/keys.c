/* keys.c - keys of the index's rows, its counters and its words (rows.h). */
#include "daemon/store/rows.h"

#include <assert.h>
#include <endian.h>

#define WORD_INLINE_MAX 256
#define DIGEST_KEY SLICE_LIT("\4")

static void add(struct key *k, const void *p, size_t n)
{
	assert(k->len + n <= KEY_MAX);
	memcpy(k->bytes + k->len, p, n);
	k->len += n;
}

static void add8(struct key *k, unsigned n)
{
	uint8_t byte = (uint8_t)n;
	add(k, &byte, 1);
}

static void add32(struct key *k, uint32_t n)
{
	n = htobe32(n);
	add(k, &n, sizeof(n));
}

static void add64(struct key *k, uint64_t n)
{
	n = htobe64(n);
	add(k, &n, sizeof(n));
}

uint64_t read_be64(const void *p)
{
	uint64_t n;
	memcpy(&n, p, sizeof(n));
	return be64toh(n);
}

uint32_t read_be32(const void *p)
{
	uint32_t n;
	memcpy(&n, p, sizeof(n));
	return be32toh(n);
}

int64_t read_due(const void *p)
{
	return (int64_t)(read_be64(p) ^ (1ULL << 63));
}

struct slice key_item(struct key *k, uint64_t item)
{
	k->len = 0;
	add64(k, item);
	return key_slice(k);
}

struct slice key_by_state(struct key *k, enum item_state state, uint64_t item)
{
	k->len = 0;
	add8(k, state);
	add64(k, item);
	return key_slice(k);
}

struct slice key_ref(struct key *k, uint64_t item, uint64_t object)
{
	k->len = 0;
	add64(k, item);
	add64(k, object);
	return key_slice(k);
}

struct slice key_run(struct key *k, uint64_t item, uint32_t version)
{
	k->len = 0;
	add64(k, item);
	add32(k, version);
	return key_slice(k);
}

struct slice key_annotation(struct key *k, uint64_t item, uint32_t n)
{
	return key_run(k, item, n);
}

struct slice key_derived(struct key *k, uint64_t item, enum derived_kind kind)
{
	k->len = 0;
	add64(k, item);
	add8(k, kind);
	return key_slice(k);
}

struct slice key_work(struct key *k, enum stage stage, enum media media, int64_t due_ms, uint64_t number)
{
	k->len = 0;
	add8(k, stage);
	add8(k, media);
	add64(k, (uint64_t)due_ms ^ (1ULL << 63));
	add64(k, number);
	return key_slice(k);
}

struct slice key_failure(struct key *k, enum failure_subject subject, uint64_t number)
{
	k->len = 0;
	add8(k, subject);
	add64(k, number);
	return key_slice(k);
}

struct slice key_directory(struct key *k, uint32_t source, uint64_t node)
{
	k->len = 0;
	add32(k, source);
	add64(k, node);
	return key_slice(k);
}

struct slice key_object(struct key *k, uint32_t source, uint64_t node, struct slice name, const char *suffix,
	size_t suffix_len)
{
	(void)key_directory(k, source, node);
	if (name.len > 0)
		add(k, name.p, name.len);
	add(k, suffix, suffix_len);
	return key_slice(k);
}

/* Counters */

uint64_t counter_id(enum counter what, unsigned a, unsigned b, uint32_t word)
{
	return (uint64_t)what << 56 | (uint64_t)a << 48 | (uint64_t)b << 40 | word;
}

int rows_counter(struct kv_txn *txn, uint64_t id, uint64_t *ret)
{
	struct key k;
	struct slice value;
	int is_there = kv_get(txn, TABLE_COUNTER, key_item(&k, id), &value);
	if (is_there < 0)
		return -1;
	if (is_there && value.len != sizeof(uint64_t))
		return rows_corrupt(txn, TABLE_COUNTER, key_slice(&k));
	uint64_t n = 0;
	if (is_there)
		memcpy(&n, value.p, sizeof(n));
	*ret = le64toh(n);
	return 0;
}

int rows_put_counter(struct kv_txn *txn, uint64_t id, uint64_t value)
{
	struct key k;
	uint64_t n = htole64(value);
	return kv_put(txn, TABLE_COUNTER, key_item(&k, id), (struct slice){ (const char *)&n, sizeof(n) });
}

/* Words */

static int word_key(struct kv_txn *txn, struct key *k, struct slice bytes)
{
	k->len = 0;
	if (bytes.len <= WORD_INLINE_MAX) {
		add8(k, 1);
		add(k, bytes.p, bytes.len);
		return 0;
	}
	struct hash_key hash;
	struct digest128 digest = { 0, 0 };
	int is_there = rows_digest_key(txn, &hash);
	if (is_there <= 0)
		return is_there < 0 ? -1 : rows_corrupt(txn, TABLE_META, DIGEST_KEY);
	digest128_add(&digest, &hash, bytes.p, bytes.len);
	add8(k, 3);
	add64(k, digest.hi);
	add64(k, digest.lo);
	return 0;
}

static struct slice word_back_key(struct key *k, uint32_t word)
{
	k->len = 0;
	add8(k, 2);
	add32(k, word);
	return key_slice(k);
}

int rows_find_word(struct kv_txn *txn, struct slice bytes, uint32_t *ret)
{
	if (bytes.len == 0) {
		*ret = 0;
		return 1;
	}
	struct key k;
	struct slice value;
	if (word_key(txn, &k, bytes) < 0)
		return -1;
	int is_there = kv_get(txn, TABLE_META, key_slice(&k), &value);
	if (is_there <= 0)
		return is_there;
	if (value.len != sizeof(uint32_t))
		return rows_corrupt(txn, TABLE_META, key_slice(&k));
	uint32_t n;
	memcpy(&n, value.p, sizeof(n));
	*ret = le32toh(n);
	return 1;
}

int rows_put_word(struct kv_txn *txn, struct slice bytes, uint32_t word)
{
	struct key k;
	uint32_t n = htole32(word);
	if (word_key(txn, &k, bytes) < 0 ||
		kv_put(txn, TABLE_META, key_slice(&k), (struct slice){ (const char *)&n, sizeof(n) }) < 0)
		return -1;
	return kv_put(txn, TABLE_META, word_back_key(&k, word), bytes);
}

int rows_word(struct kv_txn *txn, uint32_t word, struct slice *ret)
{
	if (word == 0) {
		*ret = (struct slice){ "", 0 };
		return 0;
	}
	struct key k;
	int is_there = kv_get(txn, TABLE_META, word_back_key(&k, word), ret);
	return is_there > 0 ? 0 : is_there < 0 ? -1 : rows_corrupt(txn, TABLE_META, key_slice(&k));
}

int rows_version_word(struct kv_txn *txn, uint32_t word, struct content_id *ret)
{
	struct slice bytes;
	if (rows_word(txn, word, &bytes) < 0)
		return -1;
	*ret = (struct content_id){ 0 };
	if (word == 0)
		return 0;
	if (bytes.len != SHA256_BYTES) {
		struct key k;
		return rows_corrupt(txn, TABLE_META, word_back_key(&k, word));
	}
	memcpy(ret->sha256, bytes.p, SHA256_BYTES);
	return 0;
}

int rows_digest_key(struct kv_txn *txn, struct hash_key *ret)
{
	struct slice value;
	int is_there = kv_get(txn, TABLE_META, DIGEST_KEY, &value);
	if (is_there <= 0)
		return is_there;
	if (value.len != sizeof(ret->bytes))
		return rows_corrupt(txn, TABLE_META, DIGEST_KEY);
	memcpy(ret->bytes, value.p, sizeof(ret->bytes));
	return 1;
}

int rows_put_digest_key(struct kv_txn *txn, const struct hash_key *key)
{
	return kv_put(txn, TABLE_META, DIGEST_KEY, (struct slice){ (const char *)key->bytes, sizeof(key->bytes) });
}
