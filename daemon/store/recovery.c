/* recovery.c - replays the log into the index. */
#include "daemon/store/recovery.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/apply.h"
#include "daemon/store/rehash.h"
#include "daemon/store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#define TXN_RECORDS 3000
#define DROP_CACHE_COMMITS 32 /* a rebuild touches the whole index: its pages are let go every so many commits */

struct recovery {
	int segments, large;
	struct kv *kv;
	enum recovery_mode mode;
	uint64_t rehash_from;    /* revision */
	struct mark *mark;       /* what the log holds; the index once the transaction is committed */
	struct store_report *report;
	struct rehash *hash;
	struct kv_txn *txn;      /* NULL: none runs */
	size_t records;          /* in it */
	size_t commits;
};

static int txn_end(struct recovery *r, struct err *err)
{
	if (!r->txn)
		return 0;
	(void)mark_put(r->txn, r->mark); /* a failure is the transaction's */
	r->records = 0;
	if (kv_commit(TAKE_PTR(r->txn), err) < 0)
		return err_wrap(err, "recovery");
	if (++r->commits % DROP_CACHE_COMMITS == 0)
		kv_drop_cache(r->kv);
	return 0;
}

/* Are an item's bytes where its record says? 1, 0, -1. */
static int item_there(struct recovery *r, const struct walk *w, const struct walk_batch *b, const struct record_item *item,
	struct err *err)
{
	bool rehash = b->head.revision >= r->rehash_from;
	if (item->at.kind == LOCATION_LARGE)
		return rehash ? rehash_large(r->hash, r->large, item->bytes, &item->content, err) : 1;
	if (item->at.kind != LOCATION_SEGMENT)
		return 1;
	const struct walk_blob *blob = item->at.segment == b->segment ? walk_blob_at(b, item->at.offset) : NULL;
	if (!blob || blob->bytes != item->bytes || !content_id_eq(&blob->content, &item->content))
		return 0;
	return rehash ? rehash_range(r->hash, walk_fd(w), blob->offset, blob->bytes, &item->content, err) : 1;
}

/* 1: applied; 0: the line is not what was written, or its blob is not; -1. */
static int line_apply(struct recovery *r, const struct walk *w, const struct walk_batch *b, struct slice line, struct err *err)
{
	struct record record;
	struct record_mem *mem;
	if (record_decode(line, &record, &mem, NULL) < 0)
		return 0;
	int good = record.kind == RECORD_ITEM ? item_there(r, w, b, &record.item, err) : 1;
	if (good > 0 && apply_record(r->txn, &record, b->head.revision, err) < 0)
		good = -1;
	record_mem_free(mem);
	r->records++;
	return good;
}

static int damaged(const struct recovery *r, uint32_t segment, struct err *err)
{
	return err_set(err, ERR_FATAL, 0,
		"the log is damaged: batch %" PRIu64 " in segment %08" PRIu32 ".tar at %" PRIu64
		" cannot be read, and later batches follow in segment %08" PRIu32
		".tar: nothing was changed; restore the segment from a backup",
		r->mark->revision + 1, r->mark->segment, r->mark->offset, segment);
}

/* One batch into the running transaction. 1, 0: it is not the batch that was written, -1. */
static int batch_apply(struct recovery *r, const struct walk *w, struct walk_batch *b, struct err *err)
{
	if (b->head.revision != r->mark->revision + 1 || memcmp(b->head.prev, r->mark->digest, SHA256_BYTES) != 0)
		return 0;
	/* A batch that may have to be dropped gets a transaction of its own. */
	if ((b->head.revision >= r->rehash_from || r->records >= TXN_RECORDS) && txn_end(r, err) < 0)
		return -1;
	if (!r->txn && kv_begin(r->kv, true, &r->txn, err) < 0)
		return -1;
	struct slice line;
	enum batch_line kind;
	int good = 1;
	while (good > 0 && (kind = batch_next(&b->lines, &line)) != BATCH_END)
		good = kind == BATCH_RECORD ? line_apply(r, w, b, line, err) : 1;
	if (good == 0 && b->head.revision < r->rehash_from)
		return damaged(r, b->segment, err);
	if (good == 0)
		kv_abort(TAKE_PTR(r->txn)); /* with what was applied of the torn batch */
	if (good <= 0)
		return good;
	r->mark->segment = b->segment;
	r->mark->offset = b->end;
	r->mark->revision = b->head.revision;
	memcpy(r->mark->digest, b->digest, SHA256_BYTES);
	r->report->batches_recovered++;
	return 1;
}

/* The highest revision that stands in the log, judged by form alone; 0: none. */
static int last_revision(int segments, uint64_t *ret, struct err *err)
{
	uint32_t first;
	uint32_t segment;
	uint64_t last = 0;
	if (segment_range(segments, &first, &segment, err) < 0)
		return -1;
	for (; last == 0 && segment >= first && segment > 0; segment--) {
		CLEANUP(walk_closep) struct walk *w = NULL;
		struct walk_batch b;
		int more;
		if (walk_open(segments, segment, SEGMENT_FIRST, &w, err) < 0)
			return -1;
		while ((more = walk_next(w, &b, err)) > 0)
			last = b.head.revision > last ? b.head.revision : last;
		if (more < 0)
			return -1;
	}
	*ret = last;
	return 0;
}

