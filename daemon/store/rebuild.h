/* rebuild.h - a fresh index from the log, swapped in when it is whole. A crash in the middle leaves the old one, or none. */
#ifndef INLET_STORE_REBUILD_H
#define INLET_STORE_REBUILD_H

#include "daemon/store/mark.h"
#include "daemon/store/store.h"

#define INDEX_DIR "index"

struct rebuild {
	int state, segments, large, packs; /* directories */
	const char *state_dir;
	const char *uuid;
	uint64_t map_bytes;
};
/* *ret_mark: the end of the log that the new index holds. No index may be open. Derived packs are deleted: only the index
 * knew what lies in them. */
int rebuild_index(const struct rebuild *b, struct mark *ret_mark, struct store_report *report, struct err *err);
bool rebuild_needed(int state); /* there is no index */

#endif
