/* test_sender.c - files that cannot be read to their end, or change under the reader: their rows fail, and nothing of them is whole. */
#include "daemon/sender/sender.h"

#include "daemon/base/buf.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define SMALL 1000
#define LARGE ((8U << 20) + 1000) /* sent while it is read */

/* The file of a test, and what befalls it. */
static struct {
	char path[128];
	ino_t inode;
	int error;       /* of reading it; 0: none */
	unsigned breaks; /* by signals, before each piece */
	unsigned broken;
} fate;

ssize_t read(int fd, void *p, size_t n)
{
	struct stat st;
	if ((!fate.error && !fate.breaks) || fstat(fd, &st) < 0 || st.st_ino != fate.inode)
		return syscall(SYS_read, fd, p, n);
	if (fate.broken++ % (fate.breaks + 1) < fate.breaks) {
		errno = EINTR;
		return -1;
	}
	if (fate.error && lseek(fd, 0, SEEK_CUR) > 0) {
		errno = fate.error;
		return -1;
	}
	return syscall(SYS_read, fd, p, fate.error ? 10 : n);
}

/* The other side: it wants all that is offered, and keeps the texts of uploads. */
struct inletd {
	struct buf last;
	uint64_t frames;
	uint64_t bytes;         /* of whole uploads */
	void (*meddle)(void);   /* when the first piece of a large file has come */
};

static int hand(void *arg, uint64_t pass, import_give_fn *give, void *from, json_t **ret, struct err *err)
{
	struct inletd *d = arg;
	char *piece = mem_alloc(1 << 20);
	ssize_t got = 0;
	uint64_t bytes = 0;
	assert_int_equal(pass, 7);
	d->last.len = 0;
	while (give && (got = give(from, piece, 1 << 20, err)) > 0) {
		bytes += (uint64_t)got;
		if (d->last.len < 4096)
			buf_add(&d->last, piece, (size_t)got < 4096 ? (size_t)got : 4096);
		if (bytes > SMALL + 1024 && d->meddle) {
			d->meddle();
			d->meddle = NULL;
		}
	}
	free(piece);
	if (got < 0)
		return -1;
	buf_char(&d->last, '\0');
	bool offered = give && !strstr(d->last.data, "\"payload\":true") && !strstr(d->last.data, "\"reason\"");
	*ret = offered ? json_pack("{s:[I]}", "wanted", (json_int_t)d->frames) : json_pack("{s:I}", "durable", (json_int_t)d->frames + 1);
	d->frames += give ? 1 : 0;
	d->bytes += bytes;
	return 0;
}

static void rewrite(void)
{
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	int fd = open(fate.path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void cut_off(void)
{
	assert_int_equal(truncate(fate.path, SMALL), 0);
}

static void take_away(void)
{
	assert_int_equal(unlink(fate.path), 0);
}

/* Sends the file; *ret_d: what the other side had of it in the end. */
static void send_one(off_t size, void (*meddle)(void), struct import_sender *s, struct inletd *d)
{
	char dir[] = "/tmp/inlet-sender-XXXXXX";
	struct import_files files;
	struct err err;
	struct stat st;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fate.path, sizeof(fate.path), "%s/file", dir);
	int fd = open(fate.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	fate.inode = st.st_ino;
	fate.broken = 0;
	*d = (struct inletd){ .meddle = meddle };
	*s = (struct import_sender){ .hand = hand, .arg = d, .files = &files, .pass = 7, .bytes_max = 1U << 30 };
	assert_int_equal(import_files_open(dir, "/nonexistent", &files, &err), 0);
	const struct manifest_row row = { .identity_kind = ROW_BY_REFERENCE, .identity = SLICE_LIT("file"), .content_kind = ROW_PATH,
		.content = SLICE_LIT("file") };
	if (sender_file(s, &row, &err) < 0 || sender_push(s, &err) < 0)
		fail_msg("%s", err.text);
	sender_done(s);
	import_files_close(&files);
	assert_true(meddle == take_away || unlink(fate.path) == 0);
	assert_int_equal(rmdir(dir), 0);
}

static void assert_failed(off_t size, void (*meddle)(void), const char *reason)
{
	struct import_sender s;
	struct inletd d;
	send_one(size, meddle, &s, &d);
	assert_int_equal(s.failed, 1);
	assert_int_equal(s.waiting, 0); /* the list need not be read again for it */
	assert_int_equal(s.sent, 0);
	assert_non_null(strstr(d.last.data, reason));
	assert_true(d.bytes < SMALL);
	buf_done(&d.last);
}

static void test_a_file_that_changes_is_not_sent_to_its_end(void **state)
{
	(void)state;
	assert_failed(LARGE, rewrite, "the file changed while it was read");
	assert_failed(LARGE, cut_off, "the file changed while it was read");
}

static void test_a_file_of_a_folder_that_goes_meanwhile_is_no_failure(void **state)
{
	(void)state;
	struct import_sender s;
	struct inletd d;
	send_one(LARGE, take_away, &s, &d);
	assert_int_equal(s.failed, 0);
	assert_int_equal(s.vanished, 1);
	assert_int_equal(s.sent, 0);
	assert_true(d.bytes < SMALL);
	buf_done(&d.last);
}

static void test_a_file_that_cannot_be_read_fails_alone(void **state)
{
	(void)state;
	fate.error = EIO;
	assert_failed(SMALL, NULL, "read the file: Input/output error");
	assert_failed(LARGE, NULL, "read the file: Input/output error");
	fate.error = 0;
}

static void test_signals_interrupt_no_file(void **state)
{
	(void)state;
	fate.breaks = 3;
	for (unsigned i = 0; i < 2; i++) {
		struct import_sender s;
		struct inletd d;
		send_one(i ? LARGE : SMALL, NULL, &s, &d);
		assert_int_equal(s.failed, 0);
		assert_int_equal(s.sent, 1);
		assert_true(d.bytes > (i ? LARGE : SMALL));
		buf_done(&d.last);
	}
	fate.breaks = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_that_changes_is_not_sent_to_its_end),
		cmocka_unit_test(test_a_file_of_a_folder_that_goes_meanwhile_is_no_failure),
		cmocka_unit_test(test_a_file_that_cannot_be_read_fails_alone),
		cmocka_unit_test(test_signals_interrupt_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
