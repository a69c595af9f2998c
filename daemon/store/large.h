/* large.h - blobs above ARENA_MEMBER_MAX, one file each: store/large/ab/<sha256-hex>.
 *
 * Written as an unlinked file, made durable, then linked under its hash: what has a name is whole. A file without an item
 * is legal. Any thread. */
#ifndef INLET_STORE_LARGE_H
#define INLET_STORE_LARGE_H

#include "daemon/model/content_id.h"

#include "daemon/base/err.h"

/* dir: the large/ directory. bytes: room to reserve, 0 unknown. */
int large_new(int dir, uint64_t bytes, int *ret_fd, struct err *err);
/* Makes fd's content durable under its name; that it is there already is success. ERR_FATAL: a sync failed; ERR_REJECT:
 * fd has not this many bytes. */
int large_publish(int dir, int fd, const struct content_id *id, uint64_t bytes, struct err *err);
int large_open(int dir, const struct content_id *id, int *ret_fd, struct err *err); /* sys ENOENT: not there */

#endif
