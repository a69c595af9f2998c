/* segment.c - the form of one segment file. */
#include "daemon/store/segment.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/types.h>

#define NAME_DIGITS 8
#define HEAD_NAME "__inlet__"
#define PAD_NAME "__pad__"
#define MODE 0640

void segment_name(uint32_t number, char ret[SEGMENT_NAME_BYTES])
{
	(void)snprintf(ret, SEGMENT_NAME_BYTES, "%0*" PRIu32 ".tar", NAME_DIGITS, number);
}

/* The number in a file name; 0: not a segment's. */
static uint32_t name_number(const char *name)
{
	uint64_t n;
	size_t len = strlen(name);
	if (len < NAME_DIGITS + 4 || strcmp(name + len - 4, ".tar") != 0 ||
	    text_u64((struct slice){ name, len - 4 }, &n) < 0 || n > UINT32_MAX)
		return 0;
	return (uint32_t)n;
}

size_t segment_pad(void *gap, size_t n)
{
	assert(n % TAR_BLOCK == 0);
	size_t bytes = -n & (SEGMENT_ALIGN - 1);
	if (bytes > 0)
		tar_fill(gap, bytes, PAD_NAME);
	return bytes;
}

/* The first SEGMENT_FIRST bytes of a segment. */
static void head_write(uint8_t *to, uint32_t number, const char *uuid)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	json_u64(&j, "format", SEGMENT_FORMAT);
	json_str(&j, "store", slice_of(uuid));
	json_u64(&j, "segment", number);
	json_close(&j, '}');
	buf_char(&text, '\n');
	assert(text.len <= SEGMENT_FIRST - 2 * TAR_BLOCK);
	tar_header(to, HEAD_NAME, text.len);
	memcpy(to + TAR_BLOCK, text.data, text.len);
	size_t used = TAR_BLOCK + tar_padded(text.len);
	(void)segment_pad(to + used, used);
}

int segment_create(int dir, uint32_t number, const char *uuid, struct err *err)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	uint8_t head[SEGMENT_FIRST] = { 0 };
	head_write(head, number, uuid);
	CLEANUP(close_fdp) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "create segment %s", name);
	if (file_write_at(fd, head, sizeof(head), 0, err) < 0)
		return err_wrap(err, "segment %s", name);
	if (file_sync(fd, name, err) < 0 || dir_sync(dir, "segments", err) < 0)
		return -1;
	return 0;
}

int segment_open(int dir, uint32_t number, int flags, int *ret_fd, struct err *err)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open segment %s", name);
	*ret_fd = fd;
	return 0;
}

static int head_check(const char *name, uint32_t number, struct slice text, char ret_uuid[STORE_UUID_BYTES], struct err *err)
{
	CLEANUP(json_decrefp) json_t *head = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	json_int_t format = json_integer_value(json_object_get(head, "format"));
	const char *uuid = json_string_value(json_object_get(head, "store"));
	if (format < 1)
		return err_set(err, ERR_REJECT, 0, "segment %s does not begin with an Inlet head", name);
	if (format > SEGMENT_FORMAT)
		return err_set(err, ERR_FATAL, 0,
			"segment %s has format %lld, this inlet reads up to %d: install the newer inlet that wrote it", name,
			(long long)format, SEGMENT_FORMAT);
	if (!uuid || strlen(uuid) != STORE_UUID_BYTES - 1)
		return err_set(err, ERR_REJECT, 0, "segment %s does not name its store", name);
	if (json_integer_value(json_object_get(head, "segment")) != number)
		return err_set(err, ERR_FATAL, 0, "segment %s says that it is number %lld: undo its renaming", name,
			(long long)json_integer_value(json_object_get(head, "segment")));
	memcpy(ret_uuid, uuid, STORE_UUID_BYTES);
	return 0;
}

int segment_head(int dir, uint32_t number, char ret_uuid[STORE_UUID_BYTES], struct err *err)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	CLEANUP(close_fdp) int fd = -1;
	char head[SEGMENT_FIRST];
	struct tar_member m;
	if (segment_open(dir, number, O_RDONLY, &fd, err) < 0)
		return -1;
	if (file_read_at(fd, head, sizeof(head), 0, err) < 0)
		return err_wrap(err, "head of segment %s", name);
	if (tar_parse(head, &m) != 1 || strcmp(m.name, HEAD_NAME) != 0 || m.bytes > sizeof(head) - TAR_BLOCK)
		return err_set(err, ERR_REJECT, 0, "segment %s does not begin with a %s member", name, HEAD_NAME);
	return head_check(name, number, (struct slice){ head + TAR_BLOCK, m.bytes }, ret_uuid, err);
}

int segment_range(int dir, uint32_t *ret_first, uint32_t *ret_last, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_set(err, ERR_RETRY, errno, "list segments");
	(void)take_fd(&fd); /* d's now */
	uint32_t first = 0;
	uint32_t last = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		uint32_t n = name_number(e->d_name);
		if (n == 0)
			continue;
		first = first == 0 || n < first ? n : first;
		last = n > last ? n : last;
	}
	*ret_first = first;
	*ret_last = last;
	return 0;
}

int segment_next(int fd, uint64_t size, uint64_t *offset, struct segment_member *ret, struct err *err)
{
	if (*offset == size)
		return SEGMENT_END;
	if (*offset > size || size - *offset < TAR_BLOCK)
		return SEGMENT_TORN;
	char block[TAR_BLOCK];
	struct tar_member m;
	if (file_read_at(fd, block, sizeof(block), *offset, err) < 0)
		return -1;
	int is = tar_parse(block, &m);
	if (is == 0)
		return SEGMENT_SEALED;
	if (is < 0 || tar_padded(m.bytes) > size - *offset - TAR_BLOCK)
		return SEGMENT_TORN;
	*ret = (struct segment_member){ .tar = m, .payload = *offset + TAR_BLOCK };
	*offset += TAR_BLOCK + tar_padded(m.bytes);
	return SEGMENT_MEMBER;
}
