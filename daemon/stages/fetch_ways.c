/* fetch_ways.c - an object's way ends, or is left to another pass. */
#include "daemon/stages/fetch_ways.h"

#include "daemon/flow/account.h"
#include "daemon/flow/feed.h"

void fetch_job_end(struct fetch_ways *w, struct fetch_job *job)
{
	uint64_t claim = job->claim;
	uint64_t follower = flight_leave(w->flight, job);
	/* Either may come up again at once, and is not in hand then. */
	if (claim)
		feed_release(w->retries, claim);
	if (follower)
		feed_release(w->retries, follower);
	account_give(w->account, 1);
}

/* Objects that were not kept for want of room are found again by another pass: the retrier asks for it. */
void fetch_job_left(struct fetch_ways *w, uint64_t n)
{
	atomic_fetch_add(&w->left, n);
	feed_wake(w->retries);
}
