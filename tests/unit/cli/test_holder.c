/* test_holder.c - who holds the lock: as store_lock() leaves it, and in the moment before it has said so. */
#include "daemon/cli/holder.h"
#include "tests/unit/store/fixture.h"

/* Puts a line in front of the kernel's: a lock of another file system, on a file of the same number. */
static ino_t elsewhere;

FILE *fopen(const char *path, const char *mode)
{
	static char text[1 << 16];
	CLEANUP(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !elsewhere || strcmp(path, "/proc/locks") != 0)
		return fd < 0 ? NULL : fdopen(take_fd(&fd), mode);
	int n = snprintf(text, sizeof(text), "1: FLOCK  ADVISORY  WRITE 4242 fff:7f:%llu 0 EOF\n", (unsigned long long)elsewhere);
	ssize_t rest = read(fd, text + n, sizeof(text) - (size_t)n);
	return fmemopen(text, (size_t)n + (size_t)(rest > 0 ? rest : 0), "r");
}

static struct holder look(const struct fixture *f)
{
	CLEANUP(close_fdp) int dir = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return holder_of(dir);
}

static int take(struct fixture *f, const char *role)
{
	int fd;
	long pid;
	bool attend;
	assert_int_equal(store_lock(f->dir, role, &fd, &pid, &attend, &f->err), 0);
	return fd;
}

static void test_roles_of_who_holds_it(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *name; enum holder_role role; } roles[] = { { "attend", HOLDER_STAND_IN },
		{ "daemon", HOLDER_DAEMON } };
	for (size_t i = 0; i < 2; i++) {
		int fd = take(f, roles[i].name);
		struct holder h = look(f);
		assert_int_equal(h.pid, getpid());
		assert_int_equal(h.writer, getpid());
		assert_int_equal(h.role, roles[i].role);
		(void)close(fd);
		h = look(f);
		assert_int_equal(h.pid, 0);
		assert_int_equal(h.role, roles[i].role); /* of one of the past */
	}
}

static void test_who_has_not_said_yet_what_it_is(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int fd = take(f, "daemon");
	static const struct { const char *text; long writer; } texts[] = { { "attend 1\n", 1 }, { "", 0 }, { "attend", 0 },
		{ "attend 12", 0 }, { "attend x\n", 0 } };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i].text, strlen(texts[i].text), 0), strlen(texts[i].text));
		struct holder h = look(f);
		assert_int_equal(h.pid, getpid());
		assert_int_equal(h.writer, texts[i].writer);
		assert_int_equal(h.role, texts[i].writer ? HOLDER_STAND_IN : HOLDER_SILENT);
	}
}

static void test_a_lock_of_another_file_system_is_not_it(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int fd = take(f, "daemon");
	assert_int_equal(fstat(fd, &st), 0);
	elsewhere = st.st_ino;
	assert_int_equal(look(f).pid, getpid());
	(void)close(fd);
	assert_int_equal(look(f).pid, 0);
	elsewhere = 0;
}

static void test_no_folder_and_no_lock(void **state)
{
	(void)state;
	assert_int_equal(holder_of(-1).pid, 0);
	CLEANUP(close_fdp) int dir = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(holder_of(dir).pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_roles_of_who_holds_it),
		CASE(test_who_has_not_said_yet_what_it_is),
		CASE(test_a_lock_of_another_file_system_is_not_it),
		CASE(test_no_folder_and_no_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
