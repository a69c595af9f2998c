/* words.c - two rows a word: by its bytes and by its number. */
#include "daemon/store/words.h"

#include <endian.h>

#define INLINE_MAX 256 /* longer ones are found by their hash */
#define DIGEST_KEY SLICE_LIT("\4")

static int word_key(struct kv_txn *txn, struct key *k, struct slice bytes)
{
	if (bytes.len <= INLINE_MAX) {
		(void)key_word_bytes(k, bytes);
		return 0;
	}
	struct hash_key hash;
	struct digest128 digest = { 0, 0 };
	int is_there = rows_digest_key(txn, &hash);
	if (is_there <= 0)
		return is_there < 0 ? -1 : rows_corrupt(txn, TABLE_META, DIGEST_KEY);
	digest128_add(&digest, &hash, bytes.p, bytes.len);
	(void)key_word_digest(k, &digest);
	return 0;
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
	return kv_put(txn, TABLE_META, key_word(&k, word), bytes);
}

int rows_word(struct kv_txn *txn, uint32_t word, struct slice *ret)
{
	if (word == 0) {
		*ret = (struct slice){ "", 0 };
		return 0;
	}
	struct key k;
	int is_there = kv_get(txn, TABLE_META, key_word(&k, word), ret);
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
		return rows_corrupt(txn, TABLE_META, key_word(&k, word));
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
