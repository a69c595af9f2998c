/* merge.h - compares one page of a listing with the ledger: what is new or changed is fetched, what is absent is noted.
 *
 * Both sides are walked in name order; an unchanged object costs no write, an unchanged directory one index row. Absence is
 * only noted (struct absent): it is concluded after a complete, sane pass. */
#ifndef INLET_STAGES_MERGE_H
#define INLET_STAGES_MERGE_H

#include "daemon/stages/absent.h"
#include "daemon/stages/internal.h"

struct merge {
	struct source *source;
	struct absent *absent;
	bool thorough;          /* `sidecars` was changed: every place is compared, for what it made of its objects */
	_Atomic uint64_t misread; /* objects that came as a file and are sidecars by now, or the other way round: they are read again */
	_Atomic uint64_t settling;
	uint64_t unreadable;    /* places; under the lock while scan threads run */
	/* views not in use, so that each scan thread has one without opening it anew */
	pthread_mutex_t lock;
	char passed_over[448]; /* why the first of the unreadable is */
	struct view *views[8];
	size_t view_count;
	size_t walked;  /* entries since the index's pages were last let go of */
};

void merge_init(struct merge *m, struct source *s, struct absent *absent);
void merge_done(struct merge *m);
int merge_page(void *arg, const struct page *page, struct err *err); /* a page_fn; arg is a struct merge; many threads */

#endif
