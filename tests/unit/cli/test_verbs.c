/* test_verbs.c - the command line against the table of verbs: what is taken, what is refused, and how it is said. */
#include "daemon/cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 12

/* Parses words up to the first NULL; args_done() is the caller's. */
static int parse(struct args *a, struct err *err, const char *const *words)
{
	char *argv[WORDS_MAX] = { (char *)"inlet" };
	int argc = 1;
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	*err = (struct err){ 0 };
	return args_parse(argc, argv, a, err);
}
#define PARSE(a, err, ...) parse(a, err, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_refusal(const char *text, const char *const *words)
{
	struct args a;
	struct err err;
	assert_int_equal(parse(&a, &err, words), -1);
	assert_int_equal(err.class, ERR_REJECT);
	if (!strstr(err.text, text))
		fail_msg("'%s' is not in '%s'", text, err.text);
	args_done(&a);
}
#define REFUSED(text, ...) expect_refusal(text, (const char *const[]){ __VA_ARGS__, NULL })

static void test_globals_before_and_after_the_verb(void **state)
{
	(void)state;
	struct args a;
	struct err err;
	assert_int_equal(PARSE(&a, &err, "--config", "x.yaml", "status", "--json"), 0);
	assert_string_equal(a.verb->name, "status");
	assert_string_equal(a.config, "x.yaml");
	assert_true(a.json);
	args_done(&a);
	assert_int_equal(PARSE(&a, &err, "status", "-c", "y.yaml"), 0);
	assert_string_equal(a.config, "y.yaml");
	args_done(&a);
}

static void test_options_of_a_verb(void **state)
{
	(void)state;
	struct args a;
	struct err err;
	assert_int_equal(
		PARSE(&a, &err, "export", "--format=coco", "--by", "reference", "--review", "-o", "out.json"), 0);
	assert_string_equal(args_option(&a, "format"), "coco");
	assert_string_equal(args_option(&a, "by"), "reference");
	assert_string_equal(args_option(&a, "review"), "");
	assert_string_equal(args_option(&a, "output"), "out.json");
	args_done(&a);
	assert_int_equal(PARSE(&a, &err, "export"), 0);
	assert_null(args_option(&a, "format"));
	args_done(&a);
}

static void test_words_and_the_end_of_options(void **state)
{
	(void)state;
	struct args a;
	struct err err;
	assert_int_equal(PARSE(&a, &err, "label", "--json", "7", "--", "--odd label"), 0);
	assert_int_equal(a.word_count, 2);
	assert_string_equal(a.words[0], "7");
	assert_string_equal(a.words[1], "--odd label");
	args_done(&a);
	assert_int_equal(PARSE(&a, &err, "retry", "o1", "o2", "i3"), 0);
	assert_int_equal(a.word_count, 3);
	args_done(&a);
}

static void test_refusals_say_what_was_meant(void **state)
{
	(void)state;
	REFUSED("unknown verb 'statsu'; did you mean 'status'?", "statsu");
	REFUSED("unknown verb 'xyzzy'; `inlet help`", "xyzzy");
	REFUSED("unknown option '--jason' of 'inlet items'; did you mean '--json'?; see `inlet help items`", "items",
		"--jason");
	REFUSED("did you mean '--state'?", "items", "--stat=routed");
	REFUSED("unknown option '--review'", "items", "--review");
	REFUSED("unknown option '-x'", "-x", "status");
	REFUSED("unknown option '-json'", "-json", "status");
	REFUSED("option '--config' wants FILE", "status", "--config");
	REFUSED("option '--json' takes no value", "status", "--json=1");
	REFUSED("usage: inlet show ID", "show");
	REFUSED("usage: inlet show ID", "show", "1", "2");
	REFUSED("usage: inlet label ID LABEL", "label", "7");
}

