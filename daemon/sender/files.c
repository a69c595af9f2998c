/* files.c - opens what a row names, or says why not. */
#include "daemon/sender/files.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#define SHOWN_BYTES 100 /* of a path in a message */
#define CURE_ROOTS "move the file beneath the folder that the manifests are in, or list the folder that holds it under `roots` of the source"
#define CURE_BENEATH "move the file beneath the manifest's folder, or name the folder that holds all of them with --root"

/* What follows the root in an absolute path, NULL: it does not lie beneath it. Several slashes are one. */
static const char *below(const char *path, const char *root)
{
	size_t p = 0;
	for (size_t r = 0; root[r]; r++) {
		if (path[p] != root[r])
			return NULL;
		p++;
		while (root[r] == '/' && path[p] == '/')
			p++;
		while (root[r] == '/' && root[r + 1] == '/')
			r++;
	}
	if (p > 0 && path[p - 1] != '/' && path[p] != '/')
		return NULL;
	while (path[p] == '/')
		p++;
	return path[p] ? path + p : NULL;
}

/* Where an open file really is, so that no other name of it, and no mount, leads around. */
static bool is_of_store(const struct import_files *f, int fd)
{
	char link[32];
	char path[PATH_MAX];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = f->store_path ? readlink(link, path, sizeof(path) - 1) : -1;
	if (n < 0)
		return false;
	path[n] = '\0';
	return strcmp(path, f->store_path) == 0 || below(path, f->store_path) != NULL;
}

static int own_store(const char *path, struct err *err)
{
	(void)err_set(err, ERR_REJECT, 0, "'%s' is part of Inlet's own store", path);
	err->sys = FILES_OWN_STORE;
	return -1;
}

int import_files_open(const char *root, const char *state_dir, struct import_files *ret, struct err *err)
{
	*ret = (struct import_files){ .root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), .beneath = CURE_BENEATH };
	int why = errno;
	ret->root_path = ret->root >= 0 ? realpath(root, NULL) : NULL;
	why = ret->root >= 0 ? errno : why;
	ret->store_path = realpath(state_dir, NULL); /* NULL: there is no store yet, so nothing of it can be read */
	bool is_there = ret->root >= 0 && ret->root_path;
	if (is_there && !is_of_store(ret, ret->root)) {
		ret->holds_store = ret->store_path && below(ret->store_path, ret->root_path);
		import_files_alias(ret, root);
		return 0;
	}
	import_files_close(ret);
	if (!is_there)
		return err_set(err, ERR_REJECT, why, "the folder '%s'", root);
	return own_store(root, err);
}

static void close_one(struct import_files *f)
{
	close_fdp(&f->root);
	free(TAKE_PTR(f->root_path));
	free(TAKE_PTR(f->alias));
	free(TAKE_PTR(f->store_path));
	free(TAKE_PTR(f->start));
	f->next = NULL;
}

void import_files_close(struct import_files *f)
{
	struct import_files *next = f->next;
	close_one(f);
	while (next) {
		struct import_files *after = next->next;
		close_one(next);
		free(next);
		next = after;
	}
}

void import_files_alias(struct import_files *f, const char *folder)
{
	const char *here = getenv("PWD"); /* as the shell has it, links and all */
	struct stat named, own;
	CLEANUP(freep) char *path = NULL;
	if (folder[0] == '/')
		path = mem_strdup(folder);
	else if (here && here[0] == '/')
		path = strcmp(folder, ".") == 0 ? mem_strdup(here) : mem_printf("%s/%s", here, folder);
	if (!path || stat(path, &named) < 0 || fstat(f->root, &own) < 0 || named.st_dev != own.st_dev || named.st_ino != own.st_ino)
		return;
	free(f->alias);
	f->alias = TAKE_PTR(path);
}

void import_files_start(struct import_files *f, const char *folder)
{
	CLEANUP(freep) char *own = realpath(folder, NULL);
	const char *start = own ? below(own, f->root_path) : NULL;
	free(f->start);
	f->start = start ? mem_strdup(start) : NULL;
}

