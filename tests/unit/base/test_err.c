/* test_err.c - failures carry class, errno and text, and grow context in front. */
#include "daemon/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_set_appends_the_system_reason(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_int_equal(err_set(&err, ERR_RETRY, ENOENT, "open '%s'", "x"), -1);
	assert_string_equal(err.text, "open 'x': No such file or directory");
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(err_set(NULL, ERR_FATAL, 0, "nobody asks"), -1);
}

static void test_wrap_keeps_class_and_puts_context_in_front(void **state)
{
	(void)state;
	struct err err = { 0 };
	(void)err_set(&err, ERR_REJECT, 0, "too large");
	assert_int_equal(err_wrap(&err, "blob '%s'", "ab"), -1);
	assert_string_equal(err.text, "blob 'ab': too large");
	assert_int_equal(err.class, ERR_REJECT);
	assert_int_equal(err_wrap(NULL, "nobody asks"), -1);
}

static void test_its_own_text_can_be_an_argument(void **state)
{
	(void)state;
	struct err err = { 0 };
	(void)err_set(&err, ERR_RETRY, 0, "inner");
	(void)err_set(&err, ERR_FATAL, 0, "gave up after '%s'", err.text);
	assert_string_equal(err.text, "gave up after 'inner'");
}

static void test_long_texts_are_cut_and_terminated(void **state)
{
	(void)state;
	struct err err = { 0 };
	char name[2 * sizeof(err.text)];
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	(void)err_set(&err, ERR_RETRY, EIO, "%s", name);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_wrap(&err, "context");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "context: nnn", 12);
	(void)err_wrap(&err, "%s", name);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_classes_have_names(void **state)
{
	(void)state;
	assert_string_equal(err_class_name(ERR_RETRY), "retry");
	assert_string_equal(err_class_name(ERR_REJECT), "reject");
	assert_string_equal(err_class_name(ERR_FATAL), "fatal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_appends_the_system_reason),
		cmocka_unit_test(test_wrap_keeps_class_and_puts_context_in_front),
		cmocka_unit_test(test_its_own_text_can_be_an_argument),
		cmocka_unit_test(test_long_texts_are_cut_and_terminated),
		cmocka_unit_test(test_classes_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
