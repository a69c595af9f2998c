/* source_sidecar.c - pairs of a file and its sidecar in the ledger. */
#include "daemon/stages/source_sidecar.h"

#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/manifest/sidecar.h"
#include "daemon/model/import_body.h"
#include "daemon/sender/group.h"
#include "daemon/stages/source.h"

#include <unistd.h>

bool source_sidecars(const struct source *s)
{
	return source_config(s)->sidecars == SIDECARS_JSON;
}

bool source_sidecar_is(const struct source *s, struct slice key)
{
	return source_sidecars(s) && sidecar_subject(key).len > 0;
}

/* --- what one says --- */

static ssize_t read_some(void *arg, void *p, size_t n, struct err *err)
{
	const int *fd = arg;
	ssize_t got = read(*fd, p, n);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read back the sidecar") : got;
}

static int read_body(struct slice key, int fd, struct buf *ret, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	CLEANUP(buf_done) struct buf cure = { 0 }, text = { 0 };
	struct manifest_row row;
	/* The reader's messages need no name: the failure has it. */
	if (sidecar_read("NAME" SIDECAR_ENDING, read_some, &fd, &m, &row, &cure, err) < 0)
		return -1;
	row.content_kind = ROW_PATH;
	row.content = key;
	row_body(&row, BODY_SIDECAR, &text);
	if (import_body_write(buf_slice(&text), ret, err) < 0)
		return -1;
	if (ret->len > IMPORT_BODY_MAX)
		return err_set(err, ERR_REJECT, 0, "the labels and metadata of one sidecar are more than %u bytes", IMPORT_BODY_MAX);
	return 0;
}

int source_sidecar_read(struct slice key, int fd, struct buf *ret, struct err *err)
{
	int ok = lseek(fd, 0, SEEK_SET) < 0 ? err_set(err, ERR_RETRY, errno, "read back the sidecar") : read_body(key, fd, ret, err);
	if (ok < 0 && err->class == ERR_REJECT)
		err->sys = SIDECAR_BROKEN;
	return ok;
}

/* --- pairs --- */

static int find(const struct source *s, struct view *now, struct slice key, struct ledger_row *ret, struct err *err)
{
	return view_object(now, slice_of(source_name(s)), source_ops(s)->layout, key, ret, err);
}

static int find_sidecar(const struct source *s, struct view *now, struct slice key, struct buf *ret_key, struct ledger_row *ret,
	struct err *err)
{
	if (!source_sidecars(s) || !sidecar_may_be_of(key))
		return 0;
	buf_add(ret_key, key.p, key.len);
	buf_str(ret_key, SIDECAR_ENDING);
	return find(s, now, buf_slice(ret_key), ret, err);
}

/* The file of the sidecar at key, and what sidecars have said of it so far (NULL: nothing). 1; 0: it is not in the dataset; -1. */
static int find_said(const struct source *s, struct view *now, struct slice key, struct ledger_row *ret_file,
	const struct import_row **ret, struct err *err)
{
	const struct import_row *rows;
	size_t n;
	int found = find(s, now, sidecar_subject(key), ret_file, err);
	*ret = NULL;
	if (found <= 0 || ret_file->item == 0 || ret_file->state == OBJECT_GONE)
		return found < 0 ? -1 : 0;
	if (view_rows(now, ret_file->object, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (rows[i].import == 0 && import_body_is(rows[i].body, BODY_SIDECAR))
			*ret = &rows[i];
	return 1;
}

int source_sidecar_unsaid(const struct source *s, struct view *now, struct slice key, struct err *err)
{
	const struct import_row *said;
	struct ledger_row file;
	int found = find_said(s, now, key, &file, &said, err);
	return found <= 0 ? found : !said;
}

int source_sidecar_put(const struct source *s, struct change *c, struct view *now, struct slice key, struct slice body, struct err *err)
{
	const struct import_row *old;
	struct ledger_row file;
	int found = find_said(s, now, key, &file, &old, err);
	if (found <= 0)
		return found;
	if (!old || !slice_eq(old->body, body))
		change_add(c, RECORD_ROW)->row = (struct record_row){ .object = file.object, .row = old ? old->row : 0, .body = body };
	return 1;
}

static struct record_failure *retry_of(const struct source *s, struct change *c, const struct object *sidecar)
{
	struct record_failure *r = &change_add(c, RECORD_FAILURE)->failure;
	*r = (struct record_failure){ .subject = SUBJECT_OBJECT, .stage = STAGE_FETCH, .retry = true, .source = slice_of(source_name(s)),
		.key = change_copy(c, sidecar->key), .version = change_copy(c, sidecar->version), .layout = source_ops(s)->layout,
		.bytes = sidecar->bytes };
	return r;
}

/* That it waits is not in the log, and it must not stand there as one that has been read: a rebuilt index would take it for that. */
static void unread(const struct source *s, struct change *c, struct slice key)
{
	change_add(c, RECORD_OBJECT)->object = (struct record_object){ .source = slice_of(source_name(s)),
		.key = change_copy(c, key), .layout = source_ops(s)->layout };
}

int source_sidecar_wait(const struct source *s, struct change *c, struct view *now, const struct object *sidecar, uint32_t attempts,
	struct err *err)
{
	CLEANUP(buf_done) struct buf reason = { 0 };
	struct ledger_row row;
	int found = find(s, now, sidecar->key, &row, err);
	if (found < 0)
		return -1;
	if (found && (row.state == OBJECT_PRESENT || row.item != 0))
		unread(s, c, sidecar->key);
	struct record_failure *r = retry_of(s, c, sidecar);
	buf_str(&reason, "waits for the file that it speaks of: there is no '");
	text_printable(&reason, sidecar_subject(sidecar->key));
	buf_str(&reason, "' in the dataset");
	r->due_ms = DUE_NEVER;
	r->attempts = attempts;
	r->reason = change_copy(c, buf_slice(&reason));
	r->cure = SLICE_LIT("put that file beside it, it is read then; or remove it");
	return 0;
}

int source_sidecar_failed(const struct source *s, struct change *c, struct view *now, const struct record_failure *r, struct err *err)
{
	struct ledger_row row;
	int found = find(s, now, r->key, &row, err);
	if (found < 0)
		return -1;
	if (found && row.item != 0)
		unread(s, c, r->key);
	change_add(c, RECORD_FAILURE)->failure = *r;
	return 0;
}

int source_sidecar_wake(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err)
{
	CLEANUP(buf_done) struct buf name = { 0 };
	struct ledger_row row;
	struct failure f;
	int found = find_sidecar(s, now, key, &name, &row, err);
	if (found <= 0 || row.state != OBJECT_RETRYING)
		return found < 0 ? -1 : 0;
	if ((found = view_failure(now, SUBJECT_OBJECT, row.object, &f, err)) <= 0 || f.due_ms != DUE_NEVER)
		return found < 0 ? -1 : 0;
	struct record_failure *r = retry_of(s, c, &(struct object){ .key = buf_slice(&name), .version = row.version, .bytes = row.bytes });
	r->reason = SLICE_LIT("its file has come");
	r->cure = SLICE_LIT("nothing: it is read now");
	return 0;
}

int source_sidecar_left(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err)
{
	CLEANUP(buf_done) struct buf name = { 0 };
	struct ledger_row row;
	int found = find_sidecar(s, now, key, &name, &row, err);
	if (found <= 0 || row.state != OBJECT_PRESENT || row.item != 0)
		return found < 0 ? -1 : 0;
	return source_sidecar_wait(s, c, now, &(struct object){ .key = buf_slice(&name), .version = row.version, .bytes = row.bytes }, 1, err);
}
