/* folder_scan.h - looks at directories and hands each on as a page.
 *
 * Up to two threads (the caller's and, when there is work for it, one more) take directories from a common stack. It is
 * last in, first out, so it holds at most the siblings along one path down: paths only, a few hundred kilobytes for a million
 * files in a thousand directories. A page takes about 130 bytes an entry (names, tokens and struct entry; 130 MB for a
 * directory of a million files): this is the only thing in the folder source that grows with what is found. */
#ifndef INLET_CONNECTORS_FOLDER_SCAN_H
#define INLET_CONNECTORS_FOLDER_SCAN_H

#include "connectors/connector.h"
#include "connectors/folder_root.h"
#include "connectors/folder_watch.h"

#include <stdatomic.h>

#define SCAN_DEPTH_MAX 128           /* directories below the root; deeper ones are pages that failed */

/* One pass. All is borrowed for its duration. */
struct scan {
	const char *path;            /* of the root, for messages */
	const struct root *root;
	struct watch *watch;
	char *const *ignore;
	uint64_t settle_ns;
	bool poll_all;
	const atomic_bool *stopping;
	page_fn *emit;
	void *arg;
};

/* all: the whole folder; else the places (each with a NUL after it) and what is new below them. ret is added to. -1: emit's
 * err, or ERR_RETRY when stopping. */
int scan_run(const struct scan *s, bool all, const struct buf *places, struct pass *ret, struct err *err);

#endif
