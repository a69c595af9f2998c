/* test_yaml.c - the YAML tree: positions, and everything it refuses. */
#include "config/yaml.h"
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct yaml_node *parse(const char *text)
{
	struct yaml_node *n = NULL;
	struct err err = { 0 };
	if (yaml_parse("t.yaml", slice_of(text), &n, &err) < 0)
		fail_msg("%s", err.text);
	return n;
}

static void refused(struct slice text, const char *message)
{
	struct yaml_node *n = NULL;
	struct err err = { 0 };
	assert_int_equal(yaml_parse("t.yaml", text, &n, &err), -1);
	assert_null(n);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, message);
}

static void test_nodes_know_line_and_column(void **state)
{
	(void)state;
	struct yaml_node *n = parse("# comment\na: 1\nb:\n  - x\n  - {c: 'two words'}\n");
	assert_int_equal(n->kind, YAML_MAP);
	assert_int_equal(n->count, 2);
	assert_string_equal(n->keys[1]->text, "b");
	assert_int_equal(n->keys[1]->line, 3);
	assert_int_equal(n->keys[1]->column, 1);
	const struct yaml_node *c = yaml_get(yaml_get(n, "b")->values[1], "c");
	assert_string_equal(c->text, "two words");
	assert_int_equal(c->line, 5);
	assert_int_equal(c->column, 9);
	yaml_node_free(n);
}

static void test_get_of_an_unknown_key_is_null(void **state)
{
	(void)state;
	struct yaml_node *n = parse("a: [1]");
	assert_null(yaml_get(n, "b"));
	assert_null(yaml_get(yaml_get(n, "a"), "a"));
	assert_null(yaml_get(NULL, "a"));
	yaml_node_free(n);
}

static void test_a_value_may_be_empty(void **state)
{
	(void)state;
	struct yaml_node *n = parse("a:\nb: []\nc: {}\n");
	assert_string_equal(yaml_get(n, "a")->text, "");
	assert_int_equal(yaml_get(n, "b")->count, 0);
	assert_int_equal(yaml_get(n, "c")->count, 0);
	yaml_node_free(n);
}

static void test_a_byte_order_mark_is_no_part_of_the_first_key(void **state)
{
	(void)state;
	struct yaml_node *n = parse("\xEF\xBB\xBF" "a: 1\nb: 2\n");
	assert_non_null(yaml_get(n, "a"));
	assert_int_equal(n->keys[0]->column, 1);
	assert_non_null(yaml_get(n, "b"));
	yaml_node_free(n);
}

static void test_syntax_errors_name_their_place(void **state)
{
	(void)state;
	refused(SLICE_LIT("a: [1, 2\nb: 3\n"),
		"t.yaml:2:2: YAML: while parsing a flow sequence, did not find expected ',' or ']'");
	refused(SLICE_LIT("a:\n\t- 1\n"),
		"t.yaml:2:1: YAML: while scanning for the next token, found character that cannot start any token");
}

static void test_broken_utf8_names_its_place(void **state)
{
	(void)state;
	refused(SLICE_LIT("a: 1\nbc: \xff\n"), "t.yaml:2:5: YAML: invalid leading UTF-8 octet");
}

static void test_duplicate_keys_are_refused(void **state)
{
	(void)state;
	refused(SLICE_LIT("a: 1\nb: 2\na: 3\n"), "t.yaml:3:1: the key 'a' was given before, in line 1; keep one");
}

static void test_aliases_and_tags_are_refused(void **state)
{
	(void)state;
	static const char why[] =
		"anchors (&), aliases (*) and tags (!) are not supported here; quote the text if it is a value, or "
		"write it out";
	static const struct {
		const char *text, *at;
	} cases[] = { { "a: &x 1", "1:4" }, { "a: *x", "1:4" }, { "a: !!str 1", "1:4" }, { "a: !t [1]", "1:4" },
		{ "- &m {a: 1}", "1:3" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf_done) struct buf want = { 0 };
		buf_printf(&want, "t.yaml:%s: %s", cases[i].at, why);
		refused(slice_of(cases[i].text), want.data);
	}
}

static void test_a_second_document_is_refused(void **state)
{
	(void)state;
	refused(SLICE_LIT("a: 1\n---\nb: 2\n"), "t.yaml:2:1: a second document begins here; keep one");
}

static void test_an_empty_file_is_refused(void **state)
{
	(void)state;
	refused(SLICE_LIT(""), "t.yaml:1:1: the file is empty");
	refused(SLICE_LIT("# only a comment\n"), "t.yaml:2:1: the file is empty");
}

static void test_keys_must_be_text(void **state)
{
	(void)state;
	refused(SLICE_LIT("? [a]\n: 1\n"), "t.yaml:1:3: a key must be plain text");
}

static void test_nul_is_refused(void **state)
{
	(void)state;
	refused(SLICE_LIT("a: \"x\\0y\"\n"), "t.yaml:1:4: a NUL character cannot be part of a value");
}

static void test_depth_is_limited(void **state)
{
	(void)state;
	refused(SLICE_LIT("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), "t.yaml:1:17: nested too deep");
	struct yaml_node *n = parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
	yaml_node_free(n);
}

static void test_the_number_of_values_is_limited(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text = { 0 };
	for (int i = 0; i < 70000; i++)
		buf_str(&text, "- 1\n");
	refused(buf_slice(&text), "t.yaml:65536:3: too many values in one file");
}

static void test_size_is_limited(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text = { 0 };
	memset(buf_grow(&text, 1 << 21), '#', 1 << 21);
	text.len = 1 << 21;
	refused(buf_slice(&text), "t.yaml: larger than 1048576 bytes");
}

static void test_a_missing_file_can_be_tried_again(void **state)
{
	(void)state;
	struct yaml_node *n = NULL;
	struct err err = { 0 };
	assert_int_equal(yaml_load("/nonexistent/inlet.yaml", &n, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "/nonexistent/inlet.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes_know_line_and_column),
		cmocka_unit_test(test_get_of_an_unknown_key_is_null),
		cmocka_unit_test(test_a_value_may_be_empty),
		cmocka_unit_test(test_a_byte_order_mark_is_no_part_of_the_first_key),
		cmocka_unit_test(test_syntax_errors_name_their_place),
		cmocka_unit_test(test_broken_utf8_names_its_place),
		cmocka_unit_test(test_duplicate_keys_are_refused),
		cmocka_unit_test(test_aliases_and_tags_are_refused),
		cmocka_unit_test(test_a_second_document_is_refused),
		cmocka_unit_test(test_an_empty_file_is_refused),
		cmocka_unit_test(test_keys_must_be_text),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_the_number_of_values_is_limited),
		cmocka_unit_test(test_size_is_limited),
		cmocka_unit_test(test_a_missing_file_can_be_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
