/* local.c - Unix sockets reached through an open directory. */
#include "daemon/net/local.h"

#include "daemon/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 64

void local_path(int dirfd, const char *name, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "/proc/self/fd/%d/%s", dirfd, name);
}

static struct sockaddr_un address(int dirfd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	local_path(dirfd, name, a.sun_path, sizeof(a.sun_path));
	return a;
}

int local_listen(int dirfd, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	CLEANUP(close_fdp) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "socket '%s'", name);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_set(err, ERR_RETRY, errno, "socket '%s': remove the one left behind", name);
	/* bind() gives the file the socket's own mode less the umask: set before, it is never open to more than `mode`.
	 */
	struct sockaddr_un a = address(dirfd, name);
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(err, ERR_RETRY, errno, "socket '%s': bind", name);
	if (fchmodat(dirfd, name, mode, 0) < 0 || listen(fd, BACKLOG) < 0) {
		int sys = errno;
		(void)unlinkat(dirfd, name, 0);
		return err_set(err, ERR_RETRY, sys, "socket '%s': listen", name);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int local_connect(int dirfd, const char *name)
{
	CLEANUP(close_fdp) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = address(dirfd, name);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return take_fd(&fd);
}
