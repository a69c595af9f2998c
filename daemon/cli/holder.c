/* holder.c - the kernel's list of locks, and the words in the lock file. */
#include "daemon/cli/holder.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <sys/stat.h>

#define LOCK_NAME "lock"

/* "1: FLOCK  ADVISORY  WRITE 9764 fe:00:9979356 0 EOF"; a line with "->" behind its number is of one that waits. */
static long lock_pid(int dir)
{
	struct stat st;
	CLEANUP(fclosep) FILE *locks = fopen("/proc/locks", "re");
	if (!locks || fstatat(dir, LOCK_NAME, &st, 0) < 0)
		return 0;
	char line[256];
	long pid;
	unsigned long inode;
	while (fgets(line, sizeof(line), locks))
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %*x:%*x:%lu ", &pid, &inode) == 2 &&
			inode == st.st_ino)
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
