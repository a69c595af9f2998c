/* folder_listing.h - the entries of one directory, in memory that is used again for the next. One thread at a time. */
#ifndef INLET_CONNECTORS_FOLDER_LISTING_H
#define INLET_CONNECTORS_FOLDER_LISTING_H

#include "connectors/connector.h"

#include <stdatomic.h>

struct chunk;
struct listing {
	struct entry *entries;       /* owned, with all they point to: valid until the next listing_read() */
	size_t count, capacity;
	uint32_t skipped;
	uint64_t settling;           /* entries that are ENTRY_SETTLING because they may still be growing */
	uint64_t unreadable;         /* entries that could not be looked at: ENTRY_SETTLING too, so nothing is concluded */
	uint64_t settles_in_ns;      /* when the first of the settling has settled; UINT64_MAX: none is */
	struct chunk *chunks;        /* names and tokens */
	char *dents;
};
struct listing_rules {
	char *const *ignore;
	uint64_t settle_ns;
	const atomic_bool *stopping;
};

void listing_init(struct listing *l);
void listing_done(struct listing *l);
/* Reads the directory fd from its beginning. -1 with errno: not all of it could be read (ECANCELED: stopping). */
int listing_read(struct listing *l, int fd, const struct listing_rules *rules);

#endif
