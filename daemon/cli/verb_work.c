/* verb_work.c - sync, wait, relabel, pause, resume: causing work, waiting for it, holding it. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/out.h"
#include "daemon/cli/work.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#define HTTP_NOT_FOUND 404

static void source_member(const struct cli *c, struct json *j)
{
	if (c->args->word_count > 0)
		json_bytes(j, "source", slice_of(c->args->words[0]));
}

/* A source that the configuration has not is a wrong argument. */
static int refused(const struct cli *c)
{
	return client_status(c->client) == HTTP_NOT_FOUND ? EXIT_USAGE : -1;
}

int verb_sync(struct cli *c, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	bool wait = args_option(c->args, "no-wait") == NULL;
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	source_member(c, &j);
	json_bool(&j, "accept_gone", args_option(c->args, "accept-gone") != NULL);
	json_bool(&j, "rebind", args_option(c->args, "rebind") != NULL);
	json_bool(&j, "wait", wait);
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	if (work_request(c, "/api/v1/sync", text, &answer, err) < 0)
		return refused(c);
	return work_report(c, answer, wait, err);
}

int verb_relabel(struct cli *c, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	bool wait = args_option(c->args, "no-wait") == NULL;
	if (work_request(c, "/api/v1/relabel", wait ? "{}" : "{\"wait\":false}", &answer, err) < 0)
		return -1;
	return work_report(c, answer, wait, err);
}

int verb_wait(struct cli *c, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const char *timeout = args_option(c->args, "timeout");
	uint64_t seconds = 0;
	if (timeout)
		(void)text_u64(slice_of(timeout), &seconds);
	CLEANUP(freep) char *body = timeout ? mem_printf("{\"timeout_ms\":%llu}", (unsigned long long)seconds * 1000) :
		mem_strdup("{}");
	if (work_request(c, "/api/v1/wait", body, &answer, err) < 0)
		return -1;
	return work_report(c, answer, true, err);
}

static int hold(struct cli *c, const char *path, const char *done, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	source_member(c, &j);
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	if (c->args->json)
		return client_request(c->client, path, text, out_write, NULL, err) < 0 ? refused(c) : EXIT_DONE;
	if (client_json(c->client, path, text, &answer, err) < 0)
		return refused(c);
	return out_printf(err, "%s %s\n", c->args->word_count ? c->args->words[0] : "all sources:", done);
}

int verb_pause(struct cli *c, struct err *err)
{
	return hold(c, "/api/v1/pause", "paused until `inlet resume`", err);
}

int verb_resume(struct cli *c, struct err *err)
{
	return hold(c, "/api/v1/resume", "taken up again", err);
}
