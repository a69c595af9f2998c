/* test_record.c - lines of the log: what is written is read back to the letter, and nothing else is read. */
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/model/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
#define FAILURE "{\"op\":\"failure\",\"subject\":\"object\",\"number\":9,\"stage\":\"fetch\",\"reason\":\"r\","

/* Canonical lines: every kind, with all of its optional members and with none. */
static const char *const lines[] = {
	"{\"op\":\"item\",\"item\":7,\"sha256\":\"" HEX "\",\"bytes\":10240,\"at\":\"segment\",\"segment\":1,\"offset\":5120}",
	"{\"op\":\"item\",\"item\":9223372036854775807,\"sha256\":\"" HEX "\",\"bytes\":0,\"at\":\"large\"}",
	"{\"op\":\"item\",\"item\":1,\"sha256\":\"" HEX "\",\"bytes\":1,\"at\":\"reference\"}",
	"{\"op\":\"object\",\"source\":\"drop\",\"layout\":\"tree\",\"key\":\"a/b.jpg\",\"version\":\"1f.2800.1\",\"bytes\":10240,"
	"\"object\":9,\"item\":7}",
	"{\"op\":\"object\",\"source\":\"drop\",\"layout\":\"flat\",\"key_base64\":\"Y2Fm6Q==\",\"version_base64\":\"/w==\",\"bytes\":0,"
	"\"object\":1,\"item\":1,\"racy\":true}",
	"{\"op\":\"object\",\"source\":\"drop\",\"layout\":\"flat\",\"key\":\"a\\u0000\\n\\\"\\u007f\xc3\xa9\",\"bytes\":0,"
	"\"object\":1,\"item\":1}",
	"{\"op\":\"gone\",\"source\":\"drop\",\"layout\":\"tree\",\"key\":\"a/b.jpg\"}",
	"{\"op\":\"gone\",\"source\":\"drop\",\"layout\":\"tree\",\"key\":\"\",\"directory\":true}",
	"{\"op\":\"facts\",\"item\":7,\"state\":\"normalized\",\"media\":\"image\",\"media_type\":\"image/jpeg\",\"width\":640,"
	"\"height\":480,\"normalizer\":1,\"canonical\":\"" HEX "\",\"facts\":{\"exif\":{\"iso\":1.50},\"facts\":[{}]}}",
	"{\"op\":\"facts\",\"item\":7,\"state\":\"parked\",\"media\":\"unknown\",\"normalizer\":0}",
	"{\"op\":\"run\",\"item\":7,\"model\":\"image-default\",\"model_version\":\"" HEX "\","
	"\"scores\":[[\"tabby\",0.93],[\"caf\xc3\xa9\",1],[\"Y2Fm6Q==\",0.01,\"base64\"]]}",
	"{\"op\":\"run\",\"item\":7,\"model\":\"m\",\"model_version\":\"" HEX "\",\"scores\":[]}",
	"{\"op\":\"annotation\",\"item\":7,\"n\":1,\"concept\":\"tabby\",\"confidence\":0.93,\"status\":\"ANNOTATION_SUCCESS\","
	"\"worker\":\"model\",\"model\":\"image-default\",\"model_version\":\"" HEX "\",\"object\":9,"
	"\"geometry\":{\"box\": [1e2, 0.10,\t-0],\"n\":\"\\u0067\"},\"time\":1700000000000}",
	"{\"op\":\"annotation\",\"item\":7,\"n\":4294967295,\"concept\":\"\",\"status\":\"ANNOTATION_REVIEW_DENIED\","
	"\"worker\":\"user:root\",\"time\":-1}",
	"{\"op\":\"annotation\",\"item\":7,\"n\":2,\"concept\":\"cat\",\"status\":\"ANNOTATION_AWAITING_REVIEW\","
	"\"worker\":\"imported\",\"maker\":\"human\",\"reason\":\"conflict\",\"object\":9,\"time\":1}",
	"{\"op\":\"annotation\",\"item\":7,\"n\":3,\"concept\":\"cat\",\"confidence\":0.12345678901234566,"
	"\"status\":\"ANNOTATION_SUCCESS\",\"worker\":\"imported\",\"attributes\":{\"iscrowd\":0,\"area\":1.50},\"time\":1}",
	"{\"op\":\"until\",\"item\":7,\"n\":1}",
	"{\"op\":\"state\",\"item\":7,\"state\":\"routed\"}",
	"{\"op\":\"failure\",\"subject\":\"item\",\"number\":7,\"stage\":\"normalize\",\"reason\":\"not a PNG\",\"cure\":\"mend it\"}",
	"{\"op\":\"failure\",\"subject\":\"item\",\"number\":7,\"stage\":\"infer\",\"reason\":\"\"}",
	"{\"op\":\"failure\",\"subject\":\"item\",\"number\":7,\"stage\":\"infer\",\"reason\":\"\",\"attempts\":3}",
	FAILURE "\"source\":\"drop\",\"layout\":\"tree\",\"key\":\"k\",\"version\":\"v\",\"bytes\":5}",
	FAILURE "\"source\":\"drop\",\"layout\":\"flat\",\"key_base64\":\"/w==\",\"bytes\":0}",
	"{\"op\":\"failure\",\"subject\":\"row\",\"import\":3,\"line\":17,\"reason\":\"r\",\"cure\":\"c\","
	"\"row\":{\"column\":7,\"offset\":120,\"raw\":\"a,b\"}}",
	"{\"op\":\"failure\",\"subject\":\"row\",\"import\":8388607,\"line\":1099511627775,\"reason\":\"r\"}",
	"{\"op\":\"import\",\"import\":3,\"source\":\"/data/M.csv\",\"format\":\"csv\",\"header\":\"a,b\\n\",\"rows\":12,"
	"\"failed\":1,\"vanished\":2,\"complete\":true,\"time\":1700000000000}",
	"{\"op\":\"import\",\"import\":1,\"source\":\"list\",\"rows\":0,\"failed\":0,\"vanished\":0,\"time\":0}",
	"{\"op\":\"import\",\"import\":2,\"source\":\"list\",\"attributes\":{\"info\":{}},\"rows\":0,\"failed\":0,\"vanished\":0,"
	"\"time\":0}",
	"{\"op\":\"row\",\"object\":9,\"row\":4,\"import\":3,\"line\":2,\"body\":{\"at\":\"text\",\"labels\":[{\"concept\":\"c\"}]}}",
	"{\"op\":\"row\",\"object\":9,\"row\":4,\"import\":3,\"line\":2,\"pending\":true,\"source\":\"l\",\"key\":\"k\","
	"\"body\":{\"at\":\"url\"},\"origin\":{\"url\":\"http://h/\"}}",
	"{\"op\":\"row_gone\",\"object\":9,\"row\":4}",
	"{\"op\":\"mended\",\"import\":3,\"line\":17}",
	"{\"op\":\"source\",\"source\":\"drop\",\"kind\":\"folder\",\"root\":\"8:1.2\"}",
	"{\"op\":\"source\",\"source\":\"drop\",\"kind\":\"folder\"}",
};

