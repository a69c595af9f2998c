/* loop.h - the main thread's event loop (sd-event): signals, the sources' events, the watchdog, aggregated progress. */
#ifndef INLET_LOOP_H
#define INLET_LOOP_H

#include "daemon/stages/pipeline.h"

#include <signal.h>

/* Signals that end the program, SIGHUP only where it runs in a terminal. */
void loop_signals(sigset_t *ret);
/* They are blocked in every thread, and taken by the loop. Call before the first thread starts. */
void loop_block_signals(void);

enum loop_end {
	LOOP_SIGNAL,   /* asked to stop */
	LOOP_DRAINED,  /* --once: nothing is due any more */
	LOOP_DESERTED, /* stand-in: the last client has gone */
	LOOP_FAILED,   /* err says why */
};
/* Where the store is; the caller's. */
struct loop_home {
	const char *path; /* state_dir */
	int dir;          /* it, open: for the stand-in's attend.sock */
	int lock;         /* store_lock() */
};
/* Runs until one of these. */
enum loop_end loop_run(struct pipeline *p, enum pipeline_mode mode, const struct loop_home *home, struct err *err);

#endif
