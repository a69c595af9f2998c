/* derived.c - append-only packs, checked at each read. */
#include "daemon/store/derived.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define PACK_MODE 0640
#define PACK_NAME "%08" PRIu32 ".pack"
#define PACK_NAME_BYTES 20
#define PACK_SUFFIX ".pack"

struct derived {
	int dir;
	uint64_t pack_bytes;
	struct sha256 *hash; /* derived_put()'s */
	uint32_t pack;       /* the one appended to */
	int fd;
	uint64_t end;
};

static uint64_t check_of(struct sha256 *hash, const void *p, size_t n)
{
	uint8_t digest[SHA256_BYTES];
	uint64_t check;
	sha256_of(hash, p, n, digest);
	memcpy(&check, digest, sizeof(check));
	return check;
}

static int pack_open(struct derived *d, uint32_t pack, struct err *err)
{
	char name[PACK_NAME_BYTES];
	struct stat st;
	(void)snprintf(name, sizeof(name), PACK_NAME, pack);
	int fd = openat(d->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PACK_MODE);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)err_set(err, ERR_RETRY, errno, "open derived/%s", name);
		close_fdp(&fd);
		return -1;
	}
	close_fdp(&d->fd);
	d->fd = fd;
	d->pack = pack;
	d->end = (uint64_t)st.st_size;
	return 0;
}

static int last_pack(int dir, uint32_t *ret, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list)
		return err_set(err, ERR_RETRY, errno, "list derived");
	(void)take_fd(&fd); /* list's now */
	*ret = 1;
	for (struct dirent *e; (e = readdir(list)) != NULL;) {
		size_t len = strlen(e->d_name);
		size_t suffix = sizeof(PACK_SUFFIX) - 1;
		uint64_t n;
		if (len > suffix && strcmp(e->d_name + len - suffix, PACK_SUFFIX) == 0 &&
		    text_u64((struct slice){ e->d_name, len - suffix }, &n) == 0 && n > *ret && n <= UINT32_MAX)
			*ret = (uint32_t)n;
	}
	return 0;
}

int derived_open(int dir, uint64_t pack_bytes, struct derived **ret, struct err *err)
{
	uint32_t pack = 1;
	if (last_pack(dir, &pack, err) < 0)
		return -1;
	struct derived *d = mem_zero(1, sizeof(*d));
	*d = (struct derived){ .dir = dir, .pack_bytes = pack_bytes, .fd = -1 };
	if (pack_open(d, pack, err) < 0) {
		free(d);
		return -1;
	}
	d->hash = sha256_new();
	*ret = d;
	return 0;
}

void derived_close(struct derived *d)
{
	if (!d)
		return;
	close_fdp(&d->fd);
	sha256_free(d->hash);
	free(d);
}

int derived_put(struct derived *d, const void *p, size_t n, struct record_derived *ret, struct err *err)
{
	assert(n <= DERIVED_BYTES_MAX);
	if (d->end >= d->pack_bytes && pack_open(d, d->pack + 1, err) < 0)
		return -1;
	if (file_write_at(d->fd, p, n, d->end, err) < 0)
		return err_wrap(err, "derived/" PACK_NAME, d->pack);
	ret->pack = d->pack;
	ret->offset = d->end;
	ret->bytes = n;
	ret->check = check_of(d->hash, p, n);
	d->end += n;
	return 0;
}

int derived_get(const struct derived *d, const struct record_derived *at, struct buf *to)
{
	char name[PACK_NAME_BYTES];
	(void)snprintf(name, sizeof(name), PACK_NAME, at->pack);
	CLEANUP(close_fdp) int fd = openat(d->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || at->bytes > DERIVED_BYTES_MAX)
		return 0;
	char *bytes = buf_grow(to, at->bytes);
	if (file_read_at(fd, bytes, at->bytes, at->offset, NULL) < 0)
		return 0;
	struct sha256 *hash = sha256_new();
	bool intact = check_of(hash, bytes, at->bytes) == at->check;
	sha256_free(hash);
	if (!intact)
		return 0;
	to->len += at->bytes;
	bytes[at->bytes] = '\0';
	return 1;
}
