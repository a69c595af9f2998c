/* unpack.c - gzip by zlib and zstd by libzstd behind one read call. */
#include "daemon/manifest/unpack.h"

#include "daemon/base/mem.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define STORED_PIECE (128U << 10)
#define RATIO_FREE (64ULL << 20) /* bytes of text before the ratio counts */
#define RATIO_MAX 1000U
#define ZSTD_WINDOW_LOG_MAX 27   /* 128 MiB: what the zstd program takes without being asked to */

struct unpack {
	manifest_read_fn *read;
	void *arg;
	uint64_t text_max;
	uint64_t stored_bytes, text_bytes;
	enum packing packing;
	bool begun, ended;         /* ended: read said so */
	bool between;              /* gzip, zstd: a member has ended and no other has begun */
	z_stream gzip;
	ZSTD_DStream *zstd;
	char *stored;              /* [STORED_PIECE]: stored[at..end) is not used yet */
	size_t at, end;
};

struct unpack *unpack_new(manifest_read_fn *read, void *arg, uint64_t text_max)
{
	struct unpack *u = mem_zero(1, sizeof(*u));
	u->read = read;
	u->arg = arg;
	u->text_max = text_max;
	u->stored = mem_alloc(STORED_PIECE);
	return u;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->packing == PACKING_GZIP)
		(void)inflateEnd(&u->gzip);
	(void)ZSTD_freeDStream(u->zstd);
	free(u->stored);
	free(u);
}

enum packing unpack_packing(const struct unpack *u)
{
	return u->packing;
}

uint64_t unpack_stored_bytes(const struct unpack *u)
{
	return u->stored_bytes;
}

static ssize_t take(struct unpack *u, void *p, size_t n, struct err *err)
{
	if (u->ended)
		return 0;
	ssize_t got = u->read(u->arg, p, n, err);
	if (got > 0)
		u->stored_bytes += (uint64_t)got;
	u->ended = got == 0;
	return got;
}

/* More stored bytes behind those that wait: 1, 0 at the end, -1. */
static int refill(struct unpack *u, struct err *err)
{
	if (u->at > 0) {
		memmove(u->stored, u->stored + u->at, u->end - u->at);
		u->end -= u->at;
		u->at = 0;
	}
	ssize_t got = take(u, u->stored + u->end, STORED_PIECE - u->end, err);
	if (got > 0)
		u->end += (size_t)got;
	return got < 0 ? -1 : got > 0;
}

/* How many of the first bytes of a gzip member and of a zstd frame (or a skippable one) are there. */
static bool is_gzip(const char *p, size_t n)
{
	return n >= 2 && memcmp(p, "\x1f\x8b", 2) == 0;
}

static bool is_zstd(const char *p, size_t n)
{
	return n >= 4 && (memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 || (memcmp(p + 1, "\x2a\x4d\x18", 3) == 0 &&
		((unsigned char)p[0] & 0xf0) == 0x50));
}

static int begin(struct unpack *u, struct err *err)
{
	int more = 1;
	while (u->end < 4 && more > 0)
		more = refill(u, err);
	if (more < 0)
		return -1;
	u->begun = true;
	u->between = true;
	if (is_gzip(u->stored, u->end)) {
		if (inflateInit2(&u->gzip, 16 + MAX_WBITS) != Z_OK)
			return err_set(err, ERR_RETRY, 0, "zlib: no memory");
		u->packing = PACKING_GZIP;
	} else if (is_zstd(u->stored, u->end)) {
		u->packing = PACKING_ZSTD;
		u->zstd = ZSTD_createDStream();
		if (!u->zstd)
			return err_set(err, ERR_RETRY, 0, "libzstd: no memory");
		(void)ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	}
	return 0;
}

static ssize_t read_plain(struct unpack *u, void *p, size_t n, struct err *err)
{
	size_t waiting = u->end - u->at;
	if (waiting == 0)
		return take(u, p, n, err);
	size_t take_now = waiting < n ? waiting : n;
	memcpy(p, u->stored + u->at, take_now);
	u->at += take_now;
	return (ssize_t)take_now;
}