/* Does a header of a later batch lie in what would be cut? By alignment, for where form is lost one cannot walk. */
static int scan_tail(const struct recovery *r, int fd, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_RETRY, errno, "stat a segment");
	for (uint64_t at = r->mark->offset; at + TAR_BLOCK <= (uint64_t)st.st_size; at += SEGMENT_ALIGN) {
		char block[TAR_BLOCK];
		struct tar_member m;
		if (file_read_at(fd, block, sizeof(block), at, err) < 0)
			return -1;
		if (tar_parse(block, &m) == 1 && batch_name(m.name) > r->mark->revision + 1)
			return damaged(r, r->mark->segment, err);
	}
	return 0;
}

/* What lies behind the mark must be the remains of one batch. w stands behind the batch that did not match, if there was
 * one of whole form. */
static int check_tail(struct recovery *r, struct walk *w, uint32_t last_segment, struct err *err)
{
	struct walk_batch b;
	int more;
	while ((more = walk_next(w, &b, err)) > 0) {
		if (b.head.revision > r->mark->revision + 1)
			return damaged(r, b.segment, err);
	}
	for (uint32_t n = walk_segment(w) + 1; more == 0 && n <= last_segment; n++) {
		CLEANUP(walk_closep) struct walk *later = NULL;
		struct err why;
		if (walk_open(r->segments, n, SEGMENT_FIRST, &later, &why) < 0) {
			if (why.sys == ENOENT)
				continue;
			if (err)
				*err = why;
			return -1;
		}
		more = walk_next(later, &b, err);
		if (more > 0)
			return damaged(r, n, err);
	}
	if (more < 0 || r->mode == RECOVERY_TAIL)
		return more;
	CLEANUP(close_fdp) int fd = -1;
	return segment_open(r->segments, r->mark->segment, O_RDONLY, &fd, err) < 0 ? -1 : scan_tail(r, fd, err);
}

/* Ends the log at the mark: what is cut was checked to be no batch that counts. */
static int cut_tail(struct recovery *r, uint32_t last_segment, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	for (uint32_t n = last_segment; n > r->mark->segment; n--) {
		char name[SEGMENT_NAME_BYTES];
		segment_name(n, name);
		if (unlinkat(r->segments, name, 0) < 0 && errno != ENOENT)
			return err_set(err, ERR_RETRY, errno, "remove the empty segment %s", name);
	}
	if (last_segment > r->mark->segment && dir_sync(r->segments, "segments", err) < 0)
		return -1;
	if (segment_open(r->segments, r->mark->segment, O_RDWR, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_RETRY, errno, "stat a segment");
	uint64_t behind = (uint64_t)st.st_size - r->mark->offset;
	uint8_t block[TAR_BLOCK] = { 0 };
	struct tar_member m;
	if (behind == 0)
		return 0;
	if (behind > TAR_BLOCK && file_read_at(fd, block, sizeof(block), r->mark->offset, err) < 0)
		return -1;
	if (behind != SEGMENT_ALIGN || tar_parse(block, &m) != 0) /* else it is the end mark of an empty next segment */
		r->report->bytes_cut += behind;
	if (ftruncate(fd, (off_t)r->mark->offset) < 0)
		return err_set(err, ERR_RETRY, errno, "cut a segment");
	return file_sync(fd, "segment", err);
}

/* The log must reach to the mark. */
static int check_mark(const struct recovery *r, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct err why = { 0 };
	struct stat st = { 0 };
	bool there = segment_open(r->segments, r->mark->segment, O_RDONLY, &fd, &why) == 0 && fstat(fd, &st) == 0;
	if (there && (uint64_t)st.st_size >= r->mark->offset)
		return 0;
	if (!there && why.sys != ENOENT)
		return err_set(err, ERR_RETRY, why.sys, "open segment %08" PRIu32 ".tar", r->mark->segment);
	return err_set(err, ERR_FATAL, 0,
		"the index is at revision %" PRIu64 ", which ends at %" PRIu64 " in segment %08" PRIu32
		".tar, but the log ends before: put the missing segments back, or run inlet rebuild-index to go on with what is left",
		r->mark->revision, r->mark->offset, r->mark->segment);
}

static int replay(struct recovery *r, struct err *err)
{
	CLEANUP(walk_closep) struct walk *w = NULL;
	struct walk_batch b;
	uint32_t first;
	uint32_t last;
	int more;
	int good = 1;
	r->rehash_from = 0;
	if (r->mode == RECOVERY_REBUILD && last_revision(r->segments, &r->rehash_from, err) < 0)
		return -1;
	if (check_mark(r, err) < 0 || walk_open(r->segments, r->mark->segment, r->mark->offset, &w, err) < 0)
		return -1;
	while ((more = walk_next(w, &b, err)) > 0 && (good = batch_apply(r, w, &b, err)) > 0)
		;
	if (more < 0 || good < 0)
		return -1;
	if (segment_range(r->segments, &first, &last, err) < 0 || check_tail(r, w, last, err) < 0 || txn_end(r, err) < 0)
		return -1;
	return cut_tail(r, last, err);
}

int recovery_run(int segments, int large, struct kv *kv, enum recovery_mode mode, struct mark *mark,
	struct store_report *report, struct err *err)
{
	struct recovery r = {
		.segments = segments,
		.large = large,
		.kv = kv,
		.mode = mode,
		.mark = mark,
		.report = report,
		.hash = rehash_new(NULL),
	};
	int result = replay(&r, err);
	kv_abort(r.txn);
	rehash_free(r.hash);
	return result;
}
