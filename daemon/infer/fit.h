/* fit.h - whether a card fits its model: the tensors that the card implies against those that the model has. Pure. */
#ifndef INLET_INFER_FIT_H
#define INLET_INFER_FIT_H

#include "daemon/infer/backend.h"
#include "daemon/infer/card.h"

struct fit {
	size_t batch;   /* samples a run: 0: as many as there are; else the model's own fixed number */
	size_t output;  /* index of the output that is decoded */
};

/* ERR_REJECT: names card and model with both shapes, and the key to change. Dimensions that the model leaves open are
 * only known from a run: fit_output() checks that. */
int fit_card(const struct card *c, const struct backend_info *info, struct fit *ret, struct err *err);
/* What a run of n samples gave: float [n][labels], trailing dimensions of 1 allowed. name: the output's. */
int fit_output(const struct card *c, const char *name, const struct tensor *t, size_t n, struct err *err);

#endif
