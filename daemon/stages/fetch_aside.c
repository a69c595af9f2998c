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

void aside_done(struct aside *a)
{
	close_fdp(&a->fd);
	buf_done(&a->version);
}

int aside_read(struct aside *a, struct pipeline *p, struct sha256 *hash, uint8_t *buffer, const struct fetch_job *job, struct err *err)
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
	if (large_create(p->store, job->object.bytes, &fd, err) < 0)
		return -1;
	sink_file(&sink, p->account, hash, buffer, fd, p->config->limits.object_bytes);
	if (source_ops(job->source)->fetch(source_connector(job->source), &job->object, &sink.sink, &seen, err) < 0 ||
		sink_end(&sink, &content, err) < 0)
		return -1;
	a->racy = seen.racy;
	a->version.len = 0;
	buf_add(&a->version, seen.version.p, seen.version.len);
	a->bytes = sink.bytes;
	a->fd = take_fd(&fd);
	return 0;
}

/* --- in the committer's thread --- */

struct said {
	const struct fetch_job *job;
	struct object seen;      /* as it was read */
	struct slice body;       /* of a sidecar */
};

/* The ledger knows this version, and so it is not read again. */
static int put_known(struct change *c, struct view *now, const struct said *a, struct err *err)
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
	const struct said *a = arg;
	int put = source_sidecar_put(a->job->source, c, now, a->seen.key, a->body, err);
	if (put < 0)
		return -1;
	return put ? put_known(c, now, a, err) : source_sidecar_wait(a->job->source, c, now, &a->seen, a->job->attempts + 1, err);
}

static struct said *said_of(const struct aside *a, const struct fetch_job *job, struct change *c, struct slice body)
{
	struct said *s = change_alloc(c, sizeof(*s));
	*s = (struct said){ .job = job, .body = change_copy(c, body), .seen = { .key = job->object.key,
		.version = change_copy(c, buf_slice(&a->version)), .bytes = a->bytes, .racy = a->racy } };
	return s;
}

/* --- what has been read --- */

/* Where a folder of rows may come later than the list, the list is read again: how many they are is not known. */
static int wait_for_folders(const struct import_source_end *end, struct err *err)
{
	(void)err_set(err, ERR_RETRY, 0, "%llu folder%s that it names %s not there or cannot be read (import %llu)",
		(unsigned long long)end->waiting, text_s(end->waiting), end->waiting == 1 ? "is" : "are", (unsigned long long)end->import);
	err->sys = IMPORT_WAITS;
	return -1;
}

/* Adds to c. */
static int take_list(const struct aside *a, struct imports *imports, const struct fetch_job *job, int fd, struct change *c, struct err *err)
{
	struct import_source_end end;
	struct import_source_list list = { .source = source_config(job->source), .key = job->object.key, .fd = fd, .known = prepare_list,
		.known_arg = said_of(a, job, c, SLICE_LIT("")) };
	int ok = import_source_run(imports, &list, &end, err);
	if (ok == 0 && end.waiting)
		ok = wait_for_folders(&end, err);
	if (ok == 0)
		change_prepare(c, prepare_list, list.known_arg); /* writes nothing, but for a text that is no list */
	return ok;
}

static int take_sidecar(const struct aside *a, const struct fetch_job *job, int fd, struct change *c, struct err *err)
{
	CLEANUP(buf_done) struct buf body = { 0 };
	if (source_sidecar_read(job->object.key, fd, &body, err) < 0)
		return -1;
	change_prepare(c, prepare_sidecar, said_of(a, job, c, buf_slice(&body)));
	return 0;
}

int aside_take(struct aside *a, struct imports *imports, const struct fetch_job *job, struct change **ret, struct err *err)
{
	CLEANUP(close_fdp) int fd = take_fd(&a->fd);
	struct change *c = change_new();
	bool list = source_config(job->source)->manifest;
	if ((list ? take_list(a, imports, job, fd, c, err) : take_sidecar(a, job, fd, c, err)) < 0) {
		change_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}
