/* source_memory.h - what the store keeps of a source between passes and starts: which root it was, whether it had objects, whether
 * it is paused, and how its last pass ended. status tells it while nobody looks at the source. */
#ifndef INLET_STAGES_SOURCE_MEMORY_H
#define INLET_STAGES_SOURCE_MEMORY_H

#include "daemon/stages/internal.h"

#include <limits.h>

struct source_memory {
	char root[256];   /* the root's identity (connector.h); "" unknown */
	bool had_objects; /* as of the last pass */
	bool paused;
	char takes[16];   /* what it took at its last full pass, "files" or "manifests"; "" unknown */
	char place[PATH_MAX]; /* where it was then: a folder's path; "" unknown, or a bucket, whose root says that */
};
struct source_memory_pass {
	bool full;           /* it covered the whole source: its time and its root count */
	const char *root;    /* "" unknown */
	const char *state;   /* "live", "offline", "held" */
	const char *message; /* why, and what to do; "" all is well */
	const char *takes;   /* of a full pass: "files" or "manifests" */
	const char *place;   /* of a full pass: a folder's path; "" a bucket */
};

/* 0, also of a source that was never seen before; -1. */
int source_memory_read(struct pipeline *p, const char *name, struct source_memory *ret, struct err *err);
/* Waits until it is durable. The root goes into the log where it is another one, the rest into the index. What the pass before it
 * found is written again once an hour at most, so that a source in which nothing happens costs no write. 0, -1. */
int source_memory_write(struct pipeline *p, const char *name, const char *scheme, const struct source_memory_pass *pass,
	struct err *err);

#endif
