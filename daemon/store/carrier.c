/* carrier.c - looks at references and failures of quarantined items only. */
#include "daemon/store/carrier.h"

#include "daemon/store/apply_item.h"
#include "daemon/store/rows.h"
#include "daemon/store/work.h"

/* 1, 0, -1. */
static int is_quarantined(struct kv_txn *txn, uint64_t item, enum stage *ret_failed)
{
	struct item_row row;
	int is_there = rows_get_item(txn, item, &row);
	if (is_there <= 0)
		return is_there;
	*ret_failed = row.failed_stage;
	return row.state == ITEM_QUARANTINED;
}

/* Does the object of this number have its file? 1, 0, -1. */
static int object_carries(struct kv_txn *txn, uint64_t object)
{
	struct object_row row;
	struct slice at;
	struct key k;
	int is_there = kv_get(txn, TABLE_OBJECT_KEY, key_ref(&k, 0, object), &at);
	if (is_there > 0)
		is_there = rows_get_object(txn, at, &row);
	return is_there <= 0 ? is_there : !row.ref_gone;
}

static int is_carried(struct kv_txn *txn, uint64_t item)
{
	struct slice key, value;
	struct kv_cursor *c;
	struct key from;
	int is_there, carried = 0;
	(void)key_ref(&from, item, 0);
	if (kv_cursor_open(txn, TABLE_REF, key_slice(&from), &c) < 0)
		return -1;
	while (carried == 0 && (is_there = kv_cursor_next(c, &key, &value)) != 0) {
		if (is_there > 0 && (key.len != from.len || read_be64(key.p) != item))
			break;
		carried = is_there < 0 ? -1 : object_carries(txn, read_be64(key.p + sizeof(uint64_t)));
	}
	kv_cursor_close(c);
	return carried;
}

int carrier_gained(struct kv_txn *txn, uint64_t item)
{
	struct failure_row failure;
	enum stage failed;
	int quarantined = is_quarantined(txn, item, &failed);
	if (quarantined <= 0)
		return quarantined;
	int told = rows_get_failure(txn, SUBJECT_ITEM, item, &failure);
	if (told != 0)
		return told < 0 ? -1 : 0;
	const struct record_state again = { item, failed == STAGE_INFER ? ITEM_NORMALIZED : ITEM_COMMITTED };
	return apply_state(txn, &again);
}

int carrier_lost(struct kv_txn *txn, uint64_t item)
{
	enum stage failed;
	int quarantined = is_quarantined(txn, item, &failed);
	int carried = quarantined > 0 ? is_carried(txn, item) : quarantined;
	if (quarantined <= 0 || carried != 0)
		return carried < 0 ? -1 : 0;
	return failure_clear(txn, SUBJECT_ITEM, item);
}
