/* test_literal.c - metadata as Python prints it becomes JSON; what is neither stays what it is. */
#include "daemon/manifest/literal.h"

#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void assert_becomes(struct slice text, const char *json)
{
	CLEANUP(dom_done) struct dom scratch = { 0 };
	CLEANUP(buf_done) struct buf to = { 0 };
	const char *why;
	buf_str(&to, "before ");
	if (literal_json(text, &scratch, &to, &why) < 0)
		fail_msg("refused: %.*s", (int)text.len, text.p);
	buf_char(&to, '\0');
	assert_string_equal(to.data, json);
}

static void assert_refused(struct slice text)
{
	CLEANUP(dom_done) struct dom scratch = { 0 };
	CLEANUP(buf_done) struct buf to = { 0 };
	const char *why;
	buf_str(&to, "before ");
	if (literal_json(text, &scratch, &to, &why) == 0)
		fail_msg("taken: %.*s: %.*s", (int)text.len, text.p, (int)to.len, to.data);
	assert_int_equal(to.len, strlen("before ")); /* nothing of it is left */
}

#define BECOMES(text, json) assert_becomes(SLICE_LIT(text), "before " json)
#define REFUSED(text) assert_refused(SLICE_LIT(text))

static void test_json_stays_as_it_is(void **state)
{
	(void)state;
	BECOMES("{\"a\": [1, 2.50, null]}", "{\"a\": [1, 2.50, null]}");
	BECOMES("{\"big\": 12345678901234567890123}", "{\"big\": 12345678901234567890123}");
	BECOMES("\"\\u00e9\"", "\"\\u00e9\"");
}

static void test_python(void **state)
{
	(void)state;
	BECOMES("{'a': 'b'}", "{\"a\":\"b\"}");
	BECOMES("{'a': None, 'b': True, 'c': False}", "{\"a\":null,\"b\":true,\"c\":false}");
	BECOMES("{'t': (1, 2.5), 'l': [1,], 'e': (), 'n': {}}", "{\"t\":[1,2.5],\"l\":[1],\"e\":[],\"n\":{}}");
	BECOMES("{'it': \"it's\", 'q': 'say \"x\"'}", "{\"it\":\"it's\",\"q\":\"say \\\"x\\\"\"}");
	BECOMES("'\\n\\t\\\\ \\x41\\u00e9\\U0001F600'", "\"\\n\\t\\\\ A\xc3\xa9\xf0\x9f\x98\x80\"");
	BECOMES("{'n': -1e-05, 'm': 12345678901234567890}", "{\"n\":-1e-05,\"m\":12345678901234567890}");
	BECOMES(" { 'a' : 1 , } ", "{\"a\":1}");
}

static void test_neither(void **state)
{
	(void)state;
	REFUSED("");
	REFUSED("   ");
	REFUSED("{'a': 1");
	REFUSED("{'a' 1}");
	REFUSED("{'a': }");
	REFUSED("{1: 2}"); /* JSON has no such key: nothing is guessed */
	REFUSED("{'a': 1} tail");
	REFUSED("[1 2]");
	REFUSED("[1)");
	REFUSED("nan");
	REFUSED("{'a': inf}");
	REFUSED("{'a': 0x10}");
	REFUSED("{'a': __import__('os')}");
	REFUSED("datetime.date(2026, 1, 1)");
	REFUSED("'open");
	REFUSED("'line\nbreak'");
	REFUSED("'\\q'");
	REFUSED("'\\x4'");
	REFUSED("'\\ud800'");      /* half of a character */
	REFUSED("'\\U00110000'");
	REFUSED("'\xff'");
	REFUSED("{'a': 1}\0");
}

/* As deep as JSON may be, and not deeper. */
static void test_depth(void **state)
{
	CLEANUP(buf_done) struct buf deep = { 0 };
	(void)state;
	buf_str(&deep, "['x'");
	for (int i = 0; i < 100000; i++)
		buf_str(&deep, ",(");
	assert_refused(buf_slice(&deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_stays_as_it_is),
		cmocka_unit_test(test_python),
		cmocka_unit_test(test_neither),
		cmocka_unit_test(test_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
