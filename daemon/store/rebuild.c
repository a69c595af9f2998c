/* rebuild.c - builds index.new and swaps it with index. */
#include "daemon/store/rebuild.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/apply.h"
#include "daemon/store/recovery.h"

#include <errno.h>
#include <fcntl.h>

#define NEW_DIR "index.new"
#define DIR_MODE 0750

/* Removes the files of a directory, which has no directories in it. One that is not there is fine. */
static int files_remove(int at, const char *name, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_RETRY, errno, "open '%s'", name);
	CLEANUP(closedirp) DIR *d = fdopendir(fd);
	if (!d)
		return err_set(err, ERR_RETRY, errno, "list '%s'", name);
	(void)take_fd(&fd); /* d's now */
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0 && errno != ENOENT)
			return err_set(err, ERR_RETRY, errno, "remove '%s/%s'", name, e->d_name);
	}
	return 0;
}

static int dir_remove(int at, const char *name, struct err *err)
{
	if (files_remove(at, name, err) < 0)
		return -1;
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, ERR_RETRY, errno, "remove '%s'", name);
	return 0;
}

static int fill(const struct rebuild *b, struct mark *mark, struct store_report *report, struct err *err)
{
	CLEANUP(kv_closep) struct kv *kv = NULL;
	CLEANUP(freep) char *path = mem_printf("%s/%s", b->state_dir, NEW_DIR);
	struct kv_txn *txn;
	if (kv_open(path, b->map_bytes, &kv, err) < 0 || apply_init(kv, err) < 0 || kv_begin(kv, true, &txn, err) < 0)
		return -1;
	(void)mark_put(txn, mark); /* a failure is the transaction's */
	return kv_commit(txn, err) < 0 ? -1 : recovery_run(b->segments, b->large, kv, RECOVERY_REBUILD, mark, report, err);
}

/* The new index takes the place of the old one in one step, where the file system can; else there is none for a moment,
 * and a crash there rebuilds again. */
static int swap(const struct rebuild *b, struct err *err)
{
	bool swapped = renameat2(b->state, NEW_DIR, b->state, INDEX_DIR, RENAME_EXCHANGE) == 0;
	if (!swapped && errno != ENOENT && errno != EINVAL && errno != ENOSYS)
		return err_set(err, ERR_RETRY, errno, "swap '%s' in", NEW_DIR);
	if (!swapped && dir_remove(b->state, INDEX_DIR, err) < 0)
		return -1;
	if (!swapped && renameat(b->state, NEW_DIR, b->state, INDEX_DIR) < 0)
		return err_set(err, ERR_RETRY, errno, "rename '%s'", NEW_DIR);
	if (dir_sync(b->state, b->state_dir, err) < 0)
		return -1;
	return swapped ? dir_remove(b->state, NEW_DIR, err) : 0;
}

int rebuild_index(const struct rebuild *b, struct mark *ret_mark, struct store_report *report, struct err *err)
{
	struct mark mark = { .segment = 1, .offset = SEGMENT_FIRST };
	memcpy(mark.uuid, b->uuid, STORE_UUID_BYTES);
	if (dir_remove(b->state, NEW_DIR, err) < 0 || dir_make(b->state, NEW_DIR, DIR_MODE, err) < 0 ||
	    fill(b, &mark, report, err) < 0 || files_remove(b->packs, ".", err) < 0 || swap(b, err) < 0)
		return err_wrap(err, "rebuild the index");
	report->rebuilt = true;
	*ret_mark = mark;
	return 0;
}

bool rebuild_needed(int state)
{
	return faccessat(state, INDEX_DIR "/data.mdb", F_OK, 0) < 0 && errno == ENOENT;
}
