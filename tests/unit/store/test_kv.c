/* test_kv.c - the LMDB wrapper on real environments: rows, order, the sticky error, hooks, copies, a full map. */
#include "tests/unit/store/index_fixture.h"

#include <errno.h>

static void put_rows(struct kv *kv, int from, int to, size_t bytes)
{
	struct kv_txn *txn;
	char *value = mem_zero(1, bytes);
	assert_int_equal(kv_begin(kv, true, &txn, NULL), 0);
	for (int i = from; i < to; i++) {
		struct key k;
		assert_int_equal(kv_put(txn, TABLE_ITEM, key_item(&k, (uint64_t)i), (struct slice){ value, bytes }), 0);
	}
	assert_int_equal(kv_commit(txn, NULL), 0);
	free(value);
}

static void test_get_put_delete(void **state)
{
	struct index *x = *state;
	struct kv_txn *txn = index_txn(x);
	struct slice value;
	assert_int_equal(kv_get(txn, TABLE_ITEM, S("k"), &value), 0);
	assert_int_equal(kv_put(txn, TABLE_ITEM, S("k"), S("one")), 0);
	assert_int_equal(kv_put(txn, TABLE_RUN, S("k"), S("other table")), 0);
	assert_int_equal(kv_put_new(txn, TABLE_ITEM, S("k"), S("two"), &value), 0);
	assert_slice(value, "one");
	assert_int_equal(kv_put_new(txn, TABLE_ITEM, S("l"), S(""), &value), 1);
	assert_int_equal(kv_get(txn, TABLE_ITEM, S("k"), &value), 1);
	assert_slice(value, "one");
	assert_int_equal(kv_get(txn, TABLE_ITEM, S("l"), &value), 1);
	assert_slice(value, "");
	assert_int_equal(kv_delete(txn, TABLE_ITEM, S("k")), 1);
	assert_int_equal(kv_delete(txn, TABLE_ITEM, S("k")), 0);
	assert_int_equal(kv_get(txn, TABLE_ITEM, S("k"), &value), 0);
}

#define MODEL_KEYS 3000
#define MODEL_STEPS 60000
#define MODEL_COMMIT 5000

/* What the table must hold: a value of so many bytes of one kind, -1 none. */
struct model_row {
	int bytes;
	char fill;
};

static bool is_row(struct slice value, const struct model_row *row)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] != row->fill)
			return false;
	return (int)value.len == row->bytes;
}

static void model_put(struct kv_txn *txn, struct slice key, struct model_row *row, bool only_new)
{
	char bytes[600];
	struct model_row next = { rand() % (int)sizeof(bytes), (char)('a' + rand() % 26) };
	struct slice value, old;
	memset(bytes, next.fill, sizeof(bytes));
	value = (struct slice){ bytes, (size_t)next.bytes };
	if (!only_new)
		assert_int_equal(kv_put(txn, TABLE_ITEM, key, value), 0);
	else if (kv_put_new(txn, TABLE_ITEM, key, value, &old) == 0)
		assert_true(is_row(old, row));
	if (!only_new || row->bytes < 0)
		*row = next;
}

static void model_seek(struct kv_txn *txn, struct slice key, const struct model_row *rows, int n)
{
	struct slice found, value;
	while (n < MODEL_KEYS && rows[n].bytes < 0)
		n++;
	assert_int_equal(kv_seek(txn, TABLE_ITEM, key, &found, &value), n < MODEL_KEYS);
	if (n < MODEL_KEYS)
		assert_true(read_be64(found.p) == (uint64_t)n && is_row(value, &rows[n]));
}

