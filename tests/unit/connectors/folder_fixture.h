/* folder_fixture.h - a folder source on a real directory, driven as the engine drives it: wait on events(), pump(), discover(). */
#ifndef INLET_TESTS_FOLDER_FIXTURE_H
#define INLET_TESTS_FOLDER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "connectors/connector.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE_NS (20 * NS_PER_SEC) /* how long an event may take before the test fails */

struct seen {
	char *path;
	char kind;                      /* F ile, D irectory, S ettling, P age, X failed page */
	char version[VERSION_TOKEN_MAX + 1];
	uint64_t bytes;
	bool racy;
};
struct fixture {
	char top[64];                   /* temporary directory; the root is top/root */
	char *root;
	struct folder_config config;
	struct connector *connector;
	pthread_mutex_t lock;
	struct seen *seen;              /* of the last pass */
	size_t count;
	uint32_t skipped;
	char failed[512];               /* text of the last failed page */
	struct pass pass;
	struct err err;
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static inline void run_shell(const char *line)
{
	pid_t pid = fork();
	int status;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A path below the root; valid until the fourth call after this one. */
static inline const char *below(const struct fixture *f, const char *path)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *to = paths[next++ % 4];
	assert_true(snprintf(to, PATH_MAX, "%s/%s", f->root, path) < PATH_MAX);
	return to;
}

static inline void write_file(const char *path, const char *text)
{
	CLEANUP(close_fdp) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline void put(const struct fixture *f, const char *path, const char *text)
{
	write_file(below(f, path), text);
}

static inline void make_dir(const struct fixture *f, const char *path)
{
	assert_return_code(mkdir(below(f, path), 0755), errno);
}

static inline void open_source(struct fixture *f, const char *root, bool had_objects)
{
	struct err err;
	assert_int_equal(folder_connector.open(&f->config, root, had_objects, &f->connector, &err), 0);
}

static inline void close_source(struct fixture *f)
{
	folder_connector.close(f->connector);
	f->connector = NULL;
}

static inline int fixture_new(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	(void)snprintf(f->top, sizeof(f->top), "/tmp/inlet-folder-XXXXXX");
	assert_non_null(mkdtemp(f->top));
	assert_return_code(chmod(f->top, 0755), errno);
	f->root = mem_printf("%s/root", f->top);
	assert_return_code(mkdir(f->root, 0755), errno);
	f->config = (struct folder_config){ .path = f->root, .reconcile_ms = 3600000 };
	pthread_mutex_init(&f->lock, NULL);
	open_source(f, "", false);
	*state = f;
	return 0;
}

static inline void forget_seen(struct fixture *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->seen[i].path);
	free(f->seen);
	f->seen = NULL;
	f->count = 0;
	f->skipped = 0;
	f->failed[0] = '\0';
}

static inline int fixture_free(void **state)
{
	struct fixture *f = *state;
	close_source(f);
	forget_seen(f);
	remove_tree(f->top);
	pthread_mutex_destroy(&f->lock);
	free(f->root);
	free(f);
	return 0;
}

/* Opens the source again with what the test has put into the configuration. */
static inline void reopen(struct fixture *f)
{
	close_source(f);
	open_source(f, "", false);
}

static inline struct seen *note(struct fixture *f, char kind, const struct page *page, struct slice name)
{
	if ((f->count & (f->count - 1)) == 0) /* full: twice as many; TSan copies at each */
		f->seen = mem_resize(f->seen, f->count ? 2 * f->count : 1, sizeof(*f->seen));
	struct seen *s = &f->seen[f->count++];
	bool slash = page->place.len > 0 && name.len > 0;
	*s = (struct seen){ .kind = kind };
	s->path = mem_printf("%.*s%s%.*s", (int)page->place.len, page->place.len ? page->place.p : "", slash ? "/" : "",
		(int)name.len, name.len ? name.p : "");
	return s;
}

static inline int take_page(void *arg, const struct page *page, struct err *err)
{
	struct fixture *f = arg;
	(void)err;
	pthread_mutex_lock(&f->lock);
	(void)note(f, page->failed ? 'X' : 'P', page, (struct slice){ NULL, 0 });
	if (page->failed)
		(void)snprintf(f->failed, sizeof(f->failed), "%s", page->failed->text);
	for (size_t i = 0; i < page->count; i++) {
		const struct entry *e = &page->entries[i];
		struct seen *s = note(f, "FDS"[e->kind], page, e->name);
		if (e->version.len > 0)
			memcpy(s->version, e->version.p, e->version.len);
		s->bytes = e->bytes;
		s->racy = e->racy;
	}
	f->skipped += page->skipped;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

static inline int discover(struct fixture *f, enum discover_scope scope)
{
	forget_seen(f);
	f->pass = (struct pass){ 0 };
	return folder_connector.discover(f->connector, scope, take_page, f, &f->pass, &f->err);
}

static inline void scan_all(struct fixture *f)
{
	if (discover(f, DISCOVER_ALL) < 0)
		fail_msg("%s", f->err.text);
	assert_true(f->pass.complete);
	assert_true(f->pass.full);
}

static inline const struct seen *find(const struct fixture *f, char kind, const char *path)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->seen[i].kind == kind && strcmp(f->seen[i].path, path) == 0)
			return &f->seen[i];
	}
	return NULL;
}

