/* import_files.c - opens what a row names, or says why not. */
#include "daemon/stages/import_files.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#define CURE_BENEATH "move the file beneath the manifest's folder, or name the folder that holds all of them with --root"

int import_files_open(const char *root, const char *state_dir, struct import_files *ret, struct err *err)
{
	*ret = (struct import_files){ .root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	ret->root_path = realpath(root, NULL);
	ret->store_path = realpath(state_dir, NULL); /* NULL: there is no store yet, so nothing of it can be read */
	if (ret->root >= 0 && ret->root_path)
		return 0;
	int why = errno;
	import_files_close(ret);
	return err_set(err, ERR_REJECT, why, "the folder '%s'", root);
}

void import_files_close(struct import_files *f)
{
	close_fdp(&f->root);
	free(f->root_path);
	free(f->store_path);
	*f = (struct import_files){ .root = -1 };
}

/* What follows the root in an absolute path; NULL: it does not lie beneath it. */
static const char *below(const char *path, const char *root)
{
	size_t n = strlen(root);
	if (strcmp(root, "/") == 0)
		return path[1] ? path + 1 : NULL;
	if (strncmp(path, root, n) != 0 || path[n] != '/')
		return NULL;
	while (path[n] == '/')
		n++;
	return path[n] ? path + n : NULL;
}

/* Where an open file really is, so that no other name of it, and no mount, leads around. */
static bool is_of_store(const struct import_files *f, int fd)
{
	char link[32];
	char path[PATH_MAX];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0 || !f->store_path)
		return false;
	path[n] = '\0';
	return below(path, f->store_path) != NULL;
}

static int refused(const struct import_files *f, const char *path, int why, const char **ret_cure, struct err *err)
{
	struct buf shown = { 0 };
	text_printable(&shown, slice_of(path));
	bool outside = why == EXDEV || why == ELOOP;
	*ret_cure = outside ? CURE_BENEATH :
		why == ENOENT || why == ENOTDIR ? "put the file there, or mend the row, and import again" :
						  "make it readable for you, and import again";
	if (outside)
		(void)err_set(err, ERR_REJECT, 0, "the file '%s' does not lie beneath '%s'", shown.data, f->root_path);
	else
		(void)err_set(err, ERR_RETRY, why, "the file '%s'", shown.data);
	buf_done(&shown);
	return -1;
}

int import_files_get(const struct import_files *f, struct slice path, int *ret_fd, struct stat *ret_st, const char **ret_cure,
	struct err *err)
{
	CLEANUP(freep) char *text = mem_strndup(path.p ? path.p : "", path.len);
	const char *relative = text;
	*ret_cure = "mend the row, and import again";
	if (strlen(text) != path.len || path.len == 0)
		return err_set(err, ERR_REJECT, 0, "a path is empty or holds a NUL byte");
	if (text[0] == '/' && !(relative = below(text, f->root_path)))
		return refused(f, text, EXDEV, ret_cure, err);
	CLEANUP(close_fdp) int fd = file_open_within(f->root, relative, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refused(f, text, errno, ret_cure, err);
	if (fstat(fd, ret_st) < 0)
		return refused(f, text, errno, ret_cure, err);
	if (is_of_store(f, fd))
		return err_set(err, ERR_REJECT, 0, "the file '%s' is part of Inlet's own store", relative);
	if (!S_ISREG(ret_st->st_mode))
		return err_set(err, ERR_REJECT, 0, "'%s' is not a file", relative);
	*ret_fd = take_fd(&fd);
	return 0;
}

int import_files_folder(const struct import_files *f, const char *path, int *ret_fd, struct err *err)
{
	const char *relative = path, *cure;
	if (path[0] == '\0' || strcmp(path, f->root_path) == 0)
		relative = ".";
	else if (path[0] == '/' && !(relative = below(path, f->root_path)))
		return refused(f, path, EXDEV, &cure, err);
	CLEANUP(close_fdp) int fd = file_open_within(f->root, relative, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return refused(f, path, errno, &cure, err);
	if (is_of_store(f, fd))
		return err_set(err, ERR_REJECT, 0, "the folder '%s' is part of Inlet's own store", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