/* One step at n; rows come and go in runs and at random, so that pages split, merge and empty under the kept cursors. */
static void model_step(struct kv_txn *txn, struct model_row *rows, int n, int what)
{
	struct key k;
	struct slice key = key_item(&k, (uint64_t)n), value;
	bool is_there = rows[n].bytes >= 0;
	switch (what) {
	case 0:
		model_put(txn, key, &rows[n], false);
		break;
	case 1:
		model_put(txn, key, &rows[n], true);
		break;
	case 2:
		assert_int_equal(kv_delete(txn, TABLE_ITEM, key), is_there);
		rows[n].bytes = -1;
		break;
	case 3:
		model_seek(txn, key, rows, n);
		break;
	default:
		assert_int_equal(kv_get(txn, TABLE_ITEM, key, &value), is_there);
		assert_true(!is_there || is_row(value, &rows[n]));
	}
}

static void test_any_mix_of_steps_reads_back(void **state)
{
	struct index *x = *state;
	struct model_row *rows = mem_zero(MODEL_KEYS, sizeof(*rows));
	for (int n = 0; n < MODEL_KEYS; n++)
		rows[n].bytes = -1;
	srand(7);
	for (int step = 0, n = 0, what = 0; step < MODEL_STEPS; step++) {
		if (step % MODEL_COMMIT == 0 && step > 0)
			index_commit(x);
		if (rand() % 50 == 0)
			what = rand() % 4; /* a run of one kind */
		n = rand() % 8 == 0 ? rand() % MODEL_KEYS : (n + 1) % MODEL_KEYS;
		model_step(index_txn(x), rows, n, rand() % 4 == 0 ? 4 : what);
	}
	index_commit(x);
	for (int n = 0; n < MODEL_KEYS; n++)
		model_step(index_txn(x), rows, n, 4);
	free(rows);
}

static void test_commit_outlives_close_abort_does_not(void **state)
{
	struct index *x = *state;
	put_rows(x->kv, 1, 3, 10);
	struct key k;
	struct slice value;
	assert_int_equal(kv_put(index_txn(x), TABLE_ITEM, key_item(&k, 9), S("never")), 0);
	index_abort(x);
	kv_close(x->kv);
	assert_int_equal(kv_open(x->dir, INDEX_MAP, &x->kv, &x->err), 0);
	assert_int_equal(kv_get(index_txn(x), TABLE_ITEM, key_item(&k, 2), &value), 1);
	assert_int_equal(kv_get(index_txn(x), TABLE_ITEM, key_item(&k, 9), &value), 0);
}

static void test_walk_is_in_key_order_from_a_key(void **state)
{
	struct index *x = *state;
	put_rows(x->kv, 250, 260, 1); /* across the byte boundary: big-endian keys keep their order */
	struct kv_cursor *c;
	struct key k;
	struct slice key, value;
	assert_int_equal(kv_cursor_open(index_txn(x), TABLE_ITEM, key_item(&k, 254), &c), 0);
	for (uint64_t i = 254; i < 260; i++) {
		assert_int_equal(kv_cursor_next(c, &key, &value), 1);
		assert_int_equal(read_be64(key.p), i);
	}
	assert_int_equal(kv_cursor_next(c, &key, &value), 0);
	kv_cursor_close(c);
	assert_int_equal(kv_cursor_open(index_txn(x), TABLE_ITEM, S(""), &c), 0);
	assert_int_equal(kv_cursor_next(c, &key, &value), 1);
	assert_int_equal(read_be64(key.p), 250);
	kv_cursor_close(c);
}

static void test_seek_finds_the_first_at_or_behind(void **state)
{
	struct index *x = *state;
	struct key k;
	struct slice key, value;
	put_rows(x->kv, 10, 12, 1);
	assert_int_equal(kv_seek(index_txn(x), TABLE_ITEM, key_item(&k, 4), &key, &value), 1);
	assert_int_equal(read_be64(key.p), 10);
	assert_int_equal(kv_seek(x->txn, TABLE_ITEM, key_item(&k, 11), &key, &value), 1);
	assert_int_equal(read_be64(key.p), 11);
	assert_int_equal(kv_seek(x->txn, TABLE_ITEM, key_item(&k, 12), &key, &value), 0);
	assert_int_equal(kv_put(x->txn, TABLE_ITEM, key_item(&k, 12), S("new")), 0);
	assert_int_equal(kv_seek(x->txn, TABLE_ITEM, key_item(&k, 12), &key, &value), 1);
}

