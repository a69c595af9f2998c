/* keys.h - the keys of the index's rows.
 *
 * Numbers in keys are big-endian, so that memcmp order is their order. */
#ifndef INLET_STORE_KEYS_H
#define INLET_STORE_KEYS_H

#include "daemon/model/record.h"
#include "daemon/store/kv.h"

#define KEY_MAX 511 /* what LMDB takes */

struct key {
	uint8_t bytes[KEY_MAX];
	size_t len;
};
static inline struct slice key_slice(const struct key *k)
{
	return (struct slice){ (const char *)k->bytes, k->len };
}

/* TABLE_CONTENT: sha256 -> u64 item. TABLE_ITEM: u64 item. TABLE_BY_STATE: u8 state, u64 item -> nothing. */
struct slice key_item(struct key *k, uint64_t item);
struct slice key_by_state(struct key *k, enum item_state state, uint64_t item);
/* TABLE_REF: (item, object) -> nothing. TABLE_OBJECT_KEY: (0, object) -> the object's key in TABLE_OBJECT. */
struct slice key_ref(struct key *k, uint64_t item, uint64_t object);
/* TABLE_RUN: u64 item, u32 word of the model version. TABLE_ANNOTATION: u64 item, u32 n. TABLE_DERIVED: u64 item, u8
 * kind. */
struct slice key_run(struct key *k, uint64_t item, uint32_t version);
struct slice key_annotation(struct key *k, uint64_t item, uint32_t n);
struct slice key_derived(struct key *k, uint64_t item, enum derived_kind kind);
/* TABLE_WORK: u8 stage, u8 media, i64 due_ms (sign bit flipped), u64 number -> u32 attempts. */
struct slice key_work(struct key *k, enum stage stage, enum media media, int64_t due_ms, uint64_t number);
/* TABLE_FAILURE: u8 subject, u64 number. */
struct slice key_failure(struct key *k, enum failure_subject subject, uint64_t number);
/* TABLE_DIRECTORY: u32 word of the source, u64 node. TABLE_OBJECT: the same, then the stored name (ledger.h). */
struct slice key_directory(struct key *k, uint32_t source, uint64_t node);
struct slice key_object(struct key *k, uint32_t source, uint64_t node, struct slice name, const char *suffix,
	size_t suffix_len);
#define OBJECT_KEY_HEAD 12
/* TABLE_META: \2, u32 word -> its bytes; \1, its bytes -> u32 word; \3, the digest of long bytes -> u32 word. */
struct slice key_word(struct key *k, uint32_t word);
struct slice key_word_bytes(struct key *k, struct slice bytes);
struct slice key_word_digest(struct key *k, const struct digest128 *digest);

uint64_t read_be64(const void *p);
uint32_t read_be32(const void *p);
int64_t read_due(const void *p); /* as key_work() wrote it */

/* A row that cannot be read: fails the transaction with the table and the key named. -1 */
int rows_corrupt(struct kv_txn *txn, enum table t, struct slice key);

#endif
