/* test_mem.c - memory on huge pages lies where it should, and is given back in parts. */
#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_mapped_memory_begins_on_a_huge_page(void **state)
{
	(void)state;
	const size_t n = MEM_HUGE + 4096;
	uint8_t *p = mem_map(n);
	assert_int_equal((uintptr_t)p % MEM_HUGE, 0);
	assert_int_equal(p[0] | p[n - 1], 0);
	memset(p, 1, n);
	mem_unmap(p, n);
}

static void test_a_part_is_given_back_by_itself(void **state)
{
	(void)state;
	uint8_t *p = mem_map(MEM_HUGE);
	memset(p, 1, MEM_HUGE);
	mem_unmap(p, MEM_HUGE / 2);
	assert_int_equal(p[MEM_HUGE / 2] & p[MEM_HUGE - 1], 1);
	mem_unmap(p + MEM_HUGE / 2, MEM_HUGE / 2);
	mem_unmap(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped_memory_begins_on_a_huge_page),
		cmocka_unit_test(test_a_part_is_given_back_by_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
