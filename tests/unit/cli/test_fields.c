/* test_fields.c - members of answers: bytes that are no text come as NAME_base64, and are seen all the same. */
#include "daemon/cli/fields.h"

#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_printed(const json_t *object, const char *name, const char *text)
{
	CLEANUP(buf_done) struct buf to = { 0 };
	field_printable(object, name, &to);
	buf_char(&to, '\0');
	assert_string_equal(to.data, text);
}

static void test_bytes_and_texts_read_alike(void **state)
{
	(void)state;
	json_t *answer = json_pack("{s:s,s:s,s:s,s:i}", "file", "a\033[1mb", "key_base64", "/y8=", "cure", "", "line", 7);
	assert_true(field_has(answer, "file"));
	assert_true(field_has(answer, "key"));
	assert_false(field_has(answer, "cure"));
	assert_false(field_has(answer, "line"));
	assert_false(field_has(answer, "absent"));
	assert_printed(answer, "file", "a\\x1b[1mb");
	assert_printed(answer, "key", "\\xff/");
	assert_printed(answer, "cure", "");
	assert_printed(answer, "absent", "");
	assert_int_equal(field_u64(answer, "line"), 7);
	assert_int_equal(field_u64(answer, "file"), 0);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bytes_and_texts_read_alike) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
