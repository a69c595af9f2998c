/* test_folder_scan.c - what a full pass over a real directory shows. */
#include "tests/unit/connectors/folder_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

static void test_a_page_for_each_directory(void **state)
{
	struct fixture *f = *state;
	put(f, "one.txt", "1");
	make_dir(f, "a");
	make_dir(f, "a/b");
	put(f, "a/b/two.txt", "22");
	scan_all(f);
	assert_int_equal(count_kind(f, 'P'), 3);
	assert_non_null(find(f, 'P', ""));
	assert_non_null(find(f, 'P', "a/b"));
	assert_non_null(find(f, 'D', "a"));
	assert_non_null(find(f, 'F', "one.txt"));
	assert_int_equal(find(f, 'F', "a/b/two.txt")->bytes, 2);
	assert_int_equal(count_kind(f, 'F'), 2);
}

/* A number of a token, read back. */
static uint64_t token_number(const char **at)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
	uint64_t n = 0;
	for (const char *digit; **at && (digit = strchr(digits, **at)); ++*at)
		n = n << 6 | (uint64_t)(digit - digits);
	if (**at == '.')
		++*at;
	return n;
}

static void assert_token(const char *token, uint64_t ino, uint64_t size, uint64_t mtime_ns, uint64_t ctime_ns)
{
	assert_true(token_number(&token) == ino);
	assert_true(token_number(&token) == size);
	assert_true(token_number(&token) == mtime_ns);
	assert_true(*token ? token_number(&token) == ctime_ns : ctime_ns == mtime_ns);
	assert_int_equal(*token, '\0');
}

static void test_token_is_inode_size_mtime_ctime(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct timespec times[2] = { { 5, 0 }, { 1000000000, 255 } };
	put(f, "x", "12345678901234567");
	put(f, "y", "1");
	assert_return_code(utimensat(AT_FDCWD, below(f, "x"), times, 0), errno);
	scan_all(f);
	assert_return_code(stat(below(f, "x"), &st), errno);
	assert_token(find(f, 'F', "x")->version, st.st_ino, 17, 1000000000000000255,
		(uint64_t)st.st_ctim.tv_sec * NS_PER_SEC + (uint64_t)st.st_ctim.tv_nsec);
	assert_return_code(stat(below(f, "y"), &st), errno);
	uint64_t written_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_SEC + (uint64_t)st.st_mtim.tv_nsec;
	assert_token(find(f, 'F', "y")->version, st.st_ino, 1, written_ns, written_ns);
	assert_null(strchr(strchr(strchr(find(f, 'F', "y")->version, '.') + 1, '.') + 1, '.')); /* one time only */
}

static void test_token_changes_with_same_size_and_mtime(void **state)
{
	struct fixture *f = *state;
	struct timespec times[2] = { { 5, 0 }, { 5, 0 } };
	char before[VERSION_TOKEN_MAX + 1];
	put(f, "x", "aaa");
	assert_return_code(utimensat(AT_FDCWD, below(f, "x"), times, 0), errno);
	scan_all(f);
	(void)snprintf(before, sizeof(before), "%s", find(f, 'F', "x")->version);
	(void)usleep(30000); /* a clock tick: two changes within one are what "racy" is for */
	put(f, "x", "bbb");
	assert_return_code(utimensat(AT_FDCWD, below(f, "x"), times, 0), errno);
	scan_all(f);
	assert_string_not_equal(find(f, 'F', "x")->version, before);
}

static void test_fresh_file_is_racy(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	scan_all(f);
	assert_true(find(f, 'F', "x")->racy);
}

static void test_old_file_is_neither_racy_nor_settling(void **state)
{
	struct fixture *f = *state;
	static char bin[] = "/usr/bin"; /* nobody writes there during a test */
	f->config.settle_ms = 1000;
	f->config.path = bin;
	reopen(f);
	scan_all(f);
	assert_true(count_kind(f, 'F') > 0);
	assert_int_equal(count_kind(f, 'S'), 0);
	assert_int_equal(f->pass.settling, 0);
	for (size_t i = 0; i < f->count; i++)
		assert_false(f->seen[i].racy);
}

static void test_fresh_file_settles_by_itself(void **state)
{
	struct fixture *f = *state;
	f->config.settle_ms = 300;
	reopen(f);
	make_dir(f, "d");
	put(f, "d/x", "1");
	scan_all(f);
	assert_non_null(find(f, 'S', "d/x"));
	assert_int_equal(f->pass.settling, 1);
	await(f, 'F', "d/x");
	assert_false(f->pass.full);
	assert_null(find(f, 'P', "")); /* only its directory was looked at */
}

