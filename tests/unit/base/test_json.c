/* test_json.c - the JSON writer: exact text, and floats and strings that jansson reads back the same. */
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_members_in_order_with_commas_between(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	struct json j = { .to = &to };
	json_open(&j, NULL, '{');
	json_u64(&j, "max", UINT64_MAX);
	json_i64(&j, "min", INT64_MIN);
	json_i64(&j, "one", 1);
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "list", '[');
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_nil(&j, NULL);
	json_close(&j, ']');
	json_hex(&j, "hex", (const uint8_t *)"\x00\xab", 2);
	json_raw(&j, "raw", SLICE_LIT("{\"a\": 1}"));
	json_str(&j, "none", (struct slice){ 0 });
	json_close(&j, '}');
	assert_string_equal(to.data, "{\"max\":18446744073709551615,\"min\":-9223372036854775808,\"one\":1,\"empty\":[],"
				     "\"list\":[{},true,false,null],\"hex\":\"00ab\",\"raw\":{\"a\": 1},\"none\":\"\"}");
}

static void test_appends_to_what_is_there(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	buf_str(&to, "line 1\n");
	struct json j = { .to = &to };
	json_str(&j, NULL, SLICE_LIT("x"));
	assert_string_equal(to.data, "line 1\n\"x\"");
}

static void test_escapes_every_ascii_character_right(void **state)
{
	(void)state;
	char every[128];
	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	CLEANUP(buf_done) struct buf to = { 0 };
	struct json j = { .to = &to };
	json_str(&j, NULL, (struct slice){ every, sizeof(every) });
	for (size_t i = 0; i < to.len; i++)
		assert_true((unsigned char)to.data[i] >= 0x20 && to.data[i] != 0x7f);
	json_t *back = json_loadb(to.data, to.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(back);
	assert_int_equal(json_string_length(back), sizeof(every));
	assert_memory_equal(json_string_value(back), every, sizeof(every));
	json_decref(back);
}

static void test_escapes_by_their_short_names(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	struct json j = { .to = &to };
	json_str(&j, NULL, SLICE_LIT("\"\\\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9"));
	assert_string_equal(to.data, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/\xc3\xa9\"");
}

static void test_bytes_fall_back_to_base64(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	struct json j = { .to = &to };
	json_open(&j, NULL, '{');
	json_bytes(&j, "key", SLICE_LIT("caf\xc3\xa9"));
	json_bytes(&j, "key", SLICE_LIT("caf\xe9"));
	json_bytes(&j, "key", SLICE_LIT(""));
	json_close(&j, '}');
	assert_string_equal(to.data, "{\"key\":\"caf\xc3\xa9\",\"key_base64\":\"Y2Fm6Q==\",\"key\":\"\"}");
}

static const char *float_text(struct buf *to, float f)
{
	to->len = 0;
	struct json j = { .to = to };
	json_float(&j, NULL, f);
	return to->data;
}

static void test_floats_are_short(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	assert_string_equal(float_text(&to, 0.93F), "0.93");
	assert_string_equal(float_text(&to, 1.0F), "1");
	assert_string_equal(float_text(&to, 0.0F), "0");
	assert_string_equal(float_text(&to, -0.0F), "-0.0");
	assert_string_equal(float_text(&to, 0.1F), "0.1");
	assert_string_equal(float_text(&to, 16777217.0F), "16777216");
}

static void test_floats_read_back_the_same(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf to = { 0 };
	uint32_t bits = 1;
	for (int i = 0; i < 20000; i++) {
		bits = bits * 1664525 + 1013904223; /* every exponent comes by */
		float f;
		memcpy(&f, &bits, sizeof(f));
		if (!isfinite(f))
			continue;
		json_t *back = json_loads(float_text(&to, f), JSON_DECODE_ANY, NULL);
		assert_non_null(back);
		float read = (float)json_number_value(back);
		json_decref(back);
		assert_memory_equal(&read, &f, sizeof(f));
	}
}

static void test_doubles_read_back_the_same(void **state)
{
	(void)state;
	static const double values[] = { 0.1, 1.0 / 3, DBL_MAX, DBL_MIN, -DBL_TRUE_MIN, 0.0, -0.0, 1e22, 9007199254740993.0, 2.5 };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		CLEANUP(buf_done) struct buf to = { 0 };
		struct json j = { .to = &to };
		json_double(&j, NULL, values[i]);
		json_t *back = json_loads(to.data, JSON_DECODE_ANY, NULL);
		assert_non_null(back);
		double read = json_number_value(back);
		json_decref(back);
		assert_memory_equal(&read, &values[i], sizeof(read));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_in_order_with_commas_between),
		cmocka_unit_test(test_appends_to_what_is_there),
		cmocka_unit_test(test_escapes_every_ascii_character_right),
		cmocka_unit_test(test_escapes_by_their_short_names),
		cmocka_unit_test(test_bytes_fall_back_to_base64),
		cmocka_unit_test(test_floats_are_short),
		cmocka_unit_test(test_floats_read_back_the_same),
		cmocka_unit_test(test_doubles_read_back_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
