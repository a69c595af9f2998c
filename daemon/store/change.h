/* change.h - what a change holds between its maker and the committer; its functions for makers are in committer.h. */
#ifndef INLET_STORE_CHANGE_H
#define INLET_STORE_CHANGE_H

#include "daemon/store/committer.h"

struct change_meta {
	struct slice name, value;
};
struct change_touch {
	uint64_t item, fresh;
};
/* A growing array of one kind. */
#define CHANGE_LIST(type)                                                                                              \
	struct {                                                                                                       \
		type *at;                                                                                              \
		size_t count, capacity;                                                                                \
	}

struct change {
	CHANGE_LIST(struct record) records;
	CHANGE_LIST(struct arrival) arrivals; /* arena places ascend */
	CHANGE_LIST(struct derived_blob) derived;
	CHANGE_LIST(struct change_meta) metas;
	struct arena *arena;
	prepare_fn *prepare;
	void *prepare_arg;
	struct change_chunk *chunks; /* its memory */
	size_t bytes;                /* in chunks */
	/* The committer's: */
	committed_fn *done;
	void *done_arg;
	bool waited;                 /* committer_wait(): somebody does nothing else */
	bool logged;                 /* it put a line into the batch */
	struct err refused;          /* class 0: not. Else nothing of it was applied */
	CHANGE_LIST(struct change_touch) touched; /* items whose imported labels may have changed */
};

void change_meta(struct change *c, struct slice name, struct slice value); /* copies both */
/* item 0: nothing. fresh: an object that carries its first item, 0: something else changed. Said of it first. */
void change_touch(struct change *c, uint64_t item, uint64_t fresh);

#endif
