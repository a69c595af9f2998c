/* band.h - confidence bands as configured: a concept's own band replaces the model's. daemon/model/route.h applies them. */
#ifndef INLET_CONFIG_BAND_H
#define INLET_CONFIG_BAND_H

#include "daemon/base/buf.h"

struct band {
	float accept; /* confidence >= accept: ANNOTATION_SUCCESS */
	float review; /* accept > confidence >= review: ANNOTATION_AWAITING_REVIEW; below: no annotation */
};
struct concept_band {
	char *concept; /* owned */
	struct band band;
};
struct bands {
	struct band all;
	struct concept_band *concepts; /* owned; sorted by strcmp */
	size_t count;
};

#define BANDS_DEFAULT ((struct band){ 0.80F, 0.30F })

void bands_sort(struct bands *b);                                /* after filling concepts */
const struct band *bands_find(const struct bands *b, struct slice concept); /* its own, else the model's */
void bands_text(const struct bands *b, struct buf *to);          /* canonical text: equal bands, equal text */
void bands_done(struct bands *b);

#endif
