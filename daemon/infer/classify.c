/* classify.c - activation, threshold, and the best classes in order. */
#include "daemon/infer/classify.h"

#include <math.h>

#define ROUNDING 1e-4F /* how far a softmax inside a network may miss 0..1 */

static void softmax(const float *values, size_t n, float *to)
{
	float max = values[0], sum = 0;
	for (size_t i = 1; i < n; i++)
		max = values[i] > max ? values[i] : max;
	for (size_t i = 0; i < n; i++)
		sum += to[i] = expf(values[i] - max);
	for (size_t i = 0; i < n; i++)
		to[i] /= sum;
}

static void sigmoid(const float *values, size_t n, float *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = 1 / (1 + expf(-values[i]));
}

static int confidences(const float *values, char *const *labels, size_t n, float *to, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i] < -ROUNDING || values[i] > 1 + ROUNDING)
			return err_set(err, ERR_REJECT, 0,
				"the model gives '%s' %g, which is no confidence in 0..1; set output.activation "
				"in the card to softmax or sigmoid",
				labels[i], (double)values[i]);
		to[i] = fminf(fmaxf(values[i], 0), 1);
	}
	return 0;
}

static int activate(enum activation a, const float *values, char *const *labels, size_t n, float *to, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return err_set(err, ERR_REJECT, 0, "the model's number for '%s' is not finite", labels[i]);
	if (a == ACTIVATION_NONE)
		return confidences(values, labels, n, to, err);
	(a == ACTIVATION_SOFTMAX ? softmax : sigmoid)(values, n, to);
	return 0;
}

int classify(enum activation a, const float *values, char *const *labels, size_t n, float *scratch, struct score *ret,
	struct err *err)
{
	if (activate(a, values, labels, n, scratch, err) < 0)
		return -1;
	int count = 0;
	for (size_t i = 0; i < n; i++) {
		float p = scratch[i];
		if (p < SCORE_MIN || (count == SCORES_MAX && p <= ret[count - 1].confidence))
			continue;
		int at = count < SCORES_MAX ? count++ : count - 1;
		/* Insertion: the list is short, most classes never come here. */
		for (; at > 0 && ret[at - 1].confidence < p; at--)
			ret[at] = ret[at - 1];
		ret[at] = (struct score){ .concept = slice_of(labels[i]), .confidence = p };
	}
	return count;
}
