/* test_segment.c - one segment file: head, walk, end mark, and the appender's roll and cut. */
#include "tests/unit/store/fixture.h"

#include "daemon/store/appender.h"
#include "daemon/store/segment.h"

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"

/* A directory of segments; the number of the first is given. */
struct dir {
	char path[64];
	int fd;
	struct err err;
};

static int dir_setup(void **state)
{
	struct dir *d = mem_zero(1, sizeof(*d));
	strcpy(d->path, "/tmp/inlet-segment-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
	*state = d;
	return 0;
}

static int dir_teardown(void **state)
{
	struct dir *d = *state;
	(void)close(d->fd);
	(void)run_shell("rm -rf '%s'", d->path);
	free(d);
	return 0;
}

static uint64_t size_of(struct dir *d, uint32_t number)
{
	char name[SEGMENT_NAME_BYTES];
	struct stat st;
	segment_name(number, name);
	return fstatat(d->fd, name, &st, 0) < 0 ? 0 : (uint64_t)st.st_size;
}

static void test_new_segment_says_whose_it_is(void **state)
{
	struct dir *d = *state;
	char uuid[STORE_UUID_BYTES];
	assert_int_equal(segment_create(d->fd, 7, UUID, &d->err), 0);
	assert_int_equal(size_of(d, 7), SEGMENT_FIRST);
	assert_int_equal(segment_head(d->fd, 7, uuid, &d->err), 0);
	assert_string_equal(uuid, UUID);
}

static void test_renamed_segment_is_refused(void **state)
{
	struct dir *d = *state;
	char uuid[STORE_UUID_BYTES];
	assert_int_equal(segment_create(d->fd, 7, UUID, &d->err), 0);
	assert_int_equal(run_shell("mv %s/00000007.tar %s/00000008.tar", d->path, d->path), 0);
	assert_int_equal(segment_head(d->fd, 8, uuid, &d->err), -1);
	assert_int_equal(d->err.class, ERR_FATAL);
}

static void test_range_ignores_other_files(void **state)
{
	struct dir *d = *state;
	uint32_t first = 9;
	uint32_t last = 9;
	assert_int_equal(segment_range(d->fd, &first, &last, &d->err), 0);
	assert_int_equal(first, 0);
	assert_int_equal(last, 0);
	assert_int_equal(run_shell("cd %s && touch 00000003.tar 00000012.tar x.tar 00000099.tar.old 0001.tar", d->path), 0);
	assert_int_equal(segment_range(d->fd, &first, &last, &d->err), 0);
	assert_int_equal(first, 3);
	assert_int_equal(last, 12);
}

static void test_pad_fills_to_alignment(void **state)
{
	(void)state;
	char gap[SEGMENT_ALIGN];
	assert_int_equal(segment_pad(gap, 0), 0);
	assert_int_equal(segment_pad(gap, SEGMENT_ALIGN), 0);
	assert_int_equal(segment_pad(gap, 512), 3584);
	assert_int_equal(segment_pad(gap, 3584), 512);
	assert_int_equal(segment_pad(gap, 8192 + 512), 3584);
}

/* One aligned append that holds one member of n bytes. */
static void append_member(struct appender *a, const char *name, size_t n)
{
	size_t member = TAR_BLOCK + tar_padded(n);
	char *bytes = aligned_alloc(SEGMENT_ALIGN, (member + 2 * SEGMENT_ALIGN) & ~(size_t)(SEGMENT_ALIGN - 1));
	assert_non_null(bytes);
	tar_header(bytes, name, n);
	memset(bytes + TAR_BLOCK, 'p', n);
	memset(bytes + TAR_BLOCK + n, 0, tar_padded(n) - n);
	member += segment_pad(bytes + member, member);
	appender_put(a, bytes, member, free, bytes);
}

static void test_walk_sees_members_until_the_end(void **state)
{
	struct dir *d = *state;
	struct appender *a;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	assert_int_equal(appender_open(d->fd, UUID, 1 << 20, 1, SEGMENT_FIRST, &a, &d->err), 0);
	append_member(a, "one", 10000);
	append_member(a, "two", 3);
	assert_int_equal(appender_sync(a, &d->err), 0);
	uint64_t end = appender_offset(a);
	appender_close(a);
	assert_int_equal(size_of(d, 1), end);
	static const char *const names[] = { "__inlet__", "__pad__", "one", "__pad__", "two", "__pad__" };
	struct segment_member m;
	uint64_t offset = 0;
	CLEANUP(close_fdp) int fd = -1;
	assert_int_equal(segment_open(d->fd, 1, O_RDONLY, &fd, &d->err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(segment_next(fd, end, &offset, &m, &d->err), SEGMENT_MEMBER);
		assert_string_equal(m.tar.name, names[i]);
	}
	assert_int_equal(segment_next(fd, end, &offset, &m, &d->err), SEGMENT_END);
}

static void test_cut_member_is_torn(void **state)
{
	struct dir *d = *state;
	struct segment_member m;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	CLEANUP(close_fdp) int fd = -1;
	assert_int_equal(segment_open(d->fd, 1, O_RDONLY, &fd, &d->err), 0);
	for (uint64_t size = 1; size < 1024; size += 100) {
		uint64_t offset = 0;
		assert_int_equal(segment_next(fd, size, &offset, &m, &d->err), SEGMENT_TORN);
		assert_int_equal(offset, 0);
	}
}

static void test_full_segment_is_sealed_and_the_next_begun(void **state)
{
	struct dir *d = *state;
	struct appender *a;
	struct segment_member m;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	assert_int_equal(appender_open(d->fd, UUID, 16384, 1, SEGMENT_FIRST, &a, &d->err), 0);
	assert_int_equal(appender_roll(a, &d->err), 0);
	assert_int_equal(appender_segment(a), 1);
	append_member(a, "big", 20000);
	uint64_t end = appender_offset(a);
	assert_int_equal(appender_roll(a, &d->err), 0);
	assert_int_equal(appender_segment(a), 2);
	assert_int_equal(appender_offset(a), SEGMENT_FIRST);
	append_member(a, "next", 5);
	assert_int_equal(appender_sync(a, &d->err), 0);
	appender_close(a);
	CLEANUP(close_fdp) int fd = -1;
	assert_int_equal(segment_open(d->fd, 1, O_RDONLY, &fd, &d->err), 0);
	assert_int_equal(size_of(d, 1), end + SEGMENT_ALIGN);
	assert_int_equal(segment_next(fd, size_of(d, 1), &end, &m, &d->err), SEGMENT_SEALED);
	assert_int_equal(run_shell("cd %s && [ \"$(tar tf 00000001.tar 2>&1 | grep -v __ )\" = big ] && "
		"[ \"$(tar tf 00000002.tar 2>&1 | grep -v __ )\" = next ]", d->path), 0);
}

static void test_cut_forgets_appends(void **state)
{
	struct dir *d = *state;
	struct appender *a;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	assert_int_equal(appender_open(d->fd, UUID, 1 << 20, 1, SEGMENT_FIRST, &a, &d->err), 0);
	append_member(a, "kept", 100);
	assert_int_equal(appender_sync(a, &d->err), 0);
	uint64_t kept = appender_offset(a);
	append_member(a, "forgotten", 9000);
	assert_int_equal(appender_cut(a, kept, &d->err), 0);
	assert_int_equal(size_of(d, 1), kept);
	append_member(a, "instead", 100);
	assert_int_equal(appender_sync(a, &d->err), 0);
	appender_close(a);
	assert_int_equal(run_shell("cd %s && [ \"$(tar tf 00000001.tar 2>&1 | grep -v __ | tr '\\n' ' ')\" = 'kept instead ' ]",
		d->path), 0);
}

static void test_bytes_behind_the_end_are_cut_at_open(void **state)
{
	struct dir *d = *state;
	struct appender *a;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	assert_int_equal(run_shell("head -c 9999 /dev/urandom >> %s/00000001.tar", d->path), 0);
	assert_int_equal(appender_open(d->fd, UUID, 1 << 20, 1, SEGMENT_FIRST, &a, &d->err), 0);
	assert_int_equal(size_of(d, 1), SEGMENT_FIRST);
	appender_close(a);
}

static void test_closed_segment_holds_no_spare_room(void **state)
{
	struct dir *d = *state;
	struct appender *a;
	struct stat st;
	assert_int_equal(segment_create(d->fd, 1, UUID, &d->err), 0);
	assert_int_equal(appender_open(d->fd, UUID, 1 << 30, 1, SEGMENT_FIRST, &a, &d->err), 0);
	append_member(a, "one", 100);
	assert_int_equal(appender_sync(a, &d->err), 0);
	appender_close(a);
	assert_int_equal(fstatat(d->fd, "00000001.tar", &st, 0), 0);
	assert_in_range(st.st_blocks * 512, 1, 1 << 20);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_new_segment_says_whose_it_is),
		IN_DIR(test_renamed_segment_is_refused),
		IN_DIR(test_range_ignores_other_files),
		IN_DIR(test_pad_fills_to_alignment),
		IN_DIR(test_walk_sees_members_until_the_end),
		IN_DIR(test_cut_member_is_torn),
		IN_DIR(test_full_segment_is_sealed_and_the_next_begun),
		IN_DIR(test_cut_forgets_appends),
		IN_DIR(test_bytes_behind_the_end_are_cut_at_open),
		IN_DIR(test_closed_segment_holds_no_spare_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
