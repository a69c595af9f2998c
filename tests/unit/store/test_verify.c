/* test_verify.c - verify finds each kind of damage and names what is damaged; it finds nothing where there is none. */
#include "tests/unit/store/fixture.h"

#include "daemon/store/internal.h"

static struct verify_report verify(struct fixture *f, unsigned slice, unsigned slices, struct buf *problems)
{
	struct verify_report r;
	if (store_verify(f->store, slice, slices, collect_problem, problems, &r, &f->err) < 0)
		fail_msg("%s", f->err.text);
	return r;
}

static void assert_finds(struct fixture *f, const char *what)
{
	CLEANUP(buf_done) struct buf problems = { 0 };
	struct verify_report r = verify(f, 0, 1, &problems);
	assert_true(r.problems > 0);
	if (!strstr(problems.data, what))
		fail_msg("'%s' is not in: %s", what, problems.data);
}

static void overwrite(struct fixture *f, uint64_t at, const char *text)
{
	assert_int_equal(run_shell("printf '%s' | dd of='%s/store/segments/00000001.tar' bs=1 seek=%" PRIu64
		" conv=notrunc 2>/dev/null", text, f->dir, at), 0);
}

static uint64_t offset_of(struct fixture *f, uint64_t id)
{
	struct item item;
	assert_true(item_of(f, id, &item));
	return item.at.offset;
}

static void three(struct fixture *f)
{
	assert_int_equal(arrive_text(f, "a", "v", "first content"), 1);
	assert_int_equal(arrive_text(f, "b", "v", "second content"), 2);
	assert_int_equal(arrive_text(f, "c", "v", "third content"), 3);
}

static void test_sound_store_has_no_problems(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_done) struct buf problems = { 0 };
	three(f);
	struct verify_report r = verify(f, 0, 1, &problems);
	assert_int_equal(r.problems, 0);
	assert_int_equal(r.batches, 3);
	assert_int_equal(r.blobs, 3);
	assert_int_equal(r.items, 3);
	assert_int_equal(r.bytes, strlen("first contentsecond contentthird content"));
}

static void test_interrupted_verify_finds_nothing_and_says_why(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_done) struct buf problems = { 0 };
	struct verify_report r;
	three(f);
	store_interrupt(f->store);
	assert_int_equal(store_verify(f->store, 0, 1, collect_problem, &problems, &r, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_non_null(strstr(f->err.text, "stopping"));
	assert_int_equal(problems.len, 0);
	fixture_close(f);
	assert_int_equal(fixture_open(f), 0); /* the next one may */
	assert_verifies(f);
}

static void test_empty_store_has_no_problems(void **state)
{
	assert_verifies(*state);
}

static void test_changed_blob_is_named(void **state)
{
	struct fixture *f = *state;
	three(f);
	overwrite(f, offset_of(f, 2) + 3, "X");
	assert_finds(f, "item 2: blob ");
	CLEANUP(buf_done) struct buf problems = { 0 };
	assert_int_equal(verify(f, 0, 1, &problems).problems, 1);
}

static void test_slices_share_the_blobs(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_done) struct buf problems = { 0 };
	uint64_t blobs = 0;
	for (int i = 0; i < 30; i++) {
		char text[32];
		(void)snprintf(text, sizeof(text), "content %d", i);
		assert_int_equal(arrive_text(f, text, "v", text), i + 1);
	}
	for (unsigned slice = 0; slice < 4; slice++) {
		uint64_t share = verify(f, slice, 4, &problems).blobs;
		assert_in_range(share, 1, 29);
		blobs += share;
	}
	assert_int_equal(blobs, 30);
}

static void test_altered_line_breaks_the_chain(void **state)
{
	struct fixture *f = *state;
	three(f);
	/* Behind the blob's append comes the batch member; its text begins at + 512: the time in the first line of batch 2. */
	uint64_t batch = (offset_of(f, 2) & ~4095ULL) + 4096;
	CLEANUP(freep) char *path = mem_printf("%s/store/segments/00000001.tar", f->dir);
	CLEANUP(close_fdp) int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[512];
	assert_int_equal(file_read_at(fd, text, sizeof(text), batch + 512, &f->err), 0);
	char *time = memmem(text, sizeof(text), "\"time\":", 7);
	assert_non_null(time);
	overwrite(f, batch + 512 + (uint64_t)(time - text) + 8, "0");
	assert_finds(f, "batch 3 does not continue the chain");
}

