/* large.c - one file a blob, linked into place when it is durable. */
#include "daemon/store/large.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define FILE_MODE 0640
#define DIR_MODE 0750
#define FANOUT_DIGITS 2

int large_new(int dir, uint64_t bytes, int *ret_fd, struct err *err)
{
	CLEANUP(close_fdp) int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "create a large blob");
	if (bytes > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) < 0 && (errno == ENOSPC || errno == EDQUOT))
		return err_set(err, ERR_RETRY, errno, "room for a large blob of %" PRIu64 " bytes", bytes);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The directory of a name's first digits. Its own entry is synced even where it was there: whoever made it may not have come to that
 * yet, and a directory in which nothing changed costs nothing to sync. */
static int fanout_open(int dir, const char *name, int *ret_fd, struct err *err)
{
	char sub[FANOUT_DIGITS + 1] = { name[0], name[1], '\0' };
	if (mkdirat(dir, sub, DIR_MODE) < 0 && errno != EEXIST)
		return err_set(err, ERR_RETRY, errno, "create large/%s", sub);
	CLEANUP(close_fdp) int fd = openat(dir, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open large/%s", sub);
	if (dir_sync(dir, "large", err) < 0)
		return -1;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int link_in(int fd, int to, const char *name, uint64_t bytes, struct err *err)
{
	char self[32];
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, to, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, ERR_RETRY, errno, "link large blob %s", name);
	struct stat st;
	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_RETRY, errno, "stat large blob %s", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes)
		return err_set(err, ERR_RETRY, 0,
			"large blob %s is there with %jd bytes instead of %" PRIu64 ": it is damaged, move it away", name,
			(intmax_t)st.st_size, bytes);
	return 0;
}

int large_publish(int dir, int fd, const struct content_id *id, uint64_t bytes, struct err *err)
{
	char name[CONTENT_ID_HEX + 1];
	text_hex(id->sha256, SHA256_BYTES, name);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_RETRY, errno, "stat large blob %s", name);
	if ((uint64_t)st.st_size != bytes)
		return err_set(err, ERR_REJECT, 0, "large blob %s has %jd bytes, its arrival says %" PRIu64, name,
			(intmax_t)st.st_size, bytes);
	CLEANUP(close_fdp) int to = -1;
	if (fanout_open(dir, name, &to, err) < 0)
		return -1;
	if (ftruncate(fd, st.st_size) < 0) /* gives back what was reserved and not used */
		return err_set(err, ERR_RETRY, errno, "trim large blob %s", name);
	if (file_sync(fd, name, err) < 0 || link_in(fd, to, name, bytes, err) < 0)
		return -1;
	return dir_sync(to, "large", err);
}

int large_open(int dir, const struct content_id *id, int *ret_fd, struct err *err)
{
	char path[FANOUT_DIGITS + 1 + CONTENT_ID_HEX + 1];
	text_hex(id->sha256, SHA256_BYTES, path + FANOUT_DIGITS + 1);
	memcpy(path, path + FANOUT_DIGITS + 1, FANOUT_DIGITS);
	path[FANOUT_DIGITS] = '/';
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open large/%s", path);
	*ret_fd = fd;
	return 0;
}