static void test_first_failure_sticks_and_undoes_all(void **state)
{
	struct index *x = *state;
	char long_key[KEY_MAX + 2] = { 0 };
	struct slice value;
	assert_int_equal(kv_put(index_txn(x), TABLE_ITEM, S("good"), S("1")), 0);
	assert_int_equal(kv_put(x->txn, TABLE_ITEM, (struct slice){ long_key, sizeof(long_key) }, S("1")), -1);
	assert_int_equal(kv_put(x->txn, TABLE_ITEM, S("later"), S("1")), -1);
	assert_int_equal(kv_get(x->txn, TABLE_ITEM, S("good"), &value), -1);
	assert_int_equal(kv_failed(x->txn, &x->err), -1);
	assert_int_equal(x->err.class, ERR_FATAL);
	assert_non_null(strstr(x->err.text, "put item"));
	assert_int_equal(kv_commit(x->txn, &x->err), -1);
	x->txn = NULL;
	assert_int_equal(kv_get(index_txn(x), TABLE_ITEM, S("good"), &value), 0);
}

static void test_fail_keeps_the_first_reason(void **state)
{
	struct index *x = *state;
	assert_int_equal(kv_fail(index_txn(x), ERR_REJECT, 0, "row %d", 7), -1);
	assert_int_equal(kv_fail(x->txn, ERR_FATAL, 0, "something else"), -1);
	assert_int_equal(kv_commit(x->txn, &x->err), -1);
	x->txn = NULL;
	assert_string_equal(x->err.text, "row 7");
	assert_int_equal(x->err.class, ERR_REJECT);
}

/* A thousand sources that are looked at together hold more than a thousand. */
static void test_many_readers_at_once(void **state)
{
	struct index *x = *state;
	static struct kv_txn *readers[2000];
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		assert_int_equal(kv_begin(x->kv, false, &readers[i], &x->err), 0);
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		kv_abort(readers[i]);
}

static void test_reader_keeps_its_snapshot_until_renewed(void **state)
{
	struct index *x = *state;
	struct kv_txn *reader;
	struct key k;
	struct slice key, value;
	assert_int_equal(kv_begin(x->kv, false, &reader, &x->err), 0);
	assert_int_equal(kv_seek(reader, TABLE_ITEM, S(""), &key, &value), 0);
	put_rows(x->kv, 1, 2, 1);
	assert_int_equal(kv_get(reader, TABLE_ITEM, key_item(&k, 1), &value), 0);
	kv_reset(reader);
	assert_int_equal(kv_renew(reader, &x->err), 0);
	assert_int_equal(kv_get(reader, TABLE_ITEM, key_item(&k, 1), &value), 1);
	assert_int_equal(kv_seek(reader, TABLE_ITEM, S(""), &key, &value), 1);
	kv_abort(reader);
}

static int flush_one(struct kv_txn *txn, void *kept)
{
	return kv_put(txn, TABLE_META, S("flushed"), slice_of(kept));
}

static void drop_one(void *kept)
{
	*(char *)kept = 'D';
}

static const struct kv_hook one_hook = { flush_one, drop_one };

static void test_hook_flushes_at_commit_and_always_drops(void **state)
{
	struct index *x = *state;
	char kept[] = "kept", lost[] = "lost";
	struct slice value;
	kv_keep(index_txn(x), &one_hook, lost);
	assert_ptr_equal(kv_kept(x->txn), lost);
	index_abort(x);
	assert_string_equal(lost, "Dost");
	kv_keep(index_txn(x), &one_hook, kept);
	index_commit(x);
	assert_string_equal(kept, "Dept");
	assert_int_equal(kv_get(index_txn(x), TABLE_META, S("flushed"), &value), 1);
	assert_slice(value, "kept");
}

