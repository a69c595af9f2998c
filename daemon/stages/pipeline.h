/* pipeline.h - the path of a file as running threads: discover -> fetch -> (commit) -> normalize -> infer -> route.
 *
 * Owns the sources, the fetch pool, the decode pool and the models; the store is the caller's. Any thread unless said. */
#ifndef INLET_STAGES_PIPELINE_H
#define INLET_STAGES_PIPELINE_H

#include "config/config.h"
#include "daemon/model/item.h"
#include "daemon/stages/terms.h"
#include "daemon/store/store.h"

struct imports;
struct pipeline;
struct view;

int pipeline_open(const struct config *c, struct store *s, enum pipeline_mode mode, const char *decode_worker,
	struct pipeline **ret, struct err *err);
int pipeline_start(struct pipeline *p, struct err *err);
/* Ends running work within seconds: the queue is durable. pipeline_close() joins. */
void pipeline_stop(struct pipeline *p);
void pipeline_close(struct pipeline *p); /* NULL allowed */

/* Main loop's part. fds of sources' events: index 0..n-1; -1 where a source has none. */
size_t pipeline_sources(const struct pipeline *p);
int pipeline_source_fd(const struct pipeline *p, size_t i);
int pipeline_wake_fd(const struct pipeline *p); /* eventfd: readable when pipeline_pump() is worth calling before its time */
/* Take events of all sources and wake what is due; returns clock_mono_ns() when it wants to be called again. Main loop only. */
uint64_t pipeline_pump(struct pipeline *p);
uint64_t pipeline_progress(struct pipeline *p); /* grows while work is done or nothing is due: drives the watchdog */
int pipeline_failed(struct pipeline *p, struct err *err); /* -1: something fatal happened, stop and exit */

/* Start the stages if they do not run yet (a stand-in), and wait until none has due work, queues are empty and no pass runs.
 * attempts: work that has failed this often is left. stop ends the wait. 0 drained; -1 stopped or timed out (timeout_ms 0:
 * none). */
int pipeline_drain(struct pipeline *p, uint32_t attempts, uint64_t timeout_ms, struct err *err);
/* Work of one stage over all media kinds: for a first attempt, for a further one, and what waits for `normalize: on` or for a
 * model of its kind, because the configuration gives it to nobody; it is taken up when that changes. */
struct stage_work {
	uint64_t queued, retrying, waiting;
};
void pipeline_work(const struct pipeline *p, struct view *v, enum stage stage, struct stage_work *ret);
struct drain_counts {
	uint64_t items_new, objects_new, objects_changed, objects_gone, read; /* since start */
	uint64_t quarantined, retrying, offline, unsettled;                   /* what stands now */
	uint64_t modelless;                                                   /* items that wait for a model of their kind */
};
void pipeline_counts(struct pipeline *p, struct drain_counts *ret);

/* Requests. name NULL: every source. ERR_REJECT: no such source (did you mean). accept: a set of enum sync_accept; of one source. */
int pipeline_sync(struct pipeline *p, const char *name, unsigned accept, struct err *err);
int pipeline_pause(struct pipeline *p, const char *name, bool pause, struct err *err); /* durable */
/* Re-queue a failure at once. ERR_REJECT: no such failure. all: every one of them; *ret_n how many. */
int pipeline_retry(struct pipeline *p, struct slice id, bool all, uint64_t *ret_n, struct err *err);
int pipeline_relabel(struct pipeline *p, uint64_t *ret_n, struct err *err); /* items without a run of a current model */

/* People's decisions; user is "user:NAME". Each is one commit; returns its revision or -1 (ERR_REJECT: no such item or
 * annotation, or it no longer stands). concept empty: all that wait on the item. */
int64_t decide_accept(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err);
int64_t decide_reject(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err);
int64_t decide_label(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err);

/* Is the item left out of exports: its objects are all gone, from sources that exclude such items (on_gone)? 1, 0, -1. */
int pipeline_excluded(struct pipeline *p, struct view *v, uint64_t item, struct err *err);

size_t pipeline_source_views(struct pipeline *p, struct source_view *ret, size_t max);
const char *pipeline_intake(struct pipeline *p, char *buf, size_t n); /* buf: "" running; else why intake is paused */
struct model_view {
	const char *name, *media, *runtime;
	struct content_id version;
	char error[512];       /* not "": could not be loaded */
};
size_t pipeline_models(struct pipeline *p, struct model_view *ret, size_t max);
struct imports *pipeline_imports(struct pipeline *p);
struct store *pipeline_store(struct pipeline *p);
const struct config *pipeline_config(const struct pipeline *p);
/* A line for each check of `inlet doctor`: "ok", "warn" or "fail"; name; what it found; the cure ("" when ok). */
typedef void doctor_fn(void *arg, const char *level, const char *check, const char *found, const char *cure);
void pipeline_doctor(struct pipeline *p, doctor_fn *fn, void *arg);

#endif
