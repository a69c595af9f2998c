/* file.h - file system calls that finish what they began: whole reads and writes, durable directories, safe opens.
 * All descriptors are O_CLOEXEC. Any thread. Errors: ENOSPC, EDQUOT, EMFILE, ENFILE, EACCES, ENOENT and other conditions
 * of the outside world are ERR_RETRY; a failed fsync or fdatasync is ERR_FATAL (the page cache can no longer be trusted,
 * except that ENOSPC and EDQUOT stay ERR_RETRY). */
#ifndef INLET_BASE_FILE_H
#define INLET_BASE_FILE_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

int file_write_at(int fd, const void *p, size_t n, uint64_t offset, struct err *err); /* all n bytes */
int file_read_at(int fd, void *p, size_t n, uint64_t offset, struct err *err);        /* all n bytes; short is ERR_REJECT */
int file_sync(int fd, const char *what, struct err *err);                             /* fdatasync */
int dir_sync(int dirfd, const char *what, struct err *err);                           /* fsync of a directory */
/* mkdir -p of path below dirfd (AT_FDCWD allowed), each new directory and its parent made durable. */
int dir_make(int dirfd, const char *path, mode_t mode, struct err *err);
/* Whole file, at most max bytes (more is ERR_REJECT), appended to `to`. */
int file_slurp(int dirfd, const char *path, size_t max, struct buf *to, struct err *err);
/* openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS): opens only what lies below dirfd through no
 * symlink. Returns the descriptor, or -1 with errno (no err: hot path). */
int file_open_beneath(int dirfd, const char *path, int flags);
/* The same, but symlinks are followed as long as they stay below dirfd. */
int file_open_within(int dirfd, const char *path, int flags);
/* First of all in main(): descriptors 0 to 2 that are closed become /dev/null, opened so that their use fails as before (EBADF), and no
 * file that is opened later can be one of them. Programs that are started inherit them. -1: that is not possible. */
int file_standard_fds(void);
int file_direct(int fd, bool on); /* O_DIRECT on or off; -1 with errno: not on this file system */
int64_t file_free_bytes(int fd); /* available to us on that file system (statvfs f_bavail); -1 unknown */

#endif
