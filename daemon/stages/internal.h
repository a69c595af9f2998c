/* internal.h - what the stage files share: the pipeline's parts. Seen only by daemon/stages.
 *
 *   sources (discover.c, merge.c) --fetch batches--> fetcher (fetch.c) --arrivals--> committer
 *   committer --index `work`--> feed (flow/feed.c) --> normalizer (normalize.c) --inputs--> inferrer (infer.c) --> route (route.c)
 *
 * Lock order: a source's lock, then none of the others. */
#ifndef INLET_STAGES_INTERNAL_H
#define INLET_STAGES_INTERNAL_H

#include "config/config.h"
#include "connectors/connector.h"
#include "daemon/base/threads.h"
#include "daemon/decode/pool.h"
#include "daemon/flow/account.h"
#include "daemon/flow/feed.h"
#include "daemon/infer/model.h"
#include "daemon/model/item.h"
#include "daemon/stages/terms.h"
#include "daemon/store/store.h"
#include "daemon/store/view.h"

#include <pthread.h>
#include <stdatomic.h>

#define MODELS_MAX 16

/* Of an object that must be restored before it can be read. */
#define ARCHIVED_REASON "lies in an archive storage class"
#define ARCHIVED_CURE "restore it at the bucket, or give it another class; the next pass that sees it readable fetches it"

struct source;
struct fetcher;
struct refetch;
struct normalizer;
struct inferrer;
struct router;
struct upkeep;
struct handover;
struct kept;
struct imports;

struct model_slot {
	const struct model_config *config;
	struct model *model;      /* NULL: could not be loaded; error says why */
	char error[512];
};

struct pipeline {
	const struct config *config;
	struct store *store;
	enum pipeline_mode mode;
	const char *decode_worker;

	struct source **sources;
	size_t source_count;

	struct decode_pool *decoder;      /* NULL while nothing is to be normalized */
	struct model_slot models[MODELS_MAX];
	size_t model_count;

	struct fetcher *fetcher;
	struct refetch *refetch;
	struct handover *handover;
	struct kept *kept;                /* NULL: nothing is normalized */
	struct normalizer *normalizer;
	struct inferrer *inferrers[MEDIAS];
	struct router *router;
	struct upkeep *upkeep;
	struct imports *imports;

	struct account *account;
	struct feeds *feeds;
	pthread_mutex_t activate_lock;
	struct err unstarted;             /* guarded by activate_lock; class 0: the stages start, or have not been asked to */
	_Atomic bool active;              /* stages run; set under activate_lock */

	_Atomic uint64_t read_objects, gone_objects, changed_objects, new_objects;
	uint64_t items_at_start;
};

/* pipeline.c */
int pipeline_activate(struct pipeline *p, struct err *err); /* start the stages, once; an attending stand-in does so when asked to work */

#endif
