/* source_memory.c - a source's row, its root in the log, and the mark of a pause. */
#include "daemon/stages/source_memory.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"

#include <stdio.h>

#define AGAIN_MS 3600000 /* what has not changed is written this often, for its time */

CLEANUP_FN(struct change *, change_free)

/* Marks beside the row: what is only known while the index is, and found again by the next full pass. */
static int mark_get(struct view *v, const char *mark, const char *name, char *ret, size_t size)
{
	char key[128];
	struct slice value;
	(void)snprintf(key, sizeof(key), "%s:%s", mark, name);
	int found = view_meta(v, key, &value);
	if (found > 0 && value.len < size)
		(void)snprintf(ret, size, "%.*s", (int)value.len, value.p);
	return found;
}

static int mark_put(struct pipeline *p, const char *mark, const char *name, const char *value, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	char key[128];
	struct slice known = { 0 };
	(void)snprintf(key, sizeof(key), "%s:%s", mark, name);
	if (view_open(p->store, &v, err) < 0 || view_meta(v, key, &known) < 0)
		return -1;
	bool same = slice_eq(known, slice_of(value));
	view_close(TAKE_PTR(v));
	return same ? 0 : committer_set_meta(p->store, key, slice_of(value), err);
}

int source_memory_read(struct pipeline *p, const char *name, struct source_memory *ret, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct source_row row;
	char paused[8] = "";
	*ret = (struct source_memory){ .root = "" };
	if (view_open(p->store, &v, err) < 0)
		return -1;
	int found = view_source(v, slice_of(name), &row, err);
	if (found > 0) {
		(void)snprintf(ret->root, sizeof(ret->root), "%.*s", (int)row.root.len, row.root.p);
		ret->had_objects = row.present > 0;
	}
	ret->paused = mark_get(v, "paused", name, paused, sizeof(paused)) > 0 && strcmp(paused, "1") == 0;
	(void)mark_get(v, "takes", name, ret->takes, sizeof(ret->takes));
	(void)mark_get(v, "place", name, ret->place, sizeof(ret->place));
	return found < 0 ? -1 : 0;
}

static bool is_news(const struct source_row *before, const struct source_memory_pass *pass)
{
	return !slice_eq(before->state, slice_of(pass->state)) || !slice_eq(before->message, slice_of(pass->message)) ||
		clock_wall_ms() - before->last_pass_ms > AGAIN_MS;
}

/* Adds what the store does not know yet. 0: nothing has to be written; 1; -1. */
static int tell(struct pipeline *p, const char *name, const char *scheme, const struct source_memory_pass *pass, struct change *c,
	struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct source_row row;
	if (view_open(p->store, &v, err) < 0)
		return -1;
	int found = view_source(v, slice_of(name), &row, err);
	if (found < 0)
		return -1;
	if (pass->full && pass->root[0] && (found == 0 || !slice_eq(row.root, slice_of(pass->root))))
		change_add(c, RECORD_SOURCE)->source = (struct record_source){ .source = slice_of(name), .kind = slice_of(scheme),
			.root = change_copy(c, slice_of(pass->root)) };
	if (found > 0 && !is_news(&row, pass) && change_records(c) == 0)
		return 0;
	change_add(c, RECORD_PASS)->pass = (struct record_pass){ .source = slice_of(name), .complete = pass->full,
		.state = change_copy(c, slice_of(pass->state)), .message = change_copy(c, slice_of(pass->message)),
		.time_ms = clock_wall_ms() };
	return 1;
}

int source_memory_write(struct pipeline *p, const char *name, const char *scheme, const struct source_memory_pass *pass,
	struct err *err)
{
	CLEANUP(change_freep) struct change *c = change_new();
	int news = tell(p, name, scheme, pass, c, err);
	if (news < 0 || (news > 0 && committer_wait(p->store, TAKE_PTR(c), err) < 0))
		return -1;
	if (!pass->full)
		return 0;
	return mark_put(p, "takes", name, pass->takes, err) < 0 ? -1 : mark_put(p, "place", name, pass->place, err);
}
