/* test_folder_watch.c - what is noticed between full passes, by real inotify on a real file system. */
#include "tests/unit/connectors/folder_fixture.h"

#include <sys/mman.h>

/* A source that has had its full pass, with nothing pending. */
static int watched_new(void **state)
{
	(void)fixture_new(state);
	struct fixture *f = *state;
	make_dir(f, "d");
	put(f, "d/old", "1");
	scan_all(f);
	come_to_rest(f);
	return 0;
}

static void shell(const struct fixture *f, const char *command)
{
	CLEANUP(freep) char *line = mem_printf("cd '%s' && %s", f->root, command);
	run_shell(line);
}

static void test_nothing_is_due_while_nothing_happens(void **state)
{
	struct fixture *f = *state;
	enum discover_scope scope;
	uint64_t due_ns;
	assert_false(wait_due(f, clock_mono_ns() + 300 * NS_PER_MS, &scope));
	folder_connector.pump(f->connector, &due_ns, &scope);
	assert_int_equal(scope, DISCOVER_ALL); /* the reconcile pass */
	assert_true(due_ns > clock_mono_ns() + 3000 * NS_PER_SEC);
}

static void test_new_file_shows_only_its_directory(void **state)
{
	struct fixture *f = *state;
	put(f, "d/new", "1");
	await(f, 'F', "d/new");
	assert_false(f->pass.full);
	assert_true(f->pass.complete);
	assert_int_equal(count_kind(f, 'P'), 1);
	assert_non_null(find(f, 'F', "d/old"));
}

static void test_directories_made_at_once(void **state)
{
	struct fixture *f = *state;
	shell(f, "mkdir -p a/b/c && touch a/b/c/f");
	await(f, 'F', "a/b/c/f");
	assert_false(f->pass.full);
	come_to_rest(f);
	put(f, "a/b/c/later", "1");
	await(f, 'F', "a/b/c/later");
	assert_int_equal(count_kind(f, 'P'), 1);
}

static void test_directory_replaced_before_it_was_watched_again(void **state)
{
	struct fixture *f = *state;
	shell(f, "rm -r d && mkdir d && touch d/f");
	await(f, 'F', "d/f");
	come_to_rest(f);
	put(f, "d/g", "1");
	await(f, 'F', "d/g");
}

static void test_hard_link(void **state)
{
	struct fixture *f = *state;
	assert_return_code(link(below(f, "d/old"), below(f, "d/linked")), errno);
	await(f, 'F', "d/linked");
}

