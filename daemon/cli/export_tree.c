/* export_tree.c - writes the files that an export lists. The list waits in NAME.part/.inlet-export until all of it is there; that
 * file is also what tells a folder of ours from somebody else's, and its lock says that an export is at work. */
#include "daemon/cli/export_tree.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>

#define LIST ".inlet-export"
#define SHOW_NS (250 * NS_PER_MS)

struct tree {
	struct client *client;
	char *name, *part;       /* owned: the folder, and where it is built */
	int dir;                 /* part; -1 */
	int list;                /* LIST, locked; -1 */
	uint64_t listed_bytes, listed;
	bool published;          /* part is name now */
	char *parent;            /* owned: of the last file; NULL */
	int parent_dir;          /* the same, open; -1 */
	struct sha256 *hash;
	uint64_t shown_ns;
	struct export_tree_done done;
};

/* ---- the folder ---- */

/* 1: it is empty, 0: it is not, -1. */
static int is_empty(int dir, const char *name, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_set(err, ERR_RETRY, errno, "list '%s'", name);
	(void)take_fd(&fd); /* d's now */
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return 0;
	return 1;
}

/* Removes what is in the folder, but for `but` (NULL allowed). What cannot be removed stays. */
static void clear(int dir, const char *but)
{
	CLEANUP(close_fdp) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return;
	(void)take_fd(&fd); /* d's now */
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || (but && strcmp(e->d_name, but) == 0))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		CLEANUP(close_fdp) int below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			clear(below, NULL);
		(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
}

static int check_free(const char *name, struct err *err)
{
	struct stat st;
	if (lstat(name, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_RETRY, errno, "'%s'", name);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_REJECT, 0, "'%s' is there and is no folder; name one that is not there yet, or FILE.tar", name);
	CLEANUP(close_fdp) int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int empty = dir < 0 ? err_set(err, ERR_RETRY, errno, "open '%s'", name) : is_empty(dir, name, err);
	if (empty == 0)
		return err_set(err, ERR_REJECT, 0, "the folder '%s' is not empty; name one that is not there yet", name);
	return empty < 0 ? -1 : 0;
}

/* A folder of that name may be left by a crash: then it has our list in it. */
static int take_part(struct tree *t, struct err *err)
{
	bool made = mkdir(t->part, 0777) == 0;
	if (!made && errno != EEXIST)
		return err_set(err, ERR_RETRY, errno, "make the folder '%s'", t->part);
	t->dir = open(t->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->dir < 0)
		return err_set(err, ERR_RETRY, errno, "open '%s'", t->part);
	int empty = made ? 1 : is_empty(t->dir, t->part, err);
	if (empty < 0)
		return -1;
	int list = openat(t->dir, LIST, O_RDWR | O_NOFOLLOW | O_CLOEXEC | (empty ? O_CREAT : 0), 0666);
	if (list < 0)
		return errno == ENOENT ? err_set(err, ERR_REJECT, 0, "'%s', where it would be built, is there and not empty; remove it, or name "
			"another folder", t->part) : err_set(err, ERR_RETRY, errno, "write in '%s'", t->part);
	if (flock(list, LOCK_EX | LOCK_NB) < 0) {
		(void)close(list);
		return err_set(err, ERR_RETRY, 0, "another export is writing '%s'", t->name);
	}
	t->list = list;
	clear(t->dir, LIST);
	return ftruncate(list, 0) < 0 ? err_set(err, ERR_RETRY, errno, "write in '%s'", t->part) : 0;
}

static int publish(struct tree *t, struct err *err)
{
	CLEANUP(freep) char *parent = mem_printf("%s/..", t->part);
	CLEANUP(close_fdp) int above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0 || syncfs(t->dir) < 0)
		return err_set(err, ERR_RETRY, errno, "write '%s'", t->part);
	if (rename(t->part, t->name) < 0)
		return err_set(err, ERR_RETRY, errno, "rename '%s' to '%s'", t->part, t->name);
	t->published = true;
	if (unlinkat(t->dir, LIST, 0) < 0)
		return err_set(err, ERR_RETRY, errno, "remove '%s/" LIST "'", t->name);
	return dir_sync(above, t->name, err);
}

/* ---- files ---- */

