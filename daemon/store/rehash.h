/* rehash.h - reads stored bytes back and asks whether they are what their content id says. One thread at a time. */
#ifndef INLET_STORE_REHASH_H
#define INLET_STORE_REHASH_H

#include "daemon/base/err.h"
#include "daemon/model/content_id.h"

#include <stdatomic.h>

struct rehash;

/* stop: once it is true, hashing ends with rehash_stopped(); NULL: never. */
struct rehash *rehash_new(const atomic_bool *stop);
int rehash_stopped(struct err *err); /* -1, ERR_RETRY */
void rehash_free(struct rehash *h); /* NULL allowed */
/* 1: n bytes at offset have this content id; 0: they have another, or the file ends before; -1: could not be read. */
int rehash_range(struct rehash *h, int fd, uint64_t offset, uint64_t n, const struct content_id *id, struct err *err);
/* The same for a large blob (large.h), whole; 0 also when there is none, or one of another size. dir: large/. */
int rehash_large(struct rehash *h, int dir, uint64_t n, const struct content_id *id, struct err *err);

#endif