/* Behind a whole member: 1 another begins, 0 the end (zeros that pad to a tape block belong to it), -1. */
static int another(struct unpack *u, struct err *err)
{
	bool gzip = u->packing == PACKING_GZIP;
	for (;;) {
		const char *p = u->stored + u->at;
		size_t n = u->end - u->at;
		if (gzip ? is_gzip(p, n) : is_zstd(p, n))
			return 1;
		if (n < 4 && !u->ended) {
			if (refill(u, err) < 0)
				return -1;
			continue;
		}
		if (n == 0)
			return 0;
		if (*p != '\0')
			return err_set(err, ERR_REJECT, 0, "bytes that are not %s follow its compressed part; pack it "
				"again", gzip ? "gzip" : "zstd");
		u->at++;
	}
}

static int gzip_step(struct unpack *u, void *p, size_t *n, struct err *err)
{
	u->gzip.next_in = (Bytef *)u->stored + u->at;
	u->gzip.avail_in = (uInt)(u->end - u->at);
	u->gzip.next_out = p;
	u->gzip.avail_out = (uInt)*n;
	int r = inflate(&u->gzip, Z_NO_FLUSH);
	u->at = u->end - u->gzip.avail_in;
	*n -= u->gzip.avail_out;
	if (r == Z_STREAM_END) {
		u->between = true;
		(void)inflateReset(&u->gzip);
	} else if (r != Z_OK && r != Z_BUF_ERROR && *n == 0) { /* what came before goes out first; zlib repeats itself */
		return err_set(err, ERR_REJECT, 0, "its gzip data are damaged: %s",
			u->gzip.msg ? u->gzip.msg : "unknown reason");
	}
	return 0;
}

static int zstd_step(struct unpack *u, void *p, size_t *n, struct err *err)
{
	ZSTD_inBuffer in = { u->stored, u->end, u->at };
	ZSTD_outBuffer out = { p, *n, 0 };
	size_t r = ZSTD_decompressStream(u->zstd, &out, &in);
	u->at = in.pos;
	*n = out.pos;
	if (ZSTD_isError(r))
		return err_set(err, ERR_REJECT, 0, "its zstd data are damaged: %s", ZSTD_getErrorName(r));
	u->between = r == 0;
	return 0;
}

static ssize_t read_packed(struct unpack *u, void *p, size_t n, struct err *err)
{
	n = n < STORED_PIECE ? n : STORED_PIECE;
	for (;;) {
		if (u->between) {
			int more = another(u, err);
			if (more <= 0)
				return more;
			u->between = false;
		}
		size_t got = n;
		if ((u->packing == PACKING_GZIP ? gzip_step : zstd_step)(u, p, &got, err) < 0)
			return -1;
		if (got > 0)
			return (ssize_t)got;
		if (u->between || u->at < u->end)
			continue;
		int more = refill(u, err);
		if (more < 0)
			return -1;
		if (more == 0)
			return err_set(err, ERR_REJECT, 0, "it ends in the middle of its %s data; copy it again",
				u->packing == PACKING_GZIP ? "gzip" : "zstd");
	}
}

ssize_t unpack_read(struct unpack *u, void *p, size_t n, struct err *err)
{
	if (!u->begun && begin(u, err) < 0)
		return -1;
	ssize_t got = u->packing == PACKING_NONE ? read_plain(u, p, n, err) : read_packed(u, p, n, err);
	if (got <= 0)
		return got;
	u->text_bytes += (uint64_t)got;
	if (u->text_bytes > u->text_max)
		return err_set(err, ERR_REJECT, 0, "it is longer than %llu bytes; split it, or raise the limit",
			(unsigned long long)u->text_max);
	if (u->text_bytes > RATIO_FREE && u->text_bytes / RATIO_MAX > u->stored_bytes)
		return err_set(err, ERR_REJECT, 0, "it unpacks to more than %u times its size, as only a trap does; "
			"import it unpacked", RATIO_MAX);
	return got;
}

int unpack_seek(struct unpack *u, manifest_seek_fn *seek, uint64_t offset, struct err *err)
{
	if (seek(u->arg, offset, err) < 0)
		return -1;
	u->at = u->end = 0;
	u->ended = false;
	u->text_bytes = offset;
	return 0;
}
