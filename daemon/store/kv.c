/* kv.c - LMDB behind typed tables; the only file that includes lmdb.h. */
#include "daemon/store/kv.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdarg.h>
#include <sys/mman.h>

#define KV_FILE "data.mdb"
#define KV_READERS 4094                 /* read transactions open at once: each source that is looked at holds some */
#define DISK_FULL_BYTES (4U << 20)      /* a commit that fails with less than this free failed for lack of space */

struct kv {
	MDB_env *env;
	MDB_dbi dbi[TABLES];
	char *dir;
	int dirfd;
	uint64_t map_bytes;
	void *map; /* where the environment is mapped; NULL: could not be found out */
};

struct kv_txn {
	struct kv *kv;
	MDB_txn *txn;
	MDB_cursor *kept_cursor[TABLES]; /* opened at its first use; neighbours of the last row are found without a descent */
	const struct kv_hook *hook;
	void *kept;
	bool write, failed;
	struct err err;
};

struct kv_cursor {
	struct kv_txn *txn;
	MDB_cursor *cursor;
	enum table table;
	bool started;
	size_t from_len;
	char from[];
};

static const char *const table_names[TABLES] = {
	[TABLE_META] = "meta",
	[TABLE_COUNTER] = "counter",
	[TABLE_SOURCE] = "source",
	[TABLE_OBJECT] = "object",
	[TABLE_DIRECTORY] = "directory",
	[TABLE_REF] = "ref",
	[TABLE_OBJECT_KEY] = "ref",
	[TABLE_CONTENT] = "content",
	[TABLE_ITEM] = "item",
	[TABLE_RUN] = "run",
	[TABLE_ANNOTATION] = "annotation",
	[TABLE_WORK] = "work",
	[TABLE_BY_STATE] = "by_state",
	[TABLE_FAILURE] = "failure",
	[TABLE_DERIVED] = "derived",
	[TABLE_IMPORT] = "import",
	[TABLE_IMPORT_ROW] = "import_row",
};

const char *table_name(enum table t)
{
	assert(t < TABLES);
	return table_names[t];
}

static bool disk_is_full(const struct kv *kv)
{
	int64_t free_bytes = file_free_bytes(kv->dirfd);
	return free_bytes >= 0 && free_bytes < (int64_t)DISK_FULL_BYTES;
}

/* What an LMDB result means for us. LMDB reports a short write, which is how a full disk looks to it, as EIO. */
static int kv_error(const struct kv *kv, int rc, const char *what, struct err *err)
{
	if (rc == MDB_MAP_FULL)
		return err_set(err, ERR_RETRY, ENOSPC, "%s: the index has used all of its map: raise limits.map", what);
	if (rc == ENOSPC || rc == EDQUOT || (rc == EIO && disk_is_full(kv)))
		return err_set(err, ERR_RETRY, ENOSPC, "%s: no room for the index in '%s'", what, kv->dir);
	if (rc == MDB_READERS_FULL)
		return err_set(err, ERR_RETRY, 0, "%s: more than %d readers of the index at once", what, KV_READERS);
	if (rc == EACCES || rc == EPERM || rc == EROFS || rc == EMFILE || rc == ENFILE || rc == EAGAIN)
		return err_set(err, ERR_FATAL, rc, "%s: the index in '%s'", what, kv->dir);
	if (rc == ENOMEM)
		return err_set(err, ERR_FATAL, rc,
			"%s: cannot map %" PRIu64 " bytes of address space: lower limits.map", what, kv->map_bytes);
	return err_set(err, ERR_FATAL, 0, "%s: the index in '%s': %s; \"inlet rebuild-index\" makes it anew", what,
		kv->dir, mdb_strerror(rc));
}

