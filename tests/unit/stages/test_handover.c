/* test_handover.c - model inputs between two stages: each taken once, bounded, and nobody waits for ever. */
#include "daemon/stages/handover.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

CLEANUP_FN(struct handover *, handover_free)

static struct inputs *text_of(uint64_t item, size_t bytes)
{
	struct decode_result r = { 0 };
	(void)buf_grow(&r.text, bytes);
	memset(r.text.data, (int)('a' + item % 26), bytes);
	r.text.len = bytes;
	struct inputs *in = inputs_of(item, &r, NULL, 0);
	decode_result_done(&r);
	return in;
}

static void test_each_is_taken_once(void **state)
{
	CLEANUP(handover_freep) struct handover *h = handover_new(1 << 20);
	(void)state;
	for (uint64_t i = 1; i <= 5000; i++)
		handover_put(h, text_of(i, 10));
	assert_null(handover_take(h, 5001));
	for (uint64_t i = 5000; i > 0; i--) {
		struct inputs *in = handover_take(h, i);
		assert_non_null(in);
		assert_int_equal(in->item, i);
		assert_int_equal(in->text_bytes, 10);
		assert_int_equal(in->text[9], 'a' + i % 26);
		inputs_free(in);
		assert_null(handover_take(h, i));
	}
}

static void test_pixels_are_taken_out_of_the_result(void **state)
{
	const struct pixel_spec specs[2] = { { .width = 4, .height = 2 }, { .width = 1, .height = 1 } };
	CLEANUP(handover_freep) struct handover *h = handover_new(1000);
	struct decode_result r = { .inputs = { mem_zero(1, pixel_spec_bytes(&specs[0])), NULL } };
	uint8_t *pixels = r.inputs[0];
	(void)state;
	struct inputs *in = inputs_of(9, &r, specs, 2);
	assert_null(r.inputs[0]);
	assert_ptr_equal(in->pixels[0], pixels);
	assert_null(in->pixels[1]);
	assert_int_equal(in->bytes, sizeof(*in) + pixel_spec_bytes(&specs[0]));
	decode_result_done(&r);
	handover_put(h, in);
	in = handover_take(h, 9);
	assert_ptr_equal(in->pixels[0], pixels);
	inputs_free(in);
}

static void *put_second(void *arg)
{
	handover_put(arg, text_of(2, 600));
	return NULL;
}

/* One that is larger than the budget fits alone; the next waits until it is taken. */
static void test_the_budget_is_waited_for(void **state)
{
	CLEANUP(handover_freep) struct handover *h = handover_new(500);
	pthread_t thread;
	(void)state;
	handover_put(h, text_of(1, 600));
	assert_int_equal(pthread_create(&thread, NULL, put_second, h), 0);
	assert_null(handover_take(h, 2)); /* it cannot be there: there is no room */
	inputs_free(handover_take(h, 1));
	(void)pthread_join(thread, NULL);
	struct inputs *in = handover_take(h, 2);
	assert_non_null(in);
	inputs_free(in);
}

static void test_a_stop_wakes_who_waits(void **state)
{
	CLEANUP(handover_freep) struct handover *h = handover_new(500);
	pthread_t thread;
	(void)state;
	handover_put(h, text_of(1, 600));
	assert_int_equal(pthread_create(&thread, NULL, put_second, h), 0);
	handover_stop(h);
	(void)pthread_join(thread, NULL);
	assert_null(handover_take(h, 2));
	handover_put(h, text_of(3, 1));
	assert_null(handover_take(h, 3)); /* dropped */
	inputs_free(handover_take(h, 1)); /* what was there still is */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_taken_once),
		cmocka_unit_test(test_pixels_are_taken_out_of_the_result),
		cmocka_unit_test(test_the_budget_is_waited_for),
		cmocka_unit_test(test_a_stop_wakes_who_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
