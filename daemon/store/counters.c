/* counters.c - one row a counter. */
#include "daemon/store/counters.h"

#include <endian.h>

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
