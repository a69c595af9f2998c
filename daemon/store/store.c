/* store.c - opens the parts of a store in the right order, and answers what concerns all of them. */
#include "daemon/store/store.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/apply.h"
#include "daemon/store/large.h"
#include "daemon/store/parts.h"
#include "daemon/store/rebuild.h"
#include "daemon/store/recovery.h"
#include "daemon/store/settled.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define DIR_MODE 0750
#define MAP_FULL_PERCENT 90
#define FILE_BACKED_MAX (64U << 20)

/* The directories of a store while it is opened or rebuilt. */
struct dirs {
	int state, segments, large, packs;
};

static void dirs_done(struct dirs *d)
{
	close_fdp(&d->state);
	close_fdp(&d->segments);
	close_fdp(&d->large);
	close_fdp(&d->packs);
}

static int sub_open(int state, const char *path, int *ret_fd, struct err *err)
{
	if (dir_make(state, path, DIR_MODE, err) < 0)
		return -1;
	*ret_fd = openat(state, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_set(err, ERR_RETRY, errno, "open '%s'", path) : 0;
}

static int dirs_open(const char *state_dir, struct dirs *ret, struct err *err)
{
	*ret = (struct dirs){ -1, -1, -1, -1 };
	ret->state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->state < 0)
		return err_set(err, ERR_RETRY, errno, "open '%s'", state_dir);
	if (sub_open(ret->state, "store/segments", &ret->segments, err) < 0 ||
	    sub_open(ret->state, "store/large", &ret->large, err) < 0 ||
	    sub_open(ret->state, "store/derived", &ret->packs, err) < 0)
		return err_wrap(err, "'%s'", state_dir);
	return 0;
}

