/* test_request.c - paths, queries and bodies as clients send them, and what is refused. */
#include "daemon/api/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const known[] = { "concept", "limit", "all", NULL };

static void test_path_with_a_number(void **state)
{
	(void)state;
	uint64_t id = 99;
	assert_true(path_match("/api/v1/items/#/accept", "/api/v1/items/7/accept", &id));
	assert_int_equal(id, 7);
	assert_true(path_match("/api/v1/items/#", "/api/v1/items/18446744073709551615", &id));
	assert_true(id == UINT64_MAX);
	assert_true(path_match("/api/v1/items", "/api/v1/items", &id));
}

static void test_path_that_does_not_fit(void **state)
{
	(void)state;
	uint64_t id = 99;
	static const char *const wrong[] = { "/api/v1/items/", "/api/v1/items/0", "/api/v1/items/-1",
		"/api/v1/items/7x", "/api/v1/items/7/", "/api/v1/items/18446744073709551616", "/api/v1/item/7", "", "/",
		"/api/v1/items/ 7" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(path_match("/api/v1/items/#", wrong[i], &id));
	assert_int_equal(id, 99);
}

static void test_body_must_be_an_object(void **state)
{
	(void)state;
	struct json_t *body = NULL;
	struct err err;
	static const char *const wrong[] = { "[1]", "7", "{", "{\"a\":1,\"a\":2}", "{}x", "null" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(body_parse(slice_of(wrong[i]), &body, &err), -1);
		assert_int_equal(err.class, ERR_REJECT);
		assert_null(body);
	}
	assert_int_equal(body_parse((struct slice){ 0 }, &body, &err), 0);
	body_free(body);
}

static void test_members_by_type(void **state)
{
	(void)state;
	struct request r = { 0 };
	struct err err;
	struct slice concept = { 0 };
	bool all = false;
	uint64_t limit = 5;
	assert_int_equal(body_parse(slice_of("{\"concept\":\"tabby\",\"all\":true,\"limit\":20}"), &r.body, &err), 0);
	assert_int_equal(request_check(&r, known, &err), 0);
	assert_int_equal(body_str(&r, "concept", &concept, &err), 0);
	assert_true(slice_eq(concept, slice_of("tabby")));
	assert_int_equal(body_bool(&r, "all", &all, &err), 0);
	assert_true(all);
	assert_int_equal(body_u64(&r, "limit", 1, 20, &limit, &err), 0);
	assert_int_equal(limit, 20);
	assert_int_equal(body_u64(&r, "limit", 1, 19, &limit, &err), -1);
	assert_string_equal(err.text, "member 'limit' takes a number from 1 to 19");
	assert_int_equal(body_u64(&r, "absent", 1, 19, &limit, &err), 0);
	assert_int_equal(limit, 20);
	assert_int_equal(body_bool(&r, "concept", &all, &err), -1);
	assert_int_equal(body_str(&r, "all", &concept, &err), -1);
	body_free(r.body);
}

static void test_unknown_names_are_refused(void **state)
{
	(void)state;
	struct request r = { .query = { { "limits", "5" } }, .query_count = 1 };
	struct err err;
	assert_int_equal(request_check(&r, known, &err), -1);
	assert_string_equal(err.text, "unknown parameter 'limits'; did you mean 'limit'?");
	r.query_count = 0;
	assert_int_equal(body_parse(slice_of("{\"al\":true}"), &r.body, &err), 0);
	assert_int_equal(request_check(&r, known, &err), -1);
	assert_string_equal(err.text, "unknown member 'al'; did you mean 'all'?");
	body_free(r.body);
}

static void test_a_parameter_given_twice_is_refused(void **state)
{
	(void)state;
	const struct request r = { .query = { { "limit", "5" }, { "limit", "6" } }, .query_count = 2 };
	struct err err;
	assert_int_equal(request_check(&r, known, &err), -1);
	assert_string_equal(err.text, "parameter 'limit' is given twice");
}

static void test_query_values(void **state)
{
	(void)state;
	const struct request r = { .query = { { "limit", "12" }, { "full", "true" }, { "by", "reference" },
					   { "bad", "-1" }, { "empty", NULL } },
		.query_count = 5 };
	static const char *const choices[] = { "item", "reference", NULL };
	struct err err;
	uint64_t limit = 0;
	bool full = false;
	int by = 0;
	assert_int_equal(query_u64(&r, "limit", 1, 100, &limit, &err), 0);
	assert_int_equal(limit, 12);
	assert_int_equal(query_u64(&r, "bad", 1, 100, &limit, &err), -1);
	assert_int_equal(query_u64(&r, "empty", 1, 100, &limit, &err), -1);
	assert_int_equal(query_bool(&r, "full", &full, &err), 0);
	assert_true(full);
	assert_int_equal(query_choice(&r, "by", choices, &by, &err), 0);
	assert_int_equal(by, 1);
	assert_int_equal(query_choice(&r, "limit", choices, &by, &err), -1);
	assert_string_equal(err.text, "parameter 'limit' takes one of item, reference");
	assert_null(query_get(&r, "absent"));
}

static void test_etags(void **state)
{
	(void)state;
	assert_true(etag_match("\"abc\"", "\"abc\""));
	assert_true(etag_match("\"x\", W/\"abc\" , \"y\"", "\"abc\""));
	assert_true(etag_match("*", "\"abc\""));
	assert_false(etag_match("\"ab\"", "\"abc\""));
	assert_false(etag_match("\"abcd\"", "\"abc\""));
	assert_false(etag_match(NULL, "\"abc\""));
	assert_false(etag_match("", "\"abc\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_with_a_number),
		cmocka_unit_test(test_path_that_does_not_fit),
		cmocka_unit_test(test_body_must_be_an_object),
		cmocka_unit_test(test_members_by_type),
		cmocka_unit_test(test_unknown_names_are_refused),
		cmocka_unit_test(test_a_parameter_given_twice_is_refused),
		cmocka_unit_test(test_query_values),
		cmocka_unit_test(test_etags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
