/* holder.c - the kernel's list of locks, and the words in the lock file. */
#include "daemon/cli/holder.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define LOCK_NAME "lock"

/* The device by which the kernel lists a file's locks: its file system's, which is not what stat says of Btrfs and overlays. "36 35 98:0 /
 * /mnt rw ...", the first number is the mount's. */
static bool device_of_mount(uint64_t mount, unsigned *ret_major, unsigned *ret_minor)
{
	CLEANUP(fclosep) FILE *mounts = fopen("/proc/self/mountinfo", "re");
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;
	uint64_t id;
	while (mounts && getline(&line, &size, mounts) > 0)
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%" SCNu64 " %*u %u:%u ", &id, ret_major, ret_minor) == 3 && id == mount)
			return true;
	return false;
}

/* "1: FLOCK  ADVISORY  WRITE 9764 fe:00:9979356 0 EOF"; a line with "->" behind its number is of one that waits. */
static long lock_pid(int dir)
{
	struct statx st;
	CLEANUP(fclosep) FILE *locks = fopen("/proc/locks", "re");
	if (!locks || statx(dir, LOCK_NAME, 0, STATX_INO | STATX_MNT_ID, &st) < 0)
		return 0;
	char line[256];
	long pid;
	unsigned major, minor, of_major, of_minor;
	uint64_t inode;
	bool known = (st.stx_mask & STATX_MNT_ID) && device_of_mount(st.stx_mnt_id, &of_major, &of_minor);
	while (fgets(line, sizeof(line), locks))
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%" SCNu64 " ", &pid, &major, &minor, &inode) == 4 && inode == st.stx_ino &&
			(!known || (major == of_major && minor == of_minor)))
			return pid;
	return 0;
}

/* "daemon 123\n" or "attend 123\n" (store/lock.c). */
static void read_words(struct slice text, struct holder *h)
{
	static const char stand_in[] = "attend ";
	const char *blank = text.len ? memchr(text.p, ' ', text.len) : NULL;
	uint64_t pid;
	if (!blank || text.p[text.len - 1] != '\n')
		return;
	if (text_u64((struct slice){ blank + 1, (size_t)(text.p + text.len - 1 - (blank + 1)) }, &pid) < 0)
		return;
	h->writer = (long)pid;
	h->role = strncmp(text.p, stand_in, sizeof(stand_in) - 1) == 0 ? HOLDER_STAND_IN : HOLDER_DAEMON;
}

struct holder holder_of(int state_dir)
{
	struct holder h = { 0 };
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	if (state_dir < 0)
		return h;
	h.pid = lock_pid(state_dir);
	if (file_slurp(state_dir, LOCK_NAME, 64, &text, &err) == 0) {
		read_words(buf_slice(&text), &h);
		return h;
	}
	h.role = HOLDER_DAEMON;
	h.writer = h.pid;
	return h;
}
