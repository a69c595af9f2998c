/* packed.c - values of the index as bytes (packed.h). */
#include "daemon/store/packed.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <endian.h>

#define ROW_STACK 512 /* a row that is larger than this is built on the heap */

bool packed_take_format(struct slice value, uint8_t format, void *head, size_t n, struct slice *ret_tail)
{
	if (value.len < n || (uint8_t)value.p[0] != format)
		return false;
	memcpy(head, value.p, n);
	*ret_tail = (struct slice){ value.p + n, value.len - n };
	return true;
}

bool packed_take(struct slice value, void *head, size_t n, struct slice *ret_tail)
{
	return packed_take_format(value, FORMAT, head, n, ret_tail);
}

bool packed_cut(struct slice *tail, uint32_t le_len, struct slice *ret)
{
	size_t len = le32toh(le_len);
	if (len > tail->len)
		return false;
	*ret = (struct slice){ tail->p, len };
	*tail = (struct slice){ tail->p + len, tail->len - len };
	return true;
}

int packed_put(struct kv_txn *txn, enum table t, struct slice key, struct slice head, const struct slice *tails, size_t n)
{
	char stack[ROW_STACK];
	size_t len = head.len;
	for (size_t i = 0; i < n; i++)
		len += tails[i].len;
	CLEANUP(freep) char *heap = len > sizeof(stack) ? mem_alloc(len) : NULL;
	char *to = heap ? heap : stack, *at = to;
	memcpy(at, head.p, head.len);
	at += head.len;
	for (size_t i = 0; i < n; i++) {
		if (tails[i].len > 0)
			memcpy(at, tails[i].p, tails[i].len);
		at += tails[i].len;
	}
	return kv_put(txn, t, key, (struct slice){ to, len });
}
