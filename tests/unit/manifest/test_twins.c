/* test_twins.c - names that come more than once, among very many that do not. */
#include "daemon/base/mem.h"
#include "daemon/manifest/twins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct slice number(char to[24], unsigned n)
{
	(void)snprintf(to, 24, "%u.jpg", n);
	return slice_of(to);
}

static void test_only_the_second_one_is_told_of_the_first(void **state)
{
	(void)state;
	CLEANUP(twins_freep) struct twins *t = twins_new();
	static const char *const names[] = { "a", "b", "a", "c", "a", "", "b" };
	static const char *const ids[] = { "1", "2", "3", "4", "5", "6", "7" };
	static const char *const first[] = { NULL, NULL, "1", NULL, "1", NULL, "2" };
	for (size_t i = 0; i < 7; i++)
		twins_see(t, slice_of(names[i]));
	for (size_t i = 0; i < 7; i++) {
		const char *got = twins_first(t, slice_of(names[i]), slice_of(ids[i]));
		assert_true(first[i] ? got && strcmp(got, first[i]) == 0 : !got);
	}
}

static void test_among_a_million(void **state)
{
	(void)state;
	CLEANUP(twins_freep) struct twins *t = twins_new();
	char name[24];
	for (unsigned i = 0; i < 1000000; i++)
		twins_see(t, number(name, i));
	for (unsigned i = 0; i < 1000000; i += 1000)
		twins_see(t, number(name, i));
	for (unsigned i = 0; i < 1000000; i++)
		assert_null(twins_first(t, number(name, i), SLICE_LIT("first")));
	for (unsigned i = 0; i < 1000000; i += 1000)
		assert_string_equal(twins_first(t, number(name, i), SLICE_LIT("second")), "first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_second_one_is_told_of_the_first),
		cmocka_unit_test(test_among_a_million),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
