/* test_import_body.c - bodies of rows: what means the same is written the same, geometry stays as it came, the rest is refused. */
#include "daemon/base/cleanup.h"
#include "daemon/model/import_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_written(const char *text, const char *expected)
{
	CLEANUP(buf_done) struct buf to = { 0 };
	struct err err = { 0 };
	if (import_body_write(slice_of(text), &to, &err) < 0)
		fail_msg("%s\n%s", text, err.text);
	assert_string_equal(to.data, expected);
}

static void test_one_spelling(void **state)
{
	(void)state;
	assert_written("{\"labels\":[],\"at\":\"text\"}", "{\"at\":\"text\"}");
	assert_written("{\"at\":\"text\",\"metadata\":{\n\"a\":\r\n1}}", "{\"at\":\"text\",\"metadata\":{ \"a\":  1}}");
	assert_written(
		" { \"labels\" : [ { \"status\":\"ANNOTATION_SUCCESS\", \"concept\":\"c,]\\\"\", \"maker\":\"unknown\" } , "
		"{\"concept\":\"d\",\"confidence\":0.50} ], \"split\":\"train\", \"where\":\"a/b\", \"at\":\"path\" }",
		"{\"at\":\"path\",\"where\":\"a/b\",\"split\":\"train\",\"labels\":[{\"concept\":\"c,]\\\"\"},"
		"{\"concept\":\"d\",\"confidence\":0.5}]}");
}

static void test_what_came_stays_as_it_came(void **state)
{
	(void)state;
	static const char body[] = "{\"at\":\"url\",\"where\":\"http://h/\",\"media\":\"image\",\"metadata\":{\"a\": [1.0, 1e2]},"
				   "\"unreadable\":\"{'a': b}\",\"attributes\":{\"id\": 90071992547409931234567},\"labels\":[{\"concept\":\"c\",\"confidence\":0.12345678901234567,"
				   "\"status\":\"ANNOTATION_AWAITING_REVIEW\",\"maker\":\"machine\",\"worker\":\"m1\","
				   "\"geometry\":{\"kind\":\"box\",\"box\":[1, 2.50,3,-0]},\"attributes\":{\"iscrowd\":0}}]}";
	CLEANUP(buf_done) struct buf to = { 0 };
	CLEANUP(buf_done) struct buf again = { 0 };
	struct err err;
	assert_int_equal(import_body_write(slice_of(body), &to, &err), 0);
	assert_non_null(strstr(to.data, "\"geometry\":{\"kind\":\"box\",\"box\":[1, 2.50,3,-0]}"));
	assert_non_null(strstr(to.data, "\"metadata\":{\"a\": [1.0, 1e2]}"));
	assert_non_null(strstr(to.data, "\"attributes\":{\"id\": 90071992547409931234567}"));
	assert_int_equal(import_body_write(buf_slice(&to), &again, &err), 0);
	assert_string_equal(again.data, to.data);
}

static void test_whose_word_it_is(void **state)
{
	(void)state;
	assert_true(import_body_is(SLICE_LIT("{\"at\":\"sidecar\",\"where\":\"a.json\"}"), BODY_SIDECAR));
	assert_true(import_body_is(SLICE_LIT("{\"at\":\"directory\"}"), BODY_DIRECTORY));
	static const char *const others[] = { "", "{}", "{\"at\":\"side", "{\"at\":\"sidecar", "{\"at\":\"sidecars\"}", "{\"at\":\"directory\"}",
		"{\"where\":\"sidecar\"}" };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(import_body_is(slice_of(others[i]), BODY_SIDECAR));
	assert_written("{\"where\":\"a.json\",\"at\":\"sidecar\"}", "{\"at\":\"sidecar\",\"where\":\"a.json\"}");
}

