/* export_file.c - the part that becomes the file. */
#include "daemon/cli/export_file.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/cli/client.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SHOW_NS (250 * NS_PER_MS)

struct part {
	const char *path;
	int fd;            /* locked */
	uint64_t bytes;
	uint64_t shown_ns;
};

static int part_bytes(void *arg, struct slice text, struct err *err)
{
	struct part *p = arg;
	if (file_write_at(p->fd, text.p, text.len, p->bytes, err) < 0)
		return err_wrap(err, "'%s'", p->path);
	p->bytes += text.len;
	if (clock_mono_ns() - p->shown_ns < SHOW_NS)
		return 0;
	struct buf size = { 0 };
	out_bytes(&size, p->bytes);
	progress_show("%s written", size.data);
	buf_done(&size);
	p->shown_ns = clock_mono_ns();
	return 0;
}

/* A folder cannot be replaced, and a device or a pipe must not be. */
static int check_name(const char *name, struct err *err)
{
	struct stat st;
	if (stat(name, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_REJECT, 0, "'%s' is a folder; name a file in it", name);
	return err_set(err, ERR_REJECT, 0, "'%s' is no file and would be replaced by one; let the shell write there: > '%s'", name, name);
}

/* Whoever had the lock may have renamed or removed the file before this process got it: the name is then free again. */
static int take_part(struct part *p, struct err *err)
{
	struct stat ours, there;
	do {
		close_fdp(&p->fd);
		p->fd = open(p->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (p->fd < 0 || fstat(p->fd, &ours) < 0)
			return err_set(err, ERR_RETRY, errno, "write '%s'", p->path);
		if (flock(p->fd, LOCK_EX | LOCK_NB) < 0) {
			(void)close(p->fd);
			return err_set(err, ERR_RETRY, 0, "another export is writing '%s'; wait until it has ended", p->path);
		}
	} while (lstat(p->path, &there) < 0 || there.st_ino != ours.st_ino || there.st_dev != ours.st_dev);
	if (ftruncate(p->fd, 0) == 0)
		return 0;
	(void)err_set(err, ERR_RETRY, errno, "write '%s'", p->path);
	(void)close(p->fd);
	return -1;
}

static int sync_folder(const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	CLEANUP(freep) char *folder = slash ? mem_strndup(name, (size_t)(slash - name) + 1) : mem_strdup(".");
	CLEANUP(close_fdp) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? err_set(err, ERR_RETRY, errno, "open '%s'", folder) : dir_sync(dir, folder, err);
}

static int write_part(struct part *p, struct client *c, const char *url, const char *name, struct err *err)
{
	if (client_request(c, url, NULL, part_bytes, p, err) < 0 || file_sync(p->fd, p->path, err) < 0)
		return -1;
	return rename(p->path, name) < 0 ? err_set(err, ERR_RETRY, errno, "rename '%s' to '%s'", p->path, name) : 0;
}

int export_file(struct client *c, const char *url, const char *name, uint64_t *ret_bytes, struct err *err)
{
	CLEANUP(freep) char *path = mem_printf("%s.part", name);
	struct part p = { .path = path, .fd = -1 };
	if (check_name(name, err) < 0 || take_part(&p, err) < 0)
		return -1;
	int r = write_part(&p, c, url, name, err);
	if (r < 0)
		(void)unlink(path);
	(void)close(p.fd);
	progress_clear();
	*ret_bytes = p.bytes;
	return r < 0 ? -1 : sync_folder(name, err);
}
