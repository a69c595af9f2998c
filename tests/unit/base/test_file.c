/* test_file.c - whole reads and writes, and opens that cannot leave their root; on real files. */
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "tests/unit/put_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
	char path[64];
	int dir;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	(void)strcpy(f->path, "/tmp/inlet-test-file-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->dir < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	(void)close(f->dir);
	int result = nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return result;
}

static int new_file(const struct fixture *f, const char *name)
{
	int fd = openat(f->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void test_write_then_read_at_offsets(void **state)
{
	CLEANUP(close_fdp) int fd = new_file(*state, "a");
	struct err err = { 0 };
	char back[5] = { 0 };
	assert_int_equal(file_write_at(fd, "hello", 5, 4096, &err), 0);
	assert_int_equal(file_read_at(fd, back, 5, 4096, &err), 0);
	assert_memory_equal(back, "hello", 5);
	assert_int_equal(file_read_at(fd, back, 0, 99999, &err), 0);
	assert_int_equal(file_sync(fd, "a", &err), 0);
}

static void test_a_short_read_is_a_reject(void **state)
{
	CLEANUP(close_fdp) int fd = new_file(*state, "a");
	struct err err = { 0 };
	char back[5];
	assert_int_equal(file_write_at(fd, "hell", 4, 0, &err), 0);
	assert_int_equal(file_read_at(fd, back, 5, 0, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, "read at 4: the file ends 1 bytes too early");
}

static void test_a_full_disk_is_a_retry(void **state)
{
	(void)state;
	CLEANUP(close_fdp) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err err = { 0 };
	assert_int_equal(file_write_at(full, "x", 1, 0, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.sys, ENOSPC);
}

static void test_a_failed_sync_is_fatal(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* a pipe cannot be synced */
	struct err err = { 0 };
	assert_int_equal(file_sync(ends[1], "thing", &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_string_equal(err.text, "fdatasync 'thing': Invalid argument");
	assert_int_equal(dir_sync(ends[1], "thing", &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static bool is_dir(int dir, const char *path, mode_t mode)
{
	struct stat st;
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == mode;
}

static void test_dir_make_makes_what_is_missing(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	assert_int_equal(dir_make(f->dir, "a", 0700, &err), 0);
	assert_int_equal(dir_make(f->dir, "a/b//c/", 0750, &err), 0);
	assert_true(is_dir(f->dir, "a", 0700));
	assert_true(is_dir(f->dir, "a/b", 0750));
	assert_true(is_dir(f->dir, "a/b/c", 0750));
	assert_int_equal(dir_make(f->dir, "a/b/c", 0700, &err), 0); /* again: nothing to do */
	assert_true(is_dir(f->dir, "a/b/c", 0750));
	char absolute[128];
	(void)snprintf(absolute, sizeof(absolute), "%s/x/y", f->path);
	assert_int_equal(dir_make(-1, absolute, 0700, &err), 0);
	assert_true(is_dir(f->dir, "x/y", 0700));
}

static void test_dir_make_names_what_is_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	(void)close(new_file(f, "file"));
	assert_int_equal(dir_make(f->dir, "file/below", 0700, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_string_equal(err.text, "open directory 'file' of 'file/below': Not a directory");
}

static void test_slurp_reads_all_up_to_its_limit(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	CLEANUP(buf_done) struct buf to = { 0 };
	CLEANUP(close_fdp) int fd = new_file(f, "a");
	assert_int_equal(file_slurp(f->dir, "a", 0, &to, &err), 0);
	assert_string_equal(to.data, "");
	static char big[200000];
	memset(big, 'x', sizeof(big));
	assert_int_equal(file_write_at(fd, big, sizeof(big), 0, &err), 0);
	buf_str(&to, "kept ");
	assert_int_equal(file_slurp(f->dir, "a", sizeof(big) - 1, &to, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, "'a' is larger than the 199999 bytes allowed");
	assert_string_equal(to.data, "kept ");
	assert_int_equal(file_slurp(f->dir, "a", sizeof(big), &to, &err), 0);
	assert_int_equal(to.len, 5 + sizeof(big));
	assert_memory_equal(to.data + 5, big, sizeof(big));
}

static void test_slurp_of_nothing_is_a_retry(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	CLEANUP(buf_done) struct buf to = { 0 };
	assert_int_equal(file_slurp(f->dir, "absent", 10, &to, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.text, "open 'absent': No such file or directory");
}

static void test_open_beneath_stays_beneath(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	assert_int_equal(dir_make(f->dir, "root/sub", 0700, &err), 0);
	put_file(f->dir, "outside", SLICE_LIT("x"), 0600);
	put_file(f->dir, "root/sub/in", SLICE_LIT("x"), 0600);
	assert_int_equal(symlinkat("sub/in", f->dir, "root/link"), 0);
	assert_int_equal(symlinkat("sub", f->dir, "root/dirlink"), 0);
	CLEANUP(close_fdp) int root = openat(f->dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close_fdp) int in = file_open_beneath(root, "sub/in", O_RDONLY);
	assert_true(in >= 0);
	assert_true(fcntl(in, F_GETFD) & FD_CLOEXEC);
	const struct { const char *path; int sys; } refused[] = {
		{ "../outside", EXDEV }, { "sub/../../outside", EXDEV }, { "/etc/passwd", EXDEV },
		{ "link", ELOOP },       { "dirlink/in", ELOOP },         { "absent", ENOENT },
		{ "sub/in/x", ENOTDIR },
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		errno = 0;
		assert_int_equal(file_open_beneath(root, refused[i].path, O_RDONLY), -1);
		assert_int_equal(errno, refused[i].sys);
	}
}

static void test_free_bytes_of_a_file_system(void **state)
{
	struct fixture *f = *state;
	assert_true(file_free_bytes(f->dir) > 0);
	assert_true(file_free_bytes(-1) == -1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_then_read_at_offsets),
		TEST(test_a_short_read_is_a_reject),
		cmocka_unit_test(test_a_full_disk_is_a_retry),
		cmocka_unit_test(test_a_failed_sync_is_fatal),
		TEST(test_dir_make_makes_what_is_missing),
		TEST(test_dir_make_names_what_is_in_the_way),
		TEST(test_slurp_reads_all_up_to_its_limit),
		TEST(test_slurp_of_nothing_is_a_retry),
		TEST(test_open_beneath_stays_beneath),
		TEST(test_free_bytes_of_a_file_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
