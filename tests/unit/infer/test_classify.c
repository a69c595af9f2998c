/* test_classify.c - numbers per class to scores: activation, threshold, order, refusal. */
#include "daemon/infer/classify.h"

#include "daemon/base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
static char *const names[] = { a, b, c, d };

static struct score got[SCORES_MAX];
static float scratch[1000];

static int run(enum activation activation, const float *values, size_t n)
{
	struct err err = { 0 };
	return classify(activation, values, names, n, scratch, got, &err);
}

static void expect(int i, const char *concept, double confidence)
{
	assert_true(slice_eq(got[i].concept, slice_of(concept)));
	assert_float_equal(got[i].confidence, confidence, 1e-5);
}

static void test_softmax_is_best_first_and_sums_to_one(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_SOFTMAX, (float[]){ 1, 3, 2 }, 3), 3);
	expect(0, "b", 0.665241);
	expect(1, "c", 0.244728);
	expect(2, "a", 0.090031);
}

static void test_softmax_of_huge_logits_is_finite(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_SOFTMAX, (float[]){ 30000, -30000, 29999 }, 3), 2);
	expect(0, "a", 0.731059);
}

static void test_sigmoid_scores_each_class_alone(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_SIGMOID, (float[]){ 0, 4, -9 }, 3), 2);
	expect(0, "b", 0.982014);
	expect(1, "a", 0.5);
}

static void test_scores_below_the_minimum_are_left_out(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_NONE, (float[]){ 0.0099F, SCORE_MIN, 0, 0.5F }, 4), 2);
	expect(0, "d", 0.5);
	expect(1, "b", 0.01);
	assert_int_equal(run(ACTIVATION_NONE, (float[]){ 0, 0, 0, 0 }, 4), 0);
}

static void test_equal_scores_stay_in_label_order(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_NONE, (float[]){ 0.2F, 0.3F, 0.2F, 0.3F }, 4), 4);
	expect(0, "b", 0.3);
	expect(1, "d", 0.3);
	expect(2, "a", 0.2);
	expect(3, "c", 0.2);
}

static void test_a_rounding_error_of_the_network_is_cut(void **state)
{
	(void)state;
	assert_int_equal(run(ACTIVATION_NONE, (float[]){ 1.00001F, -0.00001F }, 2), 1);
	expect(0, "a", 1);
	assert_true(got[0].confidence <= 1);
}

static void test_of_many_classes_the_best_hundred_are_kept(void **state)
{
	(void)state;
	enum { CLASSES = 1000 };
	static char *labels[CLASSES];
	float values[CLASSES];
	struct err err = { 0 };
	for (size_t i = 0; i < CLASSES; i++) {
		labels[i] = mem_printf("%zu", i);
		values[i] = 0.5F + (float)(i * 7919 % CLASSES) / 4000;
	}
	assert_int_equal(classify(ACTIVATION_NONE, values, labels, CLASSES, scratch, got, &err), SCORES_MAX);
	for (size_t i = 0; i < SCORES_MAX; i++)
		assert_float_equal(got[i].confidence, 0.5 + (double)(CLASSES - 1 - i) / 4000, 1e-6);
	for (size_t i = 0; i < CLASSES; i++)
		free(labels[i]);
}

static void test_numbers_that_are_no_confidence_are_refused_with_the_cure(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_int_equal(classify(ACTIVATION_NONE, (float[]){ 0.5F, 7 }, names, 2, scratch, got, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text,
		"the model gives 'b' 7, which is no confidence in 0..1; set output.activation in the card to "
		"softmax or sigmoid");
}

static void test_not_a_number_is_refused(void **state)
{
	(void)state;
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	for (size_t i = 0; i < 3; i++) {
		struct err err = { 0 };
		assert_int_equal(
			classify(ACTIVATION_SOFTMAX, (float[]){ 0, bad[i] }, names, 2, scratch, got, &err), -1);
		assert_int_equal(err.class, ERR_REJECT);
		assert_string_equal(err.text, "the model's number for 'b' is not finite");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_softmax_is_best_first_and_sums_to_one),
		cmocka_unit_test(test_softmax_of_huge_logits_is_finite),
		cmocka_unit_test(test_sigmoid_scores_each_class_alone),
		cmocka_unit_test(test_scores_below_the_minimum_are_left_out),
		cmocka_unit_test(test_equal_scores_stay_in_label_order),
		cmocka_unit_test(test_a_rounding_error_of_the_network_is_cut),
		cmocka_unit_test(test_of_many_classes_the_best_hundred_are_kept),
		cmocka_unit_test(test_numbers_that_are_no_confidence_are_refused_with_the_cure),
		cmocka_unit_test(test_not_a_number_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
