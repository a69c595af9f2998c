/* host.h - what imports need of the pipeline that they are part of. */
#ifndef INLET_IMPORTS_HOST_H
#define INLET_IMPORTS_HOST_H

#include "daemon/base/err.h"

#include <stdint.h>

struct account;
struct config;
struct feeds;
struct object;
struct sink;
struct source_config;
struct store;

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

/* What was taken has ended, durably. Any thread; may be called at once. */
typedef void import_done_fn(void *arg, uint64_t object);

#endif
