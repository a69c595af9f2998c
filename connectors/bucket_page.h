/* bucket_page.h - one page of a bucket's listing on its way to the engine: keys are copied in as the answer is parsed, and
 * nothing is handed on before the whole answer was read and found right. One thread at a time.
 *
 * A page takes about 60 bytes a key, its key and its version token. Its buffers are used again for the next page. */
#ifndef INLET_CONNECTORS_BUCKET_PAGE_H
#define INLET_CONNECTORS_BUCKET_PAGE_H

#include "connectors/bucket.h"
#include "daemon/base/buf.h"

struct bucket_page {
	struct bucket *bucket;    /* borrowed */
	struct buf after;         /* what came before this page reaches up to here */
	struct buf last;          /* highest key seen, filtered or not; at first: after */
	struct buf text;          /* key, version, key, version, ... of the entries, in order */
	struct entry *entries;    /* lengths only; the pointers are set when the page is handed on */
	size_t count, cap;
	uint64_t listed, wanted, archived; /* of this page: counted in the bucket when it is handed on */
};

void bucket_page_init(struct bucket_page *p, struct bucket *b, struct slice after);
void bucket_page_done(struct bucket_page *p);
/* The next key. Keys that the filters refuse are counted and left out. ERR_RETRY: it is not greater than the one before, does
 * not begin with the prefix, or key or version is over its limit: the server cannot be believed, the pass ends. */
int bucket_page_add(struct bucket_page *p, struct slice key, struct slice version, uint64_t bytes, enum entry_kind kind,
	struct err *err);
/* What was added since the last emit is forgotten: the request is sent again. */
void bucket_page_reset(struct bucket_page *p);
/* Hands on the keys in (after, upto]; open_ended: to the end of the bucket. The next page begins after upto. */
int bucket_page_emit(struct bucket_page *p, struct slice upto, bool open_ended, page_fn *emit, void *arg, struct err *err);

#endif
