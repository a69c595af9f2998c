/* test_folder_root.c - roots that vanish, come back, are unmounted or covered, and kernels that give no more watches. */
#include "tests/unit/connectors/folder_fixture.h"

#include <sched.h>
#include <sys/mount.h>

static void expect_offline(struct fixture *f, const char *text)
{
	assert_int_equal(discover(f, DISCOVER_ALL), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->count, 0);
	struct source_status s = status_of(f);
	assert_int_equal(s.health, SOURCE_OFFLINE);
	assert_string_equal(s.message, f->err.text);
	if (!strstr(s.message, text))
		fail_msg("'%s' lacks '%s'", s.message, text);
}

static void await_offline(struct fixture *f)
{
	uint64_t deadline_ns = clock_mono_ns() + PATIENCE_NS;
	enum discover_scope scope;
	while (wait_due(f, deadline_ns, &scope)) {
		(void)discover(f, scope);
		if (status_of(f).health == SOURCE_OFFLINE)
			return;
	}
	fail_msg("the source does not go offline");
}

static void test_live_root_has_an_identity(void **state)
{
	struct fixture *f = *state;
	struct source_status s;
	struct stat st;
	char inode[32];
	scan_all(f);
	s = status_of(f);
	assert_int_equal(s.health, SOURCE_LIVE);
	assert_string_equal(s.message, "");
	assert_return_code(stat(f->root, &st), errno);
	(void)snprintf(inode, sizeof(inode), ":%jx", (uintmax_t)st.st_ino);
	assert_string_equal(s.root + 16, inode);
	reopen(f);
	assert_string_equal(status_of(f).root, "");
	scan_all(f);
	assert_string_equal(status_of(f).root, s.root);
}

static void test_missing_root_is_offline_until_it_is_there(void **state)
{
	struct fixture *f = *state;
	assert_return_code(rmdir(f->root), errno);
	expect_offline(f, "No such file");
	assert_return_code(mkdir(f->root, 0755), errno);
	put(f, "x", "1");
	await(f, 'F', "x");
	assert_true(f->pass.full);
	assert_int_equal(status_of(f).health, SOURCE_LIVE);
}

static void test_missing_ancestors_come_back_too(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *deep = mem_printf("%s/a/b/c", f->top);
	f->config.path = deep;
	reopen(f);
	expect_offline(f, "No such file");
	CLEANUP(freep) char *command = mem_printf("mkdir -p '%s' && touch '%s/x'", deep, deep);
	run_shell(command);
	await(f, 'F', "x");
	close_source(f);
}

static void test_root_that_is_a_file(void **state)
{
	struct fixture *f = *state;
	assert_return_code(rmdir(f->root), errno);
	write_file(f->root, "1");
	expect_offline(f, "must name a directory");
}

static void denied(struct fixture *f)
{
	open_source(f, "", false);
	expect_offline(f, "setfacl");
}

static void test_denied_root_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	assert_return_code(chmod(f->root, 0), errno);
	close_source(f);
	in_child(denied, f, geteuid() == 0 ? 65534 : 0);
	assert_return_code(chmod(f->root, 0755), errno);
}

static void test_root_deleted_and_recreated(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	make_dir(f, "d");
	scan_all(f);
	come_to_rest(f);
	remove_tree(f->root);
	await_offline(f);
	assert_return_code(mkdir(f->root, 0755), errno);
	make_dir(f, "d");
	put(f, "d/y", "1");
	await(f, 'F', "d/y");
	assert_int_equal(status_of(f).health, SOURCE_LIVE);
	come_to_rest(f);
	put(f, "d/z", "1");
	await(f, 'F', "d/z");
}

static void test_recreated_empty_root_waits_for_its_first_entry(void **state)
{
	struct fixture *f = *state;
	enum discover_scope scope;
	put(f, "x", "1");
	scan_all(f);
	come_to_rest(f);
	assert_return_code(rename(f->root, below(f, "../moved")), errno);
	assert_return_code(mkdir(f->root, 0755), errno);
	await_offline(f);
	assert_non_null(strstr(status_of(f).message, "is empty and is not the one seen before"));
	put(f, "ignored.part", "1");
	(void)wait_due(f, clock_mono_ns(), &scope);
	expect_offline(f, "is empty");
	put(f, "y", "1");
	await(f, 'F', "y");
	assert_null(find(f, 'F', "x"));
	assert_true(f->pass.complete);
}

