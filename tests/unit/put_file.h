/* put_file.h - a file with this text in it, new or over an old one. */
#ifndef INLET_TESTS_UNIT_PUT_FILE_H
#define INLET_TESTS_UNIT_PUT_FILE_H

#include "daemon/base/slice.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static inline void put_file(int dirfd, const char *path, struct slice text, mode_t mode)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.len), text.len);
	assert_int_equal(close(fd), 0);
}

#endif
