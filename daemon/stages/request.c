/* request.c - what people ask of the pipeline: sync, pause, retry, relabel. */
#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/flow/retry.h"
#include "daemon/imports/list.h"
#include "daemon/stages/pipeline.h"
#include "daemon/stages/source.h"

#include <stdio.h>
#include <stdlib.h>

#define SLICE_ITEMS 500

/* The named source, or an error that says which there are. */
static int find_source(struct pipeline *p, const char *name, size_t *ret, struct err *err)
{
	for (size_t i = 0; i < p->source_count; i++) {
		if (strcmp(source_name(p->sources[i]), name) == 0) {
			*ret = i;
			return 0;
		}
	}
	CLEANUP(freep) const char **names = mem_zero(p->source_count + 1, sizeof(*names));
	CLEANUP(buf_done) struct buf all = { 0 };
	for (size_t i = 0; i < p->source_count; i++) {
		names[i] = source_name(p->sources[i]);
		buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = text_nearest(name, names);
	return err_set(err, ERR_REJECT, 0, "there is no source '%s' in the configuration%s%s%s; it has %s", name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all.len ? all.data : "none");
}

int pipeline_sync(struct pipeline *p, const char *name, unsigned accept, struct err *err)
{
	size_t only = 0;
	if (accept && !name)
		return err_set(err, ERR_REJECT, 0, "name the source of which that is right: inlet sync NAME --%s",
			accept & SYNC_GONE ? "accept-gone" : "rebind");
	if (name && find_source(p, name, &only, err) < 0)
		return -1;
	if (pipeline_activate(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->source_count; i++)
		if (!name || i == only)
			source_sync(p->sources[i], accept);
	return 0;
}

/* ---- retry ---- */

static int retry_records(struct change *c, struct view *v, const struct failure *f, struct err *err)
{
	struct item item;
	struct record_failure *again;
	struct slice reason = change_copy(c, f->reason), cure = change_copy(c, f->cure);
	if (f->subject == SUBJECT_ITEM && !f->retry) {
		enum item_state back = f->stage == STAGE_INFER ? ITEM_NORMALIZED : ITEM_COMMITTED;
		int found = view_item(v, f->number, &item, err);
		if (found > 0 && item.state == ITEM_QUARANTINED)
			change_add(c, RECORD_STATE)->state = (struct record_state){ f->number, back };
		return found;
	}
	if (f->subject == SUBJECT_OBJECT) {
		int found = retry_object(c, v, f->number, clock_wall_ms(), &again, err);
		if (found <= 0)
			return found;
	} else {
		again = &change_add(c, RECORD_FAILURE)->failure;
		*again = (struct record_failure){ .subject = SUBJECT_ITEM, .number = f->number, .stage = f->stage, .retry = true,
			.due_ms = clock_wall_ms() };
	}
	again->reason = reason;
	again->cure = cure;
	return 0;
}

struct retrying {
	struct pipeline *p;
	struct slice id;       /* empty: all of one subject after `after`... */
	struct slice source;   /* ...or only retries of this source's objects */
	enum failure_subject subject;
	uint64_t after;
	uint64_t done;
	bool more;
};

/* A row is tried again with its list, by whoever reads that: of a source's list, we do. */
static int retry_row(struct retrying *r, struct change *c, struct view *v, const struct failure *f, struct err *err)
{
	struct import import;
	struct ledger_row list = { 0 };
	struct record_failure *again = NULL;
	int found = view_import(v, row_import(f->number), &import, err);
	const struct source_config *owner = found > 0 ? import_list_owner(r->p->config, import.source) : NULL;
	if (found < 0)
		return -1;
	if (!owner)
		return err_set(err, ERR_REJECT, 0, "'%.*s' is a row of '%.*s': mend it there, and import the manifest again", (int)r->id.len,
			r->id.p, (int)f->file.len, f->file.p);
	size_t n = strlen(owner->name) + 1;
	enum layout layout = source_config_is_bucket(owner) ? LAYOUT_FLAT : LAYOUT_TREE;
	struct slice key = { import.source.p + n, import.source.len - n };
	found = view_object(v, slice_of(owner->name), layout, key, &list, err);
	if (found > 0)
		found = list.state == OBJECT_GONE ? 0 : retry_object(c, v, list.object, clock_wall_ms(), &again, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ERR_REJECT, 0, "'%.*s' is a row of '%.*s', which is gone", (int)r->id.len, r->id.p,
			(int)f->file.len, f->file.p);
	again->reason = SLICE_LIT("waits to be imported again, because of a row");
	again->cure = SLICE_LIT("nothing: it is due now");
	return 0;
}

static int prepare_retry(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct retrying *r = arg;
	struct failure f;
	uint64_t number;
	if (r->id.len) {
		if (failure_id_parse(r->id, &r->subject, &number) < 0 || view_failure(now, r->subject, number, &f, err) <= 0)
			return err_set(err, ERR_REJECT, 0, "there is no failure '%.*s'; `inlet failures` lists them", (int)r->id.len, r->id.p);
		r->done = 1;
		if (r->subject == SUBJECT_ROW)
			return retry_row(r, c, now, &f, err);
		return retry_records(c, now, &f, err) < 0 ? -1 : 0;
	}
	r->more = false;
	for (int n = 0; n < SLICE_ITEMS; n++) {
		int found = view_failure_next(now, r->subject, r->after, &f, err);
		if (found <= 0 || f.subject != r->subject)
			return found < 0 ? -1 : 0;
		r->after = f.number;
		r->more = true;
		if (r->source.len && (!f.retry || !slice_eq(f.source, r->source)))
			continue;
		r->done++;
		if (retry_records(c, now, &f, err) < 0)
			return -1;
	}
	return 0;
}

static int retry_slice(struct pipeline *p, struct retrying *r, struct err *err)
{
	struct change *c = change_new();
	change_prepare(c, prepare_retry, r);
	return committer_wait(p->store, c, err) < 0 ? -1 : 0;
}

static int retry_all(struct pipeline *p, struct retrying *r, enum failure_subject subject, struct err *err)
{
	r->subject = subject;
	r->after = 0;
	for (r->more = true; r->more;)
		if (retry_slice(p, r, err) < 0)
			return -1;
	return 0;
}

int pipeline_retry(struct pipeline *p, struct slice id, bool all, uint64_t *ret_n, struct err *err)
{
	struct retrying r = { .p = p, .id = all ? (struct slice){ 0 } : id, .subject = SUBJECT_OBJECT, .more = true };
	if (!all && id.len == 0)
		return err_set(err, ERR_REJECT, 0, "name a failure's id, or all");
	if (pipeline_activate(p, err) < 0)
		return -1;
	if (all ? retry_all(p, &r, SUBJECT_OBJECT, err) < 0 || retry_all(p, &r, SUBJECT_ITEM, err) < 0 : retry_slice(p, &r, err) < 0)
		return -1;
	*ret_n = r.done;
	feeds_kick(p->feeds);
	return 0;
}

/* ---- pause ---- */

int pipeline_pause(struct pipeline *p, const char *name, bool pause, struct err *err)
{
	size_t only = 0;
	if (name && find_source(p, name, &only, err) < 0)
		return -1;
	for (size_t i = 0; i < p->source_count; i++) {
		if (name && i != only)
			continue;
		char meta[128];
		(void)snprintf(meta, sizeof(meta), "paused:%s", source_name(p->sources[i]));
		if (committer_set_meta(p->store, meta, pause ? SLICE_LIT("1") : SLICE_LIT("0"), err) < 0)
			return -1;
		source_pause(p->sources[i], pause);
		struct retrying r = { .p = p, .source = slice_of(source_name(p->sources[i])) };
		if (!pause && retry_all(p, &r, SUBJECT_OBJECT, err) < 0) /* what came up during the pause was put off */
			return -1;
	}
	feeds_kick(p->feeds);
	return 0;
}

/* ---- relabel ---- */

static bool lacks_run(struct pipeline *p, struct view *v, const struct item *item)
{
	const struct run *runs;
	size_t n;
	struct err err;
	if (view_runs(v, item->id, &runs, &n, &err) < 0)
		return false;
	for (size_t i = 0; i < p->model_count; i++) {
		if (!p->models[i].model || model_info(p->models[i].model)->media != item->media)
			continue;
		bool has = false;
		for (size_t k = 0; k < n; k++)
			has = has || content_id_eq(&runs[k].model_version, &model_info(p->models[i].model)->version);
		if (!has)
			return true;
	}
	return false;
}

static int relabel_slice(struct pipeline *p, uint64_t *after, uint64_t *n, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct change *c = change_new();
	int more = view_open(p->store, &v, err);
	for (int i = 0; more >= 0 && i < SLICE_ITEMS; i++) {
		struct item item;
		more = view_item_next(v, *after, ITEM_ROUTED, &item, err);
		if (more <= 0)
			break;
		*after = item.id;
		if (lacks_run(p, v, &item))
			change_add(c, RECORD_STATE)->state = (struct record_state){ item.id, ITEM_NORMALIZED };
	}
	*n += change_records(c);
	if (more < 0 || change_records(c) == 0) {
		change_free(c);
		return more;
	}
	return committer_wait(p->store, c, err) < 0 ? -1 : more;
}

int pipeline_relabel(struct pipeline *p, uint64_t *ret_n, struct err *err)
{
	if (pipeline_activate(p, err) < 0)
		return -1;
	uint64_t n = 0;
	int more = 1;
	for (uint64_t after = 0; more > 0;)
		more = relabel_slice(p, &after, &n, err);
	if (more < 0)
		return -1;
	*ret_n = n;
	feeds_kick(p->feeds);
	return 0;
}
