/* test_protocol.c - packets between daemon and worker: what an honest worker says passes, every lie is refused. */
#include "daemon/decode/protocol.h"
#include "daemon/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct wire_hello limits = { .max_bytes = 1000000, .max_pixels = 1000000, .thumbnail = 64 };
static const struct wire_job job = {
	.head = { WIRE_MAGIC, WIRE_JOB, 7 },
	.want_count = 2,
	.wants = { { .width = 4, .height = 4 }, { .width = 8, .height = 2 } },
};

static struct wire_done honest_image(void)
{
	return (struct wire_done){
		.head = { WIRE_MAGIC, WIRE_DONE, 7 },
		.verdict = WIRE_DECODED,
		.media = MEDIA_IMAGE,
		.width = 10,
		.height = 20,
		.media_type = "image/svg+xml",
		.section = { [WIRE_FACTS] = 2, [WIRE_INPUTS] = 96 },
	};
}

static bool passes(const struct wire_done *d)
{
	struct wire_done ret;
	struct err err = { 0 };
	int result = wire_done_check(d, sizeof(*d), &limits, &job, &ret, &err);
	assert_true(result == 0 || (err.class == ERR_RETRY && err.text[0]));
	return result == 0;
}

static void test_honest_answers_pass(void **state)
{
	(void)state;
	struct wire_done image = honest_image();
	struct wire_done text = { .head = image.head, .verdict = WIRE_DECODED, .media = MEDIA_TEXT,
				  .media_type = "text/plain", .section = { [WIRE_TEXT] = TEXT_INPUT_MAX } };
	struct wire_done parked = { .head = image.head, .verdict = WIRE_PARKED, .media = MEDIA_OTHER,
				    .media_type = "application/pdf" };
	struct wire_done rejected = { .head = image.head, .verdict = WIRE_REJECTED, .reason = "cut" };
	assert_true(passes(&image));
	assert_true(passes(&text));
	assert_true(passes(&parked));
	assert_true(passes(&rejected));
}

#define LIE(statement)                                                                                                 \
	do {                                                                                                           \
		struct wire_done d = honest_image();                                                                   \
		statement;                                                                                             \
		assert_false(passes(&d));                                                                              \
	} while (0)

static void test_lies_are_refused(void **state)
{
	(void)state;
	LIE(d.head.magic++);
	LIE(d.head.kind = WIRE_READY);
	LIE(d.head.job = 8);
	LIE(d.verdict = 0);
	LIE(d.verdict = 5);
	LIE(d.media = MEDIAS);
	LIE(d.media = UINT32_MAX);
	LIE(d.media = MEDIA_AUDIO);
	LIE(d.width = 0);
	LIE((d.width = 2000, d.height = 2000));
	LIE((d.width = UINT32_MAX, d.height = UINT32_MAX));
	LIE(d.section[WIRE_FACTS] = WIRE_FACTS_MAX + 1);
	LIE(d.section[WIRE_FORM] = UINT64_MAX);
	LIE(d.section[WIRE_THUMBNAIL] = 1 << 20);
	LIE(d.section[WIRE_INPUTS] = 95);
	LIE(d.section[WIRE_INPUTS] = 0);
	LIE(d.section[WIRE_TEXT] = 1);
	LIE(memset(d.media_type, 'a', sizeof(d.media_type)));
	LIE(strcpy(d.media_type, ""));
	LIE(strcpy(d.media_type, "image/"));
	LIE(strcpy(d.media_type, "image/jpeg\r\nX-Evil: 1"));
	LIE(strcpy(d.media_type, "image/a/b"));
	LIE(d.verdict = WIRE_PARKED);
	LIE(d.verdict = WIRE_REJECTED);
	LIE((d = (struct wire_done){ .head = d.head, .verdict = WIRE_REJECTED }));
}

static void test_any_other_size_is_refused(void **state)
{
	(void)state;
	struct wire_done d[2] = { honest_image() };
	struct wire_done ret;
	struct err err;
	for (size_t n = 0; n < sizeof(d); n++) {
		if (n != sizeof(d[0]))
			assert_int_equal(wire_done_check(d, n, &limits, &job, &ret, &err), -1);
	}
}

