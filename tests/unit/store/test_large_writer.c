/* test_large_writer.c - a large blob written behind its reader: every length, every way to fail, every way to stop. */
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/store/large_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>

struct fixture {
	struct arena_pool *pool;
	struct large_writer *writer;
	struct err err;
	int fd;
};

static void begin(struct fixture *f, int fd)
{
	*f = (struct fixture){ .pool = arena_pool_new(0), .fd = fd };
	assert_true(fd >= 0);
	assert_int_equal(large_writer_open(f->pool, fd, &f->writer, &f->err), 0);
}

/* The pool asserts that its arena has come back. */
static void end(struct fixture *f)
{
	large_writer_close(f->writer);
	arena_pool_free(f->pool);
	assert_int_equal(close(f->fd), 0);
}

static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 31 + at / 4093);
}

/* Puts bytes [from, to) in steps of at most `step`; -1: no more space. */
static int put(struct fixture *f, uint64_t from, uint64_t to, size_t step)
{
	while (from < to) {
		size_t room;
		uint8_t *p = large_writer_space(f->writer, &room, &f->err);
		if (!p)
			return -1;
		assert_in_range(room, 1, LARGE_PIECE);
		size_t n = room < step ? room : step;
		n = n < to - from ? n : (size_t)(to - from);
		for (size_t i = 0; i < n; i++)
			p[i] = byte_at(from + i);
		large_writer_wrote(f->writer, n);
		from += n;
	}
	return 0;
}

/* The first `bytes` of the file are those that were put. */
static void assert_holds(int fd, uint64_t bytes)
{
	uint8_t *got = mem_alloc((size_t)bytes + 1);
	struct err err;
	assert_int_equal(file_direct(fd, false), 0);
	assert_int_equal(file_read_at(fd, got, (size_t)bytes, 0, &err), 0);
	for (uint64_t at = 0; at < bytes; at++)
		if (got[at] != byte_at(at))
			fail_msg("byte %llu of %llu", (unsigned long long)at, (unsigned long long)bytes);
	free(got);
}

static int unlinked_file(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int memory_file(void)
{
	return memfd_create("test", MFD_CLOEXEC);
}

static void roundtrip(int (*new_file)(void), uint64_t bytes, size_t step)
{
	struct fixture f;
	struct stat st;
	begin(&f, new_file());
	assert_int_equal(put(&f, 0, bytes, step), 0);
	assert_int_equal(large_writer_finish(f.writer, &f.err), 0);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_size, bytes);
	assert_holds(f.fd, bytes);
	end(&f);
}

static void test_every_length_comes_out_as_it_went_in(void **state)
{
	(void)state;
	static const uint64_t lengths[] = { 0, 1, 4095, 4096, 4097, LARGE_PIECE - 1, LARGE_PIECE, LARGE_PIECE + 1,
		2 * LARGE_PIECE, 2 * LARGE_PIECE + 512, 5 * LARGE_PIECE + 4097 };
	static int (*const files[])(void) = { unlinked_file, memory_file }; /* with and, on older kernels, without O_DIRECT */
	for (size_t f = 0; f < 2; f++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			roundtrip(files[f], lengths[i], 256 << 10);
			roundtrip(files[f], lengths[i], 99991);
		}
}

/* /dev/full takes no byte. What is read must stop, and the reason must be the disk's. */
static void test_a_full_disk_stops_the_reader(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, open("/dev/full", O_RDWR | O_CLOEXEC));
	assert_int_equal(put(&f, 0, 64 * LARGE_PIECE, LARGE_PIECE), -1);
	assert_int_equal(f.err.class, ERR_RETRY);
	assert_int_equal(f.err.sys, ENOSPC);
	f.err = (struct err){ 0 };
	assert_int_equal(large_writer_finish(f.writer, &f.err), -1);
	assert_int_equal(f.err.sys, ENOSPC);
	end(&f);
}

static void test_a_disk_that_is_full_at_the_last_piece_fails_the_end(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, open("/dev/full", O_RDWR | O_CLOEXEC));
	assert_int_equal(put(&f, 0, 10, 10), 0);
	assert_int_equal(large_writer_finish(f.writer, &f.err), -1);
	assert_int_equal(f.err.sys, ENOSPC);
	end(&f);
}

/* The file may grow to a place within the second piece: the kernel writes a part of it, and refuses the rest. */
static void test_a_short_write_is_a_failure(void **state)
{
	(void)state;
	struct fixture f;
	struct stat st;
	struct rlimit was;
	const uint64_t limit = LARGE_PIECE + 3 * 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, was.rlim_max }), 0);
	begin(&f, unlinked_file());
	assert_int_equal(put(&f, 0, 64 * LARGE_PIECE, 123456), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(f.err.class, ERR_RETRY);
	assert_int_equal(f.err.sys, EFBIG);
	assert_int_equal(large_writer_finish(f.writer, &f.err), -1);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_size, limit);
	assert_holds(f.fd, limit);
	end(&f);
}

/* The file changed while it was read: nobody writes any more when close returns, and the descriptor is the caller's. */
static void test_closing_early_drops_what_is_not_written(void **state)
{
	(void)state;
	static const uint64_t lengths[] = { 0, 100, LARGE_PIECE, 2 * LARGE_PIECE, 7 * LARGE_PIECE + 5 };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct fixture f;
		struct stat st, later;
		begin(&f, unlinked_file());
		assert_int_equal(put(&f, 0, lengths[i], LARGE_PIECE), 0);
		large_writer_close(TAKE_PTR(f.writer));
		assert_int_equal(fstat(f.fd, &st), 0);
		assert_int_equal(st.st_size % LARGE_PIECE, 0);
		assert_true((uint64_t)st.st_size + 2 * LARGE_PIECE >= lengths[i] / LARGE_PIECE * LARGE_PIECE);
		assert_holds(f.fd, (uint64_t)st.st_size);
		assert_int_equal(fstat(f.fd, &later), 0);
		assert_int_equal(later.st_size, st.st_size);
		end(&f);
	}
}

static void test_a_closed_pool_gives_no_writer(void **state)
{
	(void)state;
	struct fixture f = { .pool = arena_pool_new(0) };
	arena_pool_close(f.pool);
	assert_int_equal(large_writer_open(f.pool, -1, &f.writer, &f.err), -1);
	assert_int_equal(f.err.class, ERR_RETRY);
	assert_null(f.writer);
	arena_pool_free(f.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_comes_out_as_it_went_in),
		cmocka_unit_test(test_a_full_disk_stops_the_reader),
		cmocka_unit_test(test_a_disk_that_is_full_at_the_last_piece_fails_the_end),
		cmocka_unit_test(test_a_short_write_is_a_failure),
		cmocka_unit_test(test_closing_early_drops_what_is_not_written),
		cmocka_unit_test(test_a_closed_pool_gives_no_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
