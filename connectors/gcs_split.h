/* gcs_split.h - where to cut the rest of a listing in two, without knowing what lies in it. Pure. */
#ifndef INLET_CONNECTORS_GCS_SPLIT_H
#define INLET_CONNECTORS_GCS_SPLIT_H

#include "daemon/base/buf.h"

/* The ASCII bytes that keys were seen to be made of. Others are never cut at, so a cut is UTF-8 where keys are. */
struct gcs_alphabet {
	bool seen[128];
};
void gcs_alphabet_add(struct gcs_alphabet *a, struct slice text);

/* A key between cursor and end (empty: no end), after the first `fixed` bytes, which all keys share: at the first place where the
 * alphabet has a byte between the two, the middle one of these. What lies behind the cut may be nothing; then the end has come
 * nearer, and the next cut lies lower: a few cuts a place find where the keys are. False: there is no such key. */
bool gcs_split(const struct gcs_alphabet *a, size_t fixed, struct slice cursor, struct slice end, struct buf *ret);

/* The greatest text below `cut` that no UTF-8 text lies behind and before it: "abc" -> "abb\xff". So a page may end right before
 * a cut, which itself is the next page's. cut is not empty and does not end with a NUL. */
void gcs_before(struct slice cut, struct buf *ret);

#endif
