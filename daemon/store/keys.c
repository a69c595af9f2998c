/* keys.c - keys are put together byte by byte. */
#include "daemon/store/keys.h"

#include "daemon/base/text.h"

#include <assert.h>
#include <endian.h>

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

struct slice key_word(struct key *k, uint32_t word)
{
	k->len = 0;
	add8(k, 2);
	add32(k, word);
	return key_slice(k);
}

struct slice key_word_bytes(struct key *k, struct slice bytes)
{
	k->len = 0;
	add8(k, 1);
	add(k, bytes.p, bytes.len);
	return key_slice(k);
}

struct slice key_word_digest(struct key *k, const struct digest128 *digest)
{
	k->len = 0;
	add8(k, 3);
	add64(k, digest->hi);
	add64(k, digest->lo);
	return key_slice(k);
}

int rows_corrupt(struct kv_txn *txn, enum table t, struct slice key)
{
	char hex[2 * 64 + 1];
	text_hex((const uint8_t *)key.p, key.len < 64 ? key.len : 64, hex);
	return kv_fail(txn, ERR_FATAL, 0,
		"the index is damaged: row %s of table %s cannot be read; \"inlet rebuild-index\" makes it anew",
		hex, table_name(t));
}
