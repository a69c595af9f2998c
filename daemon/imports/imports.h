/* imports.h - the imports of the daemon: what they need of the pipeline that they are part of, and their life in it.
 *
 * Rows come in by import.h from a client and by source.h from a list that a source found; what rows name is fetched by threads
 * of their own when the durable queue says that it is due. */
#ifndef INLET_IMPORTS_IMPORTS_H
#define INLET_IMPORTS_IMPORTS_H

#include "daemon/base/err.h"

#include <stdint.h>

struct account;
struct config;
struct feeds;
struct object;
struct sink;
struct source_config;
struct store;
struct work;

/* The pipeline's. Any thread. */
struct import_ops {
	int (*activate)(void *pipeline, struct err *err); /* its stages run from here on, if they did not */
	/* Reads an object through a source of the configuration, at its pace: as connector_ops.fetch(). ERR_RETRY: it is paused. */
	int (*read)(void *pipeline, const struct source_config *c, const struct object *o, struct sink *into, struct object *ret_seen,
		struct err *err);
};

struct import_needs {
	const struct config *config;
	struct store *store;
	struct account *account;
	struct feeds *feeds;
	const struct import_ops *ops;
	void *pipeline;                                   /* of ops */
};

struct imports;
struct imports *imports_new(const struct import_needs *n);
/* With the stages. ERR_REJECT: a network of the configuration is none. */
int imports_start(struct imports *imports, struct err *err);
void imports_stop(struct imports *imports);  /* running fetches end within a second */
void imports_close(struct imports *imports); /* joins; NULL allowed. No upload is left */

/* Fetches what a row names, which is due (STAGE_FETCH of an object of an import). done(): when its end is durable. Any number at once,
 * never blocks; one thread. */
typedef void import_done_fn(void *arg, uint64_t object);
void imports_fetch(struct imports *imports, const struct work *w, import_done_fn *done, void *arg);

#endif
