/* import_walk.c - reads folders, the one found last first, so that few names wait however large the tree is. */
#include "daemon/cli/import_walk.h"

#include "connectors/folder_names.h"
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>

struct walk {
	const struct import_files *files;
	walk_fn *fn;
	void *arg;
	struct buf todo;         /* paths of folders, each with a NUL behind it */
	struct buf path;         /* of the entry under way */
	size_t folder_len;       /* of the folder in it, with its '/' */
};

static enum walk_kind kind_of(int dir, const struct dirent *e)
{
	struct stat st;
	bool known = e->d_type != DT_UNKNOWN;
	if (!known && fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return WALK_FILE; /* gone, or not to be looked at: opening it tells */
	unsigned type = known ? e->d_type : IFTODT(st.st_mode);
	bool folder = type == DT_DIR;
	if (names_ignored(e->d_name, strlen(e->d_name), folder, NULL))
		return WALK_IGNORED;
	return folder ? WALK_FOLDER : type == DT_REG ? WALK_FILE : type == DT_LNK ? WALK_LINK : WALK_SPECIAL;
}

static int tell(struct walk *w, struct walk_entry e, struct err *err)
{
	e.path = w->path.len ? buf_slice(&w->path) : SLICE_LIT(".");
	return w->fn(w->arg, &e, err);
}

static int one(struct walk *w, int dir, const struct dirent *e, struct err *err)
{
	struct walk_entry entry = { .kind = kind_of(dir, e), .dir = dir, .name = e->d_name };
	w->path.len = w->folder_len;
	buf_str(&w->path, e->d_name);
	if (entry.kind == WALK_FOLDER)
		buf_add(&w->todo, w->path.data, w->path.len + 1);
	return tell(w, entry, err);
}

/* 1: an entry, 0: no more, -1: the folder cannot be read to its end. */
static int next(DIR *dir, const struct dirent **ret)
{
	do {
		errno = 0;
		*ret = readdir(dir);
	} while (*ret && (strcmp((*ret)->d_name, ".") == 0 || strcmp((*ret)->d_name, "..") == 0));
	return *ret ? 1 : errno ? -1 : 0;
}

static int unreadable(struct walk *w, const struct err *why, const char *cure, struct err *err)
{
	return tell(w, (struct walk_entry){ .kind = WALK_FAILED, .dir = -1, .why = why, .cure = cure }, err);
}

/* The folder in w->path. */
static int folder(struct walk *w, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	const struct dirent *e;
	const char *cure;
	struct err why;
	int more, r = 0;
	if (import_files_folder(w->files, w->path.data, &fd, &cure, &why) < 0) {
		if (why.sys == FILES_OWN_STORE)
			return tell(w, (struct walk_entry){ .kind = WALK_STORE, .dir = -1 }, err);
		return why.sys == ENOENT ? 0 : unreadable(w, &why, cure, err);
	}
	DIR *dir = fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_RETRY, errno, "read a folder");
	(void)take_fd(&fd);
	size_t len = w->path.len;
	if (len > 0)
		buf_char(&w->path, '/');
	w->folder_len = w->path.len;
	while (r == 0 && (more = next(dir, &e)) > 0)
		r = one(w, dirfd(dir), e, err);
	if (r == 0 && more < 0) {
		(void)err_set(&why, ERR_RETRY, errno, "the folder '%.*s'", (int)len, w->path.data);
		w->path.len = len;
		w->path.data[len] = '\0';
		r = unreadable(w, &why, "look after the disk, and import again", err);
	}
	(void)closedir(dir);
	return r;
}

static void take_last(struct buf *todo, struct buf *ret_path)
{
	size_t from = todo->len - 1;
	while (from > 0 && todo->data[from - 1] != '\0')
		from--;
	ret_path->len = 0;
	buf_str(ret_path, todo->data + from);
	todo->len = from;
}

int import_walk(const struct import_files *f, walk_fn *fn, void *arg, struct err *err)
{
	struct walk w = { .files = f, .fn = fn, .arg = arg };
	int r = 0;
	buf_add(&w.todo, "", 1); /* the root */
	while (r == 0 && w.todo.len > 0) {
		take_last(&w.todo, &w.path);
		r = folder(&w, err);
	}
	buf_done(&w.todo);
	buf_done(&w.path);
	return r;
}
