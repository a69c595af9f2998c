/* test_files.c - what a manifest names is opened beneath its roots, and nowhere else. */
#include "daemon/sender/files.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

/* top/: lists/{own.txt,both.txt,deep/x.txt}, other/{both.txt,far.txt}, outside/secret.txt, lists/store/{data,index} */
struct fixture {
	char top[64];
	struct import_files files;
	struct err err;
	const char *cure;
};

static void shell(const struct fixture *f, const char *command)
{
	CLEANUP(freep) char *line = mem_printf("cd %s && %s", f->top, command);
	assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
}

static int make(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	(void)snprintf(f->top, sizeof(f->top), "/tmp/test_files.XXXXXX");
	assert_non_null(mkdtemp(f->top));
	f->files.root = -1;
	shell(f, "mkdir -p lists/deep lists/store other outside && echo own >lists/own.txt && echo first >lists/both.txt && "
		"echo x >lists/deep/x.txt && echo second >other/both.txt && echo far >other/far.txt && "
		"echo secret >outside/secret.txt && echo data >lists/store/data");
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;
	import_files_close(&f->files);
	shell(f, "rm -rf ../$(basename $PWD)");
	free(f);
	return 0;
}

static const char *in(const struct fixture *f, const char *path, char buf[static 256])
{
	(void)snprintf(buf, 256, "%s/%s", f->top, path);
	return buf;
}

static void open_lists(struct fixture *f)
{
	char root[256], store[256];
	assert_int_equal(import_files_open(in(f, "lists", root), in(f, "lists/store", store), &f->files, &f->err), 0);
}

/* Are these its bytes? */
static void assert_gives(struct fixture *f, const char *path, const char *bytes)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	char got[64] = "";
	f->err = (struct err){ 0 };
	if (import_files_get(&f->files, slice_of(path), &fd, &st, &f->cure, &f->err) < 0)
		fail_msg("%s: %s", path, f->err.text);
	assert_true(read(fd, got, sizeof(got) - 1) > 0);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, bytes);
	assert_int_equal(st.st_size, strlen(bytes) + 1);
}

static void assert_refused(struct fixture *f, const char *path, enum err_class class, const char *why)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	f->err = (struct err){ 0 };
	assert_int_equal(import_files_get(&f->files, slice_of(path), &fd, &st, &f->cure, &f->err), -1);
	assert_int_equal(f->err.class, class);
	if (!strstr(f->err.text, why))
		fail_msg("%s: '%s' lacks '%s'", path, f->err.text, why);
	assert_true(f->cure[0] != '\0');
}

static void test_beneath_the_root(void **state)
{
	struct fixture *f = *state;
	char path[256];
	open_lists(f);
	assert_gives(f, "own.txt", "own");
	assert_gives(f, "deep//x.txt", "x");
	assert_gives(f, in(f, "lists/deep/x.txt", path), "x");
	assert_gives(f, in(f, "/lists//deep/x.txt", path), "x");
	assert_refused(f, in(f, "lists2/x.txt", path), ERR_REJECT, "does not lie beneath");
}

/* A list and its rows may name their folder by way of a link. */
static void test_a_root_of_two_names(void **state)
{
	struct fixture *f = *state;
	char path[256];
	open_lists(f);
	shell(f, "ln -s lists link && ln -s outside away");
	assert_refused(f, in(f, "link/own.txt", path), ERR_REJECT, "does not lie beneath");
	import_files_alias(&f->files, in(f, "link", path));
	assert_gives(f, in(f, "link/own.txt", path), "own");
	assert_gives(f, in(f, "lists/own.txt", path), "own");
	import_files_alias(&f->files, in(f, "away", path)); /* another folder is no name of the root */
	assert_refused(f, in(f, "away/secret.txt", path), ERR_REJECT, "does not lie beneath");
	assert_refused(f, in(f, "link/../outside/secret.txt", path), ERR_REJECT, "does not lie beneath");
}

static void test_ways_that_stay_beneath(void **state)
{
	struct fixture *f = *state;
	if (getenv("INLET_VALGRIND"))
		skip(); /* it does not know openat2, and without that none of these ways is taken */
	open_lists(f);
	assert_gives(f, "./deep/../own.txt", "own");
	shell(f, "ln -s deep/x.txt lists/link && ln -s deep lists/dir && ln -s store lists/alias");
	assert_gives(f, "link", "x");
	assert_gives(f, "dir/x.txt", "x");
	assert_refused(f, "alias/data", ERR_REJECT, "Inlet's own store");
}

