/* s3_window.h - a stretch of an object by ranges: a few are read ahead at once, each over a connection of its own, and handed on
 * in order.
 *
 * The window is its bound: no more than S3_WINDOW_RANGES ranges are being read or waiting to be taken, so that it holds
 * S3_WINDOW_BYTES and not a byte more, however large the object and however slow the taker. */
#ifndef INLET_CONNECTORS_S3_WINDOW_H
#define INLET_CONNECTORS_S3_WINDOW_H

#include "daemon/base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define S3_WINDOW_RANGES 4
#define S3_WINDOW_RANGE_BYTES (2U << 20)
#define S3_WINDOW_BYTES (S3_WINDOW_RANGES * S3_WINDOW_RANGE_BYTES)

struct s3_window_work {
	uint64_t from, to;           /* bytes of the object: from < to */
	/* Fills `into` with the n bytes at `from`. In several threads at once; it returns soon after *over has become true. */
	int (*read)(void *arg, const atomic_bool *over, uint64_t from, uint8_t *into, size_t n, struct err *err);
	/* The bytes that follow those of the last call. In the caller's thread. */
	int (*take)(void *arg, const uint8_t *p, size_t n, struct err *err);
	void *arg;
};
/* Blocks; 0: all was taken. -1: err is that of take(), or of the read() that failed first, whichever range it was; what was taken
 * until then is whole and in order. ERR_RETRY also where no thread is to be had. */
int s3_window_read(const struct s3_window_work *work, struct err *err);

#endif
