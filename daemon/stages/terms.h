/* terms.h - plain data that the pipeline and its parts speak in, with each other and with whoever asks them. */
#ifndef INLET_STAGES_TERMS_H
#define INLET_STAGES_TERMS_H

#include <stdint.h>

enum pipeline_mode {
	PIPELINE_DAEMON, /* everything runs */
	PIPELINE_ONCE,   /* one pass over every source, then drain */
	PIPELINE_ATTEND, /* stand-in of the client: nothing runs until asked (sync, retry, relabel) */
};

/* What a person says is right of a source, which it would not believe by itself. */
enum sync_accept {
	SYNC_GONE = 1,   /* what its next complete pass finds gone may be as much as it likes (max_vanish) */
	SYNC_REBIND = 2, /* it is at another place than at its last pass, and what is not there has gone */
};

struct source_view {
	const char *name, *kind;
	const char *state;     /* live, scanning, idle, offline, held (too much went at once), paused, detached */
	const char *watching;  /* inotify, poll, mixed */
	char message[512];
	uint64_t settling;
};

#endif
