/* test_item_json.c - the line of `items --json`, member by member and in its order. */
#include "daemon/base/cleanup.h"
#include "tests/unit/export/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define AB8 "abababababababab"
#define SHA AB8 AB8 AB8 AB8
#define VERSION "0101010101010101010101010101010101010101010101010101010101010101"

static void test_the_contract_line(void **state)
{
	(void)state;
	struct sample s;
	CLEANUP(buf_done) struct buf text = { 0 };
	sample_init(&s, 7);
	item_json(&s.full, &text);
	assert_string_equal(text.data,
		"{\"id\":7,\"sha256\":\"" SHA
		"\",\"media_type\":\"image/png\",\"bytes\":4096,\"width\":640,\"height\":480,"
		"\"state\":\"routed\",\"references\":[{\"source\":\"drop\",\"key\":\"a/cat.png\",\"version\":\"v1\"},"
		"{\"source\":\"drop\",\"key_base64\":\"Yi//LnBuZw==\",\"version\":\"v2\"}],\"annotations\":["
		"{\"concept\":\"tabby\",\"confidence\":0.93,\"status\":\"ANNOTATION_SUCCESS\",\"worker\":\"model\","
		"\"model\":\"lite0\","
		"\"model_version\":\"" VERSION "\"},"
		"{\"concept\":\"lynx\",\"confidence\":0.5,\"status\":\"ANNOTATION_AWAITING_REVIEW\",\"worker\":"
		"\"model\","
		"\"model\":\"lite0\",\"model_version\":\"" VERSION "\"},"
		"{\"concept\":\"pet\",\"confidence\":null,\"status\":\"ANNOTATION_SUCCESS\",\"worker\":\"user:ann\","
		"\"reference_base64\":\"ZHJvcDpiL/8ucG5n\"},"
		"{\"concept\":\"dog\",\"confidence\":1,\"status\":\"ANNOTATION_REVIEW_DENIED\",\"worker\":\"imported\"}"
		"]}");
}

static void test_what_an_import_said(void **state)
{
	(void)state;
	struct sample s;
	CLEANUP(buf_done) struct buf text = { 0 };
	sample_init(&s, 7);
	s.annotations[3].maker = BY_HUMAN;
	s.annotations[3].reason = REASON_CONFLICT;
	s.annotations[3].geometry = SLICE_LIT("{\"kind\":\"box\"}");
	s.annotations[3].attributes = SLICE_LIT("{\"iscrowd\":0}");
	item_json(&s.full, &text);
	assert_non_null(strstr(text.data, "\"worker\":\"imported\",\"maker\":\"human\",\"reason\":\"conflict\","
		"\"geometry\":{\"kind\":\"box\"},\"attributes\":{\"iscrowd\":0}}"));
}

static void test_what_is_not_known_yet(void **state)
{
	(void)state;
	const struct item_full it = { .item = { .id = 1, .state = ITEM_COMMITTED } };
	CLEANUP(buf_done) struct buf text = { 0 };
	item_json(&it, &text);
	assert_non_null(strstr(text.data,
		"\"media_type\":\"application/octet-stream\",\"bytes\":0,\"state\":\"committed\","
		"\"references\":[],\"annotations\":[]}"));
}

static void test_reference_named_by_source_and_key(void **state)
{
	(void)state;
	struct sample s;
	CLEANUP(buf_done) struct buf text = { 0 };
	sample_init(&s, 7);
	s.annotations[2].object = 11;
	item_json(&s.full, &text);
	assert_non_null(strstr(text.data, "\"worker\":\"user:ann\",\"reference\":\"drop:a/cat.png\"}"));
}

static void test_reference_that_is_gone_is_left_out(void **state)
{
	(void)state;
	struct sample s;
	CLEANUP(buf_done) struct buf text = { 0 };
	sample_init(&s, 7);
	s.annotations[2].object = 99;
	item_json(&s.full, &text);
	assert_non_null(strstr(text.data, "\"worker\":\"user:ann\"},"));
}

static void test_history_adds_times_and_states(void **state)
{
	(void)state;
	struct sample s;
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	sample_init(&s, 7);
	s.annotations[0].until = 9;
	s.annotations[0].geometry = SLICE_LIT("{\"kind\":\"box\"}");
	json_open(&j, NULL, '{');
	item_members_json(&s.full, &j, true);
	json_close(&j, '}');
	assert_non_null(strstr(text.data, "\"version\":\"v1\",\"state\":\"present\"}"));
	assert_non_null(strstr(text.data, "\"geometry\":{\"kind\":\"box\"},"
		"\"n\":1,\"time\":\"1970-01-01T00:00:01Z\",\"since\":3,\"until\":9}"));
	assert_null(strstr(strstr(text.data, "\"n\":3"), "until"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_contract_line),
		cmocka_unit_test(test_what_an_import_said),
		cmocka_unit_test(test_what_is_not_known_yet),
		cmocka_unit_test(test_reference_named_by_source_and_key),
		cmocka_unit_test(test_reference_that_is_gone_is_left_out),
		cmocka_unit_test(test_history_adds_times_and_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
