/* mark.h - the high-water mark: how much of the log the index holds, changed in the transaction that applies a batch. */
#ifndef INLET_STORE_MARK_H
#define INLET_STORE_MARK_H

#include "daemon/base/hash.h"
#include "daemon/store/kv.h"
#include "daemon/store/segment.h"

struct mark {
	char uuid[STORE_UUID_BYTES]; /* of the store whose log it is */
	uint32_t segment;            /* the log goes on at this offset of this segment */
	uint64_t offset;
	uint64_t revision;           /* the last batch applied; 0: none */
	uint8_t digest[SHA256_BYTES]; /* of that batch; zeros before the first */
};

int mark_get(struct kv_txn *txn, struct mark *ret, struct err *err); /* 1; 0: none, a fresh index; -1: ERR_FATAL a newer format */
int mark_put(struct kv_txn *txn, const struct mark *m);              /* 0, -1 */

#endif
