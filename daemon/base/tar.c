/* tar.c - ustar headers, and pax headers for long names. */
#include "daemon/base/tar.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* POSIX.1-1988 header block; numbers are octal text. */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8]; /* sum of all bytes with this field as blanks: six digits, NUL, blank */
	char type;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char rest[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a ustar header is one block");

enum { PLAIN = '0', FOLDER = '5', PAX = 'x' };

/* 2000-01-01 00:00 UTC: a time of 0 makes GNU tar complain of an implausibly old time stamp. */
static const struct ustar blank = {
	.mode = "0000644",
	.uid = "0000000",
	.gid = "0000000",
	.mtime = "07033241600",
	.checksum = { ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ' },
	.type = PLAIN,
	.magic = "ustar",
	.version = { '0', '0' },
	.devmajor = "0000000",
	.devminor = "0000000",
};

static void octal_put(char *to, size_t digits, uint64_t n)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + (n & 7));
		n >>= 3;
	}
	assert(n == 0);
}

/* Digits up to a NUL or blank; anything else, or no digit at all, is no number. */
static bool octal_get(const char *from, size_t len, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;
	for (; i < len && from[i] >= '0' && from[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(from[i] - '0');
	if (i == 0 || (i < len && from[i] != '\0' && from[i] != ' '))
		return false;
	*ret = n;
	return true;
}

static uint32_t checksum(const void *block)
{
	const uint8_t *bytes = block;
	uint32_t sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += bytes[i];
	return sum;
}

static void header(void *block, char type, struct slice name, uint64_t bytes)
{
	assert(name.len > 0 && name.len <= TAR_NAME_MAX && bytes <= TAR_BYTES_MAX);
	struct ustar h = blank;
	memcpy(h.name, name.p, name.len);
	h.type = type;
	if (type == FOLDER)
		memcpy(h.mode, "0000755", sizeof(h.mode));
	octal_put(h.size, 11, bytes);
	octal_put(h.checksum, 6, checksum(&h));
	h.checksum[6] = '\0';
	memcpy(block, &h, sizeof(h));
}

void tar_header(void *block, const char *name, uint64_t bytes)
{
	header(block, PLAIN, slice_of(name), bytes);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

int tar_parse(const void *block, struct tar_member *ret)
{
	if (all_zero(block, TAR_BLOCK))
		return 0;
	struct ustar h;
	memcpy(&h, block, sizeof(h));
	uint64_t sum;
	uint64_t bytes;
	if (!octal_get(h.checksum, sizeof(h.checksum), &sum) || !octal_get(h.size, sizeof(h.size), &bytes))
		return -1;
	memset(h.checksum, ' ', sizeof(h.checksum));
	if (sum != checksum(&h) || memcmp(h.magic, blank.magic, sizeof(h.magic)) != 0 || h.type != PLAIN ||
	    h.prefix[0] != '\0' || h.name[0] == '\0' || h.name[TAR_NAME_MAX] != '\0' || bytes > TAR_BYTES_MAX)
		return -1;
	memcpy(ret->name, h.name, sizeof(ret->name));
	ret->bytes = bytes;
	return 1;
}

void tar_fill(void *gap, size_t n, const char *name)
{
	assert(n >= TAR_BLOCK && n % TAR_BLOCK == 0);
	tar_header(gap, name, n - TAR_BLOCK);
	memset((uint8_t *)gap + TAR_BLOCK, 0, n - TAR_BLOCK);
}

static void put(struct buf *to, char type, struct slice name, struct slice bytes)
{
	size_t gap = (size_t)(tar_padded(bytes.len) - bytes.len);
	header(buf_grow(to, TAR_BLOCK), type, name, bytes.len);
	to->len += TAR_BLOCK;
	buf_add(to, bytes.p, bytes.len);
	memset(buf_grow(to, gap), 0, gap);
	to->len += gap;
}

/* "123 path=NAME\n", where 123 counts the bytes of all this, itself too. */
static void put_path(struct buf *to, struct slice name)
{
	struct buf record = { 0 };
	size_t rest = strlen(" path=\n") + name.len;
	size_t digits = 1;
	for (size_t limit = 10; rest + digits >= limit; limit *= 10)
		digits++;
	buf_printf(&record, "%zu path=", rest + digits);
	buf_add(&record, name.p, name.len);
	buf_char(&record, '\n');
	put(to, PAX, SLICE_LIT("PaxHeaders/long-name"), buf_slice(&record));
	buf_done(&record);
}

void tar_put(struct buf *to, const char *name, struct slice bytes)
{
	struct slice s = slice_of(name);
	char type = name[s.len - 1] == '/' ? FOLDER : PLAIN;
	if (s.len > TAR_NAME_MAX) {
		put_path(to, s);
		s.len = TAR_NAME_MAX;
	}
	put(to, type, s, bytes);
}

void tar_end(struct buf *to)
{
	memset(buf_grow(to, 2 * TAR_BLOCK), 0, 2 * TAR_BLOCK);
	to->len += 2 * TAR_BLOCK;
}
