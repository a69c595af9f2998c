/* rows.h - how the values of the index's rows look (keys.h: their keys; words.h: the strings that they share; counters.h).
 *
 * Numbers in values are little-endian. Every value that may change its form begins with a format byte. A value that does not
 * decode fails its transaction with ERR_FATAL and the table and key named, never more.
 *
 * rows_get_X(): 1 found, 0 not, -1 the transaction failed. rows_put_X(): 0, -1. Slices of a row that was read lie in
 * the map: valid until the next write in the transaction or its end. */
#ifndef INLET_STORE_ROWS_H
#define INLET_STORE_ROWS_H

#include "daemon/model/record.h"
#include "daemon/store/counters.h"
#include "daemon/store/words.h"

struct item_row {
	enum item_state state;
	enum stage failed_stage;
	enum media media;
	struct location at;
	uint64_t bytes;
	struct content_id content;
	int64_t due_ms;          /* of its work row, when its state has work */
	uint32_t annotations;    /* the highest n given */
	uint32_t media_type;     /* word; 0 until normalized or refused */
	uint32_t width, height, normalizer; /* and the rest: 0 until normalized */
	struct content_id canonical;
	struct slice facts;
};
int rows_get_item(struct kv_txn *txn, uint64_t item, struct item_row *ret);
int rows_put_item(struct kv_txn *txn, uint64_t item, const struct item_row *row);
int rows_read_item(struct kv_txn *txn, struct slice key, struct slice value, struct item_row *ret); /* 0, -1 */

enum object_kind { OBJECT_FILE = 1, OBJECT_DIRECTORY, OBJECT_CONTINUED };
struct object_row {
	enum object_kind kind;
	enum object_state state;
	enum layout layout;      /* file: how its source's keys are laid out */
	bool racy;
	bool ref_gone;           /* file: its item was last known gone from it; a failed attempt does not change that */
	uint64_t node;           /* directory, continued: where the rows below it are */
	uint64_t number, item;   /* file: item 0 while none was ever fetched */
	uint64_t bytes;          /* file: of that item's version */
	struct slice version;    /* file: the version that the item came from */
};
int rows_get_object(struct kv_txn *txn, struct slice key, struct object_row *ret);
int rows_put_object(struct kv_txn *txn, struct slice key, const struct object_row *row);
int rows_read_object(struct kv_txn *txn, struct slice key, struct slice value, struct object_row *ret); /* 0, -1 */

/* One node below which rows lie: a directory of a tree, the one place of a flat source, a continued name. */
struct directory_row {
	bool continued;          /* no '/' between its name and what lies below */
	bool mounted;            /* another file system was mounted on it when it was last read */
	uint64_t parent;         /* node; the root (node 0) is its own parent */
	uint64_t count;          /* terms in the digest: present files and known directories */
	struct digest128 digest;
	uint64_t unsettled;      /* rows that are racy, retrying or quarantined */
	uint32_t skipped;
	struct slice name;
};
int rows_get_directory(struct kv_txn *txn, uint32_t source, uint64_t node, struct directory_row *ret);
int rows_put_directory(struct kv_txn *txn, uint32_t source, uint64_t node, const struct directory_row *row);

struct run_row {
	uint32_t model;          /* word */
	size_t count;
	const uint8_t *scores;   /* count times: u32 word of the concept, float */
};
#define RUN_SCORE_BYTES 8
int rows_read_run(struct kv_txn *txn, struct slice key, struct slice value, struct run_row *ret); /* 0, -1 */
void run_score(const struct run_row *row, size_t i, uint32_t *ret_concept, float *ret_confidence);
/* concepts: the word of each score. */
int rows_put_run(struct kv_txn *txn, uint64_t item, uint32_t version, uint32_t model, const struct score *scores,
	const uint32_t *concepts, size_t count);

struct annotation_row {
	enum annotation_status status;
	enum annotation_maker maker;
	enum annotation_reason reason;
	double confidence;
	uint32_t concept, worker, model, version; /* words */
	uint64_t object;
	int64_t time_ms;
	uint64_t since, until;
	struct slice geometry, attributes;
};
int rows_get_annotation(struct kv_txn *txn, uint64_t item, uint32_t n, struct annotation_row *ret);
int rows_put_annotation(struct kv_txn *txn, uint64_t item, uint32_t n, const struct annotation_row *row);
/* 0, -1 */
int rows_read_annotation(struct kv_txn *txn, struct slice key, struct slice value, struct annotation_row *ret);

struct failure_row {
	enum stage stage;
	bool retry, archived;    /* neither: quarantined */
	uint32_t attempts;
	int64_t due_ms;          /* retry: of its work row */
	uint64_t bytes;          /* object: as listed for the version that failed */
	struct slice version, reason, cure;
	struct slice row;        /* row of a manifest: import_body.h */
};
int rows_get_failure(struct kv_txn *txn, enum failure_subject subject, uint64_t number, struct failure_row *ret);
int rows_put_failure(struct kv_txn *txn, enum failure_subject subject, uint64_t number, const struct failure_row *row);
int rows_read_failure(struct kv_txn *txn, struct slice key, struct slice value, struct failure_row *ret); /* 0, -1 */

struct source_value {
	int64_t last_pass_ms;
	struct slice kind, root, state, message;
};
int rows_get_source(struct kv_txn *txn, struct slice name, struct source_value *ret);
int rows_put_source(struct kv_txn *txn, struct slice name, const struct source_value *row);
int rows_read_source(struct kv_txn *txn, struct slice key, struct slice value, struct source_value *ret); /* 0, -1 */

int rows_get_derived(struct kv_txn *txn, uint64_t item, enum derived_kind kind, struct record_derived *ret);
int rows_put_derived(struct kv_txn *txn, const struct record_derived *d);

/* rows_import.c. TABLE_IMPORT: u64 import. TABLE_IMPORT_ROW: u64 object, u64 row: key_ref(). */
struct import_value {
	uint32_t source;         /* word */
	bool complete;
	uint64_t rows, failed, vanished;
	int64_t time_ms;
	struct slice format, header, attributes;
};
int rows_put_import(struct kv_txn *txn, uint64_t import, const struct import_value *row);
int rows_read_import(struct kv_txn *txn, struct slice key, struct slice value, struct import_value *ret); /* 0, -1 */
struct import_row_value {
	uint64_t import, line;
	struct slice body, origin;
};
int rows_put_import_row(struct kv_txn *txn, uint64_t object, uint64_t row, const struct import_row_value *value);
int rows_read_import_row(struct kv_txn *txn, struct slice key, struct slice value, struct import_row_value *ret); /* 0, -1 */

#endif
