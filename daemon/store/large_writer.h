/* large_writer.h - writes a large blob behind whoever reads and hashes it: the disk works while the next piece is made.
 *
 * Two pieces of LARGE_PIECE in one arena (so they count in the pool's budget), one thread: the caller fills a piece while the
 * thread writes the other, past the page cache where the file system lets it. One caller's thread. */
#ifndef INLET_STORE_LARGE_WRITER_H
#define INLET_STORE_LARGE_WRITER_H

#include "daemon/base/err.h"
#include "daemon/store/arena.h"

#include <stddef.h>
#include <stdint.h>

#define LARGE_PIECE (1U << 20)

struct large_writer;

/* Appends to fd, an empty file of the caller's that outlives the writer. Blocks while the pool is spent; ERR_RETRY: it is closed. */
int large_writer_open(struct arena_pool *p, int fd, struct large_writer **ret, struct err *err);
/* Where the next bytes go, at least one. Waits while both pieces are full; NULL: an earlier write failed (ERR_RETRY with its
 * sys: ENOSPC and the like), nothing more is written. */
uint8_t *large_writer_space(struct large_writer *w, size_t *ret_space, struct err *err);
void large_writer_wrote(struct large_writer *w, size_t n); /* n <= *ret_space of them are there */
/* All that was handed over is in the file, not yet durable; -1: not all. No more space() after it. */
int large_writer_finish(struct large_writer *w, struct err *err);
/* At any time, NULL allowed: what is not written yet is dropped. The file stays as it is. */
void large_writer_close(struct large_writer *w);

#endif
