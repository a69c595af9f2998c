/* tree.c - files and folders for the reader of a manifest. */
#include "daemon/sender/tree.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <dirent.h>
#include <errno.h>

static int tree_open(void *arg, const char *path, void **ret_file, struct err *err)
{
	struct stat st;
	const char *cure;
	int fd;
	if (import_files_get(arg, slice_of(path), &fd, &st, &cure, err) < 0)
		return err->sys == ENOENT || err->sys == ENOTDIR ? 0 : -1;
	*ret_file = mem_dup(&fd, sizeof(fd));
	return 1;
}

static ssize_t tree_read(void *file, void *p, size_t n, struct err *err)
{
	ssize_t got = read(*(int *)file, p, n);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read a file beside the manifest") : got;
}

static void tree_close(void *file)
{
	close_fdp(file);
	free(file);
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
