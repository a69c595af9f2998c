/* test_bitset.c - what was set is there, and nothing else, wherever it lies. */
#include "daemon/base/bitset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_only_what_was_set(void **state)
{
	(void)state;
	static const uint64_t set[] = { 0, 63, 64, (1ULL << 20) - 1, 1ULL << 20, 7 + (1ULL << 21), BITSET_MAX - 1 };
	struct bitset b = { 0 };
	assert_false(bitset_has(&b, 0));
	assert_false(bitset_has(&b, UINT64_MAX));
	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++) {
		assert_false(bitset_has(&b, set[i]));
		bitset_set(&b, set[i]);
		bitset_set(&b, set[i]);
		for (size_t k = 0; k < sizeof(set) / sizeof(*set); k++)
			assert_int_equal(bitset_has(&b, set[k]), k <= i);
	}
	assert_false(bitset_has(&b, 1));
	assert_false(bitset_has(&b, 62));
	assert_false(bitset_has(&b, BITSET_MAX));
	bitset_done(&b);
	assert_false(bitset_has(&b, 63));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_was_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
