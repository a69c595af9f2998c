/* packed.h - how a value of the index lies on disk: a format byte, fixed little-endian members, then tails of any length.
 * Shared by the files that read and write rows. */
#ifndef INLET_STORE_PACKED_H
#define INLET_STORE_PACKED_H

#include "daemon/store/kv.h"

/* First byte of each value; a form that changes takes the next number and keeps the reader of this one. */
#define FORMAT 1
#define FORMAT_2 2
#define PACKED __attribute__((packed))
#define HEAD(disk) ((struct slice){ (const char *)&(disk), sizeof(disk) })

/* Copies the fixed part of a value and leaves the rest in *ret_tail; false: too short or of another format. */
bool packed_take_format(struct slice value, uint8_t format, void *head, size_t n, struct slice *ret_tail);
bool packed_take(struct slice value, void *head, size_t n, struct slice *ret_tail); /* of FORMAT */
/* The next le_len bytes of a tail; false: it has fewer. */
bool packed_cut(struct slice *tail, uint32_t le_len, struct slice *ret);
/* Puts a value of a head and n tails. 0, -1. */
int packed_put(struct kv_txn *txn, enum table t, struct slice key, struct slice head, const struct slice *tails, size_t n);

#endif
