/* folder_version.c - version tokens, written by hand because every file of every pass gets one. */
#include "connectors/folder_version.h"

#include "daemon/base/clock.h"

#define RACY_NS (2 * NS_PER_SEC)

static char *put_hex(char *to, uint64_t n)
{
	unsigned digits = n ? (67 - (unsigned)__builtin_clzll(n)) / 4 : 1;

	for (unsigned i = digits; i-- > 0; n >>= 4)
		to[i] = "0123456789abcdef"[n & 15];
	return to + digits;
}

static uint64_t spec_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

size_t version_format(const struct stat *st, char *ret_text)
{
	char *p = put_hex(ret_text, st->st_ino);

	*p++ = '.';
	p = put_hex(p, (uint64_t)st->st_size);
	*p++ = '.';
	p = put_hex(p, spec_ns(st->st_mtim));
	*p++ = '.';
	p = put_hex(p, spec_ns(st->st_ctim));
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
