/* recheck.c - which URLs of a pass over a manifest are asked again, and the thread that walks them. */
#include "daemon/imports/recheck.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/imports/fetch.h"
#include "daemon/imports/pass.h"
#include "daemon/store/view.h"

#include <stdlib.h>

#define SLICE_ROWS 500 /* looked at in one snapshot */

struct recheck {
	struct imports *imports;
	struct import_fetch *fetch;
	struct queue *passes;    /* of struct import_pass; each is one in hand */
	pthread_mutex_t lock;
	pthread_t thread;        /* guarded by lock, as is runs */
	bool runs;
};

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

static void walk(const struct recheck *r, struct import_pass *pass)
{
	CLEANUP(buf_done) struct buf after = { 0 };
	uint64_t objects[SLICE_ROWS];
	size_t n;
	struct err err;
	int more = 1;
	while (more > 0 && !account_stopping(r->imports->account)) {
		more = some(r->imports, pass, &after, objects, &n, &err);
		for (size_t i = 0; more >= 0 && i < n; i++)
			import_fetch_ask(r->fetch, objects[i]);
	}
	if (more < 0 && err.class == ERR_FATAL)
		account_fail(r->imports->account, &err);
}

/* --- its thread --- */

static void pass_done(const struct recheck *r, struct import_pass *pass)
{
	import_pass_put(r->imports, pass);
	account_give(r->imports->account, 1);
}

static void *asker_thread(void *arg)
{
	struct recheck *r = arg;
	struct import_pass *pass;
	while ((pass = queue_pop(r->passes)) != NULL) {
		walk(r, pass);
		pass_done(r, pass);
	}
	return NULL;
}

struct recheck *recheck_new(struct imports *imports, struct import_fetch *f)
{
	struct recheck *r = mem_zero(1, sizeof(*r));
	r->imports = imports;
	r->fetch = f;
	r->passes = queue_new(1, free);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void recheck_pass(struct recheck *r, uint64_t id)
{
	struct err err;
	struct import_pass *pass = import_pass_get(r->imports, id, &err);
	if (!pass)
		return;
	pthread_mutex_lock(&r->lock);
	r->runs = r->runs || pthread_create(&r->thread, NULL, asker_thread, r) == 0;
	bool runs = r->runs;
	pthread_mutex_unlock(&r->lock);
	account_take(r->imports->account, 1);
	if (!runs || queue_push_over(r->passes, pass) < 0)
		pass_done(r, pass);
}

void recheck_stop(struct recheck *r)
{
	if (r)
		queue_close(r->passes);
}

void recheck_close(struct recheck *r)
{
	if (!r)
		return;
	recheck_stop(r);
	if (r->runs)
		pthread_join(r->thread, NULL);
	queue_free(r->passes);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