static void test_labels_are_read(void **state)
{
	(void)state;
	struct label_walk w = { .rest = SLICE_LIT("[{\"concept\":\"a\",\"maker\":\"human\"},{\"concept\":\"b\",\"confidence\":2,"
						  "\"geometry\":{\"x\":[[]]}}]") };
	struct label l;
	struct err err;
	assert_int_equal(label_next(&w, &l, &err), 1);
	assert_true(slice_eq(l.concept, SLICE_LIT("a")) && l.maker == BY_HUMAN && l.confidence < 0 && l.status == STATUS_SUCCESS);
	assert_int_equal(label_next(&w, &l, &err), 1);
	assert_true(slice_eq(l.concept, SLICE_LIT("b")) && l.confidence == 2 && slice_eq(l.geometry, SLICE_LIT("{\"x\":[[]]}")));
	assert_int_equal(label_next(&w, &l, &err), 0);
	label_walk_done(&w);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct { const char *text, *why; } rows[] = {
		{ "", "row: not JSON" },
		{ "[]", "row: not a JSON object" },
		{ "{}", "member 'at' is missing" },
		{ "{\"at\":\"moon\"}", "member 'at' has an unknown value" },
		{ "{\"at\":\"text\",\"metadata\":[]}", "member 'metadata' is not an object" },
		{ "{\"at\":\"text\",\"labels\":{}}", "member 'labels' is not a list" },
		{ "{\"at\":\"text\",\"labels\":[7]}", "label: not" },
		{ "{\"at\":\"text\",\"labels\":[{}]}", "member 'concept' is missing" },
		{ "{\"at\":\"text\",\"labels\":[{\"concept\":\"\"}]}", "member 'concept' is empty" },
		{ "{\"at\":\"text\",\"labels\":[{\"concept\":\"a\",\"status\":\"GOOD\"}]}", "member 'status' has an unknown value" },
		{ "{\"at\":\"text\",\"labels\":[{\"concept\":\"a\",\"maker\":\"cat\"}]}", "member 'maker' has an unknown value" },
		{ "{\"at\":\"text\",\"labels\":[{\"concept\":\"a\",\"x\":1}]}", "member 'x' is not known" },
		{ "{\"at\":\"text\",\"x\":1}", "member 'x' is not known" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP(buf_done) struct buf to = { 0 };
		struct err err = { 0 };
		assert_int_equal(import_body_write(slice_of(rows[i].text), &to, &err), -1);
		assert_int_equal(err.class, ERR_REJECT);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void test_failed_rows_read_back(void **state)
{
	(void)state;
	const struct import_failure f = { .column = 7, .offset = 120, .retry = true, .values = SLICE_LIT("{\"a\":\"b\"}"),
		.raw = SLICE_LIT("a,\xff"), .cut = true };
	CLEANUP(buf_done) struct buf to = { 0 };
	struct json j = { .to = &to };
	struct import_failure back;
	CLEANUP(buf_done) struct buf again = { 0 };
	struct reader r;
	struct err err;
	import_failure_put(&j, NULL, &f);
	assert_int_equal(import_failure_write(buf_slice(&to), &again, &err), 0);
	assert_string_equal(again.data, to.data);
	assert_int_equal(import_failure_read(buf_slice(&to), &r, &back, &err), 0);
	assert_true(back.column == 7 && back.offset == 120 && back.retry && back.cut && slice_eq(back.raw, f.raw) &&
		slice_eq(back.values, f.values));
	reader_done(&r);
}

static void test_further_rows_of_a_failed_one(void **state)
{
	static const char text[] = "{\"column\":1,\"offset\":9,\"raw\":\"a\",\"url\":\"https://h/a\",\"more\":[{\"line\":3,\"column\":1,"
		"\"offset\":20,\"values\":{\"x\":1},\"raw\":\"b\"},{\"line\":7,\"column\":1,\"offset\":70,\"raw\":\"c\",\"cut\":true}]}";
	static const char *const wrong[] = { "{\"more\":{}}", "{\"more\":[7]}", "{\"more\":[{\"raw\":\"b\"}]}",
		"{\"more\":[{\"line\":3,\"raw\":\"b\",\"more\":[{\"line\":4}]}]}", "{\"more\":[{\"line\":3,\"x\":1}]}" };
	CLEANUP(buf_done) struct buf to = { 0 };
	struct import_failure f, further;
	struct reader r, s;
	struct err err;
	(void)state;
	assert_int_equal(import_failure_write(slice_of(text), &to, &err), 0);
	assert_int_equal(import_failure_read(buf_slice(&to), &r, &f, &err), 0);
	assert_true(import_failure_next(&f.more, &s, &further));
	assert_true(further.line == 3 && further.offset == 20 && slice_eq(further.raw, SLICE_LIT("b")) &&
		slice_eq(further.values, SLICE_LIT("{\"x\":1}")));
	reader_done(&s);
	assert_true(import_failure_next(&f.more, &s, &further));
	assert_true(further.line == 7 && further.cut);
	reader_done(&s);
	assert_false(import_failure_next(&f.more, &s, &further));
	reader_done(&r);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(import_failure_write(slice_of(wrong[i]), &to, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_what_came_stays_as_it_came),
		cmocka_unit_test(test_whose_word_it_is),
		cmocka_unit_test(test_labels_are_read),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_failed_rows_read_back),
		cmocka_unit_test(test_further_rows_of_a_failed_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
