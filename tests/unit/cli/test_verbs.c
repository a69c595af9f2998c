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
		cmocka_unit_test(test_help_needs_no_words),
		cmocka_unit_test(test_every_verb_of_the_contract_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
