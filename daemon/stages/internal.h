/* internal.h - what the stage files share: the pipeline's parts and the account of work in hand. Seen only by daemon/stages.
 *
 *   sources (source.c, merge.c) --fetch batches--> fetcher (fetch.c) --arrivals--> committer
 *   committer --index `work`--> feed (feed.c) --> normalizer (normalize.c) --inputs--> inferrer (infer.c) --> route (route.c)
 *
 * Lock order: a source's lock, then none of the others; account_lock is taken last and never while calling out. */
#ifndef INLET_STAGES_INTERNAL_H
#define INLET_STAGES_INTERNAL_H

#include "connectors/connector.h"
#include "daemon/decode/pool.h"
#include "daemon/infer/model.h"
#include "daemon/stages/pipeline.h"
#include "daemon/store/view.h"

#include <pthread.h>
#include <stdatomic.h>

#define MODELS_MAX 16
#define ATTEMPTS_FOREVER UINT32_MAX
#define RETRY_BASE_MS 1000U
#define RETRY_CAP_MS (30U * 60U * 1000U)

/* Of an object that must be restored before it can be read. */
#define ARCHIVED_REASON "lies in an archive storage class"
#define ARCHIVED_CURE "restore it at the bucket, or give it another class; the next pass that sees it readable fetches it"

struct source;
struct fetcher;
struct feed;
struct normalizer;
struct inferrer;
struct router;
struct upkeep;
struct handover;
struct kept;
struct imports;
struct import_fetch;

/* What is in hand: pieces of work between being taken and being durable, and passes that run. While it is zero and nothing
 * is due, the pipeline is idle. */
struct account {
	pthread_mutex_t lock;
	pthread_cond_t changed;   /* in_hand fell to zero, a pass ended, something failed, or a stop */
	uint64_t in_hand;         /* guarded by lock */
	uint64_t wakes;           /* broadcasts so far, guarded by lock: one who looks without the lock misses none */
	_Atomic uint64_t progress;
};

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

	int wake_fd;                      /* eventfd: the main loop should pump */
	struct fetcher *fetcher;
	struct handover *handover;
	struct kept *kept;                /* NULL: nothing is normalized */
	struct normalizer *normalizer;
	struct inferrer *inferrers[MEDIAS];
	struct router *router;
	struct upkeep *upkeep;
	struct imports *imports;          /* passes over manifests */
	struct import_fetch *import_fetch;

	struct account account;
	pthread_mutex_t activate_lock;
	_Atomic bool active;              /* stages run; set under activate_lock */
	_Atomic bool stopping;
	pthread_mutex_t failed_lock;
	bool failed;
	struct err failure;               /* guarded by failed_lock */

	_Atomic uint64_t read_objects, gone_objects, changed_objects, new_objects;
	uint64_t items_at_start;
};

/* account.c */
void account_take(struct pipeline *p, uint64_t n);
void account_give(struct pipeline *p, uint64_t n);   /* durable, or handed back to the durable queue */
void account_step(struct pipeline *p);               /* progress was made: any sign of life of a long piece of work */
void account_wake(struct pipeline *p);               /* somebody who waits should look again */
void pipeline_wake(struct pipeline *p);              /* the main loop should pump */
void pipeline_committed(struct pipeline *p);         /* something is durable: every feed looks again. Any thread */
int pipeline_activate(struct pipeline *p, struct err *err); /* start the stages, once; an attending stand-in does so when asked to work */
struct source *pipeline_source(struct pipeline *p, struct slice name); /* NULL: not configured */
void pipeline_fail(struct pipeline *p, const struct err *err); /* fatal: the first one is kept; wakes the main program */

/* A retry's record: attempts counts this failure. forever: of the outside world. Returns false when the counted attempts are
 * used up: then it is a quarantine. */
bool retry_plan(const struct pipeline *p, const struct err *err, uint32_t attempts_before, struct record_failure *into);
/* Adds to c the record that lets an object of the ledger be tried again at due_ms; *ret for attempts, reason and cure. 1, 0
 * there is no such object, -1. */
int retry_object(struct change *c, struct view *v, uint64_t object, int64_t due_ms, struct record_failure **ret, struct err *err);

#endif
