/* test_route.c - bands turn confidences into statuses; a concept's own band goes first. */
#include "daemon/model/route.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char tabby[] = "tabby";
static char never[] = "never";
static struct concept_band own[] = {
	{ never, { 2.0F, 2.0F } }, /* above any confidence: discards the concept */
	{ tabby, { 0.5F, 0.5F } }, /* no review: accept or discard */
};
static const struct bands bands = { .all = { 0.80F, 0.30F }, .concepts = own, .count = 2 };

static void test_edges_belong_to_the_upper_band(void **state)
{
	(void)state;
	const struct slice concept = SLICE_LIT("dog");
	assert_int_equal(route_status(&bands, concept, 1.0F), STATUS_SUCCESS);
	assert_int_equal(route_status(&bands, concept, 0.80F), STATUS_SUCCESS);
	assert_int_equal(route_status(&bands, concept, nextafterf(0.80F, 0)), STATUS_AWAITING_REVIEW);
	assert_int_equal(route_status(&bands, concept, 0.30F), STATUS_AWAITING_REVIEW);
	assert_int_equal(route_status(&bands, concept, nextafterf(0.30F, 0)), STATUS_NONE);
	assert_int_equal(route_status(&bands, concept, 0), STATUS_NONE);
}

static void test_a_concepts_own_band_replaces_the_models(void **state)
{
	(void)state;
	assert_int_equal(route_status(&bands, SLICE_LIT("tabby"), 0.5F), STATUS_SUCCESS);
	assert_int_equal(route_status(&bands, SLICE_LIT("tabby"), 0.49F), STATUS_NONE);
	assert_int_equal(route_status(&bands, SLICE_LIT("never"), 1.0F), STATUS_NONE);
	assert_int_equal(route_status(&bands, SLICE_LIT("tab"), 0.49F), STATUS_AWAITING_REVIEW);
}

static void test_no_number_is_no_label(void **state)
{
	(void)state;
	assert_int_equal(route_status(&bands, SLICE_LIT("dog"), NAN), STATUS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges_belong_to_the_upper_band),
		cmocka_unit_test(test_a_concepts_own_band_replaces_the_models),
		cmocka_unit_test(test_no_number_is_no_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
