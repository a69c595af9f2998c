/* test_folder_read.c - fetch and clone: what was read is one state of one file, or an error says why not. */
#include "tests/unit/connectors/folder_fixture.h"

#include "connectors/folder_version.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

struct memory_sink {
	struct sink sink;
	struct buf bytes;
	void (*meanwhile)(struct fixture *f); /* once, after the first piece */
	struct fixture *f;
	bool refuse;
};

static uint8_t *memory_space(struct sink *s, size_t *ret_space, struct err *err)
{
	struct memory_sink *m = (struct memory_sink *)s;
	if (m->refuse) {
		(void)err_set(err, ERR_RETRY, ENOSPC, "store paused");
		return NULL;
	}
	*ret_space = 4096;
	return (uint8_t *)buf_grow(&m->bytes, 4096);
}

static int memory_wrote(struct sink *s, size_t n, struct err *err)
{
	struct memory_sink *m = (struct memory_sink *)s;
	(void)err;
	m->bytes.len += n;
	if (m->meanwhile)
		m->meanwhile(m->f);
	m->meanwhile = NULL;
	return 0;
}

static const struct sink_ops memory_ops = { memory_space, memory_wrote };

static int fetch_object(struct fixture *f, struct memory_sink *m, const struct object *obj, struct object *ret)
{
	m->sink.ops = &memory_ops;
	m->f = f;
	m->bytes.len = 0;
	return folder_connector.fetch(f->connector, obj, &m->sink, ret, &f->err);
}

static int fetch_into(struct fixture *f, struct memory_sink *m, const char *key, struct object *ret)
{
	struct object obj = { .key = slice_of(key) };
	return fetch_object(f, m, &obj, ret);
}

static void expect(struct fixture *f, const char *key, int sys, const char *text)
{
	struct memory_sink m = { 0 };
	struct object seen;
	assert_int_equal(fetch_into(f, &m, key, &seen), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, sys);
	if (!strstr(f->err.text, text))
		fail_msg("'%s' lacks '%s'", f->err.text, text);
	buf_done(&m.bytes);
}

static void test_bytes_and_version_are_those_of_the_listing(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *text = mem_alloc(300001);
	struct memory_sink m = { 0 };
	struct object seen;
	for (size_t i = 0; i < 300000; i++)
		text[i] = (char)('a' + i % 23);
	text[300000] = '\0';
	make_dir(f, "a");
	put(f, "a/x", text);
	scan_all(f);
	assert_int_equal(fetch_into(f, &m, "a/x", &seen), 0);
	assert_int_equal(m.bytes.len, 300000);
	assert_memory_equal(m.bytes.data, text, 300000);
	assert_int_equal(seen.bytes, 300000);
	assert_true(seen.racy);
	assert_true(slice_eq(seen.version, slice_of(find(f, 'F', "a/x")->version)));
	buf_done(&m.bytes);
}

static void test_empty_file_asks_for_no_space(void **state)
{
	struct fixture *f = *state;
	struct memory_sink m = { .refuse = true };
	struct object seen;
	put(f, "empty", "");
	assert_int_equal(fetch_into(f, &m, "empty", &seen), 0);
	assert_int_equal(seen.bytes, 0);
}

static void test_the_sinks_refusal_is_passed_on(void **state)
{
	struct fixture *f = *state;
	struct memory_sink m = { .refuse = true };
	struct object seen;
	put(f, "x", "1");
	assert_int_equal(fetch_into(f, &m, "x", &seen), -1);
	assert_int_equal(f->err.sys, ENOSPC);
}

static void test_what_is_gone(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	CLEANUP(close_fdp) int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	put(f, "file", "1");
	assert_return_code(mkfifo(below(f, "fifo"), 0644), errno);
	assert_return_code(symlink("file", below(f, "link")), errno);
	assert_return_code(symlink("/etc", below(f, "out")), errno);
	make_dir(f, "dir");
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", f->root);
	assert_return_code(bind(s, (struct sockaddr *)&name, sizeof(name)), errno);
	expect(f, "missing", ENOENT, "file 'missing' is gone");
	expect(f, "file/below", ENOENT, "is gone");
	expect(f, "link", ENOENT, "is gone");
	expect(f, "out/passwd", ENOENT, "is gone");
	expect(f, "../outside", ENOENT, "is gone");
	expect(f, "fifo", ENOENT, "no longer a regular file");
	expect(f, "dir", ENOENT, "no longer a regular file");
	expect(f, "socket", ENOENT, "is gone");
}

static void test_root_gone(void **state)
{
	struct fixture *f = *state;
	remove_tree(f->root);
	expect(f, "x", ENOENT, "is gone");
}

static void test_open_for_writing(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	CLEANUP(close_fdp) int fd = open(below(f, "x"), O_WRONLY | O_CLOEXEC);
	expect(f, "x", FETCH_UNFINISHED, "still being written");
}

