/* fetch.h - rows of manifests that name URLs or objects of buckets: their bytes are fetched by threads of their own, when the
 * durable queue says that they are due. In the open network addresses are the guard's to judge, and hosts are asked politely
 * (url_fetch.h); buckets are those of the configuration (bucket.h). */
#ifndef INLET_IMPORTS_FETCH_H
#define INLET_IMPORTS_FETCH_H

#include "daemon/imports/host.h"

struct imports;
struct work;

struct import_fetch;
/* ERR_REJECT: a network of the configuration is none. The threads start with the first row. */
int import_fetch_open(struct imports *imports, struct import_fetch **ret, struct err *err);
void import_fetch_stop(struct import_fetch *f);  /* running fetches end within a second */
void import_fetch_close(struct import_fetch *f); /* joins; NULL allowed */

void import_fetch_take(struct import_fetch *f, const struct work *w, import_done_fn *done, void *arg); /* imports_fetch() */
/* Asks again whether the URL of an object that is there has changed, unless it is signed (a signature made anew is not in the index).
 * What has not changed costs no bytes and no write; what has is a new version of its object; of what cannot be asked the bytes that
 * are there stand. It is in hand until then. Blocks while the threads have enough to do. */
void import_fetch_ask(struct import_fetch *f, uint64_t object);

#endif
