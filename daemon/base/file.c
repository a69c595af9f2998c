/* file.c - whole reads and writes, durable directories and files, opens that cannot leave their root. */
#include "daemon/base/file.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLURP_STEP 65536

int file_write_at(int fd, const void *p, size_t n, uint64_t offset, struct err *err)
{
	const char *from = p;
	while (n > 0) {
		ssize_t done = pwrite(fd, from, n, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(err, ERR_RETRY, errno, "write %zu bytes at %" PRIu64, n, offset);
		from += done;
		offset += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

int file_read_at(int fd, void *p, size_t n, uint64_t offset, struct err *err)
{
	char *to = p;
	while (n > 0) {
		ssize_t done = pread(fd, to, n, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(err, ERR_RETRY, errno, "read %zu bytes at %" PRIu64, n, offset);
		if (done == 0)
			return err_set(err, ERR_REJECT, 0, "read at %" PRIu64 ": the file ends %zu bytes too early", offset, n);
		to += done;
		offset += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

/* A full disk can be emptied; after any other failure nobody knows which pages are on it. */
static int sync_failed(const char *call, const char *what, struct err *err)
{
	enum err_class class = errno == ENOSPC || errno == EDQUOT ? ERR_RETRY : ERR_FATAL;
	return err_set(err, class, errno, "%s '%s'", call, what);
}

int file_sync(int fd, const char *what, struct err *err)
{
	return fdatasync(fd) < 0 ? sync_failed("fdatasync", what, err) : 0;
}

int dir_sync(int dirfd, const char *what, struct err *err)
{
	return fsync(dirfd) < 0 ? sync_failed("fsync", what, err) : 0;
}

/* Makes an O_PATH descriptor's directory durable: fsync needs a real one. */
static int dir_sync_path(int dirfd, const char *what, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open directory '%s'", what);
	return dir_sync(fd, what, err);
}

/* One step of dir_make(): *at becomes its child `name`, created when it is missing. */
static int dir_step(int *at, const char *name, mode_t mode, const char *path, struct err *err)
{
	bool created = mkdirat(*at, name, mode) == 0;
	if (!created && errno != EEXIST)
		return err_set(err, ERR_RETRY, errno, "create directory '%s' of '%s'", name, path);
	int next = openat(*at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (next < 0)
		return err_set(err, ERR_RETRY, errno, "open directory '%s' of '%s'", name, path);
	int result = created && (dir_sync_path(next, path, err) < 0 || dir_sync_path(*at, path, err) < 0) ? -1 : 0;
	(void)close(*at);
	*at = next;
	return result;
}

int dir_make(int dirfd, const char *path, mode_t mode, struct err *err)
{
	CLEANUP(close_fdp) int at =
		path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
			       : openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_set(err, ERR_RETRY, errno, "open the parent of '%s'", path);
	CLEANUP(freep) char *names = mem_strdup(path);
	char *rest = names;
	for (char *name = strtok_r(names, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		if (dir_step(&at, name, mode, path, err) < 0)
			return -1;
	}
	return 0;
}

/* Appends what fd still holds; at most max bytes, one more is read to tell. */
static int slurp(int fd, const char *path, size_t max, struct buf *to, struct err *err)
{
	size_t total = 0;
	for (;;) {
		size_t ask = max - total < SLURP_STEP ? max - total + 1 : SLURP_STEP;
		ssize_t n = read(fd, buf_grow(to, ask), ask);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_RETRY, errno, "read '%s'", path);
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > max)
			return err_set(err, ERR_REJECT, 0, "'%s' is larger than the %zu bytes allowed", path, max);
		to->len += (size_t)n;
		to->data[to->len] = '\0';
	}
}

int file_slurp(int dirfd, const char *path, size_t max, struct buf *to, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open '%s'", path);
	size_t start = to->len;
	(void)buf_grow(to, 0); /* an empty file leaves a terminated string too */
	if (slurp(fd, path, max, to, err) == 0)
		return 0;
	to->len = start;
	to->data[start] = '\0';
	return -1;
}

static bool is_symlink(int dirfd, const char *name)
{
	struct stat st;
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* openat2, one component at a time, none of them a symlink, for where it is missing: valgrind, and old seccomp filters. */
static int open_stepwise(int dirfd, const char *path, int flags)
{
	CLEANUP(close_fdp) int at = -1;
	if (strnlen(path, PATH_MAX) == PATH_MAX) {
		errno = ENAMETOOLONG; /* as the kernel says it of a whole path */
		return -1;
	}
	for (;;) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(path, "/"), slashes = strspn(path + len, "/");
		bool last = path[len + slashes] == '\0', climbs = len == 2 && path[0] == '.' && path[1] == '.';
		if (len == 0 || climbs || len > NAME_MAX) {
			errno = len > NAME_MAX ? ENAMETOOLONG : *path ? EXDEV : ENOENT;
			return -1;
		}
		*(char *)mempcpy(name, path, len) = '\0';
		int in = at < 0 ? dirfd : at;
		int next = openat(in, name, O_CLOEXEC | O_NOFOLLOW | (last ? flags : O_PATH | O_DIRECTORY));
		if (next < 0 && errno == ENOTDIR)
			errno = is_symlink(in, name) ? ELOOP : ENOTDIR;
		if (last || next < 0)
			return next;
		close_fdp(&at);
		at = next;
		path += len + slashes;
	}
}

int file_open_beneath(int dirfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 && errno == ENOSYS ? open_stepwise(dirfd, path, flags) : fd;
}

int file_open_within(int dirfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 && errno == ENOSYS ? open_stepwise(dirfd, path, flags) : fd; /* then through no symlink at all */
}

int file_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 ? -1 : fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

int file_standard_fds(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	return 0;
}

int64_t file_free_bytes(int fd)
{
	struct statvfs fs;
	if (fstatvfs(fd, &fs) < 0)
		return -1;
	return (int64_t)(fs.f_bavail * fs.f_frsize);
}