/* Before anything is read or asked: the argument, what it takes, what was perhaps meant, and where more is said. */
static void test_values_are_checked(void **state)
{
	(void)state;
	REFUSED("option '--status' takes one of ANNOTATION_SUCCESS, ANNOTATION_AWAITING_REVIEW, ANNOTATION_REVIEW_DENIED, not 'x'; "
		"see `inlet items --help`", "items", "--status", "x");
	REFUSED("option '--state' takes one of committed, parked, normalized, inferred, routed, quarantined, not 'routd'; did you mean "
		"'routed'?; see `inlet items --help`", "items", "--state=routd");
	REFUSED("option '--after' takes the number of an item, not '-1'", "items", "--after=-1");
	REFUSED("option '--limit' takes a number from 1 to 10000, not '10001'", "items", "--limit", "10001");
	REFUSED("option '--limit' takes a number from 1 to 10000, not ''", "failures", "--limit=");
	REFUSED("option '--import' takes the number of an import, as `inlet import` says it, not 'x'; see `inlet failures --help`",
		"failures", "--import", "x");
	REFUSED("option '--after' takes the id of a failure, like o12, i7 or r3.17", "failures", "--after", "12");
	REFUSED("option '--format' takes one of csv, json, not 'tsv'", "failures", "--format", "tsv");
	REFUSED("option '--format' takes one of jsonl, coco, labelstudio, cvat, clarifai, vertex, groundtruth, huggingface, yolo, not 'nope'; "
		"see `inlet export --help`", "export", "--format", "nope");
	REFUSED("option '--by' takes one of item, reference, row, not 'file'", "export", "--by", "file");
	REFUSED("option '--attribute' takes a name of letters, digits and '-', up to 100, not 'a b'", "export", "--attribute", "a b");
	REFUSED("option '--format' takes one of auto, ", "import", "a.csv", "--format", "nope");
	REFUSED(", folder, not 'foldr'; did you mean 'folder'?", "import", "a.csv", "--format", "foldr");
	REFUSED("option '--input' takes one of url, file_path, raw, auto, not 'text'", "import", "a.csv", "--input", "text");
	REFUSED("option '--labels-from' takes one of directory, none, not 'name'", "import", "a", "--labels-from", "name");
	REFUSED("option '--chunk' takes a number of files from 1 to 128, not '0'", "import", "a", "--chunk", "0");
	REFUSED("option '--timeout' takes a number of seconds from 1 to 604800, not 'soon'", "wait", "--timeout", "soon");
	REFUSED("option '--slice' takes I/N with I from 1 to N, like 1/30, not '3/2'", "verify", "--slice", "3/2");
	REFUSED("ID takes the number of an item, as `inlet items` lists them, not 'one'; see `inlet show --help`", "show", "one");
	REFUSED("ID takes the number of an item", "label", "0", "cat");
	REFUSED("ID takes the id of a failure, like o12, i7 or r3.17; `inlet failures` lists them, not 'x7'", "retry", "o1", "x7");
}

static void test_good_values_pass(void **state)
{
	(void)state;
	struct args a;
	struct err err;
	static const char *const good[][5] = { { "items", "--state", "routed", "--after", "0" }, { "failures", "--import", "3", "--after", "r3.17" },
		{ "import", "x", "--format", "folder" }, { "import", "-", "--format", "clarifai" }, { "retry", "o1", "i2", "r3.4" },
		{ "verify", "--slice", "30/30" }, { "show", "--help" }, { "items", "--state", "x", "--help" } };
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const char *words[6] = { NULL };
		memcpy(words, good[i], sizeof(good[i]));
		if (parse(&a, &err, words) < 0)
			fail_msg("%s: %s", good[i][0], err.text);
		args_done(&a);
	}
}

static void test_help_needs_no_words(void **state)
{
	(void)state;
	struct args a;
	struct err err;
	assert_int_equal(PARSE(&a, &err, "show", "--help"), 0);
	assert_true(a.help);
	args_done(&a);
	assert_int_equal(PARSE(&a, &err, "-h"), 0);
	assert_true(a.help);
	assert_null(a.verb);
	args_done(&a);
}

static void test_every_verb_of_the_contract_is_there(void **state)
{
	(void)state;
	static const char *const names[] = { "status", "items", "show", "cat", "accept", "reject", "label", "relabel",
		"failures", "retry", "sync", "wait", "pause", "resume", "export", "verify", "rebuild-index", "doctor",
		"check-config", "sources", "import", "help", "version" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct verb *v = verb_find(names[i]);
		assert_non_null(v);
		assert_non_null(v->run);
		size_t options = 0;
		while (v->options && v->options[options].name)
			options++;
		assert_true(options < VERB_OPTIONS_MAX);
	}
	assert_null(verb_at(sizeof(names) / sizeof(*names)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_globals_before_and_after_the_verb),
		cmocka_unit_test(test_options_of_a_verb),
		cmocka_unit_test(test_words_and_the_end_of_options),
		cmocka_unit_test(test_refusals_say_what_was_meant),
		cmocka_unit_test(test_values_are_checked),
		cmocka_unit_test(test_good_values_pass),
		cmocka_unit_test(test_help_needs_no_words),
		cmocka_unit_test(test_every_verb_of_the_contract_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
