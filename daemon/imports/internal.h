/* internal.h - what the files of the imports share: the passes under way, and what was given to imports_new(). */
#ifndef INLET_IMPORTS_INTERNAL_H
#define INLET_IMPORTS_INTERNAL_H

#include "config/config.h"
#include "daemon/flow/account.h"
#include "daemon/flow/feed.h"
#include "daemon/imports/host.h"
#include "daemon/store/store.h"
#include "daemon/store/view.h"

#include <pthread.h>

struct imports {
	const struct config *config;
	struct store *store;
	struct account *account;
	struct feeds *feeds;           /* something is durable: they look again */
	const struct import_ops *ops;
	void *pipeline;                /* of ops */
	struct import_fetch *fetch;    /* NULL: not started */
	struct recheck *recheck;       /* NULL: not started */
	pthread_mutex_t lock;
	struct import_pass *passes;    /* guarded by lock, as is next_id */
	uint64_t next_id;
};

#endif
