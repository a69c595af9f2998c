/* imports.h - the imports of the daemon: their life in the pipeline, and what it has them fetch.
 *
 * Rows come in by import.h from a client and by source.h from a list that a source found; what rows name is fetched by threads
 * of their own when the durable queue says that it is due. */
#ifndef INLET_IMPORTS_IMPORTS_H
#define INLET_IMPORTS_IMPORTS_H

#include "daemon/imports/host.h"

struct work;

struct imports;
struct imports *imports_new(const struct import_needs *n);
/* With the stages. ERR_REJECT: a network of the configuration is none. */
int imports_start(struct imports *imports, struct err *err);
void imports_stop(struct imports *imports);  /* running fetches end within a second */
void imports_close(struct imports *imports); /* joins; NULL allowed. No upload is left */

/* Fetches what a row names, which is due (STAGE_FETCH of an object of an import). done(): when its end is durable. Any number at once,
 * never blocks; one thread. */
void imports_fetch(struct imports *imports, const struct work *w, import_done_fn *done, void *arg);

#endif
