/* test_settled.c - a few items are remembered, the others forgotten. */
#include "daemon/store/settled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_the_one_that_was_asked_for_longest_ago_makes_room(void **state)
{
	struct settled *s = settled_new();
	(void)state;
	for (uint64_t item = 1; item <= SETTLED_MAX; item++)
		settled_put(s, item, conflict_new());
	const struct conflict *first = settled_get(s, 1);
	assert_non_null(first);
	settled_put(s, SETTLED_MAX + 1, conflict_new());
	assert_ptr_equal(settled_get(s, 1), first);
	assert_null(settled_get(s, 2));
	assert_non_null(settled_get(s, SETTLED_MAX + 1));
	settled_free(s);
}

static void test_what_is_dropped_is_gone_and_what_is_put_again_is_new(void **state)
{
	struct settled *s = settled_new();
	struct conflict *second = conflict_new();
	(void)state;
	settled_put(s, 7, conflict_new());
	settled_put(s, 7, second);
	settled_put(s, 8, conflict_new());
	assert_ptr_equal(settled_get(s, 7), second);
	settled_drop(s, 7);
	settled_drop(s, 9);
	assert_null(settled_get(s, 7));
	assert_non_null(settled_get(s, 8));
	settled_clear(s);
	assert_null(settled_get(s, 8));
	settled_free(s);
	settled_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_one_that_was_asked_for_longest_ago_makes_room),
		cmocka_unit_test(test_what_is_dropped_is_gone_and_what_is_put_again_is_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