static void test_mapped_for_writing(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	CLEANUP(close_fdp) int fd = open(below(f, "x"), O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(take_fd(&fd));
	expect(f, "x", FETCH_UNFINISHED, "still being written");
	(void)munmap(p, 1);
}

static void append(struct fixture *f)
{
	CLEANUP(close_fdp) int fd = open(below(f, "x"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "more", 4), 4);
}

static void cut(struct fixture *f)
{
	assert_return_code(truncate(below(f, "x"), 4096), errno);
}

static void touch_only(struct fixture *f)
{
	assert_return_code(utimensat(AT_FDCWD, below(f, "x"), NULL, 0), errno);
}

static void change_while_read(struct fixture *f, void (*meanwhile)(struct fixture *f), const char *text, size_t most)
{
	struct memory_sink m = { .meanwhile = meanwhile };
	struct object seen;
	put(f, "x", "");
	assert_return_code(truncate(below(f, "x"), 10000), errno);
	assert_int_equal(fetch_into(f, &m, "x", &seen), -1);
	assert_int_equal(f->err.sys, FETCH_UNFINISHED);
	assert_non_null(strstr(f->err.text, text));
	assert_int_equal(m.bytes.len, most);
	buf_done(&m.bytes);
}

static void test_grown_while_read(void **state)
{
	change_while_read(*state, append, "changed while it was read", 10000);
}

static void test_cut_while_read(void **state)
{
	change_while_read(*state, cut, "became shorter while it was read", 4096);
}

static void test_touched_while_read(void **state)
{
	change_while_read(*state, touch_only, "changed while it was read", 10000);
}

/* As a listing shows the file x when its last change is old. */
static struct object listed(struct fixture *f)
{
	static char text[VERSION_TEXT_MAX];
	struct stat st;
	assert_return_code(stat(below(f, "x"), &st), errno);
	return (struct object){ .key = SLICE_LIT("x"), .version = { text, version_format(&st, text) }, .bytes = (uint64_t)st.st_size };
}

static void expect_listed(struct fixture *f, const struct object *obj, int sys, const char *text)
{
	struct memory_sink m = { 0 };
	struct object seen;
	assert_int_equal(fetch_object(f, &m, obj, &seen), -1);
	assert_int_equal(f->err.sys, sys);
	assert_non_null(strstr(f->err.text, text));
	buf_done(&m.bytes);
}

static void test_as_it_was_listed(void **state)
{
	struct fixture *f = *state;
	struct memory_sink m = { 0 };
	struct object seen;
	put(f, "x", "as listed");
	struct object obj = listed(f);
	assert_int_equal(fetch_object(f, &m, &obj, &seen), 0);
	assert_true(slice_eq(seen.version, obj.version));
	assert_int_equal(seen.bytes, 9);
	m.meanwhile = touch_only;
	assert_int_equal(fetch_object(f, &m, &obj, &seen), -1);
	assert_non_null(strstr(f->err.text, "changed while it was read"));
	buf_done(&m.bytes);
}

static void test_changed_since_it_was_listed(void **state)
{
	struct fixture *f = *state;
	struct memory_sink m = { 0 };
	struct object seen;
	put(f, "x", "1");
	struct object obj = listed(f);
	append(f);
	expect_listed(f, &obj, FETCH_UNFINISHED, "changed while it was read");
	obj.racy = true; /* as it is tried again */
	assert_int_equal(fetch_object(f, &m, &obj, &seen), 0);
	assert_int_equal(seen.bytes, 5);
	buf_done(&m.bytes);
}

static void test_listed_and_no_longer_fit_to_be_read(void **state)
{
	struct fixture *f = *state;
	put(f, "x", "1");
	struct object obj = listed(f);
	CLEANUP(close_fdp) int fd = open(below(f, "x"), O_WRONLY | O_CLOEXEC);
	expect_listed(f, &obj, FETCH_UNFINISHED, "still being written");
	assert_return_code(unlink(below(f, "x")), errno);
	assert_return_code(mkfifo(below(f, "x"), 0644), errno);
	expect_listed(f, &obj, ENOENT, "no longer a regular file");
}

/* Many writers that keep size and mtime: nothing torn is ever taken for whole, because the tick is let pass. */
static void *rewrite(void *arg)
{
	struct fixture *f = arg;
	CLEANUP(freep) char *path = mem_printf("%s/torn", f->root);
	char bytes[4096];
	for (int i = 0; i < 2000; i++) {
		CLEANUP(close_fdp) int fd = open(path, O_WRONLY | O_CLOEXEC);
		memset(bytes, 'a' + i % 26, sizeof(bytes));
		for (int n = 0; n < 4; n++)
			assert_int_equal(pwrite(fd, bytes, sizeof(bytes), n * 4096), sizeof(bytes));
	}
	return NULL;
}

static void test_nothing_torn_is_taken_for_whole(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	put(f, "torn", "");
	assert_return_code(truncate(below(f, "torn"), 16384), errno);
	assert_int_equal(pthread_create(&thread, NULL, rewrite, f), 0);
	for (int i = 0; i < 300; i++) {
		struct memory_sink m = { 0 };
		struct object seen;
		if (fetch_into(f, &m, "torn", &seen) == 0) {
			for (size_t n = 1; n < m.bytes.len; n++)
				assert_int_equal(m.bytes.data[n], m.bytes.data[0]);
		}
		buf_done(&m.bytes);
	}
	(void)pthread_join(thread, NULL);
}

static void test_unsettled_file_is_not_read(void **state)
{
	struct fixture *f = *state;
	f->config.settle_ms = 60000;
	reopen(f);
	put(f, "x", "1");
	expect(f, "x", FETCH_UNFINISHED, "has to settle");
}

static void fetch_denied(struct fixture *f)
{
	struct memory_sink m = { 0 };
	struct object seen;
	open_source(f, "", false);
	expect(f, "secret", EACCES, "cannot be read");
	assert_int_equal(fetch_into(f, &m, "others", &seen), 0); /* no O_NOATIME, no lease on what is not ours */
	assert_int_equal(m.bytes.len, 1);
	buf_done(&m.bytes);
}

static void test_unreadable_file_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip(); /* a file of another owner is needed */
	put(f, "secret", "1");
	put(f, "others", "1");
	assert_return_code(chmod(below(f, "secret"), 0), errno);
	close_source(f);
	in_child(fetch_denied, f, 65534);
}