static void test_reason_becomes_one_line_of_utf8(void **state)
{
	(void)state;
	struct wire_done d = { .head = { WIRE_MAGIC, WIRE_DONE, 7 }, .verdict = WIRE_REJECTED };
	struct wire_done ret;
	struct err err;
	memset(d.reason, 'x', sizeof(d.reason));
	memcpy(d.reason, "a\nb\x1b[2J\xff", 8);
	assert_int_equal(wire_done_check(&d, sizeof(d), &limits, &job, &ret, &err), 0);
	assert_int_equal(strlen(ret.reason), sizeof(ret.reason) - 1);
	assert_memory_equal(ret.reason, "a b [2J?", 8);
}

static void test_ready_must_have_seccomp(void **state)
{
	(void)state;
	struct wire_ready r = { .head = { WIRE_MAGIC, WIRE_READY, 0 }, .sandbox = SANDBOX_SECCOMP };
	struct wire_ready ret;
	struct err err;
	assert_int_equal(wire_ready_check(&r, sizeof(r), &ret, &err), 0);
	r.sandbox = SANDBOX_LANDLOCK;
	assert_int_equal(wire_ready_check(&r, sizeof(r), &ret, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	r.sandbox = 0xff;
	assert_int_equal(wire_ready_check(&r, sizeof(r), &ret, &err), -1);
	assert_int_equal(wire_ready_check(&r, sizeof(r) - 1, &ret, &err), -1);
	r.head.magic = 0;
	assert_int_equal(wire_ready_check(&r, sizeof(r), &ret, &err), -1);
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static int lowest_free_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)close(fd);
	return fd;
}

static void test_descriptors_travel(void **state)
{
	(void)state;
	int pair[2], ends[2], got[2];
	char c;
	make_pair(pair);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(wire_send(pair[0], "job", 3, ends, 2), 0);
	char message[8];
	assert_int_equal(wire_receive(pair[1], message, sizeof(message), got, 2), 3);
	assert_int_equal(write(got[1], "x", 1), 1);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		(void)close(pair[i]);
		(void)close(ends[i]);
		(void)close(got[i]);
	}
}

static void test_unexpected_descriptors_are_not_kept(void **state)
{
	(void)state;
	int pair[2], got[2];
	char message[8];
	make_pair(pair);
	int before = lowest_free_fd();
	const int fds[] = { pair[0], pair[0] };
	assert_int_equal(wire_send(pair[0], "hi", 2, fds, 2), 0);
	assert_int_equal(wire_receive(pair[1], message, sizeof(message), NULL, 0), 2);
	assert_int_equal(wire_send(pair[0], "hi", 2, fds, 1), 0);
	assert_int_equal(wire_receive(pair[1], message, sizeof(message), got, 2), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(wire_send(pair[0], "too long", 8, fds, 2), 0);
	assert_int_equal(wire_receive(pair[1], message, 4, got, 2), -1);
	assert_int_equal(lowest_free_fd(), before);
	(void)close(pair[0]);
	assert_int_equal(wire_receive(pair[1], message, sizeof(message), NULL, 0), 0);
	(void)close(pair[1]);
}

static void test_capacity_is_the_sum_of_the_sections(void **state)
{
	(void)state;
	uint64_t sum = 0;
	for (enum wire_section s = 0; s < WIRE_SECTIONS; s++)
		sum += wire_section_max(s, &limits, &job);
	assert_int_equal(wire_capacity(&limits, &job), sum);
	assert_int_equal(wire_section_max(WIRE_INPUTS, &limits, &job), 96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest_answers_pass),
		cmocka_unit_test(test_lies_are_refused),
		cmocka_unit_test(test_any_other_size_is_refused),
		cmocka_unit_test(test_reason_becomes_one_line_of_utf8),
		cmocka_unit_test(test_ready_must_have_seccomp),
		cmocka_unit_test(test_descriptors_travel),
		cmocka_unit_test(test_unexpected_descriptors_are_not_kept),
		cmocka_unit_test(test_capacity_is_the_sum_of_the_sections),
	};
	return cmocka_run_group_tests_name("decode protocol", tests, NULL, NULL);
}