static void test_special_files_and_symlinks_are_skipped(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	CLEANUP(close_fdp) int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	make_dir(f, "d");
	put(f, "d/real", "1");
	assert_return_code(mkfifo(below(f, "fifo"), 0644), errno);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", f->root);
	assert_return_code(bind(s, (struct sockaddr *)&name, sizeof(name)), errno);
	assert_return_code(symlink("d/real", below(f, "link")), errno);
	assert_return_code(symlink("..", below(f, "d/loop")), errno);
	assert_return_code(symlink("/etc", below(f, "out")), errno);
	scan_all(f);
	assert_int_equal(count_kind(f, 'F'), 1);
	assert_int_equal(count_kind(f, 'P'), 2);
	assert_int_equal(f->skipped, 5);
}

static void test_odd_names_are_shown_as_they_are(void **state)
{
	struct fixture *f = *state;
	char longest[256];
	memset(longest, 'n', 255);
	longest[255] = '\0';
	put(f, "new\nline", "1");
	put(f, "\xff\xfe broken", "1");
	put(f, longest, "1");
	put(f, " ", "1");
	put(f, "-rf", "1");
	make_dir(f, "dir\n\x80");
	put(f, "dir\n\x80/x", "1");
	scan_all(f);
	assert_non_null(find(f, 'F', "new\nline"));
	assert_non_null(find(f, 'F', "\xff\xfe broken"));
	assert_non_null(find(f, 'F', longest));
	assert_non_null(find(f, 'F', " "));
	assert_non_null(find(f, 'F', "-rf"));
	assert_non_null(find(f, 'F', "dir\n\x80/x"));
}

static void test_ignored_names_are_counted(void **state)
{
	struct fixture *f = *state;
	char bak[] = "*.bak", cache[] = "cache", *patterns[] = { bak, cache, NULL };
	f->config.ignore = patterns;
	reopen(f);
	put(f, "a.part", "1");
	put(f, "b.bak", "1");
	make_dir(f, "cache");
	put(f, "cache/x", "1");
	put(f, "c.txt", "1");
	scan_all(f);
	assert_int_equal(count_kind(f, 'F'), 1);
	assert_int_equal(count_kind(f, 'P'), 1);
	assert_int_equal(f->skipped, 3);
	close_source(f);
	f->config.ignore = NULL;
}

