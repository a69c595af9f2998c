/* test_full_disk.c - a disk that is really full: the group is undone, the store pauses, and goes on once there is room. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <sys/mount.h>

/* A person's decision about item 1. */
static void annotate(struct change *c)
{
	struct record *r = change_add(c, RECORD_ANNOTATION);
	r->annotation = (struct record_annotation){
		.item = 1,
		.concept = SLICE_LIT("cat"),
		.confidence = -1,
		.status = STATUS_SUCCESS,
		.worker = SLICE_LIT("user:ann"),
		.time_ms = 1,
	};
}

/* A store on a small file system of its own, to fill it for real. NULL: not allowed here. */
static struct fixture *small_disk(char mount_at[64])
{
	strcpy(mount_at, "/tmp/inlet-full-XXXXXX");
	assert_non_null(mkdtemp(mount_at));
	if (mount("inlet-test", mount_at, "tmpfs", 0, "size=24m") < 0) {
		print_message("mounting a tmpfs needs root: %s\n", strerror(errno));
		(void)rmdir(mount_at);
		return NULL;
	}
	struct fixture *f = fixture_at(mount_at);
	if (fixture_open(f) < 0)
		fail_msg("%s", f->err.text);
	return f;
}

static void small_disk_done(struct fixture *f, const char *mount_at)
{
	fixture_close(f);
	free(f);
	assert_int_equal(umount(mount_at), 0);
	assert_int_equal(rmdir(mount_at), 0);
}

static void await_room(struct fixture *f)
{
	for (int tries = 0; tries < 500 && store_ready(f->store, 0, &f->err) < 0; tries++)
		usleep(10000);
	if (store_ready(f->store, 0, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void test_intake_stops_before_the_disk_is_full(void **state)
{
	(void)state;
	char mount_at[64];
	struct fixture *f = small_disk(mount_at);
	if (!f)
		skip();
	char *bytes = mem_zero(1, 400000);
	int stored = 0;
	for (; stored < 100; stored++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%d", stored);
		memset(bytes, stored + 1, 400000);
		if (arrive_bytes(f, key, "v", bytes, 400000) < 0)
			break;
	}
	assert_in_range(stored, 10, 99);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(store_failed(f->store, NULL), 0);
	assert_int_equal(mount("inlet-test", mount_at, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	await_room(f);
	assert_int_equal(arrive_bytes(f, "after", "v", "room", 4), stored + 1);
	assert_verifies(f);
	fixture_reopen(f);
	assert_int_equal(f->report.revision, stored + 1);
	assert_int_equal(f->report.bytes_cut, 0);
	assert_verifies(f);
	free(bytes);
	small_disk_done(f, mount_at);
}

/* Decisions are not held back by the reserve, so they meet the full disk itself. */
static void test_full_disk_undoes_the_group_and_resumes(void **state)
{
	(void)state;
	char mount_at[64];
	struct fixture *f = small_disk(mount_at);
	if (!f)
		skip();
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	(void)run_shell("cat /dev/zero > '%s/ballast' 2>/dev/null", mount_at);
	int64_t last = 1;
	for (int i = 0; i < 5000; i++) { /* room allocated ahead is used up first */
		struct change *c = change_new();
		annotate(c);
		int64_t revision = committer_wait(f->store, c, &f->err);
		if (revision < 0)
			break;
		last = revision;
	}
	if (store_failed(f->store, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(store_ready(f->store, 0, &f->err), -1);
	CLEANUP(freep) char *before = say_all(f);
	assert_int_equal(run_shell("rm '%s/ballast'", mount_at), 0);
	await_room(f);
	CLEANUP(freep) char *after = say_all(f);
	assert_string_equal(before, after);
	assert_int_equal(arrive_text(f, "b", "v", "other"), last + 1);
	assert_verifies(f);
	fixture_reopen(f);
	assert_int_equal(f->report.bytes_cut, 0);
	assert_verifies(f);
	small_disk_done(f, mount_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intake_stops_before_the_disk_is_full),
		cmocka_unit_test(test_full_disk_undoes_the_group_and_resumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
