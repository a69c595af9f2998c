/* test_option.c - one table row gives parsing, range, default, help and did-you-mean. */
#include "config/option.h"
#include "daemon/base/cleanup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

enum colour { RED, GREEN };
struct sample {
	bool flag;
	uint32_t count;
	uint64_t big, size, age;
	float share, none;
	char *text, *path;
	int colour;
	char **names;
	const struct yaml_node *part;
};
static const char *const colours[] = { "red", "green", NULL };
#define AT(member) offsetof(struct sample, member)
static const struct option table[] = {
	{ "flag", OPTION_BOOL, AT(flag), 0, 0, "on", NULL, "a switch" },
	{ "count", OPTION_U32, AT(count), 1, 128, "32", NULL, "a number" },
	{ "big", OPTION_U64, AT(big), 0, 0, "7", NULL, "a large number" },
	{ "size", OPTION_BYTES, AT(size), 4096, INFINITY, "1MiB", NULL, "a size" },
	{ "age", OPTION_DURATION, AT(age), 0, 0, "2s", NULL, "a time" },
	{ "share", OPTION_FLOAT, AT(share), 0, 1, "0.5", NULL, "a share" },
	{ "none", OPTION_FLOAT, AT(none), 0, 1, "", NULL, "a share that may be absent" },
	{ "text", OPTION_STRING, AT(text), 0, 0, "", NULL, "a text" },
	{ "path", OPTION_PATH, AT(path), 0, 0, "", NULL, "a path" },
	{ "colour", OPTION_ENUM, AT(colour), 0, 0, "green", colours, "a choice" },
	{ "names", OPTION_STRINGS, AT(names), 0, 0, "", NULL, "a list" },
	{ "part", OPTION_NODE, AT(part), 0, 0, "", NULL, "a section" },
	{ 0 },
};
static const struct option required_table[] = {
	{ "text", OPTION_STRING, AT(text), 0, 0, NULL, NULL, "what must be said" },
	{ 0 },
};
static const struct option_place place = { .file = "t.yaml", .dir = "/etc/inlet", .prefix = "part[0]" };

static struct yaml_node *parse(const char *text)
{
	struct yaml_node *n = NULL;
	struct err err = { 0 };
	if (yaml_parse("t.yaml", slice_of(text), &n, &err) < 0)
		fail_msg("%s", err.text);
	return n;
}

/* The tree must outlive what is read when a NODE is looked at; nobody here does after it. */
static struct sample read_sample(const char *text)
{
	struct yaml_node *n = parse(text);
	struct sample s = { 0 };
	struct err err = { 0 };
	if (option_read(table, n, &place, &s, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	yaml_node_free(n);
	return s;
}

static void refused(const char *text, const char *message)
{
	struct yaml_node *n = parse(text);
	struct sample s = { 0 };
	struct err err = { 0 };
	assert_int_equal(option_read(table, n, &place, &s, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, message);
	option_free(table, &s);
	yaml_node_free(n);
}

static void test_defaults_fill_what_is_absent(void **state)
{
	(void)state;
	struct sample s = read_sample("{}");
	assert_true(s.flag);
	assert_int_equal(s.count, 32);
	assert_int_equal(s.big, 7);
	assert_int_equal(s.size, 1 << 20);
	assert_int_equal(s.age, 2000);
	assert_true(s.share == 0.5F);
	assert_true(isnan(s.none));
	assert_null(s.text);
	assert_null(s.path);
	assert_int_equal(s.colour, GREEN);
	assert_non_null(s.names);
	assert_null(s.names[0]);
	assert_null(s.part);
	option_free(table, &s);
}

static void test_no_map_is_an_empty_map(void **state)
{
	(void)state;
	struct sample s = { 0 };
	assert_int_equal(option_read(table, NULL, &place, &s, NULL), 0);
	assert_int_equal(s.count, 32);
	option_free(table, &s);
}

static void test_values_replace_defaults(void **state)
{
	(void)state;
	struct sample s = read_sample(
		"{flag: No, count: 128, big: 18446744073709551615, share: 2.5e-1, text: 'a b', colour: red, "
		"names: [x, 'y z']}");
	assert_false(s.flag);
	assert_int_equal(s.count, 128);
	assert_true(s.big == UINT64_MAX);
	assert_true(s.share == 0.25F);
	assert_string_equal(s.text, "a b");
	assert_int_equal(s.colour, RED);
	assert_string_equal(s.names[0], "x");
	assert_string_equal(s.names[1], "y z");
	assert_null(s.names[2]);
	option_free(table, &s);
}

static void test_sizes_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "size: 4096", 4096 },
		{ "size: 4096B", 4096 },
		{ "size: 64MiB", 64ULL << 20 },
		{ "size: 64 MiB", 64ULL << 20 },
		{ "size: 1.5GiB", 3ULL << 29 },
		{ "size: 10GB", 10000000000 },
		{ "size: 5kB", 5000 },
		{ "size: 2TiB", 2ULL << 40 },
		{ "size: 0.25TB", 250000000000 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample s = read_sample(cases[i].text);
		assert_true(s.size == cases[i].bytes);
		option_free(table, &s);
	}
}

static void test_times_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{ "age: 500ms", 500 },
		{ "age: 2s", 2000 },
		{ "age: 1.5s", 1500 },
		{ "age: 5m", 300000 },
		{ "age: 1h", 3600000 },
		{ "age: 7d", 604800000 },
		{ "age: 0", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample s = read_sample(cases[i].text);
		assert_true(s.age == cases[i].ms);
		option_free(table, &s);
	}
}