static void test_full_map_is_retry_and_the_index_goes_on(void **state)
{
	(void)state;
	char dir[] = "/tmp/inlet-index-XXXXXX";
	struct kv *kv;
	struct kv_txn *txn;
	struct err err = { 0 };
	assert_non_null(mkdtemp(dir));
	assert_int_equal(kv_open(dir, 1 << 20, &kv, &err), 0);
	put_rows(kv, 1, 50, 100);
	assert_true(kv_used_percent(kv) < 50);
	assert_int_equal(kv_begin(kv, true, &txn, &err), 0);
	static char value[1000];
	int rc = 0;
	for (uint64_t i = 100; i < 5000 && rc == 0; i++) {
		struct key k;
		rc = kv_put(txn, TABLE_ITEM, key_item(&k, i), (struct slice){ value, sizeof(value) });
	}
	assert_int_equal(rc, -1);
	assert_int_equal(kv_commit(txn, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.sys, ENOSPC);
	assert_non_null(strstr(err.text, "limits.map"));
	put_rows(kv, 60, 70, 100);
	kv_close(kv);
	index_remove_dir(dir);
}

static void test_damaged_file_is_fatal_and_says_rebuild(void **state)
{
	(void)state;
	char dir[] = "/tmp/inlet-index-XXXXXX", path[64];
	struct kv *kv = NULL;
	struct err err = { 0 };
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("not an index at all ", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(kv_open(dir, INDEX_MAP, &kv, &err), -1);
	assert_null(kv);
	assert_int_equal(err.class, ERR_FATAL);
	assert_non_null(strstr(err.text, "rebuild-index"));
	index_remove_dir(dir);
}

/* Of a map in a file, or in a tmpfs, which Debian 13 has on /tmp. */
static long mapped_kb(void)
{
	char line[256];
	long file = 0, memory = 0;
	FILE *f = fopen("/proc/self/status", "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssFile: %ld", &file) == 0 && sscanf(line, "RssShmem: %ld", &memory) == 1)
			break;
	assert_int_equal(fclose(f), 0);
	return file + memory;
}

static void test_drop_cache_gives_the_map_back(void **state)
{
	struct index *x = *state;
	struct kv_txn *txn;
	struct kv_cursor *c;
	struct slice key, value;
	put_rows(x->kv, 1, 40000, 1000);
	assert_int_equal(kv_begin(x->kv, false, &txn, &x->err), 0);
	assert_int_equal(kv_cursor_open(txn, TABLE_ITEM, S(""), &c), 0);
	long before = mapped_kb();
	while (kv_cursor_next(c, &key, &value) > 0)
		;
	long walked = mapped_kb();
	assert_true(walked > before + 20000);
	kv_drop_cache(x->kv);
	assert_true(mapped_kb() < walked - 20000);
	struct key k;
	assert_int_equal(kv_get(txn, TABLE_ITEM, key_item(&k, 39999), &value), 1); /* still readable */
	kv_cursor_close(c);
	kv_abort(txn);
}

#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_get_put_delete),
		T(test_any_mix_of_steps_reads_back),
		T(test_commit_outlives_close_abort_does_not),
		T(test_walk_is_in_key_order_from_a_key),
		T(test_seek_finds_the_first_at_or_behind),
		T(test_first_failure_sticks_and_undoes_all),
		T(test_fail_keeps_the_first_reason),
		T(test_many_readers_at_once),
		T(test_reader_keeps_its_snapshot_until_renewed),
		T(test_hook_flushes_at_commit_and_always_drops),
		T(test_full_map_is_retry_and_the_index_goes_on),
		T(test_damaged_file_is_fatal_and_says_rebuild),
		T(test_drop_cache_gives_the_map_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