static void test_altered_last_batch_differs_from_the_index(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v", "only"), 1);
	uint64_t batch = (offset_of(f, 1) & ~4095ULL) + 4096;
	CLEANUP(freep) char *path = mem_printf("%s/store/segments/00000001.tar", f->dir);
	CLEANUP(close_fdp) int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[512];
	assert_int_equal(file_read_at(fd, text, sizeof(text), batch + 512, &f->err), 0);
	char *time = memmem(text, sizeof(text), "\"time\":", 7);
	assert_non_null(time);
	overwrite(f, batch + 512 + (uint64_t)(time - text) + 8, "0");
	assert_finds(f, "batch 1 was altered");
}

static void test_unreadable_batch_is_named(void **state)
{
	struct fixture *f = *state;
	three(f);
	overwrite(f, (offset_of(f, 2) & ~4095ULL) + 4096, "garbage");
	assert_finds(f, "batch 2 cannot be read");
}

static void test_damaged_member_header_is_named(void **state)
{
	struct fixture *f = *state;
	three(f);
	overwrite(f, offset_of(f, 3) - 512, "ff");
	assert_finds(f, "item 3: segment 00000001.tar has no such blob");
}

static void test_missing_large_blob_is_named(void **state)
{
	struct fixture *f = *state;
	int fd;
	assert_int_equal(large_create(f->store, 9, &fd, &f->err), 0);
	assert_int_equal(file_write_at(fd, "large one", 9, 0, &f->err), 0);
	struct change *c = change_new();
	struct arrival a = { .source = SLICE_LIT("drop"), .key = SLICE_LIT("k"), .version = SLICE_LIT("v"),
		.layout = LAYOUT_TREE, .content = id_of("large one", 9), .bytes = 9, .how = ARRIVAL_FILE, .fd = fd };
	change_arrive(c, &a);
	assert_int_equal(committer_wait(f->store, c, &f->err), 1);
	assert_verifies(f);
	assert_int_equal(run_shell("cd '%s/store/large' && for b in */*; do printf 'LARGE ONE' > $b; done", f->dir), 0);
	assert_finds(f, "item 1: large blob ");
	assert_int_equal(run_shell("rm -r '%s/store/large/'*", f->dir), 0);
	assert_finds(f, "is missing or is not what was stored");
}

/* Takes a row out of the index behind the store's back. */
static void drop_row(struct fixture *f, enum table t)
{
	struct kv_txn *txn;
	struct slice key;
	struct slice value;
	assert_int_equal(kv_begin(store_kv(f->store), true, &txn, &f->err), 0);
	assert_int_equal(kv_seek(txn, t, SLICE_LIT(""), &key, &value), 1);
	CLEANUP(freep) char *copy = mem_dup(key.p, key.len);
	assert_int_equal(kv_delete(txn, t, (struct slice){ copy, key.len }), 1);
	assert_int_equal(kv_commit(txn, &f->err), 0);
}

static void test_item_that_the_index_lacks_is_named(void **state)
{
	struct fixture *f = *state;
	three(f);
	drop_row(f, TABLE_ITEM);
	assert_finds(f, "item 1 is in batch 1 and not in the index");
}

static void test_lost_content_row_is_named(void **state)
{
	struct fixture *f = *state;
	three(f);
	drop_row(f, TABLE_CONTENT);
	assert_finds(f, "its content leads to another item");
}

static void test_lost_state_row_is_counted(void **state)
{
	struct fixture *f = *state;
	three(f);
	drop_row(f, TABLE_BY_STATE);
	assert_finds(f, "state committed: 3 items, 2 listed, 3 counted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_sound_store_has_no_problems),
		CASE(test_empty_store_has_no_problems),
		CASE(test_interrupted_verify_finds_nothing_and_says_why),
		CASE(test_changed_blob_is_named),
		CASE(test_slices_share_the_blobs),
		CASE(test_altered_line_breaks_the_chain),
		CASE(test_altered_last_batch_differs_from_the_index),
		CASE(test_unreadable_batch_is_named),
		CASE(test_damaged_member_header_is_named),
		CASE(test_missing_large_blob_is_named),
		CASE(test_item_that_the_index_lacks_is_named),
		CASE(test_lost_content_row_is_named),
		CASE(test_lost_state_row_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