static void test_paths_start_at_the_file(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "path: inbox", "/etc/inlet/inbox" },
		{ "path: ./inbox", "/etc/inlet/inbox" },
		{ "path: ../inbox/", "/etc/inbox/" },
		{ "path: ../../../x", "/x" },
		{ "path: .", "/etc/inlet" },
		{ "path: ../..", "/" },
		{ "path: /srv/../x", "/srv/../x" },
		{ "path: a/../b", "/etc/inlet/a/../b" },
		{ "path: ...", "/etc/inlet/..." },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample s = read_sample(cases[i].text);
		assert_string_equal(s.path, cases[i].path);
		option_free(table, &s);
	}
}

static void test_an_unknown_key_gets_the_nearest_known(void **state)
{
	(void)state;
	refused("{count: 1,\n  colur: red}", "t.yaml:2:3: part[0].colur: unknown key; did you mean 'colour'?");
}

static void test_an_unknown_key_far_from_all_gets_the_list(void **state)
{
	(void)state;
	refused("frobnicate: 1",
		"t.yaml:1:1: part[0].frobnicate: unknown key; known are: flag, count, big, size, age, share, none, "
		"text, path, colour, names, part");
}

static void test_wrong_values_name_what_is_needed(void **state)
{
	(void)state;
	refused("flag: maybe", "t.yaml:1:7: part[0].flag: 'maybe': needs on or off");
	refused("count: -1", "t.yaml:1:8: part[0].count: '-1': needs a whole number");
	refused("count: 1.5", "t.yaml:1:8: part[0].count: '1.5': needs a whole number");
	refused("count: 0x10", "t.yaml:1:8: part[0].count: '0x10': needs a whole number");
	refused("big: 18446744073709551616", "t.yaml:1:6: part[0].big: '18446744073709551616': needs a whole number");
	refused("size: 64M", "t.yaml:1:7: part[0].size: '64M': needs a size such as 64MiB, 10GB or 4096");
	refused("size: 99999999999TiB",
		"t.yaml:1:7: part[0].size: '99999999999TiB': needs a size such as 64MiB, 10GB or 4096");
	refused("age: 2", "t.yaml:1:6: part[0].age: '2': needs a time with its unit, such as 500ms, 2s, 5m, 1h or 7d");
	refused("age:", "t.yaml:1:5: part[0].age: '': needs a time with its unit, such as 500ms, 2s, 5m, 1h or 7d");
	refused("share: nan", "t.yaml:1:8: part[0].share: 'nan': needs a number");
	refused("share: 1e99", "t.yaml:1:8: part[0].share: '1e99': needs a number");
	refused("colour: blue", "t.yaml:1:9: part[0].colour: 'blue': needs one of red, green");
	refused("text: [1]", "t.yaml:1:7: part[0].text: needs text");
	refused("names: one", "t.yaml:1:8: part[0].names: needs a list of texts, such as [\"*.bak\", \"*.tmp\"]");
	refused("names: [one, {a: 1}]",
		"t.yaml:1:14: part[0].names: needs a list of texts, such as [\"*.bak\", \"*.tmp\"]");
	refused("[1]", "t.yaml:1:1: part[0]: needs keys and values, such as {flag: ...}");
}

static void test_ranges_are_named(void **state)
{
	(void)state;
	refused("count: 129", "t.yaml:1:8: part[0].count: 129 is out of range; allowed: 1..128");
	refused("count: 0", "t.yaml:1:8: part[0].count: 0 is out of range; allowed: 1..128");
	refused("size: 1kB", "t.yaml:1:7: part[0].size: 1kB is out of range; allowed: 4KiB..");
	refused("share: 1.01", "t.yaml:1:8: part[0].share: 1.01 is out of range; allowed: 0..1");
}

static void test_a_required_key_is_asked_for(void **state)
{
	(void)state;
	struct yaml_node *n = parse("{}");
	struct sample s = { 0 };
	struct err err = { 0 };
	assert_int_equal(option_read(required_table, n, &place, &s, &err), -1);
	assert_string_equal(err.text, "t.yaml:1:1: part[0].text: is missing; it has no default (what must be said)");
	yaml_node_free(n);
}

static void test_help_shows_type_range_default(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	assert_non_null(to);
	option_help(table, "part", to);
	(void)fclose(to);
	assert_non_null(strstr(text, "  part.count                 number 1..128            [32] a number\n"));
	assert_non_null(strstr(text, "  part.size                  bytes 4KiB..             [1MiB] a size\n"));
	assert_non_null(strstr(text, "  part.colour                red|green                [green] a choice\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_fill_what_is_absent),
		cmocka_unit_test(test_no_map_is_an_empty_map),
		cmocka_unit_test(test_values_replace_defaults),
		cmocka_unit_test(test_sizes_have_units),
		cmocka_unit_test(test_times_have_units),
		cmocka_unit_test(test_paths_start_at_the_file),
		cmocka_unit_test(test_an_unknown_key_gets_the_nearest_known),
		cmocka_unit_test(test_an_unknown_key_far_from_all_gets_the_list),
		cmocka_unit_test(test_wrong_values_name_what_is_needed),
		cmocka_unit_test(test_ranges_are_named),
		cmocka_unit_test(test_a_required_key_is_asked_for),
		cmocka_unit_test(test_help_shows_type_range_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
