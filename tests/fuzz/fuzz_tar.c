/* fuzz_tar.c - any bytes as a segment: the walk ends, stays inside, and a header that is taken is written the same way. */
#include "daemon/base/cleanup.h"
#include "daemon/store/segment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(int fd, uint64_t size)
{
	struct segment_member m;
	struct err err;
	uint64_t offset = 0;
	for (int step; (step = segment_next(fd, size, &offset, &m, &err)) == SEGMENT_MEMBER;) {
		char block[TAR_BLOCK];
		struct tar_member again;
		if (offset > size || m.payload + m.tar.bytes > offset)
			abort();
		tar_header(block, m.tar.name, m.tar.bytes);
		if (tar_parse(block, &again) != 1 || strcmp(again.name, m.tar.name) != 0 || again.bytes != m.tar.bytes)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(close_fdp) int fd = memfd_create("segment", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	walk(fd, size);
	return 0;
}