static void test_every_line_is_written_as_it_was_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct record r;
		struct err err = { 0 };
		CLEANUP(record_mem_freep) struct record_mem *mem = NULL;
		CLEANUP(buf_done) struct buf again = { 0 };
		if (record_decode(slice_of(lines[i]), &r, &mem, &err) < 0)
			fail_msg("%s\n%s", lines[i], err.text);
		assert_true(record_logged(&r));
		record_encode(&r, &again);
		assert_string_equal(again.data, lines[i]);
	}
}

/* The line must not be needed any more, nor be terminated, once it was read. */
static void test_slices_outlive_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct record r;
		CLEANUP(record_mem_freep) struct record_mem *mem = NULL;
		CLEANUP(buf_done) struct buf again = { 0 };
		char *exact = mem_dup(lines[i], strlen(lines[i]));
		assert_int_equal(record_decode((struct slice){ exact, strlen(lines[i]) }, &r, &mem, NULL), 0);
		free(exact);
		record_encode(&r, &again);
		assert_string_equal(again.data, lines[i]);
	}
}

static void test_members_arrive_in_their_fields(void **state)
{
	(void)state;
	struct record r;
	struct err err = { 0 };
	CLEANUP(record_mem_freep) struct record_mem *mem = NULL;
	assert_int_equal(record_decode(slice_of(lines[12]), &r, &mem, &err), 0);
	assert_int_equal(r.kind, RECORD_ANNOTATION);
	const struct record_annotation *a = &r.annotation;
	assert_true(a->item == 7 && a->n == 1 && a->object == 9 && a->time_ms == 1700000000000);
	assert_true(slice_eq(a->concept, SLICE_LIT("tabby")) && slice_eq(a->worker, SLICE_LIT("model")));
	assert_true(a->confidence == 0.93);
	assert_int_equal(a->status, STATUS_SUCCESS);
	assert_int_equal(a->model_version.sha256[1], 0x11);
	assert_true(slice_eq(a->geometry, SLICE_LIT("{\"box\": [1e2, 0.10,\t-0],\"n\":\"\\u0067\"}")));
}

