/* test_band.c - a concept's own band replaces the model's; equal bands have equal text. */
#include "config/band.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct bands make(const char *const *names, size_t n)
{
	struct bands b = { .all = BANDS_DEFAULT, .concepts = mem_zero(n, sizeof(*b.concepts)), .count = n };
	for (size_t i = 0; i < n; i++)
		b.concepts[i] = (struct concept_band){ mem_strdup(names[i]), { 0.5F, (float)strlen(names[i]) / 100 } };
	bands_sort(&b);
	return b;
}

static void test_a_concept_finds_its_own_band_else_the_models(void **state)
{
	(void)state;
	static const char *const names[] = { "tabby", "cat", "caterpillar", "\xc3\xa9t\xc3\xa9", "a" };
	CLEANUP(bands_done) struct bands b = make(names, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(bands_find(&b, slice_of(names[i]))->review == (float)strlen(names[i]) / 100);
	assert_ptr_equal(bands_find(&b, SLICE_LIT("ca")), &b.all);
	assert_ptr_equal(bands_find(&b, SLICE_LIT("cats")), &b.all);
	assert_ptr_equal(bands_find(&b, SLICE_LIT("")), &b.all);
}

static void test_equal_bands_have_equal_text(void **state)
{
	(void)state;
	static const char *const names[] = { "b \"quoted\"", "a" }, *const turned[] = { "a", "b \"quoted\"" };
	CLEANUP(bands_done) struct bands b = make(names, 2);
	CLEANUP(bands_done) struct bands c = make(turned, 2);
	CLEANUP(buf_done) struct buf x = { 0 }, y = { 0 };
	bands_text(&b, &x);
	bands_text(&c, &y);
	assert_string_equal(x.data, y.data);
	assert_string_equal(x.data, "{\"accept\":0.8,\"review\":0.3,\"concepts\":[{\"concept\":\"a\",\"accept\":0.5,"
				    "\"review\":0.01},{\"concept\":\"b \\\"quoted\\\"\",\"accept\":0.5,\"review\":0.1}]}");
	c.all.accept = 0.81F;
	y.len = 0;
	bands_text(&c, &y);
	assert_string_not_equal(x.data, y.data);
}

static void test_no_concepts_is_a_valid_set(void **state)
{
	(void)state;
	struct bands b = { .all = BANDS_DEFAULT };
	bands_sort(&b);
	assert_ptr_equal(bands_find(&b, SLICE_LIT("x")), &b.all);
	bands_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_concept_finds_its_own_band_else_the_models),
		cmocka_unit_test(test_equal_bands_have_equal_text),
		cmocka_unit_test(test_no_concepts_is_a_valid_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
