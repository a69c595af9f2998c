/* recovery.h - brings an index up to the end of the log, and the log's end to the last whole batch.
 *
 * Only the last batch of a log can be torn: the next one is begun after it is durable. So a batch that does not match with
 * nothing behind it is cut off (it was never acknowledged); one with later batches behind it is damage, and nothing is
 * cut. */
#ifndef INLET_STORE_RECOVERY_H
#define INLET_STORE_RECOVERY_H

#include "daemon/store/mark.h"
#include "daemon/store/store.h"

enum recovery_mode {
	RECOVERY_TAIL,    /* from the high-water mark: the blobs of every batch are hashed again */
	RECOVERY_REBUILD, /* from revision 1 into a fresh index: those of the last batch are, verify looks at the rest */
};
/* segments, large: directories. Applies batches past *mark, moves it, adds to *report. ERR_FATAL: the log ends before the
 * mark, is damaged in the middle, or contradicts the index; the text says which and what to do. */
int recovery_run(int segments, int large, struct kv *kv, enum recovery_mode mode, struct mark *mark,
	struct store_report *report, struct err *err);

#endif
