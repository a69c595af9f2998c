/* handoff.h - the two descriptors that go to a worker with a job: what it reads, and what it writes. */
#ifndef INLET_DECODE_HANDOFF_H
#define INLET_DECODE_HANDOFF_H

#include "daemon/base/err.h"

#include <stdint.h>

/* A memfd with exactly bytes [offset, offset + bytes) of fd, sealed: nobody can change it any more. */
int handoff_object(int fd, uint64_t offset, uint64_t bytes, struct err *err);
/* An empty memfd of this size that can be written but neither grow nor shrink, so that a worker can neither fill the
 * machine's memory with it nor cut it under the daemon's reads. Pages exist only where something was written. */
int handoff_result(uint64_t bytes, struct err *err);

#endif