static void test_tmpfile_and_linkat(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int fd = open(below(f, "d"), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	char link[32];
	if (fd < 0)
		skip(); /* a file system without O_TMPFILE */
	assert_int_equal(write(fd, "abc", 3), 3);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_return_code(linkat(AT_FDCWD, link, AT_FDCWD, below(f, "d/tmp"), AT_SYMLINK_FOLLOW), errno);
	await(f, 'F', "d/tmp");
}

static void test_rename_in_and_out(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *outside = mem_printf("%s/outside", f->top);
	write_file(outside, "1");
	assert_return_code(rename(outside, below(f, "d/came")), errno);
	await(f, 'F', "d/came");
	assert_return_code(rename(below(f, "d/came"), outside), errno);
	await_gone(f, "d", "d/came");
}

static void test_deleted_file(void **state)
{
	struct fixture *f = *state;
	assert_return_code(unlink(below(f, "d/old")), errno);
	await_gone(f, "d", "d/old");
}

static void test_truncated_in_place(void **state)
{
	struct fixture *f = *state;
	assert_return_code(truncate(below(f, "d/old"), 0), errno);
	await(f, 'F', "d/old");
	assert_int_equal(find(f, 'F', "d/old")->bytes, 0);
}

static void test_chmod_shows_the_file(void **state)
{
	struct fixture *f = *state;
	assert_return_code(chmod(below(f, "d/old"), 0600), errno);
	await(f, 'F', "d/old");
}

static void test_mapped_writes_show_when_unmapped(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int fd = open(below(f, "d/old"), O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	*p = 'x';
	(void)munmap(p, 1);
	(void)close(take_fd(&fd));
	await(f, 'F', "d/old");
}

static void test_growing_file_is_settling_until_it_is_quiet(void **state)
{
	struct fixture *f = *state;
	enum discover_scope scope;
	uint64_t until_ns;
	f->config.settle_ms = 400;
	reopen(f);
	scan_all(f);
	come_to_rest(f);
	CLEANUP(close_fdp) int fd = open(below(f, "d/grows"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	until_ns = clock_mono_ns() + NS_PER_SEC;
	while (clock_mono_ns() < until_ns) {
		assert_int_equal(write(fd, "x", 1), 1);
		if (wait_due(f, clock_mono_ns() + 20 * NS_PER_MS, &scope)) {
			uint64_t began_ns = clock_mono_ns();
			assert_int_equal(discover(f, scope), 0);
			/* A machine that stood still between the write and the look has let it settle. */
			if (clock_mono_ns() - began_ns < 100 * NS_PER_MS && find(f, 'P', "d"))
				assert_non_null(find(f, 'S', "d/grows"));
		}
	}
	await(f, 'F', "d/grows");
}

static void test_renamed_directory_shows_all_below_its_new_name(void **state)
{
	struct fixture *f = *state;
	shell(f, "mkdir -p a/b && touch a/b/f");
	await(f, 'F', "a/b/f");
	come_to_rest(f);
	assert_return_code(rename(below(f, "a"), below(f, "z")), errno);
	await(f, 'F', "z/b/f");
	assert_false(f->pass.full);
	assert_non_null(find(f, 'P', ""));
	assert_null(find(f, 'D', "a"));
	come_to_rest(f);
	put(f, "z/b/later", "1");
	await(f, 'F', "z/b/later");
	assert_int_equal(status_of(f).watches, 5); /* root, d, z, z/b, the one above */
}

static void test_directories_exchanged(void **state)
{
	struct fixture *f = *state;
	make_dir(f, "e");
	put(f, "e/other", "1");
	await(f, 'F', "e/other");
	come_to_rest(f);
	assert_return_code(renameat2(AT_FDCWD, below(f, "d"), AT_FDCWD, below(f, "e"), RENAME_EXCHANGE), errno);
	await(f, 'F', "d/other");
	come_to_rest(f);
	put(f, "d/later", "1");
	await(f, 'F', "d/later");
	assert_non_null(find(f, 'F', "d/other"));
}

static void test_directory_moved_out_is_no_longer_watched(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *outside = mem_printf("%s/outside", f->top);
	CLEANUP(freep) char *file = mem_printf("%s/file", outside);
	enum discover_scope scope;
	assert_return_code(rename(below(f, "d"), outside), errno);
	await_gone(f, "", "d");
	come_to_rest(f);
	write_file(file, "1");
	assert_false(wait_due(f, clock_mono_ns() + 300 * NS_PER_MS, &scope));
	assert_int_equal(status_of(f).watches, 2);
}

static void test_empty_directory_replaced_by_rename_gives_no_delete(void **state)
{
	struct fixture *f = *state;
	make_dir(f, "empty");
	make_dir(f, "full");
	put(f, "full/f", "1");
	await(f, 'F', "full/f");
	come_to_rest(f);
	assert_return_code(rename(below(f, "full"), below(f, "empty")), errno);
	await(f, 'F', "empty/f");
	come_to_rest(f);
	put(f, "empty/g", "1");
	await(f, 'F', "empty/g");
}

static void test_temporary_names_wake_nobody(void **state)
{
	struct fixture *f = *state;
	enum discover_scope scope;
	put(f, "d/video.mp4.part", "1");
	assert_false(wait_due(f, clock_mono_ns() + 300 * NS_PER_MS, &scope));
	assert_return_code(rename(below(f, "d/video.mp4.part"), below(f, "d/video.mp4")), errno);
	await(f, 'F', "d/video.mp4");
}

static uint64_t read_number(const char *path)
{
	CLEANUP(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char digits[32] = "";
	return fd >= 0 && read(fd, digits, sizeof(digits) - 1) > 0 ? strtoull(digits, NULL, 10) : 0;
}

static void test_overflow_leads_to_a_full_pass(void **state)
{
	struct fixture *f = *state;
	uint64_t limit = read_number("/proc/sys/fs/inotify/max_queued_events");
	if (limit == 0 || limit > 1000000)
		skip();
	CLEANUP(close_fdp) int a = open(below(f, "d/a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CLEANUP(close_fdp) int b = open(below(f, "d/b"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	for (uint64_t i = 0; i < limit / 2 + 100; i++) { /* alternating, because equal neighbours are merged */
		assert_int_equal(pwrite(a, "1", 1, 0), 1);
		assert_int_equal(pwrite(b, "1", 1, 0), 1);
	}
	shell(f, "mkdir lost && touch lost/f");
	await(f, 'F', "lost/f");
	assert_true(f->pass.full);
	assert_int_equal(status_of(f).overflows, 1);
	come_to_rest(f);
	put(f, "lost/later", "1");
	await(f, 'F', "lost/later");
}

static void test_many_changed_directories_collapse_into_a_full_pass(void **state)
{
	struct fixture *f = *state;
	enum discover_scope scope;
	shell(f, "seq 1 600 | xargs mkdir");
	await(f, 'D', "600");
	come_to_rest(f);
	shell(f, "for i in $(seq 1 600); do : > $i/f; done");
	assert_true(wait_due(f, clock_mono_ns() + PATIENCE_NS, &scope)); /* the first; the last has yet to settle */
	(void)usleep((useconds_t)(f->config.settle_ms + 50) * 1000);
	assert_true(wait_due(f, clock_mono_ns() + PATIENCE_NS, &scope));
	assert_int_equal(scope, DISCOVER_NEWS);
	assert_int_equal(discover(f, scope), 0);
	assert_true(f->pass.full);
	assert_int_equal(count_kind(f, 'F'), 601);
}

/* Names come and go while passes run; in the end the last pass and the file system agree. */
static void *churn(void *arg)
{
	struct fixture *f = arg;
	unsigned seed = 7;
	char from[PATH_MAX], to[PATH_MAX + 8];
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(from, sizeof(from), "%s/t%d", f->root, rand_r(&seed) % 12);
		(void)snprintf(to, sizeof(to), "%s/t%d%s", f->root, rand_r(&seed) % 12, rand_r(&seed) % 3 ? "" : "/in");
		switch (rand_r(&seed) % 4) {
		case 0:
			(void)mkdir(from, 0755);
			break;
		case 1:
			(void)rename(from, to);
			break;
		case 2:
			(void)snprintf(to, sizeof(to), "%s/file", from);
			(void)close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
			break;
		default:
			if (rand_r(&seed) % 3 == 0)
				remove_tree(from);
		}
	}
	return NULL;
}

struct ledger {
	struct fixture *f;
	char **paths; /* of files, as the merge of all pages leaves them */
	size_t count;
	pthread_mutex_t lock;
};

static bool is_direct_or_unlisted(const struct page *page, const char *path)
{
	size_t len = page->place.len;
	if (len > 0 && (strncmp(path, page->place.p, len) != 0 || path[len] != '/'))
		return false;
	const char *rest = path + len + (len > 0);
	const char *slash = strchr(rest, '/');
	for (const struct entry *e = page->entries; slash && e < page->entries + page->count; e++) {
		if (e->kind == ENTRY_DIRECTORY && slice_eq(e->name, (struct slice){ rest, (size_t)(slash - rest) }))
			return false; /* below a directory that is there: that one's page decides */
	}
	return true;
}

static int merge_page(void *arg, const struct page *page, struct err *err)
{
	struct ledger *l = arg;
	size_t kept = 0;
	(void)err;
	assert_null(page->failed);
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->count; i++) {
		if (is_direct_or_unlisted(page, l->paths[i]))
			free(l->paths[i]);
		else
			l->paths[kept++] = l->paths[i];
	}
	l->count = kept;
	for (const struct entry *e = page->entries; e < page->entries + page->count; e++) {
		if (e->kind != ENTRY_FILE)
			continue;
		l->paths = mem_resize(l->paths, l->count + 1, sizeof(char *));
		l->paths[l->count++] = mem_printf("%.*s%s%.*s", (int)page->place.len, page->place.len ? page->place.p : "",
			page->place.len ? "/" : "", (int)e->name.len, e->name.p);
	}
	pthread_mutex_unlock(&l->lock);
	return 0;
}

static void test_ledger_equals_the_tree_after_churn(void **state)
{
	struct fixture *f = *state;
	struct ledger l = { .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	enum discover_scope scope;
	pthread_t thread;
	assert_int_equal(folder_connector.discover(f->connector, DISCOVER_ALL, merge_page, &l, &f->pass, &f->err), 0);
	assert_int_equal(pthread_create(&thread, NULL, churn, f), 0);
	for (int i = 0; i < 200; i++) {
		if (wait_due(f, clock_mono_ns() + NS_PER_MS, &scope))
			(void)folder_connector.discover(f->connector, scope, merge_page, &l, &f->pass, &f->err);
	}
	(void)pthread_join(thread, NULL);
	while (wait_due(f, clock_mono_ns() + 400 * NS_PER_MS, &scope))
		assert_int_equal(folder_connector.discover(f->connector, scope, merge_page, &l, &f->pass, &f->err), 0);
	scan_all(f);
	assert_int_equal(l.count, count_kind(f, 'F'));
	for (size_t i = 0; i < l.count; i++) {
		assert_non_null(find(f, 'F', l.paths[i]));
		free(l.paths[i]);
	}
	free(l.paths);
	assert_int_equal(status_of(f).overflows, 0);
	assert_int_equal(status_of(f).watches, count_kind(f, 'P') + 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, watched_new, fixture_free)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_due_while_nothing_happens),
		TEST(test_new_file_shows_only_its_directory),
		TEST(test_directories_made_at_once),
		TEST(test_directory_replaced_before_it_was_watched_again),
		TEST(test_hard_link),
		TEST(test_tmpfile_and_linkat),
		TEST(test_rename_in_and_out),
		TEST(test_deleted_file),
		TEST(test_truncated_in_place),
		TEST(test_chmod_shows_the_file),
		TEST(test_mapped_writes_show_when_unmapped),
		TEST(test_growing_file_is_settling_until_it_is_quiet),
		TEST(test_renamed_directory_shows_all_below_its_new_name),
		TEST(test_directories_exchanged),
		TEST(test_directory_moved_out_is_no_longer_watched),
		TEST(test_empty_directory_replaced_by_rename_gives_no_delete),
		TEST(test_temporary_names_wake_nobody),
		TEST(test_overflow_leads_to_a_full_pass),
		TEST(test_many_changed_directories_collapse_into_a_full_pass),
		TEST(test_ledger_equals_the_tree_after_churn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
