/* parts.h - what an open store is made of; only files of daemon/store include it. */
#ifndef INLET_STORE_PARTS_H
#define INLET_STORE_PARTS_H

#include "daemon/store/derived.h"
#include "daemon/store/internal.h"
#include "daemon/store/mark.h"
#include "daemon/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct committer;

struct store {
	struct store_options options;
	char uuid[STORE_UUID_BYTES];
	int segments, large, packs;      /* directories */
	struct kv *kv;
	struct arena_pool *arenas;
	struct derived *derived;
	struct committer *committer;
	struct settled *settled;         /* the committer's */
	_Atomic uint64_t paused_until_ns; /* clock_mono_ns(): no intake before, the disk was found full */
	atomic_bool interrupted;         /* store_interrupt() */
	pthread_mutex_t room;            /* held from the look at free space until a large blob has taken its share */
};

/* The committer of s, whose log ends at *at. s is complete but for s->committer. */
int committer_open(struct store *s, const struct mark *at, struct committer **ret, struct err *err);
/* Finishes the running group, drops what waits, ends the thread. */
void committer_close(struct committer *w);  /* NULL allowed */
int committer_failed(struct committer *w, struct err *err); /* store_failed() */
void committer_mark(struct committer *w, struct mark *ret);  /* as of the last commit; any thread */

#endif