/* RFC 9562, version 4. */
static void uuid_make(char ret[STORE_UUID_BYTES])
{
	uint8_t b[16];
	hash_random(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(ret, STORE_UUID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Whose log is this? Begins one where there is none. *ret_created: it did, or found one that was cut off while begun. */
static int log_open(const struct dirs *d, char ret_uuid[STORE_UUID_BYTES], bool *ret_created, struct err *err)
{
	uint32_t first;
	uint32_t last;
	if (segment_range(d->segments, &first, &last, err) < 0)
		return -1;
	bool fresh = rebuild_needed(d->state);
	if (last == 0 && !fresh)
		return err_set(err, ERR_FATAL, 0,
			"there is an index and no segment of the log: put store/segments back from a backup");
	if (first > 1)
		return err_set(err, ERR_FATAL, 0,
			"segment 00000001.tar is missing, the lowest is %08" PRIu32 ".tar: put it back from a backup", first);
	if (last > 0) {
		struct err why;
		if (segment_head(d->segments, 1, ret_uuid, &why) == 0)
			return 0;
		if (why.class != ERR_REJECT || last > 1 || !fresh) {
			why.class = why.class == ERR_REJECT ? ERR_FATAL : why.class;
			if (err)
				*err = why;
			return -1;
		}
	}
	uuid_make(ret_uuid);
	*ret_created = true;
	return segment_create(d->segments, 1, ret_uuid, err);
}

/* The index brought to the end of the log; rebuilt when there is none. */
static int index_open(struct store *s, const char *state_dir, const struct dirs *d, struct mark *ret_mark,
	struct store_report *report, struct err *err)
{
	struct rebuild rebuild = {
		.state = d->state,
		.segments = d->segments,
		.large = d->large,
		.packs = d->packs,
		.state_dir = state_dir,
		.uuid = s->uuid,
		.map_bytes = s->options.map_bytes,
	};
	CLEANUP(freep) char *path = mem_printf("%s/%s", state_dir, INDEX_DIR);
	struct kv_txn *txn;
	if (rebuild_needed(d->state) && rebuild_index(&rebuild, ret_mark, report, err) < 0)
		return -1;
	if (kv_open(path, s->options.map_bytes, &s->kv, err) < 0 || apply_init(s->kv, err) < 0 ||
	    kv_begin(s->kv, false, &txn, err) < 0)
		return -1;
	int found = mark_get(txn, ret_mark, err);
	kv_abort(txn);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_FATAL, 0, "'%s' is not the index of a store: move it away, it will be rebuilt", path);
	if (strcmp(ret_mark->uuid, s->uuid) != 0)
		return err_set(err, ERR_FATAL, 0,
			"'%s' is the index of store %s, the segments are of store %s: put the right one back, or run "
			"inlet rebuild-index",
			path, ret_mark->uuid, s->uuid);
	return recovery_run(d->segments, d->large, s->kv, RECOVERY_TAIL, ret_mark, report, err);
}

static int parts_open(struct store *s, const char *state_dir, struct store_report *report, struct err *err)
{
	CLEANUP(dirs_done) struct dirs d;
	struct mark mark;
	if (dirs_open(state_dir, &d, err) < 0 || log_open(&d, s->uuid, &report->created, err) < 0 ||
	    index_open(s, state_dir, &d, &mark, report, err) < 0)
		return -1;
	if (report->created)
		report->rebuilt = false; /* of nothing */
	report->revision = mark.revision;
	s->segments = take_fd(&d.segments);
	s->large = take_fd(&d.large);
	s->packs = take_fd(&d.packs);
	if (derived_open(s->packs, DERIVED_PACK_BYTES, &s->derived, err) < 0)
		return -1;
	s->arenas = arena_pool_new(s->options.arena_bytes);
	s->settled = settled_new();
	return committer_open(s, &mark, &s->committer, err);
}

int store_open(const char *state_dir, const struct store_options *o, struct store **ret, struct store_report *ret_report,
	struct err *err)
{
	struct store_report report = { 0 };
	struct store *s = mem_zero(1, sizeof(*s));
	s->options = *o;
	s->segments = s->large = s->packs = -1;
	(void)pthread_mutex_init(&s->room, NULL);
	if (parts_open(s, state_dir, &report, err) < 0) {
		store_close(s);
		return -1;
	}
	*ret = s;
	if (ret_report)
		*ret_report = report;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	committer_close(s->committer);
	settled_free(s->settled);
	arena_pool_free(s->arenas);
	derived_close(s->derived);
	kv_close(s->kv);
	close_fdp(&s->segments);
	close_fdp(&s->large);
	close_fdp(&s->packs);
	(void)pthread_mutex_destroy(&s->room);
	free(s);
}

int store_rebuild(const char *state_dir, const struct store_options *o, struct store_report *ret, struct err *err)
{
	CLEANUP(dirs_done) struct dirs d;
	struct store_report report = { 0 };
	struct mark mark;
	char uuid[STORE_UUID_BYTES];
	uint32_t first;
	uint32_t last;
	if (dirs_open(state_dir, &d, err) < 0 || segment_range(d.segments, &first, &last, err) < 0)
		return -1;
	if (first != 1)
		return err_set(err, ERR_FATAL, 0, "'%s/store/segments' has no segment 00000001.tar: put it back from a backup",
			state_dir);
	if (segment_head(d.segments, 1, uuid, err) < 0)
		return -1;
	struct rebuild rebuild = {
		.state = d.state,
		.segments = d.segments,
		.large = d.large,
		.packs = d.packs,
		.state_dir = state_dir,
		.uuid = uuid,
		.map_bytes = o->map_bytes,
	};
	if (rebuild_index(&rebuild, &mark, &report, err) < 0)
		return -1;
	report.revision = mark.revision;
	*ret = report;
	return 0;
}

struct kv *store_kv(struct store *s)
{
	return s->kv;
}

struct arena_pool *store_arenas(struct store *s)
{
	return s->arenas;
}

const char *store_uuid(struct store *s)
{
	return s->uuid;
}

int store_failed(struct store *s, struct err *err)
{
	return committer_failed(s->committer, err);
}

int store_ready(struct store *s, uint64_t more_bytes, struct err *err)
{
	if (committer_failed(s->committer, err) < 0)
		return -1;
	if (clock_mono_ns() < atomic_load(&s->paused_until_ns))
		return err_set(err, ERR_RETRY, ENOSPC, "intake is paused, the disk was found full: free space on it");
	if (kv_used_percent(s->kv) >= MAP_FULL_PERCENT)
		return err_set(err, ERR_RETRY, ENOSPC, "intake is paused, the index has used %d %% of its map: raise limits.map",
			MAP_FULL_PERCENT);
	int64_t free_bytes = file_free_bytes(s->segments);
	if (free_bytes >= 0 && (uint64_t)free_bytes < s->options.reserve_bytes + more_bytes)
		return err_set(err, ERR_RETRY, ENOSPC,
			"intake is paused, %" PRId64 " MiB are free for %" PRIu64 " MiB and limits.reserve of %" PRIu64
			" MiB: free space on the disk",
			free_bytes >> 20, more_bytes >> 20, s->options.reserve_bytes >> 20);
	return 0;
}

/* Resident pages that files back; 0: unknown. */
static uint64_t file_backed_bytes(void)
{
	char text[128] = "";
	unsigned long pages = 0;
	CLEANUP(close_fdp) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%*u %*u %lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void store_trim(struct store *s)
{
	if (file_backed_bytes() > FILE_BACKED_MAX)
		kv_drop_cache(s->kv);
}

int large_create(struct store *s, uint64_t sized_bytes, int *ret_fd, struct err *err)
{
	(void)pthread_mutex_lock(&s->room);
	int done = store_ready(s, sized_bytes, err);
	if (done == 0)
		done = large_new(s->large, sized_bytes, ret_fd, err);
	(void)pthread_mutex_unlock(&s->room);
	return done;
}

int store_blob(struct store *s, const struct item *item, int *ret_fd, uint64_t *ret_offset, struct err *err)
{
	int fd = -1;
	switch (item->at.kind) {
	case LOCATION_SEGMENT:
		if (segment_open(s->segments, item->at.segment, O_RDONLY, &fd, err) < 0)
			return -1;
		break;
	case LOCATION_LARGE:
		if (large_open(s->large, &item->content, &fd, err) < 0)
			return -1;
		break;
	case LOCATION_NONE:
	case LOCATION_REFERENCE:
		return err_set(err, ERR_REJECT, 0, "item %" PRIu64 " is known by reference: its bytes are at its source", item->id);
	}
	*ret_fd = fd;
	*ret_offset = item->at.kind == LOCATION_SEGMENT ? item->at.offset : 0;
	return 0;
}

int store_derived(struct store *s, uint64_t item, enum derived_kind kind, struct buf *to, struct err *err)
{
	struct view *v;
	struct record_derived at;
	if (view_open(s, &v, err) < 0)
		return -1;
	int found = view_derived(v, item, kind, &at, err);
	view_close(v);
	return found > 0 ? derived_get(s->derived, &at, to) : found;
}

void store_usage(struct store *s, struct store_usage *ret)
{
	struct view *v;
	struct totals totals = { 0 };
	struct mark mark;
	committer_mark(s->committer, &mark);
	if (view_open(s, &v, NULL) == 0) {
		(void)view_totals(v, &totals, NULL);
		view_close(v);
	}
	*ret = (struct store_usage){
		.segments = mark.segment,
		.large = totals.large,
		.bytes = totals.stored_bytes,
		.revision = mark.revision,
	};
}

void store_drop_cache(struct store *s)
{
	kv_drop_cache(s->kv);
}
