/* test_state.c - the tables: every name reads back, every move is as the diagram says, no state is a dead end. */
#include "daemon/model/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_every_name_reads_back(void **state)
{
	(void)state;
	for (enum stage s = STAGE_FETCH; s < STAGES; s++)
		assert_int_equal(stage_parse(slice_of(stage_name(s))), s);
	for (enum item_state s = ITEM_COMMITTED; s < ITEM_STATES; s++)
		assert_int_equal(item_state_parse(slice_of(item_state_name(s))), s);
	for (enum media m = MEDIA_UNKNOWN; m < MEDIAS; m++)
		assert_int_equal(media_parse(slice_of(media_name(m))), m);
	for (enum annotation_status s = STATUS_SUCCESS; s < STATUSES; s++)
		assert_int_equal(status_parse(slice_of(status_name(s))), s);
	for (enum object_state s = OBJECT_NONE; s < OBJECT_STATES; s++)
		assert_non_null(object_state_name(s));
}

static void test_unknown_names_are_none(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", "none", "Committed", "committed ", "commit", "ANNOTATION" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(stage_parse(slice_of(wrong[i])), STAGE_NONE);
		assert_int_equal(item_state_parse(slice_of(wrong[i])), ITEM_NONE);
		assert_int_equal(media_parse(slice_of(wrong[i])), MEDIA_UNKNOWN);
		assert_int_equal(status_parse(slice_of(wrong[i])), STATUS_NONE);
	}
	assert_int_equal(item_state_parse((struct slice){ 0 }), ITEM_NONE);
}

static void test_statuses_are_clarifais(void **state)
{
	(void)state;
	assert_string_equal(status_name(STATUS_SUCCESS), "ANNOTATION_SUCCESS");
	assert_string_equal(status_name(STATUS_AWAITING_REVIEW), "ANNOTATION_AWAITING_REVIEW");
	assert_string_equal(status_name(STATUS_REVIEW_DENIED), "ANNOTATION_REVIEW_DENIED");
}

/* The diagram of state.h as a matrix of its own, from row to column, in the order of the enum. */
static const char *const moves[ITEM_STATES] = {
	/*                NCPNIRQ */
	[ITEM_NONE]        = "xx.....",
	[ITEM_COMMITTED]   = ".xxx..x",
	[ITEM_PARKED]      = ".xx....",
	[ITEM_NORMALIZED]  = ".x.xx.x",
	[ITEM_INFERRED]    = "....xx.",
	[ITEM_ROUTED]      = ".x.xxx.",
	[ITEM_QUARANTINED] = ".x.x..x",
};

static void test_makers_and_reasons_read_back(void **state)
{
	(void)state;
	for (enum annotation_maker m = BY_UNKNOWN; m < ANNOTATION_MAKERS; m++)
		assert_int_equal(maker_parse(slice_of(maker_name(m))), m);
	for (enum annotation_reason r = REASON_NONE; r < ANNOTATION_REASONS; r++)
		assert_int_equal(reason_parse(slice_of(reason_name(r))), r);
	assert_int_equal(maker_parse(SLICE_LIT("Human")), BY_UNKNOWN);
	assert_int_equal(reason_parse(SLICE_LIT("")), REASON_NONE);
}

static void test_items_move_as_drawn(void **state)
{
	(void)state;
	for (enum item_state from = ITEM_NONE; from < ITEM_STATES; from++) {
		for (enum item_state to = ITEM_NONE; to < ITEM_STATES; to++)
			assert_int_equal(item_may_move(from, to), moves[from][to] == 'x');
	}
}

static void test_work_is_with_the_stage_that_moves_it_on(void **state)
{
	(void)state;
	assert_int_equal(item_state_work(ITEM_COMMITTED), STAGE_NORMALIZE);
	assert_int_equal(item_state_work(ITEM_NORMALIZED), STAGE_INFER);
	assert_int_equal(item_state_work(ITEM_INFERRED), STAGE_ROUTE);
	static const enum item_state resting[] = { ITEM_NONE, ITEM_PARKED, ITEM_ROUTED, ITEM_QUARANTINED };
	for (size_t i = 0; i < sizeof(resting) / sizeof(resting[0]); i++)
		assert_int_equal(item_state_work(resting[i]), STAGE_NONE);
}

static void test_objects_once_known_stay_known(void **state)
{
	(void)state;
	for (enum object_state from = OBJECT_PRESENT; from < OBJECT_STATES; from++) {
		assert_false(object_may_move(from, OBJECT_NONE));
		for (enum object_state to = OBJECT_PRESENT; to < OBJECT_STATES; to++)
			assert_true(object_may_move(from, to));
	}
	assert_true(object_may_move(OBJECT_NONE, OBJECT_PRESENT));
	assert_true(object_may_move(OBJECT_NONE, OBJECT_RETRYING));
	assert_true(object_may_move(OBJECT_NONE, OBJECT_QUARANTINED));
	assert_true(object_may_move(OBJECT_NONE, OBJECT_ARCHIVED));
	assert_false(object_may_move(OBJECT_NONE, OBJECT_GONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_name_reads_back),
		cmocka_unit_test(test_unknown_names_are_none),
		cmocka_unit_test(test_statuses_are_clarifais),
		cmocka_unit_test(test_makers_and_reasons_read_back),
		cmocka_unit_test(test_items_move_as_drawn),
		cmocka_unit_test(test_work_is_with_the_stage_that_moves_it_on),
		cmocka_unit_test(test_objects_once_known_stay_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