static int dbis_open(struct kv *kv, unsigned begin_flags, unsigned dbi_flags)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(kv->env, NULL, begin_flags, &txn);
	for (int t = 0; rc == 0 && t < TABLES; t++) {
		rc = mdb_dbi_open(txn, table_names[t], dbi_flags, &kv->dbi[t]);
		if (rc != 0)
			mdb_txn_abort(txn);
	}
	return rc != 0 ? rc : mdb_txn_commit(txn);
}

/* LMDB does not tell where its map lies, and reading its file with a descriptor of our own would drop its locks: find
 * the mapping of that inode and size in our own address space. */
static void *map_find(const struct kv *kv)
{
	struct stat st;
	int fd;
	CLEANUP(fclosep) FILE *maps = fopen("/proc/self/maps", "re");
	if (!maps || mdb_env_get_fd(kv->env, &fd) != 0 || fstat(fd, &st) < 0)
		return NULL;
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, maps) > 0) {
		unsigned long from, to, inode;
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &from, &to, &inode) == 3 && inode == st.st_ino &&
			to - from >= kv->map_bytes && strstr(line, "/" KV_FILE))
			return (void *)from; /* NOLINT(performance-no-int-to-ptr): the kernel prints addresses */
	}
	return NULL;
}

static int env_open(struct kv *kv, struct err *err)
{
	int rc = mdb_env_create(&kv->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(kv->env, kv->map_bytes);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(kv->env, TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(kv->env, KV_READERS);
	if (rc == 0)
		rc = mdb_env_open(kv->env, kv->dir, MDB_NOTLS, 0640);
	if (rc == 0)
		rc = dbis_open(kv, MDB_RDONLY, 0);
	if (rc == MDB_NOTFOUND)
		rc = dbis_open(kv, 0, MDB_CREATE);
	return rc == 0 ? 0 : kv_error(kv, rc, "open", err);
}

/* Frees slots of dead readers; returns how many. */
static int check_readers(struct kv *kv)
{
	int dead = 0;
	return mdb_reader_check(kv->env, &dead) == 0 ? dead : 0;
}

int kv_open(const char *dir, uint64_t map_bytes, struct kv **ret, struct err *err)
{
	CLEANUP(kv_closep) struct kv *kv = mem_zero(1, sizeof(*kv));
	kv->dir = mem_strdup(dir);
	kv->map_bytes = map_bytes;
	kv->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kv->dirfd < 0)
		return err_set(err, ERR_FATAL, errno, "open the index directory '%s'", dir);
	if (env_open(kv, err) < 0)
		return -1;
	/* LMDB leaves making its file's name durable to us. Not only after creating it: a crash may have come between.
	 */
	if (dir_sync(kv->dirfd, dir, err) < 0)
		return -1;
	kv->map = map_find(kv);
	(void)check_readers(kv);
	*ret = TAKE_PTR(kv);
	return 0;
}

void kv_close(struct kv *kv)
{
	if (!kv)
		return;
	if (kv->env)
		mdb_env_close(kv->env);
	if (kv->dirfd >= 0)
		(void)close(kv->dirfd);
	free(kv->dir);
	free(kv);
}

static uint64_t used_bytes(const struct kv *kv)
{
	MDB_envinfo info;
	MDB_stat stat;
	if (mdb_env_info(kv->env, &info) != 0 || mdb_env_stat(kv->env, &stat) != 0)
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

int kv_used_percent(struct kv *kv)
{
	return (int)(used_bytes(kv) * 100 / kv->map_bytes);
}

void kv_drop_cache(struct kv *kv)
{
	if (kv->map)
		(void)madvise(kv->map, used_bytes(kv), MADV_DONTNEED);
}

/* Transactions */

int kv_begin(struct kv *kv, bool write, struct kv_txn **ret, struct err *err)
{
	MDB_txn *mdb;
	int rc = mdb_txn_begin(kv->env, NULL, write ? 0 : MDB_RDONLY, &mdb);
	if (rc == MDB_READERS_FULL && check_readers(kv) > 0)
		rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &mdb);
	if (rc != 0)
		return kv_error(kv, rc, "begin", err);
	struct kv_txn *txn = mem_zero(1, sizeof(*txn));
	txn->kv = kv;
	txn->txn = mdb;
	txn->write = write;
	*ret = txn;
	return 0;
}

/* Before the transaction ends: cursors of a write transaction must not outlive it. */
static void txn_release(struct kv_txn *txn)
{
	for (int t = 0; t < TABLES; t++)
		if (txn->kept_cursor[t])
			mdb_cursor_close(txn->kept_cursor[t]);
	if (txn->hook)
		txn->hook->drop(txn->kept);
}

int kv_commit(struct kv_txn *txn, struct err *err)
{
	if (!txn->failed && txn->hook)
		(void)txn->hook->flush(txn, txn->kept);
	txn_release(txn);
	int rc = 0;
	if (txn->failed) {
		mdb_txn_abort(txn->txn);
		rc = kv_failed(txn, err);
	} else {
		int mdb = mdb_txn_commit(txn->txn);
		if (mdb != 0)
			rc = kv_error(txn->kv, mdb, "commit", err);
	}
	free(txn);
	return rc;
}

void kv_abort(struct kv_txn *txn)
{
	if (!txn)
		return;
	txn_release(txn);
	mdb_txn_abort(txn->txn);
	free(txn);
}

void kv_reset(struct kv_txn *txn)
{
	assert(!txn->write);
	mdb_txn_reset(txn->txn);
}

int kv_renew(struct kv_txn *txn, struct err *err)
{
	assert(!txn->write);
	txn->failed = false;
	int rc = mdb_txn_renew(txn->txn);
	for (int t = 0; rc == 0 && t < TABLES; t++)
		if (txn->kept_cursor[t])
			rc = mdb_cursor_renew(txn->txn, txn->kept_cursor[t]);
	return rc == 0 ? 0 : kv_error(txn->kv, rc, "renew", err);
}

int kv_failed(struct kv_txn *txn, struct err *err)
{
	if (!txn->failed)
		return 0;
	if (err)
		*err = txn->err;
	return -1;
}

int kv_fail(struct kv_txn *txn, enum err_class class, int sys, const char *fmt, ...)
{
	if (txn->failed)
		return -1;
	char text[sizeof(txn->err.text)];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	txn->failed = true;
	return err_set(&txn->err, class, sys, "%s", text);
}

void kv_keep(struct kv_txn *txn, const struct kv_hook *hook, void *kept)
{
	assert(txn->write && !txn->hook);
	txn->hook = hook;
	txn->kept = kept;
}

void *kv_kept(const struct kv_txn *txn)
{
	return txn->kept;
}

bool kv_writes(const struct kv_txn *txn)
{
	return txn->write;
}

/* Rows */

static int row_error(struct kv_txn *txn, int rc, const char *verb, enum table t)
{
	char what[64];
	(void)snprintf(what, sizeof(what), "%s %s", verb, table_names[t]);
	txn->failed = true;
	return kv_error(txn->kv, rc, what, &txn->err);
}

static MDB_val val_of(struct slice s)
{
	return (MDB_val){ s.len, (void *)(s.p ? s.p : "") };
}

static struct slice slice_of_val(MDB_val v)
{
	return (struct slice){ v.mv_data, v.mv_size };
}

/* NULL: the transaction failed. */
static MDB_cursor *cursor_of(struct kv_txn *txn, enum table t, const char *verb)
{
	int rc = 0;
	if (!txn->kept_cursor[t])
		rc = mdb_cursor_open(txn->txn, txn->kv->dbi[t], &txn->kept_cursor[t]);
	if (rc != 0)
		(void)row_error(txn, rc, verb, t);
	return txn->kept_cursor[t];
}

int kv_get(struct kv_txn *txn, enum table t, struct slice key, struct slice *ret)
{
	MDB_cursor *c = txn->failed ? NULL : cursor_of(txn, t, "get");
	if (!c)
		return -1;
	MDB_val k = val_of(key), v;
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return row_error(txn, rc, "get", t);
	*ret = slice_of_val(v);
	return 1;
}

/* 1 put, 0 was there: *ret, which only a put with MDB_NOOVERWRITE needs. */
static int put(struct kv_txn *txn, enum table t, struct slice key, struct slice value, unsigned flags, struct slice *ret)
{
	MDB_cursor *c = txn->failed ? NULL : cursor_of(txn, t, "put");
	if (!c)
		return -1;
	MDB_val k = val_of(key), v = val_of(value);
	int rc = mdb_cursor_put(c, &k, &v, flags);
	if (ret && rc == MDB_KEYEXIST) {
		*ret = slice_of_val(v);
		return 0;
	}
	return rc == 0 ? 1 : row_error(txn, rc, "put", t);
}

int kv_put(struct kv_txn *txn, enum table t, struct slice key, struct slice value)
{
	return put(txn, t, key, value, 0, NULL) < 0 ? -1 : 0;
}

int kv_put_new(struct kv_txn *txn, enum table t, struct slice key, struct slice value, struct slice *ret_old)
{
	return put(txn, t, key, value, MDB_NOOVERWRITE, ret_old);
}

int kv_delete(struct kv_txn *txn, enum table t, struct slice key)
{
	if (txn->failed)
		return -1;
	MDB_val k = val_of(key);
	int rc = mdb_del(txn->txn, txn->kv->dbi[t], &k, NULL);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc == 0 ? 1 : row_error(txn, rc, "delete", t);
}

/* An empty key is not one LMDB can look for; it means the first row. */
static int position(MDB_cursor *c, struct slice from, MDB_val *k, MDB_val *v)
{
	*k = val_of(from);
	return mdb_cursor_get(c, k, v, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
}

static int found(struct kv_txn *txn, enum table t, int rc, MDB_val k, MDB_val v, struct slice *ret_key,
	struct slice *ret_value)
{
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return row_error(txn, rc, "walk", t);
	*ret_key = slice_of_val(k);
	*ret_value = slice_of_val(v);
	return 1;
}

int kv_seek(struct kv_txn *txn, enum table t, struct slice from, struct slice *ret_key, struct slice *ret_value)
{
	if (txn->failed)
		return -1;
	MDB_cursor *c = cursor_of(txn, t, "seek");
	if (!c)
		return -1;
	MDB_val k, v;
	int rc = position(c, from, &k, &v);
	return found(txn, t, rc, k, v, ret_key, ret_value);
}

int kv_cursor_open(struct kv_txn *txn, enum table t, struct slice from, struct kv_cursor **ret)
{
	if (txn->failed)
		return -1;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn->txn, txn->kv->dbi[t], &cursor);
	if (rc != 0)
		return row_error(txn, rc, "walk", t);
	struct kv_cursor *c = mem_alloc(sizeof(*c) + from.len);
	*c = (struct kv_cursor){ .txn = txn, .cursor = cursor, .table = t, .from_len = from.len };
	if (from.len > 0)
		memcpy(c->from, from.p, from.len);
	*ret = c;
	return 0;
}

int kv_cursor_next(struct kv_cursor *c, struct slice *ret_key, struct slice *ret_value)
{
	if (c->txn->failed)
		return -1;
	MDB_val k, v;
	int rc = c->started ? mdb_cursor_get(c->cursor, &k, &v, MDB_NEXT)
			    : position(c->cursor, (struct slice){ c->from, c->from_len }, &k, &v);
	c->started = true;
	return found(c->txn, c->table, rc, k, v, ret_key, ret_value);
}

void kv_cursor_close(struct kv_cursor *c)
{
	if (!c)
		return;
	mdb_cursor_close(c->cursor);
	free(c);
}
