/* peer.h - who speaks at the other end of a Unix socket, by the kernel's word. */
#ifndef INLET_API_PEER_H
#define INLET_API_PEER_H

#include "daemon/base/err.h"

#include <sys/types.h>

struct peer {
	uid_t uid;
	char user[96]; /* "user:alice", or "user:uid1000" where the uid has no name */
};

/* Root, our own user, and members of `group` (also by a supplementary group) may speak. ERR_REJECT names the user and
 * the cure. */
int peer_check(int fd, gid_t group, struct peer *ret, struct err *err);

#endif
