/* handover.h - model inputs on their way from normalize to infer, so that an item is decoded once: bounded memory, keyed by
 * item. What is not here any more (a restart, a relabel) is decoded again. Any thread. */
#ifndef INLET_STAGES_HANDOVER_H
#define INLET_STAGES_HANDOVER_H

#include "daemon/stages/internal.h"

struct inputs {
	uint64_t item;
	uint8_t *pixels[PIXEL_SPECS_MAX]; /* owned; one per image model, in slot order */
	char *text;                       /* owned; canonical text */
	size_t text_bytes;
	size_t bytes;                     /* of all, and of this */
};
void inputs_free(struct inputs *in);      /* NULL allowed */
/* Takes pixels and text out of a decode result. */
struct inputs *inputs_of(uint64_t item, struct decode_result *r, const struct pixel_spec *specs, size_t spec_count);

struct handover *handover_new(size_t budget_bytes);
void handover_free(struct handover *h);   /* NULL allowed */
void handover_stop(struct handover *h);   /* wakes waiters; puts are dropped from now on */
void handover_put(struct handover *h, struct inputs *in); /* owns in; blocks while the budget is spent (one always fits) */
struct inputs *handover_take(struct handover *h, uint64_t item); /* NULL: not here */

#endif
