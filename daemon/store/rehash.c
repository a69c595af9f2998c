/* rehash.c - hashes ranges of files. */
#include "daemon/store/rehash.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/large.h"

#include <errno.h>

#define CHUNK_BYTES ((size_t)1 << 20)

struct rehash {
	const atomic_bool *stop;
	struct sha256 *hash;
	char *chunk;
};

int rehash_stopped(struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "the daemon is stopping");
}

struct rehash *rehash_new(const atomic_bool *stop)
{
	struct rehash *h = mem_zero(1, sizeof(*h));
	h->stop = stop;
	h->hash = sha256_new();
	h->chunk = mem_alloc(CHUNK_BYTES);
	return h;
}

void rehash_free(struct rehash *h)
{
	if (!h)
		return;
	sha256_free(h->hash);
	free(h->chunk);
	free(h);
}

int rehash_range(struct rehash *h, int fd, uint64_t offset, uint64_t n, const struct content_id *id, struct err *err)
{
	struct content_id is;
	struct err why;
	sha256_begin(h->hash);
	while (n > 0) {
		if (h->stop && atomic_load_explicit(h->stop, memory_order_relaxed))
			return rehash_stopped(err);
		size_t step = n < CHUNK_BYTES ? (size_t)n : CHUNK_BYTES;
		if (file_read_at(fd, h->chunk, step, offset, &why) < 0) {
			if (why.class == ERR_REJECT)
				return 0;
			if (err)
				*err = why;
			return -1;
		}
		sha256_add(h->hash, h->chunk, step);
		offset += step;
		n -= step;
	}
	sha256_end(h->hash, is.sha256);
	return content_id_eq(&is, id);
}

int rehash_large(struct rehash *h, int dir, uint64_t n, const struct content_id *id, struct err *err)
{
	struct err why;
	struct stat st;
	CLEANUP(close_fdp) int fd = -1;
	if (large_open(dir, id, &fd, &why) < 0) {
		if (why.sys == ENOENT)
			return 0;
		if (err)
			*err = why;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_RETRY, errno, "stat a large blob");
	return (uint64_t)st.st_size == n ? rehash_range(h, fd, 0, n, id, err) : 0;
}