static void test_emptied_root_of_the_same_identity_is_a_complete_pass(void **state)
{
	struct fixture *f = *state;
	char root[256];
	put(f, "x", "1");
	scan_all(f);
	(void)snprintf(root, sizeof(root), "%s", status_of(f).root);
	assert_return_code(unlink(below(f, "x")), errno);
	close_source(f);
	open_source(f, root, true);
	scan_all(f);
	assert_int_equal(f->count, 1);
}

static void test_empty_root_with_another_stored_identity_is_offline(void **state)
{
	struct fixture *f = *state;
	close_source(f);
	open_source(f, "0123456789abcdef:2", true);
	expect_offline(f, "was 0123456789abcdef:2");
	close_source(f);
	open_source(f, "0123456789abcdef:2", false); /* nothing to lose */
	scan_all(f);
}

static void test_configured_polling(void **state)
{
	struct fixture *f = *state;
	f->config.poll_ms = 200;
	reopen(f);
	make_dir(f, "d");
	scan_all(f);
	assert_int_equal(status_of(f).health, SOURCE_POLLED);
	put(f, "d/x", "1");
	await(f, 'F', "d/x");
	assert_true(f->pass.full);
}

static void mount_tmpfs(const struct fixture *f, const char *at)
{
	assert_return_code(mount("inlet-test", *at ? below(f, at) : f->root, "tmpfs", 0, ""), errno);
}

static void unmounted(struct fixture *f)
{
	mount_tmpfs(f, "");
	put(f, "x", "1");
	open_source(f, "", false);
	scan_all(f);
	come_to_rest(f);
	assert_return_code(umount2(f->root, 0), errno); /* nothing of ours keeps it busy */
	await_offline(f);
	mount_tmpfs(f, "");
	put(f, "y", "1");
	await(f, 'F', "y");
}

static void mounted_over(struct fixture *f)
{
	make_dir(f, "d");
	put(f, "d/under", "1");
	open_source(f, "", false);
	scan_all(f);
	come_to_rest(f);
	mount_tmpfs(f, "d");
	await_gone(f, "d", "d/under");
	assert_true(f->pass.full);
	put(f, "d/over", "1");
	await(f, 'F', "d/over");
	assert_return_code(umount2(below(f, "d"), 0), errno);
	await(f, 'F', "d/under");
	put(f, "d/again", "1");
	await(f, 'F', "d/again");
}

static void inner_unmounted(struct fixture *f)
{
	make_dir(f, "d");
	mount_tmpfs(f, "d");
	make_dir(f, "d/sub");
	put(f, "d/sub/x", "1");
	open_source(f, "", false);
	scan_all(f);
	assert_non_null(find(f, 'F', "d/sub/x"));
	come_to_rest(f);
	assert_return_code(umount2(below(f, "d"), 0), errno);
	await(f, 'X', "d");
	assert_non_null(strstr(f->failed, "mount it again"));
	assert_null(find(f, 'P', "d"));
	(void)discover(f, DISCOVER_ALL);
	assert_non_null(find(f, 'X', "d"));
	mount_tmpfs(f, "d");
	put(f, "d/y", "1");
	await(f, 'F', "d/y");
}

static void with_remote_part(struct fixture *f)
{
	make_dir(f, "d");
	/* ramfs is not on the list of file systems that are known to announce every change. */
	assert_return_code(mount("inlet-test", below(f, "d"), "ramfs", 0, ""), errno);
	open_source(f, "", false);
	scan_all(f);
	struct source_status s = status_of(f);
	assert_int_equal(s.health, SOURCE_MIXED);
	assert_non_null(strstr(s.message, "1 folder lies on mounted file systems"));
	assert_int_equal(s.watches, 2);
	close_source(f);
	assert_return_code(mount("inlet-test", f->root, "ramfs", 0, ""), errno);
	open_source(f, "", false);
	scan_all(f);
	s = status_of(f);
	assert_int_equal(s.health, SOURCE_POLLED);
	assert_non_null(strstr(s.message, "polled every 30 s"));
}

static void (*mount_test)(struct fixture *f);

