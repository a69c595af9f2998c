/* folder_version.c - version tokens, written by hand because every file of every pass gets one. */
#include "connectors/folder_version.h"

#include "daemon/base/clock.h"

#define RACY_NS (2 * NS_PER_SEC)

/* Six bits a digit, the highest first, no leading zeros. */
static char *put_number(char *to, uint64_t n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
	unsigned count = n ? (69 - (unsigned)__builtin_clzll(n)) / 6 : 1;
	for (unsigned i = count; i-- > 0; n >>= 6)
		to[i] = digits[n & 63];
	return to + count;
}

static uint64_t spec_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

size_t version_format(const struct stat *st, char *ret_text)
{
	uint64_t mtime_ns = spec_ns(st->st_mtim), ctime_ns = spec_ns(st->st_ctim);
	char *p = put_number(ret_text, st->st_ino);
	*p++ = '.';
	p = put_number(p, (uint64_t)st->st_size);
	*p++ = '.';
	p = put_number(p, mtime_ns);
	if (ctime_ns != mtime_ns) {
		*p++ = '.';
		p = put_number(p, ctime_ns);
	}
	return (size_t)(p - ret_text);
}

uint64_t version_ctime_ns(const struct stat *st)
{
	return spec_ns(st->st_ctim);
}

bool version_racy(const struct stat *st, uint64_t now_ns)
{
	return st->st_ctim.tv_sec >= 0 && version_ctime_ns(st) + RACY_NS > now_ns;
}

uint64_t version_settles_in(const struct stat *st, uint64_t now_ns, uint64_t settle_ns)
{
	uint64_t ctime_ns = version_ctime_ns(st);
	if (st->st_ctim.tv_sec < 0 || ctime_ns + settle_ns <= now_ns || ctime_ns > now_ns + settle_ns)
		return 0;
	return ctime_ns + settle_ns - now_ns;
}

bool version_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && spec_ns(a->st_mtim) == spec_ns(b->st_mtim) &&
		spec_ns(a->st_ctim) == spec_ns(b->st_ctim);
}
