/* routes_failures.c - what failed: as JSON lines, or as a manifest of the rows that failed. */
#include "daemon/api/routes.h"

#include "daemon/api/show.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/imports/import.h"
#include "daemon/model/import_body.h"
#include "daemon/stages/pipeline.h"

#include <inttypes.h>

#define PAGE_FAILURES 500 /* looked at in one snapshot */

enum failures_format { FAILURES_JSON, FAILURES_MANIFEST };

struct failure_list {
	struct store *store;
	enum failure_subject subject;
	uint64_t number;           /* the last one looked at */
	uint64_t left;
	uint64_t import;           /* 0: not only of this one */
	struct buf source;         /* of the import */
	enum failures_format format;
	struct buf header;         /* not yet written */
	bool mendable;             /* its rows can be imported again on their own... */
	bool any;                  /* ...and there are some */
	uint64_t cut;              /* rows of which only the beginning is kept: imported again they would be other rows */
};

static void list_free(void *arg)
{
	struct failure_list *l = arg;
	buf_done(&l->source);
	buf_done(&l->header);
	free(l);
}

static void one_json(const struct failure *f, struct buf *to)
{
	struct json j = { .to = to };
	failure_json(f, NULL, &j);
	buf_char(to, '\n');
}

/* The row as it stood in its manifest: mended, it can be imported again. Of one that is not all there, the mended row would lack the
 * rest. */
static void put_raw(struct failure_list *l, const struct import_failure *row, struct buf *to)
{
	l->cut += row->cut;
	if (row->cut || row->raw.len == 0)
		return;
	buf_add(to, row->raw.p, row->raw.len);
	buf_char(to, '\n');
	l->any = true;
}

/* Those that a failure speaks of in one: what is known of an image may stand in many rows. */
static void put_rows(struct failure_list *l, struct slice text, struct buf *to)
{
	struct import_failure row, further;
	struct reader r, s;
	struct err err;
	if (import_failure_read(text, &r, &row, &err) < 0)
		return;
	put_raw(l, &row, to);
	while (import_failure_next(&row.more, &s, &further)) {
		put_raw(l, &further, to);
		reader_done(&s);
	}
	reader_done(&r);
}

static void rows_of(struct failure_list *l, const struct failure *f, struct buf *to)
{
	if (!f->import)
		return;
	put_rows(l, f->row, to);
	for (size_t i = 0; i < f->more_count; i++)
		put_rows(l, f->more[i].origin, to);
}

static int failures_fill(void *arg, struct buf *to, struct err *err)
{
	struct failure_list *l = arg;
	CLEANUP(view_closep) struct view *v = NULL;
	struct failure f;
	buf_add(to, l->header.data, l->header.len);
	l->header.len = 0;
	if (view_open(l->store, &v, err) < 0)
		return -1;
	for (int n = 0; n < PAGE_FAILURES && l->left > 0; n++) {
		int found = view_failure_next(v, l->subject, l->number, &f, err);
		if (found <= 0)
			return found;
		l->subject = f.subject;
		l->number = f.number;
		if (l->import && !slice_eq(f.source, buf_slice(&l->source)))
			continue;
		if (l->format == FAILURES_JSON)
			one_json(&f, to);
		else
			rows_of(l, &f, to);
		l->left -= l->left != UINT64_MAX;
	}
	return l->left > 0;
}

/* The import that is meant: that of the number, else the only one there is. -1: *ret_status answers. */
static int find_import(struct failure_list *l, struct pipeline *p, unsigned *ret_status, struct err *err)
{
	struct err why;
	CLEANUP(view_closep) struct view *v = NULL;
	struct import i = { 0 }, other;
	if (view_open(l->store, &v, err) < 0)
		return -1;
	int found = l->import ? view_import(v, l->import, &i, err) : view_import_next(v, 0, &i, err);
	if (found < 0)
		return -1;
	if (found == 0)
		*ret_status = MHD_HTTP_NOT_FOUND;
	if (found == 0)
		return err_set(err, ERR_REJECT, 0, "there is no import %s; `inlet import FILE` says the number of each",
			l->import ? "of that number" : "yet");
	if (!l->import && view_import_next(v, i.id, &other, err) != 0)
		return err_set(err, ERR_REJECT, 0, "there are several imports: say which with --import N; each import says its number when it ends, "
			"and `inlet failures --json` names the import of each row");
	l->import = i.id;
	l->mendable = import_mendable(pipeline_config(p), &i, &why) == 0;
	buf_add(&l->source, i.source.p, i.source.len);
	if (l->format == FAILURES_MANIFEST)
		buf_add(&l->header, i.header.p, i.header.len);
	return 0;
}

static void failures_foot(void *arg, struct buf *to)
{
	const struct failure_list *l = arg;
	uint64_t into = l->mendable && l->any ? l->import : 0;
	if (into || l->cut)
		buf_printf(to, "%" PRIu64 " %" PRIu64, into, l->cut);
}

struct reply failures_answer(struct request *r)
{
	static const char *const formats[] = { "json", "csv", NULL };
	struct failure_list *l = mem_zero(1, sizeof(*l));
	struct err err;
	int format = FAILURES_JSON;
	unsigned status = MHD_HTTP_BAD_REQUEST;
	*l = (struct failure_list){
		.store = pipeline_store(r->pipeline), .subject = SUBJECT_OBJECT, .left = UINT64_MAX
	};
	const char *after = query_get(r, "after");
	int ok = 0;
	if (after && failure_id_parse(slice_of(after), &l->subject, &l->number) < 0)
		ok = err_set(&err, ERR_REJECT, 0, "parameter 'after' takes the id of a failure, like o12, i7 or r3.17");
	if (ok == 0)
		ok = query_u64(r, "limit", 1, PAGE_LIMIT_MAX, &l->left, &err);
	if (ok == 0)
		ok = query_u64(r, "import", 1, IMPORT_MAX, &l->import, &err);
	if (ok == 0)
		ok = query_choice(r, "format", formats, &format, &err);
	l->format = (enum failures_format)format;
	if (ok == 0 && (l->import || l->format == FAILURES_MANIFEST))
		ok = find_import(l, r->pipeline, &status, &err);
	if (ok < 0) {
		list_free(l);
		return reply_err(&err, status);
	}
	bool lines = l->format == FAILURES_JSON;
	struct reply reply = reply_stream(r, lines ? TYPE_JSONL : "text/plain; charset=utf-8", failures_fill, l, list_free);
	if (!lines)
		reply_footer(&reply, FAILURES_INTO, failures_foot);
	return reply;
}