static void test_absent_members_have_their_zero(void **state)
{
	(void)state;
	struct record r;
	CLEANUP(record_mem_freep) struct record_mem *mem = NULL;
	assert_int_equal(record_decode(slice_of(lines[13]), &r, &mem, NULL), 0);
	const struct record_annotation *a = &r.annotation;
	assert_true(a->confidence < 0 && a->object == 0 && a->model.len == 0 && a->geometry.len == 0);
	assert_true(content_id_none(&a->model_version));
}

static void test_bytes_of_any_kind_survive(void **state)
{
	(void)state;
	char every[256];
	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	const struct slice any = { every, sizeof(every) };
	const struct score scores[] = { { any, 0.5F }, { SLICE_LIT("\xff"), 0 } };
	const struct record records[] = {
		{ .kind = RECORD_GONE, .gone = { .source = any, .key = any, .layout = LAYOUT_FLAT } },
		{ .kind = RECORD_RUN, .run = { .item = 1, .model = any, .scores = scores, .score_count = 2 } },
		{ .kind = RECORD_FAILURE, .failure = { .subject = SUBJECT_ITEM, .number = 1, .stage = STAGE_INFER, .reason = any,
						       .cure = any, .media_type = any } },
	};
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		CLEANUP(buf_done) struct buf line = { 0 };
		CLEANUP(buf_done) struct buf again = { 0 };
		CLEANUP(record_mem_freep) struct record_mem *mem = NULL;
		struct record r;
		struct err err = { 0 };
		record_encode(&records[i], &line);
		assert_null(memchr(line.data, '\n', line.len));
		if (record_decode(buf_slice(&line), &r, &mem, &err) < 0)
			fail_msg("%s\n%s", line.data, err.text);
		if (r.kind == RECORD_RUN)
			assert_true(slice_eq(r.run.scores[0].concept, any) && slice_eq(r.run.scores[1].concept, SLICE_LIT("\xff")));
		else
			assert_true(slice_eq(r.kind == RECORD_GONE ? r.gone.key : r.failure.reason, any));
		record_encode(&r, &again);
		assert_true(slice_eq(buf_slice(&again), buf_slice(&line)));
	}
}

static void test_someone_elses_json_stays_on_one_line(void **state)
{
	(void)state;
	const struct record r = { .kind = RECORD_FACTS, .facts = { .item = 1, .state = ITEM_NORMALIZED, .media = MEDIA_TEXT,
								   .facts = SLICE_LIT("{\n  \"a\": \"b\\n\"\r\n}") } };
	CLEANUP(buf_done) struct buf line = { 0 };
	record_encode(&r, &line);
	assert_string_equal(line.data, "{\"op\":\"facts\",\"item\":1,\"state\":\"normalized\",\"media\":\"text\",\"normalizer\":0,"
				       "\"facts\":{   \"a\": \"b\\n\"  }}");
}

static void test_line_is_appended(void **state)
{
	(void)state;
	const struct record r = { .kind = RECORD_UNTIL, .until = { 3, 4 } };
	CLEANUP(buf_done) struct buf lines_so_far = { 0 };
	buf_str(&lines_so_far, "before\n");
	record_encode(&r, &lines_so_far);
	assert_string_equal(lines_so_far.data, "before\n{\"op\":\"until\",\"item\":3,\"n\":4}");
}

static void test_what_is_logged(void **state)
{
	(void)state;
	for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++) {
		const struct record r = { .kind = kind };
		assert_int_equal(record_logged(&r), kind < RECORD_CALM);
	}
	const struct record retry = { .kind = RECORD_FAILURE, .failure = { .retry = true } };
	assert_false(record_logged(&retry));
}

#define OBJECT "{\"op\":\"object\",\"source\":\"s\",\"layout\":\"tree\","
#define RUN(scores) "{\"op\":\"run\",\"item\":7,\"model\":\"m\",\"model_version\":\"" HEX "\",\"scores\":" scores "}"
#define UNTIL(members) "{\"op\":\"until\"," members "}"

