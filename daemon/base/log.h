/* log.h - one line per event, to the journal with a stable MESSAGE_ID or to stderr as "<priority>event: text". Only main
 * programs and stage runners log, once per failure; per-file detail is LOG_DEBUG or aggregated, never info in bulk. */
#ifndef INLET_BASE_LOG_H
#define INLET_BASE_LOG_H

#include <stdbool.h>

/* One row each in log.c with name and MESSAGE_ID; an id, once released, never changes its meaning. */
enum log_event {
	LOG_STARTED,        /* daemon up: what it watches and where the store is */
	LOG_STOPPED,
	LOG_RECOVERED,      /* batches re-applied or cut after a crash */
	LOG_SOURCE,         /* a source changed state: live, scanning, offline, polling, settling */
	LOG_PROGRESS,       /* aggregated counts, at most one line per 10 s */
	LOG_PAUSED,         /* intake paused: disk below its reserve, map full, by hand */
	LOG_RESUMED,
	LOG_QUARANTINED,    /* objects or items that can never succeed; aggregated in bulk */
	LOG_RETRYING,       /* failures of the outside world; aggregated in bulk */
	LOG_MODEL,          /* model loaded or refused */
	LOG_WORKER,         /* a decode worker died or was killed */
	LOG_STORE,          /* store: created, rebuilt, segment sealed, upgrade */
	LOG_FATAL,          /* the daemon stops: why and what to do */
	LOG_DETAIL,         /* per-object detail, debug priority only */
	LOG_EVENTS
};
enum log_priority { LOG_PRI_ERR = 3, LOG_PRI_WARNING = 4, LOG_PRI_NOTICE = 5, LOG_PRI_INFO = 6, LOG_PRI_DEBUG = 7 };

void log_init(const char *program, bool verbose); /* journal when stderr is its stream ($JOURNAL_STREAM), else stderr */
void log_write(enum log_event event, enum log_priority priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))); /* any thread */

#define LOG_INFO(event, ...) log_write(event, LOG_PRI_INFO, __VA_ARGS__)
#define LOG_NOTICE(event, ...) log_write(event, LOG_PRI_NOTICE, __VA_ARGS__)
#define LOG_WARNING(event, ...) log_write(event, LOG_PRI_WARNING, __VA_ARGS__)
#define LOG_ERR(event, ...) log_write(event, LOG_PRI_ERR, __VA_ARGS__)
#define LOG_DEBUG(event, ...) log_write(event, LOG_PRI_DEBUG, __VA_ARGS__)

#endif
