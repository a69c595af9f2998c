/* leave.c - ends failures in the committer's thread, where a list that comes back meanwhile is seen. */
#include "daemon/imports/leave.h"

#include "daemon/base/clock.h"
#include "daemon/imports/list.h"
#include "daemon/imports/pass.h"

#define SLICE_FAILURES 500 /* in one change */

struct leaving {
	struct imports *imports;
	const struct source_config *c;
	struct buf name;             /* of the list's import */
	struct buf after;            /* keys of its objects up to this one have been looked at */
	uint64_t import, row;        /* its number; failures of its rows up to this one have been looked at */
	bool more;
};

static int end_rows(struct leaving *l, struct change *c, struct view *now, struct err *err)
{
	struct failure f;
	int more = 1;
	for (int n = 0; n < SLICE_FAILURES && (more = view_failure_next(now, SUBJECT_ROW, l->row, &f, err)) > 0; n++) {
		if (row_import(f.number) != l->import)
			return 0;
		l->row = f.number;
		change_add(c, RECORD_MENDED)->mended = (struct record_mended){ f.number };
	}
	l->more = l->more || more > 0;
	return more < 0 ? -1 : 0;
}

/* An object that never came has nothing but its rows. */
static int end_object(const struct leaving *l, struct change *c, struct view *now, const struct ledger_row *row, struct err *err)
{
	const struct import_row *rows;
	size_t n;
	if (row->item != 0 || (row->state != OBJECT_RETRYING && row->state != OBJECT_QUARANTINED))
		return 0;
	if (view_rows(now, row->object, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ row->object, rows[i].row };
	change_add(c, RECORD_GONE)->gone = (struct record_gone){ .source = change_copy(c, buf_slice(&l->name)),
		.key = change_copy(c, row->name), .layout = LAYOUT_FLAT };
	return 0;
}

static int end_objects(struct leaving *l, struct change *c, struct view *now, struct err *err)
{
	struct ledger_walk *w;
	struct ledger_row row;
	int more = 1;
	if (view_walk(now, buf_slice(&l->name), LAYOUT_FLAT, SLICE_LIT(""), buf_slice(&l->after), &w, err) < 0)
		return -1;
	for (int n = 0; n < SLICE_FAILURES && (more = ledger_next(w, &row, err)) > 0; n++) {
		l->after.len = 0;
		buf_add(&l->after, row.name.p, row.name.len);
		if (end_object(l, c, now, &row, err) < 0) {
			more = -1;
			break;
		}
	}
	ledger_close(w);
	l->more = l->more || more > 0;
	return more < 0 ? -1 : 0;
}

/* The list that is gone fails no more. */
static void forget_failed(struct change *c, const struct import *i)
{
	change_add(c, RECORD_IMPORT)->import = (struct record_import){ .import = i->id, .source = change_copy(c, i->source),
		.format = change_copy(c, i->format), .header = change_copy(c, i->header), .attributes = change_copy(c, i->attributes),
		.rows = i->rows, .vanished = i->vanished, .complete = i->complete, .time_ms = clock_wall_ms() };
}

/* One that came back is read again, and has failures of its own. */
static int prepare_leaving(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct leaving *l = arg;
	struct import i;
	l->more = false;
	int gone = import_list_gone(now, l->c, buf_slice(&l->name), err);
	if (gone <= 0 || import_is_read(l->imports, l->import))
		return gone < 0 ? -1 : 0;
	int found = view_import(now, l->import, &i, err);
	if (found < 0 || end_rows(l, c, now, err) < 0 || end_objects(l, c, now, err) < 0)
		return -1;
	if (found && i.failed && !l->more)
		forget_failed(c, &i);
	return 0;
}

static int leave_one(struct leaving *l, struct err *err)
{
	l->after.len = 0;
	l->row = row_number(l->import, 0);
	do {
		struct change *c = change_new();
		change_prepare(c, prepare_leaving, l);
		if (committer_wait(l->imports->store, c, err) < 0)
			return -1;
	} while (l->more);
	return 0;
}

/* The next list behind l->name that is gone and has failures. 1, 0, -1. */
static int next_one(struct leaving *l, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	size_t n = strlen(l->c->name) + 1;
	struct source_row row;
	struct import i;
	int more = view_open(l->imports->store, &v, err);
	while (more == 0 && (more = view_source_next(v, buf_slice(&l->name), &row, err)) > 0) {
		if (row.name.len <= n || memcmp(row.name.p, l->c->name, n - 1) != 0 || row.name.p[n - 1] != '/')
			return 0;
		l->name.len = 0;
		buf_add(&l->name, row.name.p, row.name.len);
		int found = view_import_of(v, row.name, &i, err);
		int gone = found > 0 && (i.failed || row.retrying || row.quarantined) ? import_list_gone(v, l->c, row.name, err) : 0;
		if (found < 0 || gone < 0)
			return -1;
		l->import = found ? i.id : 0;
		more = gone;
		if (gone)
			return 1;
	}
	return more;
}

int imports_leave(struct imports *imports, const struct source_config *c, struct err *err)
{
	struct leaving l = { .imports = imports, .c = c };
	int more;
	buf_printf(&l.name, "%s/", c->name);
	while ((more = next_one(&l, err)) > 0)
		if (leave_one(&l, err) < 0) {
			more = -1;
			break;
		}
	buf_done(&l.name);
	buf_done(&l.after);
	return more;
}
