/* bytes.h - the bytes of an item, for the stages and for who asks. */
#ifndef INLET_STAGES_BYTES_H
#define INLET_STAGES_BYTES_H

#include "daemon/model/item.h"

struct pipeline;

/* The bytes of an item, stored or by reference (read again and checked). The caller closes fd. */
int pipeline_bytes(struct pipeline *p, const struct item *item, int *ret_fd, uint64_t *ret_offset, struct err *err);

#endif