static inline size_t count_kind(const struct fixture *f, char kind)
{
	size_t n = 0;
	for (size_t i = 0; i < f->count; i++)
		n += f->seen[i].kind == kind;
	return n;
}

/* Waits as the main loop does until a pass is due; false: none by the deadline. */
static inline bool wait_due(struct fixture *f, uint64_t deadline_ns, enum discover_scope *ret_scope)
{
	struct pollfd p = { folder_connector.events(f->connector), POLLIN, 0 };
	for (;;) {
		uint64_t due_ns, now_ns;
		folder_connector.pump(f->connector, &due_ns, ret_scope);
		now_ns = clock_mono_ns();
		if (due_ns <= now_ns)
			return true;
		if (now_ns >= deadline_ns)
			return false;
		uint64_t until_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
		(void)poll(&p, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1);
	}
}

/* Runs what becomes due until a pass shows path. */
static inline void await(struct fixture *f, char kind, const char *path)
{
	uint64_t deadline_ns = clock_mono_ns() + PATIENCE_NS;
	enum discover_scope scope;
	while (wait_due(f, deadline_ns, &scope)) {
		(void)discover(f, scope);
		if (find(f, kind, path))
			return;
	}
	fail_msg("'%s' was not seen as %c", path, kind);
}

/* Runs what becomes due until a page of place lacks path. */
static inline void await_gone(struct fixture *f, const char *place, const char *path)
{
	uint64_t deadline_ns = clock_mono_ns() + PATIENCE_NS;
	enum discover_scope scope;
	while (wait_due(f, deadline_ns, &scope)) {
		(void)discover(f, scope);
		if (find(f, 'P', place) && !find(f, 'F', path) && !find(f, 'D', path))
			return;
	}
	fail_msg("'%s' is still seen", path);
}

/* Takes events and runs what is due by now, until nothing is. */
static inline void come_to_rest(struct fixture *f)
{
	enum discover_scope scope;
	for (int i = 0; i < 1000 && wait_due(f, 0, &scope); i++)
		(void)discover(f, scope);
	forget_seen(f);
}

static inline struct source_status status_of(struct fixture *f)
{
	struct source_status s;
	folder_connector.status(f->connector, &s);
	return s;
}

/* Runs test in a child process, as another user if uid is not 0: what it asserts counts, what it changes of itself does not. */
static inline void in_child(void (*test)(struct fixture *f), struct fixture *f, uid_t uid)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (uid && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
			_exit(3);
		test(f);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child failed: status 0x%x", (unsigned)status);
}

#endif
