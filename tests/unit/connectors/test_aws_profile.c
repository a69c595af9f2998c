/* test_aws_profile.c - AWS's files as people write them, the words of a credential_process, and the answers' times. */
#include "connectors/aws_answer.h"
#include "connectors/helper.h"
#include "connectors/aws_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define PARSE(f, text) aws_profile_file_parse(f, "file", SLICE_LIT(text), &(struct err){ 0 })

static void assert_value(const struct aws_profile_file *f, const char *profile, const char *name, const char *value)
{
	struct slice got = aws_profile_file_get(f, slice_of(profile), name);
	assert_int_equal(got.len, strlen(value));
	assert_memory_equal(got.p ? got.p : "", value, got.len);
}

static void test_profiles_of_both_spellings(void **state)
{
	struct aws_profile_file f;
	(void)state;
	assert_int_equal(PARSE(&f, "# c\n; c\n[default]\r\nAWS_Access_Key_Id = A\r\naws_secret_access_key=b=c+/=\n\n"
		"[profile lab]\nregion = eu-west-1 # here\nregion = eu-west-2\n[ empty ] ; c\n"), 0);
	assert_value(&f, "default", "aws_access_key_id", "A");
	assert_value(&f, "default", "aws_secret_access_key", "b=c+/=");
	assert_value(&f, "lab", "region", "eu-west-2");
	assert_value(&f, "lab", "output", "");
	assert_true(aws_profile_file_has(&f, SLICE_LIT("empty")));
	assert_false(aws_profile_file_has(&f, SLICE_LIT("profile lab")));
	aws_profile_file_done(&f);
}

static void test_nested_settings_and_other_sections_are_passed_over(void **state)
{
	struct aws_profile_file f;
	(void)state;
	assert_int_equal(PARSE(&f, "[profile x]\ns3 =\n  region = no\n\tnot even a setting\nregion = yes\n[sso-session default]\n"
		"region = no\n[services default]\nregion = no\n"), 0);
	assert_value(&f, "x", "region", "yes");
	assert_false(aws_profile_file_has(&f, SLICE_LIT("default")));
	aws_profile_file_done(&f);
}

static void test_a_bad_line_is_named_by_number_not_shown(void **state)
{
	struct aws_profile_file f;
	struct err err;
	(void)state;
	assert_int_equal(aws_profile_file_parse(&f, "/x/credentials", SLICE_LIT("[default]\nSECRETVALUE\n"), &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_non_null(strstr(err.text, "/x/credentials, line 2"));
	assert_null(strstr(err.text, "SECRET"));
	assert_int_equal(PARSE(&f, "[open\n"), -1);
	assert_int_equal(PARSE(&f, "[]\n"), -1);
	assert_int_equal(PARSE(&f, "[a] trailing\n"), -1);
	assert_int_equal(PARSE(&f, "[a]\n= value\n"), -1);
}

static void test_a_file_that_is_missing_is_empty(void **state)
{
	struct aws_profile_file f;
	struct err err;
	(void)state;
	assert_int_equal(aws_profile_file_load(&f, "/nonexistent/aws/credentials", &err), 0);
	assert_false(f.found);
	aws_profile_file_done(&f);
	assert_int_equal(aws_profile_file_load(&f, "/", &err), -1); /* there, and no file */
}

static void assert_words(const char *command, size_t count, const char *const *expected)
{
	char **words = NULL;
	assert_int_equal(helper_words(slice_of(command), &words), 0);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(words[i], expected[i]);
	assert_null(words[count]);
	free(words);
}

static void test_words_as_a_shell_splits_them(void **state)
{
	char **words = NULL;
	(void)state;
	assert_words(" /opt/x  a\tb ", 3, (const char *const[]){ "/opt/x", "a", "b" });
	assert_words("'/opt/my prog' \"a \\\" b\" c\\ d '' e'f'\"g\"", 5,
		(const char *const[]){ "/opt/my prog", "a \" b", "c d", "", "efg" });
	assert_words("p $HOME ; `id` | x", 6, (const char *const[]){ "p", "$HOME", ";", "`id`", "|", "x" });
	assert_words("p \"a\\nb\"", 2, (const char *const[]){ "p", "a\\nb" });
	assert_int_equal(helper_words(SLICE_LIT("p 'open"), &words), -1);
	assert_int_equal(helper_words(SLICE_LIT("  "), &words), -1);
	assert_int_equal(helper_words(SLICE_LIT("'' x"), &words), -1);
}

static void test_too_many_words_are_refused(void **state)
{
	char text[2 * (HELPER_WORDS + 1)];
	char **words = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ' ' : 'x';
	assert_int_equal(helper_words((struct slice){ text, sizeof(text) - 2 }, &words), 0);
	free(words);
	assert_int_equal(helper_words((struct slice){ text, sizeof(text) }, &words), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles_of_both_spellings),
		cmocka_unit_test(test_nested_settings_and_other_sections_are_passed_over),
		cmocka_unit_test(test_a_bad_line_is_named_by_number_not_shown),
		cmocka_unit_test(test_a_file_that_is_missing_is_empty),
		cmocka_unit_test(test_words_as_a_shell_splits_them),
		cmocka_unit_test(test_too_many_words_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