static void test_not_outside(void **state)
{
	struct fixture *f = *state;
	char path[256];
	open_lists(f);
	shell(f, "ln -s ../outside/secret.txt lists/link && ln -s ../outside lists/dir && ln -s $PWD/outside lists/absolute && "
		"ln -s $PWD/lists/own.txt lists/there && ln -s loop lists/loop && mkdir lists2 && echo no >lists2/own.txt");
	assert_refused(f, "../outside/secret.txt", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "deep/../../outside/secret.txt", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "link", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "dir/secret.txt", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "absolute/secret.txt", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "there", ERR_REJECT, "does not lie beneath"); /* absolute links lead out by their first byte */
	assert_refused(f, "loop", ERR_REJECT, "does not lie beneath");
	assert_refused(f, in(f, "outside/secret.txt", path), ERR_REJECT, "does not lie beneath");
	assert_refused(f, in(f, "lists2/own.txt", path), ERR_REJECT, "does not lie beneath"); /* begins like the root */
	assert_refused(f, "/etc/shadow", ERR_REJECT, "does not lie beneath");
	assert_refused(f, "/proc/self/root/etc/shadow", ERR_REJECT, "does not lie beneath");
}

static void make_socket(const struct fixture *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	CLEANUP(close_fdp) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/lists/socket", f->top);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
}

static void test_what_is_no_file(void **state)
{
	struct fixture *f = *state;
	CLEANUP(close_fdp) int fd = -1;
	CLEANUP(freep) char *long_name = mem_zero(1, 301);
	struct stat st;
	open_lists(f);
	shell(f, "mkfifo lists/fifo");
	make_socket(f);
	memset(long_name, 'n', 300);
	assert_refused(f, "fifo", ERR_REJECT, "is not a file"); /* and does not hang */
	assert_refused(f, "socket", ERR_REJECT, "is not a file");
	assert_refused(f, "deep", ERR_REJECT, "is not a file");
	assert_int_equal(f->err.sys, EISDIR);
	assert_refused(f, "none.txt", ERR_RETRY, "none.txt");
	assert_int_equal(f->err.sys, ENOENT);
	assert_refused(f, "own.txt/x", ERR_RETRY, "own.txt/x");
	assert_refused(f, long_name, ERR_RETRY, "nnn");
	assert_refused(f, "", ERR_REJECT, "empty");
	assert_int_equal(import_files_get(&f->files, SLICE_LIT("own.txt\0.jpg"), &fd, &st, &f->cure, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
}

static void test_never_the_store(void **state)
{
	struct fixture *f = *state;
	struct import_files own = { .root = -1 };
	char root[256], store[256];
	int fd;
	open_lists(f);
	assert_refused(f, "store/data", ERR_REJECT, "Inlet's own store");
	assert_int_equal(f->err.sys, FILES_OWN_STORE);
	assert_refused(f, in(f, "lists/store/data", store), ERR_REJECT, "Inlet's own store");
	assert_int_equal(import_files_folder(&f->files, "store", &fd, &f->cure, &f->err), -1);
	(void)in(f, "lists/store", store);
	assert_int_equal(import_files_open(store, store, &own, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(import_files_open(in(f, "nowhere", root), store, &own, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
}

static void test_several_roots(void **state)
{
	struct fixture *f = *state;
	char lists[256], other[256], store[256], path[256];
	char *roots[] = { (char *)in(f, "lists", lists), (char *)in(f, "other", other), NULL };
	assert_int_equal(import_files_open_all(roots, in(f, "lists/deep", path), in(f, "lists/store", store), &f->files, &f->err), 0);
	assert_gives(f, "x.txt", "x");          /* beside the manifest */
	assert_gives(f, "both.txt", "first");   /* the first root wins */
	assert_gives(f, "far.txt", "far");
	assert_gives(f, in(f, "other/both.txt", path), "second");
	assert_refused(f, "store/data", ERR_REJECT, "Inlet's own store");
	assert_refused(f, in(f, "outside/secret.txt", path), ERR_REJECT, "does not lie beneath");
	assert_non_null(strstr(f->cure, "roots"));
	shell(f, "echo beside >lists/deep/both.txt");
	assert_gives(f, "both.txt", "beside");
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	int fd;
	open_lists(f);
	for (const char *const *p = (const char *const[]){ "", ".", "deep", NULL }; *p; p++) {
		assert_int_equal(import_files_folder(&f->files, *p, &fd, &f->cure, &f->err), 0);
		(void)close(fd);
	}
	assert_int_equal(import_files_folder(&f->files, "..", &fd, &f->cure, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(import_files_folder(&f->files, "own.txt", &fd, &f->cure, &f->err), -1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make, unmake)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_beneath_the_root),
		TEST(test_a_root_of_two_names),
		TEST(test_ways_that_stay_beneath),
		TEST(test_not_outside),
		TEST(test_what_is_no_file),
		TEST(test_never_the_store),
		TEST(test_several_roots),
		TEST(test_folders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
