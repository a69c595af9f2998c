/* upkeep.c - what a changed configuration or program asks of stored items: new bands route again, a new decoder takes up
 * what was parked. Runs once at start, beside the stages. */
#include "daemon/stages/upkeep.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define SLICE_ITEMS 500 /* items a look over the index takes before it renews its snapshot */

struct upkeep {
	struct pipeline *p;
	struct threads thread;
	_Atomic bool busy;
};

/* Items in state routed with a run of this model go back to inferred, SLICE_ITEMS a commit. */
static int reroute_slice(struct pipeline *p, const struct content_id *version, uint64_t *after, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct change *c = change_new();
	uint64_t id;
	int more = view_open(p->store, &v, err);
	for (int n = 0; more >= 0 && n < SLICE_ITEMS; n++) {
		struct item item;
		more = view_run_next(v, version, *after, &id, err);
		if (more <= 0)
			break;
		*after = id;
		if (view_item(v, id, &item, err) > 0 && item.state == ITEM_ROUTED)
			change_add(c, RECORD_STATE)->state = (struct record_state){ id, ITEM_INFERRED };
	}
	if (more < 0 || change_records(c) == 0) {
		change_free(c);
		return more;
	}
	return committer_wait(p->store, c, err) < 0 ? -1 : more;
}

static int apply_bands(struct pipeline *p, const struct model_slot *slot, struct err *err)
{
	const struct content_id *version = &model_info(slot->model)->version;
	char name[16 + CONTENT_ID_HEX + 1] = "bands:";
	text_hex(version->sha256, sizeof(version->sha256), name + 6);
	struct buf text = { 0 };
	struct slice stored;
	struct view *v;
	bands_text(&slot->config->bands, &text);
	if (view_open(p->store, &v, err) < 0) {
		buf_done(&text);
		return -1;
	}
	bool same = view_meta(v, name, &stored) > 0 && slice_eq(stored, buf_slice(&text));
	view_close(v);
	int more = same ? 0 : 1;
	for (uint64_t after = 0; more > 0 && !account_stopping(p->account);) {
		more = reroute_slice(p, version, &after, err);
		account_step(p->account);
	}
	if (!same && more == 0)
		more = committer_set_meta(p->store, name, buf_slice(&text), err);
	buf_done(&text);
	return more;
}

/* Items that no decoder handled go back to committed, SLICE_ITEMS a commit. */
static int unpark_slice(struct pipeline *p, uint64_t *after, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct change *c = change_new();
	int more = view_open(p->store, &v, err);
	for (int n = 0; more >= 0 && n < SLICE_ITEMS; n++) {
		struct item item;
		more = view_item_next(v, *after, ITEM_PARKED, &item, err);
		if (more <= 0)
			break;
		*after = item.id;
		change_add(c, RECORD_STATE)->state = (struct record_state){ item.id, ITEM_COMMITTED };
	}
	if (more < 0 || change_records(c) == 0) {
		change_free(c);
		return more;
	}
	return committer_wait(p->store, c, err) < 0 ? -1 : more;
}

static int take_up_parked(struct pipeline *p, struct err *err)
{
	char now[16];
	struct slice stored;
	struct view *v;
	(void)snprintf(now, sizeof(now), "%u", NORMALIZER_VERSION);
	if (view_open(p->store, &v, err) < 0)
		return -1;
	bool same = view_meta(v, "normalizer", &stored) > 0 && slice_eq(stored, slice_of(now));
	view_close(v);
	int more = same ? 0 : 1;
	for (uint64_t after = 0; more > 0 && !account_stopping(p->account);) {
		more = unpark_slice(p, &after, err);
		account_step(p->account);
	}
	return !same && more == 0 ? committer_set_meta(p->store, "normalizer", slice_of(now), err) : more;
}

static void *upkeep_thread(void *arg)
{
	struct upkeep *u = arg;
	struct pipeline *p = u->p;
	struct err err;
	int ok = p->config->normalize ? take_up_parked(p, &err) : 0;
	for (size_t i = 0; ok >= 0 && i < p->model_count && !account_stopping(p->account); i++)
		if (p->models[i].model)
			ok = apply_bands(p, &p->models[i], &err);
	if (ok < 0 && err.class == ERR_FATAL)
		account_fail(p->account, &err);
	feeds_kick(p->feeds);
	u->busy = false;
	account_wake(p->account);
	return NULL;
}

int upkeep_start(struct pipeline *p, struct upkeep **ret, struct err *err)
{
	struct upkeep *u = mem_zero(1, sizeof(*u));
	u->p = p;
	u->busy = true;
	if (threads_start(&u->thread, 1, upkeep_thread, u, "the upkeep", err) < 0) {
		upkeep_close(u);
		return -1;
	}
	*ret = u;
	return 0;
}

void upkeep_close(struct upkeep *u)
{
	if (!u)
		return;
	threads_join(&u->thread);
	free(u);
}

bool upkeep_busy(struct upkeep *u)
{
	return u->busy;
}
