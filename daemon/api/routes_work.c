/* routes_work.c - work: cause it, wait for it, hold it. */
#include "daemon/api/routes.h"

#include "daemon/api/show.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/stages/pipeline.h"

#define WAIT_ATTEMPTS 3        /* as inletd --once: work that has failed this often is left for later */
#define WAIT_MAX_MS (7ULL * 24 * 3600 * 1000)

/* Items wait for ever for a model that cannot be loaded: no failure of theirs, so it is counted apart. */
static uint64_t broken_models(struct pipeline *p)
{
	size_t max = pipeline_config(p)->model_count + 1;
	CLEANUP(freep) struct model_view *models = mem_zero(max, sizeof(*models));
	size_t n = pipeline_models(p, models, max);
	uint64_t broken = 0;
	for (size_t i = 0; i < n; i++)
		broken += *models[i].error != '\0';
	return broken;
}

static void counts_json(struct pipeline *p, struct json *j)
{
	struct drain_counts c;
	pipeline_counts(p, &c);
	json_u64(j, "items_new", c.items_new);
	json_u64(j, "objects_new", c.objects_new);
	json_u64(j, "objects_changed", c.objects_changed);
	json_u64(j, "objects_gone", c.objects_gone);
	json_u64(j, "read", c.read);
	json_u64(j, "quarantined", c.quarantined);
	json_u64(j, "retrying", c.retrying);
	json_u64(j, "offline", c.offline);
	json_u64(j, "unsettled", c.unsettled);
	json_u64(j, "models_broken", broken_models(p));
	json_u64(j, "modelless", c.modelless);
}

int outcome_json(struct pipeline *p, bool wait, uint64_t timeout_ms, struct json *j, struct err *err)
{
	*err = (struct err){ 0 };
	bool drained = wait && pipeline_drain(p, WAIT_ATTEMPTS, timeout_ms, err) == 0;
	if (wait && !drained && err->class == ERR_FATAL)
		return -1;
	json_bool(j, "drained", drained);
	if (wait && !drained)
		json_bytes(j, "reason", slice_of(err->text));
	counts_json(p, j);
	return 0;
}

/* What was caused (name: n, unless name is NULL), whether it is done, and the counts. */
static struct reply outcome(struct request *r, const char *name, uint64_t n, bool wait, uint64_t timeout_ms)
{
	struct err err;
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	if (name)
		json_u64(&j, name, n);
	if (outcome_json(r->pipeline, wait, timeout_ms, &j, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

struct reply retry_answer(struct request *r)
{
	struct slice id = { 0 };
	bool all = false;
	bool wait = true;
	uint64_t n = 0;
	struct err err;
	if (body_str(r, "id", &id, &err) < 0 || body_bool(r, "all", &all, &err) < 0 ||
		body_bool(r, "wait", &wait, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (all == (id.len > 0))
		return reply_problem(MHD_HTTP_BAD_REQUEST, "say which: {\"id\":\"o12\"} or {\"all\":true}");
	if (pipeline_retry(r->pipeline, id, all, &n, &err) < 0)
		return reply_err(&err, MHD_HTTP_NOT_FOUND);
	return outcome(r, "retried", n, wait, 0);
}

struct reply relabel_answer(struct request *r)
{
	bool wait = true;
	uint64_t n = 0;
	struct err err;
	if (body_bool(r, "wait", &wait, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (pipeline_relabel(r->pipeline, &n, &err) < 0)
		return reply_err(&err, MHD_HTTP_CONFLICT);
	return outcome(r, "queued", n, wait, 0);
}

/* "source" as a string that the caller frees; NULL with no error: every source. */
static int source_name(const struct request *r, char **ret, struct err *err)
{
	struct slice name = { 0 };
	if (body_str(r, "source", &name, err) < 0)
		return -1;
	*ret = name.len ? mem_strndup(name.p, name.len) : NULL;
	return 0;
}

struct reply sync_answer(struct request *r)
{
	CLEANUP(freep) char *source = NULL;
	bool accept_gone = false;
	bool rebind = false;
	bool wait = true;
	struct err err;
	if (source_name(r, &source, &err) < 0 || body_bool(r, "accept_gone", &accept_gone, &err) < 0 ||
		body_bool(r, "rebind", &rebind, &err) < 0 || body_bool(r, "wait", &wait, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (pipeline_sync(r->pipeline, source, (accept_gone ? SYNC_GONE : 0) | (rebind ? SYNC_REBIND : 0), &err) < 0)
		return reply_err(&err, MHD_HTTP_NOT_FOUND);
	return outcome(r, NULL, 0, wait, 0);
}

struct reply wait_answer(struct request *r)
{
	uint64_t timeout_ms = 0;
	struct err err;
	if (body_u64(r, "timeout_ms", 1, WAIT_MAX_MS, &timeout_ms, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	return outcome(r, NULL, 0, true, timeout_ms);
}

static struct reply hold(struct request *r, bool pause)
{
	CLEANUP(freep) char *source = NULL;
	struct err err;
	struct buf text = { 0 };
	if (source_name(r, &source, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (pipeline_pause(r->pipeline, source, pause, &err) < 0)
		return reply_err(&err, MHD_HTTP_NOT_FOUND);
	buf_printf(&text, "{\"paused\":%s}\n", pause ? "true" : "false");
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

struct reply pause_answer(struct request *r)
{
	return hold(r, true);
}

struct reply resume_answer(struct request *r)
{
	return hold(r, false);
}
