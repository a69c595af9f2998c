/* test_store.c - the store as a whole: its lock, its identity, its segments as shards that others read. */
#include "tests/unit/store/fixture.h"

#include <errno.h>

static void test_first_open_creates_the_next_finds(void **state)
{
	struct fixture *f = *state;
	char uuid[37];
	assert_true(f->report.created);
	assert_false(f->report.rebuilt);
	assert_int_equal(f->report.revision, 0);
	assert_int_equal(strlen(store_uuid(f->store)), 36);
	assert_int_equal(store_uuid(f->store)[14], '4');
	strcpy(uuid, store_uuid(f->store));
	fixture_reopen(f);
	assert_false(f->report.created);
	assert_string_equal(store_uuid(f->store), uuid);
}

static void test_store_cut_off_while_created_is_created_again(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && rm -rf index && truncate -s 700 store/segments/00000001.tar", f->dir), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_true(f->report.created);
	assert_int_equal(arrive_text(f, "a", "v", "works"), 1);
}

static void test_lock_names_its_owner(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	int second = -1;
	long pid;
	bool attend;
	assert_int_equal(store_lock(f->dir, "attend", &fd, &pid, &attend, &f->err), 0);
	assert_int_equal(store_lock(f->dir, "daemon", &second, &pid, &attend, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, 0);
	assert_int_equal(pid, getpid());
	assert_true(attend);
	(void)close(fd);
	assert_int_equal(store_lock(f->dir, "daemon", &fd, &pid, &attend, &f->err), 0);
	assert_int_equal(store_lock(f->dir, "daemon", &second, &pid, &attend, &f->err), -1);
	assert_false(attend);
	(void)close(fd);
}

static void test_lock_stands_until_it_is_taken_away(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	int second = -1;
	long pid;
	bool attend;
	assert_int_equal(store_lock(f->dir, "daemon", &fd, &pid, &attend, &f->err), 0);
	assert_int_equal(store_lock_stands(f->dir, fd, &f->err), 0);
	assert_int_equal(run_shell("mv '%s' '%s.away'", f->dir, f->dir), 0);
	assert_int_equal(store_lock_stands(f->dir, fd, &f->err), -1);
	assert_int_equal(f->err.class, ERR_FATAL);
	assert_non_null(strstr(f->err.text, f->dir));
	assert_int_equal(store_lock(f->dir, "daemon", &second, &pid, &attend, &f->err), 0);
	assert_int_equal(store_lock_stands(f->dir, fd, &f->err), -1);
	assert_int_equal(store_lock_stands(f->dir, second, &f->err), 0);
	(void)close(second);
	assert_int_equal(run_shell("rm -r '%s' && mv '%s.away' '%s'", f->dir, f->dir, f->dir), 0);
	assert_int_equal(store_lock_stands(f->dir, fd, &f->err), 0);
	assert_int_equal(run_shell("rm '%s/lock'", f->dir), 0);
	assert_int_equal(store_lock_stands(f->dir, fd, &f->err), -1);
	(void)close(fd);
}

/* Nobody holds it: there is nothing to wait for, and a waiter is told so. */
static void test_a_lock_that_cannot_be_opened_is_not_held(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	long pid;
	bool attend;
	assert_int_equal(run_shell("rm -f '%s/lock' && ln -s elsewhere '%s/lock'", f->dir, f->dir), 0);
	assert_int_equal(store_lock(f->dir, "daemon", &fd, &pid, &attend, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, ELOOP);
	assert_int_equal(pid, 0);
	assert_non_null(strstr(f->err.text, "/lock'"));
}

static void test_lock_makes_state_dir(void **state)
{
	struct fixture *f = *state;
	int fd;
	long pid;
	bool attend;
	CLEANUP(freep) char *deep = mem_printf("%s/x/y", f->dir);
	assert_int_equal(store_lock(deep, "daemon", &fd, &pid, &attend, &f->err), 0);
	(void)close(fd);
	assert_int_equal(run_shell("grep -qx 'daemon %d' '%s/lock'", getpid(), deep), 0);
}

static void test_usage_counts_what_is_stored(void **state)
{
	struct fixture *f = *state;
	struct store_usage u;
	assert_int_equal(arrive_text(f, "a", "v", "12345"), 1);
	assert_int_equal(arrive_text(f, "b", "v", "12345"), 2);
	assert_int_equal(arrive_reference(f, "c", "v", "elsewhere"), 3);
	store_usage(f->store, &u);
	assert_int_equal(u.segments, 1);
	assert_int_equal(u.bytes, 5);
	assert_int_equal(u.revision, 3);
}

static void test_ready_says_what_is_missing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_ready(f->store, 1000, &f->err), 0);
	assert_int_equal(store_ready(f->store, 1ULL << 60, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_non_null(strstr(f->err.text, "free space on the disk"));
}

static void test_gnu_tar_reads_segments_without_a_warning(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_bytes(f, "a.jpg", "v", "\xff\xd8\xff\xe0 a picture", 14), 1);
	assert_int_equal(arrive_text(f, "empty", "v", ""), 2);
	assert_int_equal(arrive_text(f, "b", "v", "some text"), 3);
	assert_int_equal(run_shell("cd '%s' && mkdir out && tar tvf store/segments/00000001.tar >list 2>err && [ ! -s err ] && "
		"tar xf store/segments/00000001.tar -C out 2>err && [ ! -s err ] && "
		"for b in out/*.*; do n=${b##*/}; [ \"$(sha256sum < $b)\" = \"${n%%%%.*}  -\" ] || exit 1; done && "
		"[ $(ls out/*.* | wc -l) = 3 ] && ls out/*.jpg >/dev/null && head -1 out/__batch-3__ | grep -q '^{\"batch\":3,'",
		f->dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_first_open_creates_the_next_finds),
		CASE(test_store_cut_off_while_created_is_created_again),
		CASE(test_lock_names_its_owner),
		CASE(test_lock_stands_until_it_is_taken_away),
		CASE(test_a_lock_that_cannot_be_opened_is_not_held),
		CASE(test_lock_makes_state_dir),
		CASE(test_usage_counts_what_is_stored),
		CASE(test_ready_says_what_is_missing),
		CASE(test_gnu_tar_reads_segments_without_a_warning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
