/* band.h - routing: which status a confidence gets. A concept's own band replaces the model's. */
#ifndef INLET_MODEL_BAND_H
#define INLET_MODEL_BAND_H

#include "daemon/base/buf.h"
#include "daemon/model/state.h"

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

void bands_sort(struct bands *b);                                       /* after filling concepts */
enum annotation_status bands_route(const struct bands *b, struct slice concept, float confidence); /* STATUS_NONE: discard */
void bands_text(const struct bands *b, struct buf *to);                 /* canonical text: equal bands, equal text */
void bands_done(struct bands *b);

#endif