static void test_refusals_name_the_member(void **state)
{
	(void)state;
	static const struct { const char *line, *why; } rows[] = {
		{ "", "log line: not JSON at byte" },
		{ "{", "log line: not JSON at byte" },
		{ "[]", "log line: not a JSON object" },
		{ "7", "log line: not JSON at byte" },
		{ "{}", "log line: member 'op' is missing" },
		{ "{\"op\":7}", "log line: member 'op' is not a string" },
		{ "{\"op\":\"grow\"}", "log line: member 'op' has an unknown value: was it written by a newer Inlet?" },
		{ "{\"op\":\"calm\",\"source\":\"s\"}", "log line: member 'op' has an unknown value" },
		{ "{\"op\":\"\"}", "log line: member 'op' has an unknown value" },
		{ UNTIL("\"item\":7"), "log line: op \"until\": member 'n' is missing" },
		{ UNTIL("\"item\":7,\"n\":1,\"m\":2"), "op \"until\": member 'm' is not known: was it written by a newer Inlet?" },
		{ UNTIL("\"item\":7,\"n\":1,\"n\":1"), "duplicate" },
		{ UNTIL("\"item\":0,\"n\":1"), "member 'item' is out of range" },
		{ UNTIL("\"item\":-7,\"n\":1"), "member 'item' is out of range" },
		{ UNTIL("\"item\":\"7\",\"n\":1"), "member 'item' is not a whole number" },
		{ UNTIL("\"item\":7.0,\"n\":1"), "member 'item' is not a whole number" },
		{ UNTIL("\"item\":18446744073709551615,\"n\":1"), "too big" },
		{ UNTIL("\"item\":7,\"n\":4294967296"), "member 'n' is out of range" },
		{ UNTIL("\"item\":7,\"n\":0"), "member 'n' is out of range" },
		{ UNTIL("\"item\":7,\"n\":null"), "member 'n' is not a whole number" },
		{ UNTIL("\"item\":7,\"n\":1} x{"), "not JSON" },
		{ "{\"op\":\"item\",\"item\":7,\"sha256\":\"00\"}", "member 'sha256' is not a SHA-256" },
		{ "{\"op\":\"item\",\"item\":7,\"sha256\":\"" HEX "\",\"bytes\":1,\"at\":\"moon\"}", "member 'at' has an unknown value" },
		{ "{\"op\":\"item\",\"item\":7,\"sha256\":\"" HEX "\",\"bytes\":1,\"at\":\"segment\",\"segment\":1}",
		  "member 'offset' is missing" },
		{ "{\"op\":\"item\",\"item\":7,\"sha256\":\"" HEX "\",\"bytes\":1,\"at\":\"large\",\"segment\":1}",
		  "member 'segment' is not known" },
		{ OBJECT "\"bytes\":1,\"object\":1,\"item\":1}", "member 'key' is missing" },
		{ OBJECT "\"key\":\"k\",\"key_base64\":\"aw==\",\"bytes\":1,\"object\":1,\"item\":1}", "member 'key' is there twice" },
		{ OBJECT "\"key_base64\":\"aw\",\"bytes\":1,\"object\":1,\"item\":1}", "member 'key_base64' is not base64" },
		{ OBJECT "\"key_base64\":7,\"bytes\":1,\"object\":1,\"item\":1}", "member 'key_base64' is not a string" },
		{ OBJECT "\"key\":[],\"bytes\":1,\"object\":1,\"item\":1}", "member 'key' is not a string" },
		{ OBJECT "\"key\":\"k\",\"bytes\":1,\"object\":1,\"item\":1,\"racy\":1}", "member 'racy' is neither true nor false" },
		{ "{\"op\":\"gone\",\"source\":\"s\",\"layout\":\"round\",\"key\":\"k\"}", "member 'layout' has an unknown value" },
		{ "{\"op\":\"state\",\"item\":7,\"state\":\"none\"}", "member 'state' has an unknown value" },
		{ "{\"op\":\"facts\",\"item\":7,\"state\":\"routed\",\"media\":\"image\",\"normalizer\":1}",
		  "member 'state' is not one that normalize ends in" },
		{ "{\"op\":\"facts\",\"item\":7,\"state\":\"parked\",\"media\":\"smell\",\"normalizer\":1}",
		  "member 'media' has an unknown value" },
		{ "{\"op\":\"facts\",\"item\":7,\"state\":\"parked\",\"media\":\"other\",\"normalizer\":1,\"facts\":[]}",
		  "member 'facts' is not an object" },
		{ "{\"op\":\"facts\",\"item\":7,\"state\":\"parked\",\"media\":\"other\",\"normalizer\":1,\"f\\u0061cts\":{}}",
		  "member 'facts' has its name written with escapes" },
		{ RUN("{}"), "member 'scores' is not a list" },
		{ RUN("[\"x\"]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\"]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",-0.1]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",1e39]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",\"1\"]]"), "member 'scores' has an entry" },
		{ RUN("[[7,0.1]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",0.1,\"rot13\"]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",0.1,\"base64\"]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",0.1,7]]"), "member 'scores' has an entry" },
		{ RUN("[[\"x\",0.1,\"base64\",1]]"), "member 'scores' has an entry" },
		{ "{\"op\":\"annotation\",\"item\":7,\"n\":1,\"concept\":\"c\",\"confidence\":-1}",
		  "member 'confidence' is not a number from 0 up" },
		{ "{\"op\":\"annotation\",\"item\":7,\"n\":1,\"concept\":\"c\",\"status\":\"FINE\"}", "member 'status' has an unknown value" },
		{ "{\"op\":\"failure\",\"subject\":\"dog\"}", "member 'subject' has an unknown value" },
		{ "{\"op\":\"failure\",\"subject\":\"item\",\"number\":1,\"stage\":\"bark\"}", "member 'stage' has an unknown value" },
		{ "{\"op\":\"failure\",\"subject\":\"item\",\"number\":1,\"stage\":\"infer\",\"reason\":\"r\",\"key\":\"k\"}",
		  "member 'key' is not known" },
		{ FAILURE "\"layout\":\"tree\",\"key\":\"k\",\"bytes\":1}", "member 'source' is missing" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record r;
		struct err err = { 0 };
		struct record_mem *mem = NULL;
		if (record_decode(slice_of(rows[i].line), &r, &mem, &err) == 0)
			fail_msg("accepted: %s", rows[i].line);
		assert_int_equal(err.class, ERR_REJECT);
		assert_null(mem);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s\nsays \"%s\", not \"%s\"", rows[i].line, err.text, rows[i].why);
	}
}

