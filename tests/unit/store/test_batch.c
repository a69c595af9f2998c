/* test_batch.c - the batch member: written, chained, read back, erased in part, refused when it is none. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/store/batch.h"
#include "daemon/store/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint8_t zeros[SHA256_BYTES];

/* A batch of two records; its text and its digest. */
static void encode(struct batch *b, uint64_t revision, const uint8_t prev[SHA256_BYTES], struct buf *text,
	uint8_t digest[SHA256_BYTES])
{
	struct record r = { .kind = RECORD_STATE };
	struct tar_member m;
	size_t n;
	batch_begin(b, revision, prev, 1700000000000);
	r.state = (struct record_state){ .item = revision, .state = ITEM_NORMALIZED };
	batch_add(b, &r);
	r.state.state = ITEM_INFERRED;
	batch_add(b, &r);
	assert_int_equal(batch_lines(b), 2);
	const char *bytes = batch_end(b, &n, digest);
	assert_int_equal(n % SEGMENT_ALIGN, 0);
	assert_int_equal((uintptr_t)bytes % SEGMENT_ALIGN, 0);
	assert_int_equal(tar_parse(bytes, &m), 1);
	assert_int_equal(batch_name(m.name), revision);
	assert_int_equal(m.bytes, batch_bytes(b));
	buf_add(text, bytes + TAR_BLOCK, m.bytes);
}

struct opened {
	struct batch_head head;
	uint8_t digest[SHA256_BYTES];
	struct slice lines;
	struct err err;
};

static int open_text(struct slice text, struct opened *ret)
{
	struct sha256 *hash = sha256_new();
	int result = batch_open(text, hash, &ret->head, ret->digest, &ret->lines, &ret->err);
	sha256_free(hash);
	return result;
}

static void test_reads_back_what_was_written(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	CLEANUP(buf_done) struct buf text = { 0 };
	uint8_t digest[SHA256_BYTES];
	struct opened o;
	struct slice line;
	encode(b, 7, zeros, &text, digest);
	assert_int_equal(open_text(buf_slice(&text), &o), 0);
	assert_int_equal(o.head.revision, 7);
	assert_int_equal(o.head.time_ms, 1700000000000);
	assert_memory_equal(o.head.prev, zeros, SHA256_BYTES);
	assert_memory_equal(o.digest, digest, SHA256_BYTES);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_RECORD);
	assert_memory_equal(line.p, "{\"op\":\"state\",\"item\":7,\"state\":\"normalized\"}", line.len);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_RECORD);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_END);
	batch_free(b);
}

/* The definition in daemon/DESIGN.md, computed another way. */
static void test_digest_is_over_prev_and_line_digests(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	struct sha256 *h = sha256_new();
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf all = { 0 };
	uint8_t prev[SHA256_BYTES];
	uint8_t digest[SHA256_BYTES];
	uint8_t expected[SHA256_BYTES];
	memset(prev, 0x5a, sizeof(prev));
	encode(b, 2, prev, &text, digest);
	buf_add(&all, prev, sizeof(prev));
	for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
		uint8_t one[SHA256_BYTES];
		sha256_of(h, line, strlen(line), one);
		buf_add(&all, one, sizeof(one));
	}
	sha256_of(h, all.data, all.len, expected);
	assert_memory_equal(digest, expected, SHA256_BYTES);
	sha256_free(h);
	batch_free(b);
}

static void test_a_changed_byte_changes_the_digest(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	CLEANUP(buf_done) struct buf text = { 0 };
	uint8_t digest[SHA256_BYTES];
	encode(b, 1, zeros, &text, digest);
	for (size_t i = 0; i < text.len; i++) {
		struct opened o;
		text.data[i] ^= 1;
		if (open_text(buf_slice(&text), &o) == 0 && memcmp(o.digest, digest, SHA256_BYTES) == 0)
			fail_msg("a change of byte %zu went unnoticed", i);
		text.data[i] ^= 1;
	}
	batch_free(b);
}

static void test_erased_line_keeps_the_digest(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	struct sha256 *h = sha256_new();
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf erased = { 0 };
	uint8_t digest[SHA256_BYTES];
	uint8_t of_line[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct opened o;
	struct slice line;
	encode(b, 1, zeros, &text, digest);
	const char *second = strchr(text.data, '\n') + 1;
	const char *third = strchr(second, '\n') + 1;
	sha256_of(h, second, (size_t)(third - second - 1), of_line);
	text_hex(of_line, sizeof(of_line), hex);
	buf_add(&erased, text.data, (size_t)(second - text.data));
	buf_printf(&erased, "{\"erased\":\"%s\"}\n%s", hex, third);
	assert_int_equal(open_text(buf_slice(&erased), &o), 0);
	assert_memory_equal(o.digest, digest, SHA256_BYTES);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_ERASED);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_RECORD);
	assert_int_equal(batch_next(&o.lines, &line), BATCH_END);
	sha256_free(h);
	batch_free(b);
}

static void test_what_is_no_batch_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "\n", "{}\n", "no json\n", "{\"batch\":1,\"prev\":\"00\",\"time\":1}\n",
		"{\"batch\":0,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"time\":1}\n",
		"{\"batch\":1,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"time\":1}",
		"{\"batch\":1,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct opened o;
		if (open_text(slice_of(texts[i]), &o) == 0)
			fail_msg("taken: '%s'", texts[i]);
		assert_int_equal(o.err.class, ERR_REJECT);
	}
}

static void test_member_names(void **state)
{
	(void)state;
	assert_int_equal(batch_name("__batch-1__"), 1);
	assert_int_equal(batch_name("__batch-18446744073709551615__"), UINT64_MAX);
	assert_int_equal(batch_name("__batch-18446744073709551616__"), 0);
	assert_int_equal(batch_name("__batch-__"), 0);
	assert_int_equal(batch_name("__batch-1_"), 0);
	assert_int_equal(batch_name("__batch-1__x"), 0);
	assert_int_equal(batch_name("__batch--1__"), 0);
	assert_int_equal(batch_name("__pad__"), 0);
}

static void test_one_batch_after_another_in_the_same_memory(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	CLEANUP(buf_done) struct buf first = { 0 };
	CLEANUP(buf_done) struct buf second = { 0 };
	uint8_t digest[SHA256_BYTES];
	uint8_t next[SHA256_BYTES];
	struct opened o;
	encode(b, 1, zeros, &first, digest);
	encode(b, 2, digest, &second, next);
	assert_int_equal(open_text(buf_slice(&second), &o), 0);
	assert_memory_equal(o.head.prev, digest, SHA256_BYTES);
	assert_memory_equal(o.digest, next, SHA256_BYTES);
	batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_back_what_was_written),
		cmocka_unit_test(test_digest_is_over_prev_and_line_digests),
		cmocka_unit_test(test_a_changed_byte_changes_the_digest),
		cmocka_unit_test(test_erased_line_keeps_the_digest),
		cmocka_unit_test(test_what_is_no_batch_is_refused),
		cmocka_unit_test(test_member_names),
		cmocka_unit_test(test_one_batch_after_another_in_the_same_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