static void test_depth_is_limited(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int at = open(f->root, O_PATH | O_CLOEXEC);
	for (int i = 0; i < 140; i++) {
		assert_return_code(mkdirat(at, "d", 0755), errno);
		int next = openat(at, "d", O_PATH | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	scan_all(f);
	assert_int_equal(count_kind(f, 'P'), 129);
	assert_int_equal(count_kind(f, 'X'), 1);
	assert_non_null(strstr(f->failed, "move it up"));
}

static void test_path_length_is_limited(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int at = open(f->root, O_PATH | O_CLOEXEC);
	char name[251];
	memset(name, 'n', 250);
	name[250] = '\0';
	for (int i = 0; i < 20; i++) { /* 20 * 251 bytes: more than any system call takes */
		assert_return_code(mkdirat(at, name, 0755), errno);
		int next = openat(at, name, O_PATH | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	scan_all(f);
	assert_int_equal(count_kind(f, 'P'), 17);
	assert_int_equal(count_kind(f, 'X'), 1);
	assert_non_null(strstr(f->failed, "move it up"));
	/* nftw() cannot remove what no path reaches. */
	(void)close(take_fd(&at));
	CLEANUP(freep) char *command = mem_printf("rm -rf '%s'", f->root);
	run_shell(command);
}

static void test_many_directories_with_two_threads(void **state)
{
	struct fixture *f = *state;
	char name[64];
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "d%d", i);
		make_dir(f, name);
		(void)snprintf(name, sizeof(name), "d%d/x", i);
		put(f, name, "1");
	}
	scan_all(f);
	assert_int_equal(count_kind(f, 'P'), 301);
	assert_int_equal(count_kind(f, 'F'), 300);
	assert_int_equal(status_of(f).watches, 302); /* and the one above the root */
	scan_all(f);
	assert_int_equal(count_kind(f, 'F'), 300);
	assert_int_equal(status_of(f).watches, 302);
}

static void test_a_large_directory_is_one_page(void **state)
{
	struct fixture *f = *state;
	char name[32];
	put(f, "file-00000", "1");
	for (int i = 1; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "file-%05d", i);
		assert_return_code(link(below(f, "file-00000"), below(f, name)), errno);
	}
	scan_all(f);
	assert_int_equal(count_kind(f, 'P'), 1);
	assert_int_equal(count_kind(f, 'F'), 20000);
}

static void deny(struct fixture *f)
{
	open_source(f, "", false);
	assert_int_equal(discover(f, DISCOVER_ALL), 0);
	assert_non_null(find(f, 'X', "denied"));
	assert_non_null(find(f, 'X', "unsearchable"));
	assert_non_null(strstr(f->failed, "setfacl"));
	assert_int_equal(f->pass.unreadable, 2);
	assert_int_equal(status_of(f).denied, 2);
	assert_true(f->pass.complete);
	assert_non_null(find(f, 'F', "x"));
	/* Allowed again: its ATTRIB is enough. */
	assert_return_code(chmod(below(f, "denied"), 0755), errno);
	await(f, 'F', "denied/inside");
	assert_false(f->pass.full);
	assert_int_equal(status_of(f).denied, 1);
}

static void test_unreadable_directories_fail_alone_and_are_retried(void **state)
{
	struct fixture *f = *state;
	uid_t nobody = geteuid() == 0 ? 65534 : 0;
	put(f, "x", "1");
	make_dir(f, "denied");
	put(f, "denied/inside", "1");
	make_dir(f, "unsearchable");
	put(f, "unsearchable/inside", "1");
	if (nobody) {
		assert_return_code(chown(below(f, "denied"), nobody, nobody), errno);
		assert_return_code(chown(below(f, "unsearchable"), nobody, nobody), errno);
	}
	assert_return_code(chmod(below(f, "denied"), 0), errno);
	assert_return_code(chmod(below(f, "unsearchable"), 0444), errno);
	close_source(f);
	in_child(deny, f, nobody);
	assert_return_code(chmod(below(f, "unsearchable"), 0755), errno);
}

static int refuse_page(void *arg, const struct page *page, struct err *err)
{
	(void)arg;
	(void)page;
	return err_set(err, ERR_RETRY, ENOSPC, "store paused");
}

static void test_emit_ends_the_pass_and_another_becomes_due(void **state)
{
	struct fixture *f = *state;
	struct pass pass;
	struct err err;
	enum discover_scope scope;
	put(f, "x", "1");
	assert_int_equal(folder_connector.discover(f->connector, DISCOVER_ALL, refuse_page, NULL, &pass, &err), -1);
	assert_int_equal(err.sys, ENOSPC);
	assert_true(wait_due(f, clock_mono_ns() + PATIENCE_NS, &scope));
	assert_int_equal(scope, DISCOVER_ALL);
	scan_all(f);
	assert_non_null(find(f, 'F', "x"));
}

static void test_stop_ends_a_pass(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	folder_connector.stop(f->connector);
	assert_int_equal(discover(f, DISCOVER_ALL), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->count, 0);
}

static void test_the_connector_is_found_by_scheme(void **state)
{
	(void)state;
	assert_ptr_equal(connector_find("folder"), &folder_connector);
	assert_null(connector_find("ftp"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_new, fixture_free)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_page_for_each_directory),
		TEST(test_token_is_inode_size_mtime_ctime),
		TEST(test_token_changes_with_same_size_and_mtime),
		TEST(test_fresh_file_is_racy),
		TEST(test_old_file_is_neither_racy_nor_settling),
		TEST(test_fresh_file_settles_by_itself),
		TEST(test_special_files_and_symlinks_are_skipped),
		TEST(test_odd_names_are_shown_as_they_are),
		TEST(test_ignored_names_are_counted),
		TEST(test_depth_is_limited),
		TEST(test_path_length_is_limited),
		TEST(test_many_directories_with_two_threads),
		TEST(test_a_large_directory_is_one_page),
		TEST(test_unreadable_directories_fail_alone_and_are_retried),
		TEST(test_emit_ends_the_pass_and_another_becomes_due),
		TEST(test_stop_ends_a_pass),
		cmocka_unit_test(test_the_connector_is_found_by_scheme),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