static void test_each_line_needs_each_of_its_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t n = 0; n < strlen(lines[i]); n++) {
			struct record r;
			struct record_mem *mem = NULL;
			assert_int_equal(record_decode((struct slice){ lines[i], n }, &r, &mem, NULL), -1);
		}
	}
}

static void test_limits_of_length_and_scores(void **state)
{
	(void)state;
	struct record r;
	struct err err = { 0 };
	struct record_mem *mem = NULL;
	CLEANUP(freep) char *long_line = mem_zero(RECORD_LINE_MAX + 1, 1);
	assert_int_equal(record_decode((struct slice){ long_line, RECORD_LINE_MAX + 1 }, &r, &mem, &err), -1);
	assert_string_equal(err.text, "log line of 1048577 bytes: more than 1048576");
	CLEANUP(buf_done) struct buf line = { 0 };
	struct score scores[SCORES_MAX];
	for (size_t i = 0; i < SCORES_MAX; i++)
		scores[i] = (struct score){ SLICE_LIT("c"), 0.5F };
	const struct record most = { .kind = RECORD_RUN, .run = { .item = 1, .scores = scores, .score_count = SCORES_MAX } };
	record_encode(&most, &line);
	assert_int_equal(record_decode(buf_slice(&line), &r, &mem, &err), 0);
	assert_int_equal(r.run.score_count, SCORES_MAX);
	record_mem_free(TAKE_PTR(mem));
	line.len -= 2; /* "]}" */
	buf_str(&line, ",[\"c\",0.5]]}");
	assert_int_equal(record_decode(buf_slice(&line), &r, &mem, &err), -1);
	assert_string_equal(err.text, "log line: op \"run\": member 'scores' has too many entries");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_is_written_as_it_was_read),
		cmocka_unit_test(test_slices_outlive_the_line),
		cmocka_unit_test(test_members_arrive_in_their_fields),
		cmocka_unit_test(test_absent_members_have_their_zero),
		cmocka_unit_test(test_bytes_of_any_kind_survive),
		cmocka_unit_test(test_someone_elses_json_stays_on_one_line),
		cmocka_unit_test(test_line_is_appended),
		cmocka_unit_test(test_what_is_logged),
		cmocka_unit_test(test_refusals_name_the_member),
		cmocka_unit_test(test_each_line_needs_each_of_its_bytes),
		cmocka_unit_test(test_limits_of_length_and_scores),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