static void in_own_mounts(struct fixture *f)
{
	assert_return_code(unshare(CLONE_NEWNS), errno);
	assert_return_code(mount("none", "/", "", MS_REC | MS_PRIVATE, NULL), errno);
	mount_test(f);
}

static void needing_mounts(void **state, void (*test)(struct fixture *f))
{
	struct fixture *f = *state;
	if (geteuid() != 0) {
		print_message("skipped: mounting needs root\n");
		skip();
	}
	close_source(f);
	mount_test = test;
	in_child(in_own_mounts, f, 0);
}

static void test_unmounted_root_is_offline(void **state)
{
	needing_mounts(state, unmounted);
}

static void test_mount_over_a_directory_is_noticed(void **state)
{
	needing_mounts(state, mounted_over);
}

static void test_unmounted_inner_directory_is_not_empty(void **state)
{
	needing_mounts(state, inner_unmounted);
}

static void test_file_systems_without_events_are_polled(void **state)
{
	needing_mounts(state, with_remote_part);
}

static bool limit(const char *what, const char *number)
{
	CLEANUP(freep) char *path = mem_printf("/proc/sys/user/%s", what);
	CLEANUP(close_fdp) int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, number, strlen(number)) > 0;
}

/* Limits are per user namespace: in one of our own the real thing can be had without touching the host. */
static void starved(struct fixture *f)
{
	if (unshare(CLONE_NEWUSER) < 0 || !limit("max_inotify_watches", "4")) {
		print_message("skipped: no user namespace here\n");
		return;
	}
	open_source(f, "", false);
	scan_all(f);
	struct source_status s = status_of(f);
	assert_int_equal(count_kind(f, 'F'), 10);
	assert_int_equal(s.health, SOURCE_MIXED);
	assert_int_equal(s.watches, 4);
	assert_non_null(strstr(s.message, "8 of 11 folders are polled"));
	assert_non_null(strstr(s.message, "sysctl -w user.max_inotify_watches=1024"));
	uint64_t due_ns;
	enum discover_scope scope;
	folder_connector.pump(f->connector, &due_ns, &scope);
	assert_int_equal(scope, DISCOVER_NEWS); /* the unwatched are due on the timer */
	assert_true(due_ns <= clock_mono_ns() + 31 * NS_PER_SEC);
	assert_true(limit("max_inotify_watches", "100"));
	scan_all(f);
	assert_int_equal(status_of(f).health, SOURCE_LIVE);
	assert_int_equal(status_of(f).watches, 12);
}

static void without_instances(struct fixture *f)
{
	if (unshare(CLONE_NEWUSER) < 0 || !limit("max_inotify_instances", "0")) {
		print_message("skipped: no user namespace here\n");
		return;
	}
	open_source(f, "", false);
	scan_all(f);
	assert_int_equal(status_of(f).health, SOURCE_POLLED);
	assert_non_null(strstr(status_of(f).message, "fs.inotify.max_user_instances"));
}

static void make_ten(struct fixture *f)
{
	char name[32];
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "d%d", i);
		make_dir(f, name);
		(void)snprintf(name, sizeof(name), "d%d/x", i);
		put(f, name, "1");
	}
	close_source(f);
}

static void test_out_of_watches_polls_the_rest(void **state)
{
	make_ten(*state);
	in_child(starved, *state, 0);
}

static void test_out_of_instances_polls_everything(void **state)
{
	make_ten(*state);
	in_child(without_instances, *state, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_new, fixture_free)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_live_root_has_an_identity),
		TEST(test_missing_root_is_offline_until_it_is_there),
		TEST(test_missing_ancestors_come_back_too),
		TEST(test_root_that_is_a_file),
		TEST(test_denied_root_says_what_to_do),
		TEST(test_root_deleted_and_recreated),
		TEST(test_recreated_empty_root_waits_for_its_first_entry),
		TEST(test_emptied_root_of_the_same_identity_is_a_complete_pass),
		TEST(test_empty_root_with_another_stored_identity_is_offline),
		TEST(test_configured_polling),
		TEST(test_unmounted_root_is_offline),
		TEST(test_mount_over_a_directory_is_noticed),
		TEST(test_unmounted_inner_directory_is_not_empty),
		TEST(test_file_systems_without_events_are_polled),
		TEST(test_out_of_watches_polls_the_rest),
		TEST(test_out_of_instances_polls_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
