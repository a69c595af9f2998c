/* local.h - Unix stream sockets named inside an open directory, however long the path of that directory is: they are
 * bound and reached through /proc/self/fd/N/NAME, because a socket address holds 108 bytes only. */
#ifndef INLET_NET_LOCAL_H
#define INLET_NET_LOCAL_H

#include "daemon/base/err.h"

#include <sys/types.h>

/* Bind and listen on a new socket `name` with exactly this mode; one left behind by a dead owner is replaced, so the
 * caller must hold whatever lock says that it alone may listen here. The caller owns the descriptor (O_CLOEXEC) and
 * unlinks the name. ERR_RETRY. */
int local_listen(int dirfd, const char *name, mode_t mode, int *ret_fd, struct err *err);

/* A connected descriptor (O_CLOEXEC), or -1 with errno; ENOENT and ECONNREFUSED: nobody listens. */
int local_connect(int dirfd, const char *name);

/* The path by which this process reaches `name`, for libraries that want one. size 64 is enough for names of 32 bytes. */
void local_path(int dirfd, const char *name, char *ret_path, size_t size);

#endif
