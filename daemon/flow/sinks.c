/* sinks.c - the sinks of the fetch stage. */
#include "daemon/flow/sinks.h"

#include "daemon/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FLUSH_STEP (8U << 20) /* early write-back: the disk works while we hash, and fdatasync has little left to do */

static uint8_t *memory_space(struct sink *sink, size_t *ret_space, struct err *err)
{
	struct fetch_sink *s = (struct fetch_sink *)sink;
	if (s->bytes == s->room) {
		(void)err_set(err, ERR_RETRY, 0, "grew while it was read; it is read again when it has settled");
		return NULL;
	}
	*ret_space = s->room - (size_t)s->bytes;
	return s->place + s->bytes;
}

static int memory_wrote(struct sink *sink, size_t n, struct err *err)
{
	(void)err;
	struct fetch_sink *s = (struct fetch_sink *)sink;
	sha256_add(s->hash, s->place + s->bytes, n);
	s->bytes += n;
	account_step(s->account);
	return 0;
}

int sink_too_large(uint64_t limit, struct err *err)
{
	(void)err_set(err, ERR_REJECT, 0, "is larger than limits.object allows (%llu bytes)", (unsigned long long)limit);
	err->sys = EFBIG;
	return -1;
}

static int within_limit(const struct fetch_sink *s, struct err *err)
{
	return s->bytes <= s->limit ? 0 : sink_too_large(s->limit, err);
}

static uint8_t *buffer_space(struct sink *sink, size_t *ret_space, struct err *err)
{
	struct fetch_sink *s = (struct fetch_sink *)sink;
	if (within_limit(s, err) < 0)
		return NULL;
	*ret_space = s->room - s->held;
	return s->place + s->held;
}

static int flush(struct fetch_sink *s, struct err *err)
{
	if (s->fd >= 0 && s->held > 0) {
		uint64_t at = s->bytes - s->held;
		if (file_write_at(s->fd, s->place, s->held, at, err) < 0)
			return -1;
		if (s->bytes / FLUSH_STEP != at / FLUSH_STEP)
			(void)sync_file_range(s->fd, 0, (off64_t)s->bytes, SYNC_FILE_RANGE_WRITE);
	}
	s->held = 0;
	return 0;
}

static int buffer_wrote(struct sink *sink, size_t n, struct err *err)
{
	struct fetch_sink *s = (struct fetch_sink *)sink;
	sha256_add(s->hash, s->place + s->held, n);
	s->held += n;
	s->bytes += n;
	account_step(s->account);
	return s->held == s->room ? flush(s, err) : 0;
}

static uint8_t *large_space(struct sink *sink, size_t *ret_space, struct err *err)
{
	struct fetch_sink *s = (struct fetch_sink *)sink;
	if (within_limit(s, err) < 0)
		return NULL;
	return s->place = large_writer_space(s->writer, ret_space, err);
}

static int large_wrote(struct sink *sink, size_t n, struct err *err)
{
	(void)err;
	struct fetch_sink *s = (struct fetch_sink *)sink;
	sha256_add(s->hash, s->place, n);
	large_writer_wrote(s->writer, n);
	s->bytes += n;
	account_step(s->account);
	return 0;
}

void sink_memory(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *place, size_t room)
{
	static const struct sink_ops ops = { memory_space, memory_wrote };
	*s = (struct fetch_sink){ .sink = { &ops }, .account = account, .hash = hash, .limit = room, .place = place, .room = room, .fd = -1 };
	sha256_begin(hash);
}

void sink_arena(struct fetch_sink *s, struct account *account, struct sha256 *hash, struct arena *a)
{
	sink_memory(s, account, hash, arena_payload(a), arena_room(a));
}

void sink_file(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *buffer, int fd, uint64_t limit)
{
	static const struct sink_ops ops = { buffer_space, buffer_wrote };
	*s = (struct fetch_sink){ .sink = { &ops }, .account = account, .hash = hash, .limit = limit, .place = buffer, .room = SINK_BUFFER, .fd = fd };
	sha256_begin(hash);
}

void sink_large(struct fetch_sink *s, struct account *account, struct sha256 *hash, struct large_writer *w, uint64_t limit)
{
	static const struct sink_ops ops = { large_space, large_wrote };
	*s = (struct fetch_sink){ .sink = { &ops }, .account = account, .hash = hash, .limit = limit, .fd = -1, .writer = w };
	sha256_begin(hash);
}

void sink_hash(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *buffer, uint64_t limit)
{
	sink_file(s, account, hash, buffer, -1, limit);
}

int sink_end(struct fetch_sink *s, struct content_id *ret, struct err *err)
{
	if (s->sink.ops->space == buffer_space && flush(s, err) < 0)
		return -1;
	if (s->writer && large_writer_finish(s->writer, err) < 0)
		return -1;
	sha256_end(s->hash, ret->sha256);
	return 0;
}

int sink_reread(struct account *account, struct sha256 *hash, uint8_t *buffer, int fd, struct content_id *ret, uint64_t *ret_bytes,
	struct err *err)
{
	uint64_t at = 0;
	sha256_begin(hash);
	for (;;) {
		ssize_t n = pread(fd, buffer, SINK_BUFFER, (off_t)at);
		if (n < 0)
			return err_set(err, ERR_RETRY, errno, "read back the clone");
		if (n == 0)
			break;
		sha256_add(hash, buffer, (size_t)n);
		at += (uint64_t)n;
		account_step(account);
	}
	sha256_end(hash, ret->sha256);
	*ret_bytes = at;
	return 0;
}
