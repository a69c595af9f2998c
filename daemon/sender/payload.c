/* payload.c - reads files while somebody may write to them. */
#include "daemon/sender/payload.h"

#include "connectors/folder_version.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t got;
	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool unchanged(int fd, const struct stat *then)
{
	struct stat now;
	return fstat(fd, &now) == 0 && version_same(then, &now);
}

/* got: what read() said; 0 or more: the file changed. */
static int spoilt(ssize_t got, struct err *err)
{
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read the file") : err_set(err, ERR_RETRY, 0, "the file changed while it was read");
}

ssize_t payload_give(void *payload, void *to, size_t n, struct err *err)
{
	struct payload *p = payload;
	if (p->frames.len > 0) {
		n = n < p->frames.len ? n : p->frames.len;
		memcpy(to, p->frames.p, n);
		p->frames = (struct slice){ p->frames.p + n, p->frames.len - n };
		return (ssize_t)n;
	}
	if (p->left == 0)
		return 0;
	ssize_t got = read_some(p->fd, to, n < p->left ? n : (size_t)p->left);
	p->left -= got > 0 ? (uint64_t)got : 0;
	if (got > 0 && (p->left > 0 || unchanged(p->fd, p->then)))
		return got;
	(void)spoilt(got, &p->why);
	*err = p->why;
	return -1;
}

int payload_read(int fd, const struct stat *then, char *ret, struct err *err)
{
	for (size_t n = (size_t)then->st_size; n > 0;) {
		ssize_t got = read_some(fd, ret, n);
		if (got <= 0)
			return spoilt(got, err);
		ret += got;
		n -= (size_t)got;
	}
	return unchanged(fd, then) ? 0 : spoilt(0, err);
}