static void test_names_in_errors_are_printable(void **state)
{
	struct fixture *f = *state;
	expect(f, "a\nb\xff", ENOENT, "file 'a\\x0ab\\xff' is gone");
}

static void test_writers_never_kill_the_reader(void **state)
{
	struct fixture *f = *state;
	struct sigaction now;
	/* A lease broken between taking and release sends SIGIO, which would end the process. */
	assert_int_equal(sigaction(SIGIO, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	test_nothing_torn_is_taken_for_whole(state);
	(void)f;
}

static void test_root_is_let_go_when_idle(void **state)
{
	struct fixture *f = *state;
	uint64_t deadline_ns = clock_mono_ns() + PATIENCE_NS;
	struct memory_sink m = { 0 };
	struct object seen;
	char *pinned = NULL;
	put(f, "x", "1");
	assert_int_equal(fetch_into(f, &m, "x", &seen), 0);
	do {
		enum discover_scope scope;
		char link[PATH_MAX];
		free(pinned);
		pinned = NULL;
		(void)wait_due(f, clock_mono_ns() + 50 * NS_PER_MS, &scope);
		for (int fd = 3; fd < 64; fd++) {
			char name[32];
			(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
			ssize_t n = readlink(name, link, sizeof(link) - 1);
			if (n > 0 && (size_t)n == strlen(f->root) && memcmp(link, f->root, (size_t)n) == 0)
				pinned = mem_strdup(name);
		}
	} while (pinned && clock_mono_ns() < deadline_ns);
	assert_null(pinned);
	assert_int_equal(fetch_into(f, &m, "x", &seen), 0);
	buf_done(&m.bytes);
}

static void test_clone(void **state)
{
	struct fixture *f = *state;
	struct object obj = { .key = SLICE_LIT("x") }, seen;
	CLEANUP(close_fdp) int to = open(f->top, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	char bytes[4] = "";
	if (to < 0)
		skip();
	put(f, "x", "abc");
	if (folder_connector.clone(f->connector, &obj, to, &seen, &f->err) == 0) {
		assert_int_equal(pread(to, bytes, 4, 0), 3);
		assert_string_equal(bytes, "abc");
		assert_int_equal(seen.bytes, 3);
	} else {
		assert_int_equal(f->err.class, ERR_REJECT);
		assert_non_null(strstr(f->err.text, "cannot reflink"));
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_new, fixture_free)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes_and_version_are_those_of_the_listing),
		TEST(test_empty_file_asks_for_no_space),
		TEST(test_the_sinks_refusal_is_passed_on),
		TEST(test_what_is_gone),
		TEST(test_root_gone),
		TEST(test_open_for_writing),
		TEST(test_mapped_for_writing),
		TEST(test_grown_while_read),
		TEST(test_cut_while_read),
		TEST(test_touched_while_read),
		TEST(test_as_it_was_listed),
		TEST(test_changed_since_it_was_listed),
		TEST(test_listed_and_no_longer_fit_to_be_read),
		TEST(test_writers_never_kill_the_reader),
		TEST(test_unsettled_file_is_not_read),
		TEST(test_unreadable_file_says_what_to_do),
		TEST(test_names_in_errors_are_printable),
		TEST(test_root_is_let_go_when_idle),
		TEST(test_clone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
