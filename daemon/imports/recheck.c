/* recheck.c - which URLs of a pass over a manifest are asked again (fetch.h). */
#include "daemon/imports/recheck.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/queue.h"
#include "daemon/store/view.h"

#include <stdlib.h>

#define SLICE_ROWS 500 /* looked at in one snapshot */

/* Rows of this pass are of URLs that are fetched with it. */
static bool was_there(struct import_pass *pass, const struct import_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].origin.len && rows[i].row <= pass->last_row && import_saw(pass, rows[i].row))
			return true;
	return false;
}

static bool tells_versions(struct slice version)
{
	return version.len > 5 && (memcmp(version.p, "etag:", 5) == 0 || memcmp(version.p, "date:", 5) == 0);
}

/* A run of objects behind *after; 1: there are more. */
static int some(struct imports *imports, struct import_pass *pass, struct buf *after, uint64_t *ret, size_t *ret_n, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	const struct import_row *rows;
	struct ledger_walk *w;
	struct ledger_row row;
	size_t n;
	int more = 0;
	*ret_n = 0;
	if (view_open(imports->store, &v, err) < 0 ||
		view_walk(v, slice_of(pass->name), LAYOUT_FLAT, SLICE_LIT(""), buf_slice(after), &w, err) < 0)
		return -1;
	for (int k = 0; k < SLICE_ROWS && (more = ledger_next(w, &row, err)) > 0; k++) {
		after->len = 0;
		buf_add(after, row.name.p, row.name.len);
		if (row.state != OBJECT_PRESENT || !tells_versions(row.version))
			continue;
		if (view_rows(v, row.object, &rows, &n, err) < 0) {
			more = -1;
			break;
		}
		if (was_there(pass, rows, n))
			ret[(*ret_n)++] = row.object;
	}
	ledger_close(w);
	return more;
}

void recheck_walk(struct imports *imports, struct import_pass *pass, recheck_fn *ask, void *arg)
{
	CLEANUP(buf_done) struct buf after = { 0 };
	uint64_t objects[SLICE_ROWS];
	size_t n;
	struct err err;
	int more = 1;
	while (more > 0 && !account_stopping(imports->account)) {
		more = some(imports, pass, &after, objects, &n, &err);
		for (size_t i = 0; more >= 0 && i < n; i++)
			ask(arg, objects[i]);
	}
	if (more < 0 && err.class == ERR_FATAL)
		account_fail(imports->account, &err);
}