int import_files_open_all(char *const *roots, const char *folder, const char *state_dir, struct import_files *ret, struct err *err)
{
	struct import_files *f = ret;
	for (size_t i = 0; roots[i]; i++) {
		if (i > 0)
			f = f->next = mem_zero(1, sizeof(*f));
		if (import_files_open(roots[i], state_dir, f, err) < 0) {
			import_files_close(ret);
			return -1;
		}
		import_files_start(f, folder);
		f->beneath = CURE_ROOTS;
		ret->holds_store |= f->holds_store;
	}
	return 0;
}

/* Opens path beneath the first root that has it; -1 with errno of the first place that was looked at, EXDEV where there was none. */
static int open_first(const struct import_files *f, const char *path, int flags)
{
	int why = 0;
	for (; f; f = f->next) {
		const char *relative = path[0] != '/' ? path : strcmp(path, f->root_path) == 0 ? "." : below(path, f->root_path);
		if (!relative && f->alias)
			relative = below(path, f->alias);
		for (bool own = path[0] != '/' && f->start; relative; own = false) {
			CLEANUP(freep) char *at = own ? mem_printf("%s/%s", f->start, relative) : mem_strdup(relative);
			int fd = file_open_within(f->root, at, flags);
			if (fd >= 0)
				return fd;
			why = why ? why : errno;
			if (!own)
				break;
		}
	}
	errno = why ? why : EXDEV;
	return -1;
}

static int refused(const struct import_files *f, const char *what, const char *path, int why, const char **ret_cure, struct err *err)
{
	struct buf shown = { 0 };
	size_t n = strlen(path);
	if (n > SHOWN_BYTES) /* the whole path stands beside the reason, which must keep its end */
		buf_str(&shown, "...");
	text_printable(&shown, slice_of(n > SHOWN_BYTES ? path + n - SHOWN_BYTES : path));
	bool outside = why == EXDEV || why == ELOOP;
	*ret_cure = outside ? f->beneath :
		why == ENOENT || why == ENOTDIR ? "put the file there, or mend the row, and import again" :
		why == ENAMETOOLONG ? "shorten the path; a folder that lies so deep is imported by itself" : "make it readable for you, and import again";
	if (outside)
		(void)err_set(err, ERR_REJECT, 0, "the %s '%s' does not lie beneath '%s'", what, shown.data, f->root_path);
	else
		(void)err_set(err, ERR_RETRY, why, "the %s '%s'", what, shown.data);
	buf_done(&shown);
	return -1;
}

int import_files_get(const struct import_files *f, struct slice path, int *ret_fd, struct stat *ret_st, const char **ret_cure,
	struct err *err)
{
	CLEANUP(freep) char *text = mem_strndup(path.p ? path.p : "", path.len);
	*ret_cure = "mend the row, and import again";
	if (strlen(text) != path.len || path.len == 0)
		return err_set(err, ERR_REJECT, 0, "a path is empty or holds a NUL byte");
	CLEANUP(close_fdp) int fd = open_first(f, text, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENXIO) /* a socket */
		return err_set(err, ERR_REJECT, 0, "'%s' is not a file", text);
	if (fd < 0)
		return refused(f, "file", text, errno, ret_cure, err);
	if (fstat(fd, ret_st) < 0)
		return refused(f, "file", text, errno, ret_cure, err);
	if (f->holds_store && is_of_store(f, fd))
		return own_store(text, err);
	if (!S_ISREG(ret_st->st_mode)) {
		(void)err_set(err, ERR_REJECT, 0, "'%s' is not a file", text);
		err->sys = S_ISDIR(ret_st->st_mode) ? EISDIR : 0;
		return -1;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int import_files_folder(const struct import_files *f, const char *path, int *ret_fd, const char **ret_cure, struct err *err)
{
	*ret_cure = "";
	CLEANUP(close_fdp) int fd = open_first(f, path[0] ? path : ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return refused(f, "folder", path, errno, ret_cure, err);
	if (f->holds_store && is_of_store(f, fd))
		return own_store(path, err);
	*ret_fd = take_fd(&fd);
	return 0;
}
