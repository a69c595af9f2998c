/* classify.h - the output decoder of classifiers: one number per class becomes scores, best first. Pure, any thread. */
#ifndef INLET_INFER_CLASSIFY_H
#define INLET_INFER_CLASSIFY_H

#include "daemon/base/err.h"
#include "daemon/model/record.h"

#define SCORE_MIN 0.01F /* what is below is not kept: no band reaches there, and it would fill the log */

/* What turns the network's numbers into confidences: SOFTMAX where one class excludes the others, SIGMOID where each
 * stands alone, NONE where the network did it itself (its numbers must lie in 0..1). */
enum activation { ACTIVATION_SOFTMAX, ACTIVATION_SIGMOID, ACTIVATION_NONE };

/* values: one per label. Writes at most SCORES_MAX scores of at least SCORE_MIN, best first, equals in label order;
 * concepts borrow the labels. scratch: room for n. Returns how many, or -1, ERR_REJECT: a value is not a finite number,
 * or not a confidence where it must be one. */
int classify(enum activation a, const float *values, char *const *labels, size_t n, float *scratch, struct score *ret,
	struct err *err);

#endif
