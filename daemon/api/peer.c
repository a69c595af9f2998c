/* peer.c - peer credentials of a Unix socket. */
#include "daemon/api/peer.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <pwd.h>
#include <sys/socket.h>

static bool supplementary(int fd, gid_t group)
{
	socklen_t bytes = 0;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes); /* ERANGE: how many bytes there are */
	if (bytes == 0)
		return false;
	CLEANUP(freep) gid_t *groups = mem_alloc(bytes);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) < 0)
		return false;
	for (size_t i = 0; i < bytes / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static void name_user(struct peer *p)
{
	char space[4096];
	struct passwd pw;
	struct passwd *found = NULL;
	if (getpwuid_r(p->uid, &pw, space, sizeof(space), &found) == 0 && found && text_is_utf8(slice_of(pw.pw_name)) &&
		strlen(pw.pw_name) + sizeof("user:") <= sizeof(p->user))
		(void)snprintf(p->user, sizeof(p->user), "user:%s", pw.pw_name);
	else
		(void)snprintf(p->user, sizeof(p->user), "user:uid%lu", (unsigned long)p->uid);
}

int peer_check(int fd, gid_t group, struct peer *ret, struct err *err)
{
	struct ucred cred;
	socklen_t bytes = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &bytes) < 0)
		return err_set(err, ERR_RETRY, errno, "ask who is speaking");
	ret->uid = cred.uid;
	name_user(ret);
	if (cred.uid == 0 || cred.uid == geteuid() || cred.gid == group || supplementary(fd, group))
		return 0;
	return err_set(err, ERR_REJECT, 0, "%s may not speak to inletd; become a member of group %lu, or use sudo",
		ret->user + sizeof("user:") - 1, (unsigned long)group);
}
