/* tree.c - files and folders for the reader of a manifest. */
#include "daemon/sender/tree.h"

#include "connectors/folder_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <dirent.h>
#include <errno.h>

struct tree_file {
	int fd;
	struct stat then;            /* when it was opened */
	char path[];
};

static int tree_open(void *arg, const char *path, void **ret_file, struct err *err)
{
	struct stat st;
	const char *cure;
	int fd;
	if (import_files_get(arg, slice_of(path), &fd, &st, &cure, err) < 0)
		return err->sys == ENOENT || err->sys == ENOTDIR ? 0 : -1;
	struct tree_file *f = mem_zero(1, sizeof(*f) + strlen(path) + 1);
	f->fd = fd;
	f->then = st;
	memcpy(f->path, path, strlen(path));
	*ret_file = f;
	return 1;
}

/* At its end it must still be what was opened: half of a file that is being written would do as a whole one. */
static ssize_t tree_read(void *file, void *p, size_t n, struct err *err)
{
	const struct tree_file *f = file;
	struct stat now;
	ssize_t got = read(f->fd, p, n);
	if (got < 0 || (got == 0 && fstat(f->fd, &now) < 0))
		return err_set(err, ERR_RETRY, errno, "read the file '%.200s'", f->path);
	if (got == 0 && !version_same(&f->then, &now))
		return err_set(err, ERR_RETRY, 0, "the file '%.200s' changed while it was read", f->path);
	return got;
}

static void tree_close(void *file)
{
	struct tree_file *f = file;
	close_fdp(&f->fd);
	free(f);
}

static int tree_open_dir(void *arg, const char *path, void **ret_dir, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	const char *cure;
	if (import_files_folder(arg, path, &fd, &cure, err) < 0)
		return err->sys == ENOENT || err->sys == ENOTDIR ? 0 : -1;
	DIR *dir = fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_RETRY, errno, "the folder '%s'", path);
	(void)take_fd(&fd);
	*ret_dir = dir;
	return 1;
}

static bool is_dir(DIR *dir, const struct dirent *entry)
{
	struct stat st;
	if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode); /* only its kind: opening it is confined */
}

static int tree_next(void *dir, struct buf *ret_name, bool *ret_is_dir, struct err *err)
{
	const struct dirent *entry;
	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (!entry)
		return errno ? err_set(err, ERR_RETRY, errno, "list a folder beside the manifest") : 0;
	ret_name->len = 0;
	buf_str(ret_name, entry->d_name);
	*ret_is_dir = is_dir(dir, entry);
	return 1;
}

static void tree_close_dir(void *dir)
{
	(void)closedir(dir);
}

struct manifest_tree import_tree(const struct import_files *files)
{
	return (struct manifest_tree){ .arg = (void *)files, .open = tree_open, .read = tree_read, .close = tree_close,
		.open_dir = tree_open_dir, .next = tree_next, .close_dir = tree_close_dir };
}
