/* vanish.c - counts the objects that would be gone, those below vanished directories included; then writes that they are. */
#include "daemon/stages/vanish.h"

#include "daemon/base/cleanup.h"
#include "daemon/imports/leave.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_sidecar.h"

#include <stdio.h>

#define GONE_BATCH 1000 /* records a change while concluding */

struct count {
	struct source *source;
	struct view *view;
	uint64_t n;
};

/* Objects below a directory of a tree. It walks one place at a time: no cursor is held while it goes down. */
static int count_below(struct count *c, struct slice place, struct err *err)
{
	CLEANUP(buf_done) struct buf below = { 0 }; /* directories of this place: u32 length, whole path */
	struct ledger_walk *w;
	struct ledger_row row;
	int more;
	if (view_walk(c->view, slice_of(source_name(c->source)), LAYOUT_TREE, place, SLICE_LIT(""), &w, err) < 0)
		return -1;
	while ((more = ledger_next(w, &row, err)) > 0) {
		if (row.state == OBJECT_GONE)
			continue;
		c->n += !row.directory;
		if (!row.directory)
			continue;
		uint32_t len = (uint32_t)(place.len + (place.len > 0) + row.name.len);
		buf_add(&below, &len, sizeof(len));
		buf_add(&below, place.p, place.len);
		if (place.len > 0)
			buf_char(&below, '/');
		buf_add(&below, row.name.p, row.name.len);
	}
	ledger_close(w);
	for (size_t at = 0; more == 0 && at < below.len;) {
		uint32_t len;
		memcpy(&len, below.data + at, sizeof(len));
		at += sizeof(len);
		more = count_below(c, (struct slice){ below.data + at, len }, err);
		at += len;
	}
	return more;
}

static int count_one(void *arg, struct slice key, bool directory, struct err *err)
{
	struct count *c = arg;
	if (directory)
		return count_below(c, key, err);
	c->n++;
	return 0;
}

int vanish_check(struct source *s, struct absent *absent, bool accepted, char *ret_why, size_t size, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	const struct source_config *config = source_config(s);
	struct source_row row = { 0 };
	if (config->on_gone == ON_GONE_KEEP || accepted || absent_count(absent) == 0)
		return 0;
	struct count c = { .source = s };
	if (view_open(source_pipeline(s)->store, &v, err) < 0 || view_source(v, slice_of(config->name), &row, err) < 0)
		return -1;
	c.view = v;
	uint64_t known = row.present + row.retrying + row.quarantined + row.archived;
	if (known <= VANISH_FREE)
		return 0;
	if (absent_each(absent, count_one, &c, err) < 0)
		return -1;
	if ((double)c.n <= (double)config->max_vanish * (double)known)
		return 0;
	(void)snprintf(ret_why, size, "%llu of %llu objects are gone at once, more than max_vanish (%g) allows: nothing is concluded "
		"from it. If that is right: inlet sync %s --accept-gone", (unsigned long long)c.n, (unsigned long long)known,
		(double)config->max_vanish, config->name);
	return 0;
}

/* Sidecars go first: one that is there when its file goes is left behind. */
enum conclude_which { CONCLUDE_ALL, CONCLUDE_SIDECARS, CONCLUDE_OTHERS };

/* A file that goes, in the memory of the change that says so. */
struct leaving {
	const struct leaving *next;
	const struct source *source;
	struct slice key;
};

struct conclude {
	struct source *s;
	enum conclude_which which;
	struct change *change;
	struct leaving *leaving;     /* in it */
	size_t count;
};

static int conclude_flush(struct conclude *c, struct err *err)
{
	c->leaving = NULL;
	if (!c->change)
		return 0;
	return committer_wait(source_pipeline(c->s)->store, TAKE_PTR(c->change), err) < 0 ? -1 : 0;
}

static int prepare_leaving(struct change *c, struct view *now, void *arg, struct err *err)
{
	for (const struct leaving *l = arg; l; l = l->next)
		if (source_sidecar_left(l->source, c, now, l->key, err) < 0)
			return -1;
	return 0;
}

static void note_leaving(struct conclude *c, struct slice key)
{
	struct leaving *l = change_alloc(c->change, sizeof(*l));
	*l = (struct leaving){ c->leaving, c->s, key };
	c->leaving = l;
	change_prepare(c->change, prepare_leaving, l);
}

static int conclude_one(void *arg, struct slice key, bool directory, struct err *err)
{
	struct conclude *c = arg;
	bool sidecar = !directory && source_sidecar_is(c->s, key);
	if (c->which != CONCLUDE_ALL && sidecar != (c->which == CONCLUDE_SIDECARS))
		return 0;
	if (!c->change)
		c->change = change_new();
	struct slice copy = change_copy(c->change, key);
	struct record *r = change_add(c->change, RECORD_GONE);
	r->gone = (struct record_gone){ .source = slice_of(source_name(c->s)), .key = copy, .layout = source_ops(c->s)->layout,
		.directory = directory };
	if (c->which == CONCLUDE_OTHERS && !directory) /* of a directory that is gone no sidecar is left */
		note_leaving(c, copy);
	account_step(source_pipeline(c->s)->account);
	return ++c->count % GONE_BATCH == 0 ? conclude_flush(c, err) : 0;
}

static int conclude_those(struct conclude *c, enum conclude_which which, struct absent *absent, struct err *err)
{
	c->which = which;
	return absent_each(absent, conclude_one, c, err) < 0 ? -1 : conclude_flush(c, err);
}

int vanish_conclude(struct source *s, struct absent *absent, struct err *err)
{
	struct conclude c = { .s = s };
	int ok = source_sidecars(s) ? conclude_those(&c, CONCLUDE_SIDECARS, absent, err) : 0;
	if (ok == 0)
		ok = conclude_those(&c, source_sidecars(s) ? CONCLUDE_OTHERS : CONCLUDE_ALL, absent, err);
	if (ok == 0 && source_config(s)->manifest)
		ok = imports_leave(source_pipeline(s)->imports, source_config(s), err);
	change_free(c.change);
	atomic_fetch_add(&source_pipeline(s)->gone_objects, c.count);
	return ok;
}
