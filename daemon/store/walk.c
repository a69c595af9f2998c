/* walk.c - reads the log batch by batch. */
#include "daemon/store/walk.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct walk {
	int dir;
	int fd;
	uint32_t segment;
	uint64_t offset;         /* between batches */
	uint64_t size;           /* of this segment */
	struct sha256 *hash;
	struct walk_blob *blobs; /* of the batch being read */
	size_t blob_count, blob_capacity;
	struct buf text;
};

/* Goes to a place. 1; 0: there is no such segment. */
static int go(struct walk *w, uint32_t segment, uint64_t offset, struct err *err)
{
	struct stat st;
	int fd;
	if (segment_open(w->dir, segment, O_RDONLY, &fd, err) < 0)
		return err && err->sys == ENOENT ? 0 : -1;
	if (fstat(fd, &st) < 0) {
		(void)err_set(err, ERR_RETRY, errno, "stat a segment");
		(void)close(fd);
		return -1;
	}
	close_fdp(&w->fd);
	w->fd = fd;
	w->segment = segment;
	w->offset = offset;
	w->size = (uint64_t)st.st_size;
	return 1;
}

int walk_open(int dir, uint32_t segment, uint64_t offset, struct walk **ret, struct err *err)
{
	struct err why;
	struct walk *w = mem_zero(1, sizeof(*w));
	w->dir = dir;
	w->fd = -1;
	w->hash = sha256_new();
	if (go(w, segment, offset, &why) <= 0) {
		if (err)
			*err = why;
		walk_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	close_fdp(&w->fd);
	sha256_free(w->hash);
	buf_done(&w->text);
	free(w->blobs);
	free(w);
}

/* A blob's member name: 64 hex digits, a dot, an extension. */
static bool blob_name(const char *name, struct content_id *ret)
{
	return strlen(name) > CONTENT_ID_HEX + 1 && name[CONTENT_ID_HEX] == '.' &&
	       text_unhex((struct slice){ name, CONTENT_ID_HEX }, ret->sha256, SHA256_BYTES) == 0;
}

static void blob_add(struct walk *w, const struct content_id *id, const struct segment_member *m)
{
	if (w->blob_count == w->blob_capacity) {
		w->blob_capacity = w->blob_capacity ? 2 * w->blob_capacity : 64;
		w->blobs = mem_resize(w->blobs, w->blob_capacity, sizeof(*w->blobs));
	}
	w->blobs[w->blob_count++] = (struct walk_blob){ *id, m->payload, m->tar.bytes };
}

/* The batch member m, and the padding of its append, which ends at end. 1, 0: it is no whole batch, -1. */
static int batch_read(struct walk *w, const struct segment_member *m, uint64_t end, struct walk_batch *ret, struct err *err)
{
	uint64_t aligned = (end + SEGMENT_ALIGN - 1) & ~(uint64_t)(SEGMENT_ALIGN - 1);
	if (aligned > w->size || m->tar.bytes > BATCH_BYTES_MAX)
		return 0;
	w->text.len = 0;
	char *text = buf_grow(&w->text, m->tar.bytes);
	if (file_read_at(w->fd, text, m->tar.bytes, m->payload, err) < 0)
		return -1;
	w->text.len = m->tar.bytes;
	struct walk_batch b = {
		.blobs = w->blobs,
		.blob_count = w->blob_count,
		.segment = w->segment,
		.end = aligned,
	};
	if (batch_open(buf_slice(&w->text), w->hash, &b.head, b.digest, &b.lines, NULL) < 0 ||
	    b.head.revision != batch_name(m->tar.name))
		return 0;
	w->offset = aligned;
	*ret = b;
	return 1;
}

/* The next segment, when this one is sealed. 1, 0: there is none, -1. */
static int next_segment(struct walk *w, struct err *err)
{
	struct err why = { 0 };
	char uuid[STORE_UUID_BYTES];
	int there = go(w, w->segment + 1, SEGMENT_FIRST, &why);
	if (there > 0 && segment_head(w->dir, w->segment, uuid, &why) < 0)
		there = why.class == ERR_REJECT ? 0 : -1; /* created, and its head not durable yet */
	if (there < 0 && err)
		*err = why;
	return there;
}

int walk_next(struct walk *w, struct walk_batch *ret, struct err *err)
{
	uint64_t offset = w->offset;
	w->blob_count = 0;
	for (;;) {
		struct segment_member m = { 0 };
		struct content_id id;
		int step = segment_next(w->fd, w->size, &offset, &m, err);
		if (step < 0)
			return -1;
		if (step == SEGMENT_SEALED && w->blob_count == 0) {
			int there = next_segment(w, err);
			if (there <= 0)
				return there;
			offset = w->offset;
			continue;
		}
		if (step != SEGMENT_MEMBER)
			return 0;
		if (batch_name(m.tar.name) > 0)
			return batch_read(w, &m, offset, ret, err);
		if (blob_name(m.tar.name, &id))
			blob_add(w, &id, &m);
	}
}

uint32_t walk_segment(const struct walk *w)
{
	return w->segment;
}

int walk_fd(const struct walk *w)
{
	return w->fd;
}

const struct walk_blob *walk_blob_at(const struct walk_batch *b, uint64_t offset)
{
	size_t low = 0;
	size_t high = b->blob_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (b->blobs[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->blob_count && b->blobs[low].offset == offset ? &b->blobs[low] : NULL;
}
