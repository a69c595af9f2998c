/* fuzz_protocol.c - any packet and any result file, as a worker in an attacker's hands would send them: the daemon's
 * checks must neither crash nor pass what they promise to keep out. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/decode/answer.h"
#include "daemon/decode/handoff.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_hello limits = { .max_bytes = 4096, .max_pixels = 1000000, .thumbnail = 16 };
static const struct wire_job job = {
	.head = { WIRE_MAGIC, WIRE_JOB, 1 }, .want_count = 1, .wants = { { .width = 4, .height = 4 } },
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_result(const struct decode_result *r)
{
	require(text_is_utf8(buf_slice(&r->text)) && text_is_utf8(buf_slice(&r->facts)));
	require(r->facts.len >= 2 && !memchr(r->facts.data, '\n', r->facts.len));
	require(r->text.len <= TEXT_INPUT_MAX && strchr(r->media_type, '/'));
	require((r->media == MEDIA_IMAGE) == (r->inputs[0] != NULL));
	if (r->inputs[0]) /* all of it is there */
		require(r->inputs[0][0] + r->inputs[0][47] < 511);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_ready ready;
	struct wire_done done;
	struct decode_result r;
	struct err err = { 0 };
	size_t packet = size < sizeof(done) ? size : sizeof(done);
	(void)wire_ready_check(data, size, &ready, &err);
	if (wire_done_check(data, packet, &limits, &job, &done, &err) < 0)
		return 0;
	require(text_is_utf8(slice_of(done.reason)) && !strchr(done.reason, '\n'));
	if (done.verdict != WIRE_DECODED)
		return 0;
	CLEANUP(close_fdp) int result = handoff_result(wire_capacity(&limits, &job), &err);
	require(result >= 0);
	size_t rest = size - packet;
	rest = rest < wire_capacity(&limits, &job) ? rest : wire_capacity(&limits, &job);
	if (rest)
		require(pwrite(result, data + packet, rest, 0) == (ssize_t)rest);
	if (answer_read(result, &done, &job, &r, &err) < 0)
		return 0;
	check_result(&r);
	decode_result_done(&r);
	return 0;
}
