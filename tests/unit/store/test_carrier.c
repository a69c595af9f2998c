/* test_carrier.c - the failure of an item stands as long as a file carries it. */
#include "tests/unit/store/index_fixture.h"

/* Item 1, which files "a" and "b" carry, is in quarantine. */
static void quarantine(struct index *x)
{
	index_apply(x, item_record(1, 10));
	index_apply(x, object_record("a", "v1", 1, 1));
	index_apply(x, object_record("b", "v1", 2, 1));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, false, 0, 0));
}

static void assert_failures(struct index *x, uint64_t count)
{
	struct failure f;
	assert_int_equal(view_failure(index_view(x), SUBJECT_ITEM, 1, &f, &x->err), count);
	assert_int_equal(totals_now(x).quarantined, count);
}

static void test_the_failure_goes_with_the_last_file(void **state)
{
	struct index *x = *state;
	quarantine(x);
	index_apply(x, gone_record("a", false));
	assert_failures(x, 1);
	index_apply(x, gone_record("b", false));
	assert_failures(x, 0);
	assert_int_equal(item_now(x, 1).state, ITEM_QUARANTINED);
}

static void test_the_failure_goes_with_the_last_file_replaced(void **state)
{
	struct index *x = *state;
	quarantine(x);
	index_apply(x, item_record(2, 20));
	index_apply(x, object_record("a", "v2", 1, 2));
	assert_failures(x, 1);
	index_apply(x, object_record("b", "v2", 2, 2));
	assert_failures(x, 0);
}

static void test_content_that_comes_back_is_tried_again(void **state)
{
	struct index *x = *state;
	quarantine(x);
	index_apply(x, gone_record("a", false));
	index_apply(x, gone_record("b", false));
	index_apply(x, object_record("c", "v1", 3, 1));
	assert_int_equal(item_now(x, 1).state, ITEM_COMMITTED);
	assert_int_equal(work_now(x, STAGE_NORMALIZE, MEDIA_UNKNOWN, false), 1);
	index_apply(x, item_failure(1, STAGE_NORMALIZE, false, 0, 0));
	assert_failures(x, 1);
}

static void test_a_file_more_does_not_try_again(void **state)
{
	struct index *x = *state;
	quarantine(x);
	index_apply(x, object_record("c", "v1", 3, 1));
	assert_int_equal(item_now(x, 1).state, ITEM_QUARANTINED);
	assert_failures(x, 1);
}

static void test_what_fails_after_its_file_went_bothers_nobody(void **state)
{
	struct index *x = *state;
	index_apply(x, item_record(1, 10));
	index_apply(x, object_record("a", "v1", 1, 1));
	index_apply(x, gone_record("a", false));
	index_apply(x, item_failure(1, STAGE_NORMALIZE, false, 0, 0));
	assert_failures(x, 0);
	index_apply(x, object_record("a", "v1", 1, 1));
	assert_int_equal(item_now(x, 1).state, ITEM_COMMITTED);
}

static void test_a_failed_look_at_the_file_changes_nothing(void **state)
{
	struct index *x = *state;
	quarantine(x);
	index_apply(x, gone_record("b", false));
	index_apply(x, object_failure("a", "v2", 1, true, 1, 7000));
	assert_failures(x, 1);
	index_apply(x, object_record("a", "v1", 1, 1));
	assert_int_equal(item_now(x, 1).state, ITEM_QUARANTINED);
	assert_failures(x, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_failure_goes_with_the_last_file),
		T(test_the_failure_goes_with_the_last_file_replaced),
		T(test_content_that_comes_back_is_tried_again),
		T(test_a_file_more_does_not_try_again),
		T(test_what_fails_after_its_file_went_bothers_nobody),
		T(test_a_failed_look_at_the_file_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
