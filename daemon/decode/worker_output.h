/* worker_output.h - writes an answer's sections into the result file, one after the other. */
#ifndef INLET_DECODE_WORKER_OUTPUT_H
#define INLET_DECODE_WORKER_OUTPUT_H

#include "daemon/base/err.h"
#include "daemon/decode/protocol.h"

struct output {
	int fd;
	uint64_t at;
	uint64_t *lengths; /* wire_done.section */
	const struct wire_hello *limits;
	const struct wire_job *job;
};

/* Appends n bytes to section s; sections come in the order of enum wire_section, none that was left is gone back to.
 * ERR_REJECT: the section is full; ERR_RETRY: no memory for it. */
int output_add(struct output *o, enum wire_section s, const void *p, size_t n, struct err *err);
/* Takes back all of section s, the last that was added to. */
void output_drop(struct output *o, enum wire_section s);
/* Whether n more bytes fit into section s. */
bool output_fits(const struct output *o, enum wire_section s, size_t n);

#endif
