/* normalize.h - committed items are looked at by a sandboxed worker: media type, facts, canonical id, thumbnail, and the
 * inputs that the configured models want. One thread per decode worker. */
#ifndef INLET_STAGES_NORMALIZE_H
#define INLET_STAGES_NORMALIZE_H

#include "daemon/stages/internal.h"

int normalizer_open(struct pipeline *p, size_t threads, struct normalizer **ret, struct err *err);
void normalizer_stop(struct normalizer *n);
void normalizer_close(struct normalizer *n); /* joins; NULL allowed */
bool normalizer_pending(struct normalizer *n, uint32_t attempts);

/* The specs of all loaded image models in slot order; returns how many. */
size_t image_specs(struct pipeline *p, struct pixel_spec ret[PIXEL_SPECS_MAX]);
/* An item's failure in a stage, as a change ready to be submitted. cure, and media_type where nobody could tell, may be "". */
struct change *item_failure(struct pipeline *p, const struct work *w, enum stage stage, const struct err *err, const char *cure,
	const char *media_type);

#endif
