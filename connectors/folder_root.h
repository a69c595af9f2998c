/* folder_root.h - the directory a folder source is rooted at: which one it is, whether its file system sends events, and whether
 * the mounts around it have changed.
 *
 * Identity: "<file system id, 16 hex>:<inode, hex>". The id is statfs f_fsid, which ext4, btrfs and overlayfs derive from
 * their UUID; xfs and f2fs make it from the device number, which changes over reboots, so there the UUID itself is taken where
 * the kernel gives it (6.9). Never st_dev, for the same reason. */
#ifndef INLET_CONNECTORS_FOLDER_ROOT_H
#define INLET_CONNECTORS_FOLDER_ROOT_H

#include "daemon/base/err.h"
#include "daemon/base/hash.h"

#include <stdbool.h>
#include <sys/types.h>

#define ROOT_IDENTITY_MAX 64

struct root {
	int fd;                             /* of the directory, for reading; owned */
	dev_t device;
	ino_t inode;
	bool events;                        /* its file system sends events for every change */
	char identity[ROOT_IDENTITY_MAX];
};

/* ERR_RETRY: missing, denied, not a directory; the text says what to do. Symlinks in the configured path are followed. */
int root_open(const char *path, struct root *ret, struct err *err);
void root_close(struct root *r);            /* r->fd may be -1 */
bool root_same(const char *path, const struct root *r); /* the path still leads to r */
/* True on local file systems that are known to announce every change. Not for NFS, SMB, FUSE: others change them unseen. */
bool root_events(int fd);
/* 1: the directory has an entry that is not an ignored name; 0: it has none; -1 with errno. */
int root_has_entries(int fd, char *const *ignore);
/* A digest of all mounts above, at and below path, from /proc/self/mountinfo: it differs when one of them has changed. */
struct digest128 root_mounts(const char *path);

#endif