/* The exporter's paths stay below; this is not the place to trust it. */
static bool stays_below(const char *path)
{
	return *path && *path != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 && !strstr(path, "/../") &&
		!(strlen(path) > 3 && strcmp(path + strlen(path) - 3, "/..") == 0);
}

/* Makes the folders of path, all but what follows the last '/', and opens that folder. */
static int enter(struct tree *t, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	if (!stays_below(path))
		return err_set(err, ERR_REJECT, 0, "the export names the file '%.100s', which is none of its own", path);
	CLEANUP(freep) char *parent = mem_strndup(path, slash ? (size_t)(slash - path) : 0);
	if (t->parent && strcmp(t->parent, parent) == 0)
		return 0;
	for (char *p = parent; *p; p++) {
		if (p[1] != '/' && p[1] != '\0')
			continue;
		char next = p[1];
		p[1] = '\0';
		int r = mkdirat(t->dir, parent, 0777);
		if (r < 0 && errno != EEXIST)
			return err_set(err, ERR_RETRY, errno, "make the folder '%s/%s'", t->part, parent);
		p[1] = next;
	}
	int dir = file_open_beneath(t->dir, *parent ? parent : ".", O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return err_set(err, ERR_RETRY, errno, "open '%s/%s'", t->part, parent);
	close_fdp(&t->parent_dir);
	t->parent_dir = dir;
	free(t->parent);
	t->parent = TAKE_PTR(parent);
	return 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* A new file, open for writing. */
static int create(struct tree *t, const char *path, struct err *err)
{
	if (enter(t, path, err) < 0)
		return -1;
	int fd = openat(t->parent_dir, last_part(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return fd < 0 ? err_set(err, ERR_RETRY, errno, "write '%s/%s'", t->part, path) : fd;
}

static int write_text(struct tree *t, const char *path, const json_t *text, struct err *err)
{
	if (!*last_part(path)) /* a folder */
		return enter(t, path, err);
	CLEANUP(close_fdp) int fd = create(t, path, err);
	if (fd < 0)
		return -1;
	return file_write_at(fd, json_string_value(text), json_string_length(text), 0, err) < 0 ? err_wrap(err, "'%s/%s'", t->part, path) : 0;
}

struct picture {
	int fd;
	uint64_t bytes;
	struct sha256 *hash;
	bool failed;         /* writing, that is */
};

static int picture_bytes(void *arg, struct slice bytes, struct err *err)
{
	struct picture *p = arg;
	sha256_add(p->hash, bytes.p, bytes.len);
	p->failed = file_write_at(p->fd, bytes.p, bytes.len, p->bytes, err) < 0;
	p->bytes += bytes.len;
	return p->failed ? -1 : 0;
}

static bool is_whole(const struct picture *p, const json_t *line)
{
	uint8_t wanted[SHA256_BYTES], got[SHA256_BYTES];
	sha256_end(p->hash, got);
	return p->bytes == field_u64(line, "bytes") && text_unhex(field(line, "sha256"), wanted, SHA256_BYTES) == 0 &&
		memcmp(wanted, got, SHA256_BYTES) == 0;
}

/* 1; 0: its bytes are not to be had, and it is not there; -1. */
static int write_picture(struct tree *t, const char *path, const json_t *line, struct err *err)
{
	struct err why = { 0 };
	unsigned long long item = field_u64(line, "item");
	CLEANUP(freep) char *url = mem_printf("/api/v1/items/%llu/content", item);
	CLEANUP(close_fdp) int fd = create(t, path, err);
	if (fd < 0)
		return -1;
	struct picture p = { .fd = fd, .hash = t->hash };
	sha256_begin(t->hash);
	int r = client_request(t->client, url, NULL, picture_bytes, &p, &why);
	if (r == 0 && is_whole(&p, line)) {
		t->done.pictures++;
		t->done.bytes += p.bytes;
		return 1;
	}
	if (r == 0)
		(void)err_set(&why, ERR_REJECT, 0, "what came are not its bytes; `inlet verify` tells more");
	if (r < 0 && (p.failed || client_status(t->client) < 300)) {
		*err = why;
		return err_wrap(err, "'%s/%s'", t->part, path);
	}
	(void)err_wrap(&why, "item %llu", item);
	if (t->done.missing++ == 0)
		t->done.why = why;
	return unlinkat(t->parent_dir, last_part(path), 0) < 0 ? err_set(err, ERR_RETRY, errno, "remove '%s/%s'", t->part, path) : 0;
}

static void show(struct tree *t)
{
	if (clock_mono_ns() - t->shown_ns < SHOW_NS)
		return;
	struct buf size = { 0 };
	out_bytes(&size, t->done.bytes);
	progress_show("%" PRIu64 " of %" PRIu64 " file%s, %s", t->done.pictures + t->done.missing, t->listed, text_s(t->listed), size.data);
	buf_done(&size);
	t->shown_ns = clock_mono_ns();
}

static int write_line(struct tree *t, const json_t *line, struct err *err)
{
	const json_t *labels = json_object_get(line, "labels");
	const char *path = field(line, "path").p;
	show(t);
	if (!labels)
		return write_text(t, path, json_object_get(line, "text"), err);
	int there = write_picture(t, path, line, err);
	return there > 0 ? write_text(t, field(labels, "path").p, json_object_get(labels, "text"), err) : there;
}

/* ---- the list ---- */

static int take_list(void *arg, struct slice text, struct err *err)
{
	struct tree *t = arg;
	for (size_t i = 0; i < text.len; i++)
		t->listed += text.p[i] == '\n';
	int r = file_write_at(t->list, text.p, text.len, t->listed_bytes, err);
	t->listed_bytes += text.len;
	return r < 0 ? err_wrap(err, "'%s'", t->part) : 0;
}

static int write_files(struct tree *t, struct err *err)
{
	CLEANUP(close_fdp) int fd = fcntl(t->list, F_DUPFD_CLOEXEC, 0);
	CLEANUP(fclosep) FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
	CLEANUP(freep) char *text = NULL;
	size_t room = 0;
	if (!list || fseek(list, 0, SEEK_SET) < 0)
		return err_set(err, ERR_RETRY, errno, "read the list in '%s'", t->part);
	(void)take_fd(&fd); /* list's now */
	for (ssize_t n; (n = getline(&text, &room, list)) > 0;) {
		CLEANUP(json_decrefp) json_t *line = json_loadb(text, (size_t)n, JSON_ALLOW_NUL, NULL);
		if (!line)
			return err_set(err, ERR_RETRY, 0, "a line of the export is not JSON; are inlet and inletd of one version?");
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "the export");
		if (write_line(t, line, err) < 0)
			return -1;
	}
	return ferror(list) ? err_set(err, ERR_RETRY, errno, "read the list in '%s'", t->part) : 0;
}

static int build(struct tree *t, const char *url, struct err *err)
{
	if (check_free(t->name, err) < 0 || take_part(t, err) < 0)
		return -1;
	if (client_request(t->client, url, NULL, take_list, t, err) < 0)
		return -1;
	const char *left = client_trailer(t->client, EXPORT_LEFT_OUT);
	t->done.left = left ? mem_strdup(left) : NULL;
	if (write_files(t, err) < 0)
		return -1;
	return publish(t, err);
}

int export_tree(struct client *c, const char *url, const char *name, struct export_tree_done *ret, struct err *err)
{
	size_t len = strlen(name);
	while (len > 1 && name[len - 1] == '/')
		len--;
	struct tree t = { .client = c, .name = mem_strndup(name, len), .dir = -1, .list = -1, .parent_dir = -1, .hash = sha256_new() };
	t.part = mem_printf("%s.part", t.name);
	const char *last = last_part(t.name);
	int r = !*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 ?
		err_set(err, ERR_REJECT, 0, "'%s' cannot be made anew; name a folder that is not there yet", name) : build(&t, url, err);
	if (r < 0 && t.list >= 0 && !t.published) { /* it is ours */
		clear(t.dir, NULL);
		(void)rmdir(t.part);
	}
	progress_clear();
	if (r == 0)
		*ret = t.done;
	else
		free(t.done.left);
	close_fdp(&t.parent_dir);
	close_fdp(&t.list);
	close_fdp(&t.dir);
	sha256_free(t.hash);
	free(t.parent);
	free(t.part);
	free(t.name);
	return r;
}
