/* lock.c - state_dir/lock: one owner of a store at a time, and who it is. */
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/text.h"
#include "daemon/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define LOCK_NAME "lock"
#define DIR_MODE 0750
#define FILE_MODE 0640
#define ROLE_ATTEND "attend"

/* "daemon 123" or "attend 123", as the owner wrote it; what cannot be read leaves 0 and false: it is just starting. */
static void owner_read(int fd, long *ret_pid, bool *ret_attend)
{
	char text[64] = { 0 };
	uint64_t pid = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	const char *blank = n > 0 ? strchr(text, ' ') : NULL;
	if (!blank || text_u64((struct slice){ blank + 1, strcspn(blank + 1, "\n") }, &pid) < 0)
		return;
	*ret_pid = (long)pid;
	*ret_attend = strncmp(text, ROLE_ATTEND " ", sizeof(ROLE_ATTEND)) == 0;
}

static int owner_write(int fd, const char *role, struct err *err)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s %ld\n", role, (long)getpid());
	if (ftruncate(fd, 0) < 0)
		return err_set(err, ERR_RETRY, errno, "write the lock");
	return file_write_at(fd, text, (size_t)n, 0, err);
}

int store_lock(const char *state_dir, const char *role, int *ret_fd, long *ret_pid, bool *ret_attend, struct err *err)
{
	*ret_pid = 0;
	*ret_attend = false;
	if (dir_make(AT_FDCWD, state_dir, DIR_MODE, err) < 0)
		return err_wrap(err, "state_dir '%s' must be a directory that this user may write to", state_dir);
	CLEANUP(close_fdp) int dir = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close_fdp) int fd = dir < 0 ? -1 : openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "open '%s/%s'%s", state_dir, LOCK_NAME,
			errno == EACCES ? "; run as the owner of the store, or use sudo" :
			errno == EROFS ? "; mount it writable, or choose another state_dir" : "");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int why = errno;
		if (why == EWOULDBLOCK)
			owner_read(fd, ret_pid, ret_attend);
		return err_set(err, ERR_RETRY, why == EWOULDBLOCK ? 0 : why, "'%s' is in use by process %ld: stop it first",
			state_dir, *ret_pid);
	}
	if (owner_write(fd, role, err) < 0)
		return err_wrap(err, "'%s/%s'", state_dir, LOCK_NAME);
	*ret_fd = take_fd(&fd);
	return 0;
}

int store_lock_stands(const char *state_dir, int fd, struct err *err)
{
	CLEANUP(close_fdp) int dir = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat ours, there;
	if (fstat(fd, &ours) == 0 && dir >= 0 && fstatat(dir, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
		return 0;
	return err_set(err, ERR_FATAL, 0, "the store in '%s' was deleted, moved away or unmounted while it was in use: put it back and start again",
		state_dir);
}
