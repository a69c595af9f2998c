/* place.h - the numbers of failures within an import: with the import's they are the ids that people see ("r3.17").
 * Seen only by daemon/imports.
 *
 * A row of a manifest is numbered by its line. A file of a folder has none: it keeps the number that it had when the pass
 * began, and a new one gets the next. One thread at a time. */
#ifndef INLET_IMPORTS_PLACE_H
#define INLET_IMPORTS_PLACE_H

#include "daemon/base/bitset.h"
#include "daemon/base/err.h"
#include "daemon/base/hash.h"
#include "daemon/base/slice.h"

struct store;

struct failure_places {
	struct bitset failed;    /* numbers of this pass's failures */
	uint64_t last;           /* the highest of them, and of those that were there */
	/* Files that failed, by a hash of their path: open addressing, a power of two of slots, 0 is none. */
	struct hash_key key;
	struct file_place {
		uint64_t hash, number;
	} *files;
	size_t file_count, file_cap;
};

void places_done(struct failure_places *p);
/* What is known of the files of an import that failed before. */
int places_load(struct failure_places *p, struct store *s, uint64_t import, struct err *err);
/* Line 0: a file's, whose path is `path`. */
uint64_t places_give(struct failure_places *p, uint64_t line, struct slice path);
bool places_failed(const struct failure_places *p, struct slice path); /* in this pass */

#endif
