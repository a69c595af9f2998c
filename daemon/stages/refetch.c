/* refetch.c - the return of what could not be fetched. */
#include "daemon/stages/refetch.h"

#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/flow/intake.h"
#include "daemon/flow/retry.h"
#include "daemon/imports/imports.h"
#include "daemon/stages/fetch.h"
#include "daemon/stages/source.h"

#include <stdlib.h>

#define PASS_FIRST_NS NS_PER_SEC      /* between passes that want of room asked for: doubled while it goes on... */
#define PASS_CAP_NS (30 * NS_PER_SEC) /* ...up to this, so that a nearly full disk is not answered with endless listing */

struct refetch {
	struct pipeline *p;
	struct fetcher *fetcher;
	struct feed *feed;
	struct threads thread;
	uint64_t pass_ns, wait_ns;    /* of the thread: when it last asked for a pass, and how long the next one waits */
};

static void fetched(void *retries, uint64_t object)
{
	feed_release(retries, object);
}

/* Makes a batch of a retry that has become due, or an errand of a row of a manifest; one that is in hand waits for the end of that.
 * False: its source is paused or not configured; *ret_paused says whether it is the first. */
static bool requeue(struct refetch *r, const struct work *work, bool *ret_paused)
{
	struct view *view;
	struct err err;
	struct slice source, key;
	struct ledger_row row;
	struct source_row owner;
	bool url = false, taken = false;
	struct fetch_batch *b = NULL;
	if (view_open(r->p->store, &view, &err) < 0)
		return false;
	if (view_object_by_number(view, work->number, &source, &key, &row, &err) > 0) {
		struct source *s = source_find(r->p, source);
		struct object o = { .key = key, .version = row.version, .bytes = row.bytes, .racy = true }; /* listed long ago */
		url = !s && view_source(view, source, &owner, &err) > 0 && slice_eq(owner.kind, SLICE_LIT("manifest"));
		*ret_paused = s && source_paused(s);
		taken = s && !*ret_paused;
		if (taken)
			b = fetch_batch_retry(r->fetcher, s, &o, work->attempts, work->number);
	}
	view_close(view);
	if (b)
		(void)fetch_submit_retry(r->fetcher, b, &err); /* while stopping it ends the object's way itself */
	if (url)
		imports_fetch(r->p->imports, work, fetched, r->feed);
	return taken || url;
}

/* In the committer's thread: a source that was resumed in between has its retries due at once, and this one must not be put off
 * behind that. It is still due. */
static int unless_resumed(struct change *c, struct view *now, void *arg, struct err *err)
{
	(void)c;
	const struct slice *source = arg;
	struct slice value;
	char name[128];
	(void)snprintf(name, sizeof(name), "paused:%.*s", (int)source->len, source->p);
	if (view_meta(now, name, &value) > 0 && slice_eq(value, SLICE_LIT("0")))
		return err_set(err, ERR_REJECT, 0, "source '%.*s' was resumed", (int)source->len, source->p);
	return 0;
}

/* A retry that cannot be made now goes to a later time, so that it does not come up again at once. */
static void postpone(struct pipeline *p, const struct work *work, bool paused)
{
	struct change *c = change_new();
	struct record_failure *r;
	struct view *v;
	struct err err;
	if (view_open(p->store, &v, &err) < 0) {
		change_free(c);
		return;
	}
	int found = retry_object(c, v, work->number, clock_wall_ms() + RETRY_CAP_MS, &r, &err);
	view_close(v);
	if (found <= 0) {
		change_free(c);
		return;
	}
	r->attempts = work->attempts;
	r->reason = SLICE_LIT("its source is paused or not configured any more");
	r->cure = SLICE_LIT("inlet resume, or configure the source again");
	struct slice source = r->source;
	if (paused)
		change_prepare(c, unless_resumed, &source);
	(void)committer_wait(p->store, c, &err);
}

/* What was left for want of room is found again by a pass over the sources. */
static void ask_for_passes(struct refetch *r)
{
	uint64_t now_ns = clock_mono_ns();
	bool goes_on = r->pass_ns && now_ns - r->pass_ns < 2 * PASS_CAP_NS;
	if (goes_on && now_ns < r->pass_ns + r->wait_ns)
		return;
	if (!fetcher_made_room(r->fetcher))
		return;
	r->wait_ns = !goes_on ? PASS_FIRST_NS : r->wait_ns < PASS_CAP_NS / 2 ? 2 * r->wait_ns : PASS_CAP_NS;
	r->pass_ns = clock_mono_ns();
	for (size_t i = 0; i < r->p->source_count; i++)
		source_sync(r->p->sources[i], 0);
}

static void *refetch_thread(void *arg)
{
	struct refetch *r = arg;
	struct work work;
	for (;;) {
		bool left = fetcher_left(r->fetcher) > 0 && r->p->mode == PIPELINE_DAEMON;
		if (feed_next(r->feed, left ? clock_mono_ns() + INTAKE_LOOK_NS : UINT64_MAX, &work)) {
			bool paused = false;
			if (!requeue(r, &work, &paused)) {
				postpone(r->p, &work, paused);
				feed_release(r->feed, work.number);
			}
		} else if (account_stopping(r->p->account)) {
			return NULL;
		} else if (left) {
			ask_for_passes(r);
		}
	}
}

int refetch_open(struct pipeline *p, struct refetch **ret, struct err *err)
{
	struct refetch *r = mem_zero(1, sizeof(*r));
	*r = (struct refetch){ .p = p, .fetcher = p->fetcher, .feed = fetcher_retries(p->fetcher) };
	if (threads_start(&r->thread, 1, refetch_thread, r, "the retries", err) < 0) {
		refetch_close(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void refetch_close(struct refetch *r)
{
	if (!r)
		return;
	threads_join(&r->thread);
	free(r);
}
