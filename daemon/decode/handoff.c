/* handoff.c - sealed memfds for a decode job. */
#include "daemon/decode/handoff.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

static int sized_memfd(const char *name, uint64_t bytes, struct err *err)
{
	CLEANUP(close_fdp) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return err_set(err, ERR_RETRY, errno, "memory of %llu bytes for the decoder",
			       (unsigned long long)bytes);
	return take_fd(&fd);
}

static int seal(int fd, int seals, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_set(err, ERR_RETRY, errno, "seal the decoder's memory");
	return 0;
}

int handoff_object(int fd, uint64_t offset, uint64_t bytes, struct err *err)
{
	CLEANUP(close_fdp) int to = sized_memfd("inlet-object", bytes, err);
	if (to < 0)
		return -1;
	if (bytes) {
		void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
		if (map == MAP_FAILED)
			return err_set(err, ERR_RETRY, errno, "map %llu bytes for the decoder",
				       (unsigned long long)bytes);
		int failed = file_read_at(fd, map, bytes, offset, err);
		(void)munmap(map, bytes);
		if (failed < 0)
			return -1;
	}
	return seal(to, F_SEAL_WRITE, err) < 0 ? -1 : take_fd(&to);
}

int handoff_result(uint64_t bytes, struct err *err)
{
	CLEANUP(close_fdp) int fd = sized_memfd("inlet-result", bytes, err);
	return fd < 0 || seal(fd, 0, err) < 0 ? -1 : take_fd(&fd);
}
