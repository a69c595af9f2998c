/* source_memory.c - a source's row, its root in the log, and the mark of a pause. */
#include "daemon/stages/source_memory.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"

#include <stdio.h>

#define AGAIN_MS 3600000 /* what has not changed is written this often, for its time */

CLEANUP_FN(struct change *, change_free)

static void takes_mark(const char *name, char *to, size_t size)
{
	(void)snprintf(to, size, "takes:%s", name);
}

int source_memory_read(struct pipeline *p, const char *name, struct source_memory *ret, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct source_row row;
	struct slice value;
	char mark[128];

	*ret = (struct source_memory){ .root = "" };
	if (view_open(p->store, &v, err) < 0)
		return -1;
	int found = view_source(v, slice_of(name), &row, err);

	if (found > 0) {
		(void)snprintf(ret->root, sizeof(ret->root), "%.*s", (int)row.root.len, row.root.p);
		ret->had_objects = row.present > 0;
	}
	(void)snprintf(mark, sizeof(mark), "paused:%s", name);
	ret->paused = view_meta(v, mark, &value) > 0 && slice_eq(value, SLICE_LIT("1"));
	takes_mark(name, mark, sizeof(mark));
	if (view_meta(v, mark, &value) > 0)
		(void)snprintf(ret->takes, sizeof(ret->takes), "%.*s", (int)value.len, value.p);
	return found < 0 ? -1 : 0;
}

static bool is_news(const struct source_row *before, const struct source_memory_pass *pass)
{
	return !slice_eq(before->state, slice_of(pass->state)) || !slice_eq(before->message, slice_of(pass->message)) ||
		clock_wall_ms() - before->last_pass_ms > AGAIN_MS;
}

static int tell_takes(struct pipeline *p, const char *name, const char *takes, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct slice known = { 0 };
	char mark[128];

	takes_mark(name, mark, sizeof(mark));
	if (view_open(p->store, &v, err) < 0 || view_meta(v, mark, &known) < 0)
		return -1;
	bool same = slice_eq(known, slice_of(takes));

	view_close(TAKE_PTR(v));
	return same ? 0 : committer_set_meta(p->store, mark, slice_of(takes), err);
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
	return pass->full ? tell_takes(p, name, pass->takes, err) : 0;
}
