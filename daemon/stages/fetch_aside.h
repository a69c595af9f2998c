/* fetch_aside.h - objects that are read for what they say and become no item: lists of a source of manifests, sidecars. Each is read
 * into an unlinked file, as the version that it then was; the ledger learns this version in the commit that ends its way. */
#ifndef INLET_STAGES_FETCH_ASIDE_H
#define INLET_STAGES_FETCH_ASIDE_H

#include "daemon/base/buf.h"
#include "daemon/base/hash.h"
#include "daemon/stages/flight.h"

bool aside_is(const struct fetch_job *job);
/* One that has been read, as it was then. */
struct aside {
	int fd;                      /* its bytes; -1: none has been read */
	struct buf version;
	uint64_t bytes;
	bool racy;
};
void aside_done(struct aside *a);
/* buffer: SINK_BUFFER. a may have held another one, which has been taken. */
int aside_read(struct aside *a, struct pipeline *p, struct sha256 *hash, uint8_t *buffer, const struct fetch_job *job, struct err *err);
/* Does with what has been read what is to be done with it: *ret, the caller's, is the change that says so, to be submitted while the
 * job is in flight. Nothing is read any more, also after -1. */
int aside_take(struct aside *a, struct imports *imports, const struct fetch_job *job, struct change **ret, struct err *err);

#endif
