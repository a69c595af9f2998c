/* test_problem.c - error documents and the status they go with. */
#include "daemon/api/problem.h"
#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_document(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text = { 0 };
	problem_json(404, "there is no item 7", &text);
	assert_string_equal(text.data,
		"{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"there is no item "
		"7\"}\n");
}

static void test_detail_cut_in_a_character_stays_json(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text = { 0 };
	problem_json(500, "file \xc3", &text);
	assert_non_null(strstr(text.data, "\"detail\":\"file \\\\xc3\""));
}

static void test_class_decides_status(void **state)
{
	(void)state;
	assert_int_equal(problem_status(&(struct err){ .class = ERR_REJECT }, 404), 404);
	assert_int_equal(problem_status(&(struct err){ .class = ERR_REJECT }, 409), 409);
	assert_int_equal(problem_status(&(struct err){ .class = ERR_RETRY }, 404), 503);
	assert_int_equal(problem_status(&(struct err){ .class = ERR_FATAL }, 404), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_detail_cut_in_a_character_stays_json),
		cmocka_unit_test(test_class_decides_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
