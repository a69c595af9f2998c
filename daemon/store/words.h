/* words.h - strings that repeat over millions of rows (source names, media types, concepts, model names and versions, workers): a
 * u32 each, given once, kept in TABLE_META; and the key of the digests, which lies there too. */
#ifndef INLET_STORE_WORDS_H
#define INLET_STORE_WORDS_H

#include "daemon/store/keys.h"

/* Those of more than 256 bytes are found by their keyed 128-bit hash. */
int rows_find_word(struct kv_txn *txn, struct slice bytes, uint32_t *ret); /* 1, 0, -1; empty bytes are word 0 */
int rows_put_word(struct kv_txn *txn, struct slice bytes, uint32_t word);
int rows_word(struct kv_txn *txn, uint32_t word, struct slice *ret);       /* 0, -1: no such word */
int rows_version_word(struct kv_txn *txn, uint32_t word, struct content_id *ret); /* 0, -1; word 0 is none */
/* TABLE_META, \4: the 16-byte key of the directory digests. */
int rows_digest_key(struct kv_txn *txn, struct hash_key *ret); /* 1, 0, -1 */
int rows_put_digest_key(struct kv_txn *txn, const struct hash_key *key);

#endif
