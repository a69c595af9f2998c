/* fetch_aside.c - lists and sidecars, from their source to the ledger. */
#include "daemon/stages/fetch_aside.h"

#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/flow/sinks.h"
#include "daemon/imports/source.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_sidecar.h"

bool aside_is(const struct fetch_job *job)
{
	return source_config(job->source)->manifest || source_sidecar_is(job->source, job->object.key);
}

int aside_read(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	struct fetch_sink sink;
	struct object seen;
	struct content_id content;
	CLEANUP(close_fdp) int fd = -1;
	if (!source_config(job->source)->manifest && job->object.bytes > SIDECAR_BYTES_MAX) {
		(void)err_set(err, ERR_REJECT, 0, "%llu bytes are more than a sidecar may have (%u)", (unsigned long long)job->object.bytes,
			SIDECAR_BYTES_MAX);
		err->sys = SIDECAR_BROKEN;
		return -1;
	}
	if (large_create(w->p->store, job->object.bytes, &fd, err) < 0)
		return -1;
	sink_file(&sink, w->p->account, w->hash, w->buffer, fd, w->p->config->limits.object_bytes);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	w->racy = seen.racy;
	w->version.len = 0;
	buf_add(&w->version, seen.version.p, seen.version.len);
	w->bytes = sink.bytes;
	w->aside = take_fd(&fd);
	return 0;
}

/* --- in the committer's thread --- */

struct aside {
	const struct fetch_job *job;
	struct object seen;      /* as it was read */
	struct slice body;       /* of a sidecar */
};

/* The ledger knows this version, and so it is not read again. */
static int put_known(struct change *c, struct view *now, const struct aside *a, struct err *err)
{
	struct slice source = slice_of(source_name(a->job->source));
	enum layout layout = source_ops(a->job->source)->layout;
	struct ledger_row row;
	int found = view_object(now, source, layout, a->seen.key, &row, err);
	bool known = found > 0 && row.state == OBJECT_PRESENT && row.item == 0 && slice_eq(row.version, a->seen.version);
	if (found < 0)
		return -1;
	if (!known || (a->seen.racy && !row.racy))
		change_add(c, RECORD_OBJECT)->object = (struct record_object){ .source = source, .key = a->seen.key,
			.version = a->seen.version, .layout = layout, .bytes = a->seen.bytes, .racy = a->seen.racy };
	else if (row.racy && !a->seen.racy)
		change_add(c, RECORD_CALM)->calm = (struct record_calm){ source, a->seen.key, layout };
	return 0;
}

static int prepare_list(struct change *c, struct view *now, void *arg, struct err *err)
{
	return put_known(c, now, arg, err);
}

static int prepare_sidecar(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct aside *a = arg;
	int put = source_sidecar_put(a->job->source, c, now, a->seen.key, a->body, err);
	if (put < 0)
		return -1;
	return put ? put_known(c, now, a, err) : source_sidecar_wait(a->job->source, c, now, &a->seen, a->job->attempts + 1, err);
}

static void submit(struct fetch_worker *w, struct fetch_job *job, prepare_fn *prepare, struct slice body)
{
	struct change *c = change_new();
	struct aside *a = change_alloc(c, sizeof(*a));
	*a = (struct aside){ .job = job, .body = change_copy(c, body), .seen = { .key = job->object.key,
		.version = change_copy(c, buf_slice(&w->version)), .bytes = w->bytes, .racy = w->racy } };
	change_prepare(c, prepare, a);
	fetch_worker_submit(w, job, c);
}

/* --- what has been read --- */

/* A file that a row names may come later than the list: then the list is read again, which costs little. */
static int take_list(struct fetch_worker *w, struct fetch_job *job, int fd, struct err *err)
{
	struct import_source_end end;
	if (import_source_run(w->p->imports, source_config(job->source), job->object.key, fd, &end, err) < 0)
		return -1;
	if (end.waiting) {
		(void)err_set(err, ERR_RETRY, 0, "%llu of its %llu row%s name%s files that are not there or cannot be read (import %llu)",
			(unsigned long long)end.waiting, (unsigned long long)end.rows, text_s(end.rows), end.waiting == 1 ? "s" : "",
			(unsigned long long)end.import);
		err->sys = IMPORT_WAITS;
		return -1;
	}
	submit(w, job, prepare_list, SLICE_LIT(""));
	return 0;
}

static int take_sidecar(struct fetch_worker *w, struct fetch_job *job, int fd, struct err *err)
{
	CLEANUP(buf_done) struct buf body = { 0 };
	if (source_sidecar_read(job->object.key, fd, &body, err) < 0)
		return -1;
	submit(w, job, prepare_sidecar, buf_slice(&body));
	return 0;
}

int aside_take(struct fetch_worker *w, struct fetch_job *job, struct err *err)
{
	CLEANUP(close_fdp) int fd = take_fd(&w->aside);
	return source_config(job->source)->manifest ? take_list(w, job, fd, err) : take_sidecar(w, job, fd, err);
}
