/* fetch_failure.c - why an object could not be fetched, and what would help. */
#include "daemon/stages/fetch_failure.h"

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/flow/retry.h"
#include "daemon/imports/source.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_sidecar.h"

#include <errno.h>

#define ARCHIVED_AGAIN_MS 86400000 /* a class that does not tell whether it can be read is tried once a day */

static const char *cure_of(const struct fetch_job *job, const struct err *err)
{
	bool folder = source_ops(job->source)->layout == LAYOUT_TREE;
	switch (err->sys) {
	case EACCES:
	case EPERM: return folder ? "let the daemon's user read it (chmod o+r, setfacl -m u:inlet:r, or a group), it is tried again" :
		"give the account of this source's keys the right to read it (`inlet doctor` tells which keys), it is tried again";
	case FETCH_CHANGED:
	case ENOENT: return "nothing: the next pass over the source decides";
	case FETCH_ARCHIVED: return ARCHIVED_CURE;
	case FETCH_THROTTLED: return "nothing: the server asks for less, it is tried again; a lower `concurrency` may suit it";
	case FETCH_UNFINISHED: return "nothing: it is read again when its writer may have done; what is never done belongs on `ignore`";
	case FETCH_TROUBLE: return "nothing: the server has trouble of its own, it is tried again for as long as that lasts";
	case EPROTO: return "see that `endpoint` is the server itself and nothing on the way answers for it; it is tried again";
	case IMPORT_WAITS: return "put them there, or take them out of it; it is tried again";
	case IMPORT_NO_MANIFEST: return "mend it, or move it elsewhere; `names` of the source says which of its files are manifests";
	case SIDECAR_BROKEN: return "make it one JSON object with labels and metadata, or give it another name; its file stands without it";
	case IMPORT_NO_NAME: return "give it a shorter path, in UTF-8"; /* also of a file whose path no call takes */
	case EFBIG: return "raise limits.object, or leave the file out";
	case 0: return err->class == ERR_REJECT ? "mend it where it lies, or leave it out" : "nothing: it is tried again";
	default: return "look after the disk or the network behind this source; it is tried again";
	}
}

static void fill_failure(struct change *c, const struct fetch_job *job, const struct err *err, struct record_failure *r)
{
	r->subject = SUBJECT_OBJECT;
	r->number = job->claim;
	r->stage = STAGE_FETCH;
	r->reason = change_copy(c, slice_of(err->text));
	r->cure = slice_of(cure_of(job, err));
	r->source = slice_of(source_name(job->source));
	r->key = change_copy(c, job->object.key);
	r->version = change_copy(c, job->object.version);
	r->layout = source_ops(job->source)->layout;
	r->bytes = job->object.bytes;
}

static void log_failure(const struct fetch_job *job, const struct err *err)
{
	struct buf key = { 0 };
	text_printable(&key, job->object.key);
	LOG_DEBUG(LOG_DETAIL, "%s: '%s': %s", source_name(job->source), key.data ? key.data : "", err->text);
	buf_done(&key);
}

/* A failure that is to be told, in the memory of its change. */
struct told {
	const struct source *source;
	struct record_failure failure;
};

static int prepare_failed_sidecar(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct told *t = arg;
	return source_sidecar_failed(t->source, c, now, &t->failure, err);
}

struct change *fetch_failure(uint32_t attempts_max, const struct fetch_job *job, const struct err *err)
{
	struct change *c = change_new();
	struct told *t = change_alloc(c, sizeof(*t));
	struct record_failure *r = &t->failure;
	*t = (struct told){ .source = job->source };
	(void)retry_plan(attempts_max, err, job->attempts, r);
	if (err->class == ERR_REJECT && err->sys == FETCH_ARCHIVED) {
		r->archived = true;
		r->due_ms = clock_wall_ms() + ARCHIVED_AGAIN_MS;
	}
	fill_failure(c, job, err, r);
	if (source_sidecar_is(job->source, job->object.key))
		change_prepare(c, prepare_failed_sidecar, t);
	else
		change_add(c, RECORD_FAILURE)->failure = *r;
	log_failure(job, err);
	return c;
}
