/* apply.c - the one function that turns a record into index rows (apply.h). */
#include "daemon/store/apply.h"

#include "daemon/store/apply_import.h"
#include "daemon/store/apply_item.h"
#include "daemon/store/apply_ledger.h"
#include "daemon/store/pending.h"

int apply_init(struct kv *kv, struct err *err)
{
	struct kv_txn *txn;
	struct hash_key key;
	if (kv_begin(kv, true, &txn, err) < 0)
		return -1;
	if (rows_digest_key(txn, &key) == 0) {
		hash_random(key.bytes, sizeof(key.bytes));
		(void)rows_put_digest_key(txn, &key);
	}
	return kv_commit(txn, err);
}

static int apply_failure(struct kv_txn *txn, const struct record_failure *f)
{
	switch (f->subject) {
	case SUBJECT_OBJECT:
		return apply_object_failure(txn, f);
	case SUBJECT_ITEM:
		return apply_item_failure(txn, f);
	case SUBJECT_ROW:
		return apply_row_failure(txn, f);
	}
	return kv_fail(txn, ERR_FATAL, 0, "a failure of an unknown subject %d", (int)f->subject);
}

static int dispatch(struct kv_txn *txn, const struct record *r, uint64_t revision)
{
	switch (r->kind) {
	case RECORD_ITEM:
		return apply_item(txn, &r->item);
	case RECORD_OBJECT:
		return apply_object(txn, &r->object);
	case RECORD_GONE:
		return apply_gone(txn, &r->gone);
	case RECORD_FACTS:
		return apply_facts(txn, &r->facts);
	case RECORD_RUN:
		return apply_run(txn, &r->run);
	case RECORD_ANNOTATION:
		return apply_annotation(txn, &r->annotation, revision);
	case RECORD_UNTIL:
		return apply_until(txn, &r->until, revision);
	case RECORD_STATE:
		return apply_state(txn, &r->state);
	case RECORD_FAILURE:
		return apply_failure(txn, &r->failure);
	case RECORD_SOURCE:
		return apply_source(txn, &r->source);
	case RECORD_IMPORT:
		return apply_import(txn, &r->import);
	case RECORD_ROW:
		return apply_row(txn, &r->row);
	case RECORD_ROW_GONE:
		return apply_row_gone(txn, &r->row_gone);
	case RECORD_MENDED:
		return apply_mended(txn, &r->mended);
	case RECORD_CALM:
		return apply_calm(txn, &r->calm);
	case RECORD_DIRECTORY:
		return apply_directory(txn, &r->directory);
	case RECORD_PASS:
		return apply_pass(txn, &r->pass);
	case RECORD_DERIVED:
		return apply_derived(txn, &r->derived);
	case RECORD_KINDS:
		break;
	}
	return kv_fail(txn, ERR_FATAL, 0, "a record of an unknown kind %d", (int)r->kind);
}

int apply_record(struct kv_txn *txn, const struct record *r, uint64_t revision, struct err *err)
{
	struct pending *p = pending_of(txn);
	if (p && pending_raise(p, counter_id(COUNTER_REVISION, 0, 0, 0), revision) == 0)
		(void)dispatch(txn, r, revision);
	return kv_failed(txn, err);
}
