/* routes_status.c - how things stand: the status object, health checks and the doctor. */
#include "daemon/api/routes.h"

#include "daemon/api/status.h"
#include "daemon/base/json.h"
#include "daemon/stages/pipeline.h"

struct reply status_answer(struct request *r)
{
	struct buf text = { 0 };
	struct err err;
	if (status_json(r->pipeline, &text, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

static void doctor_line(void *arg, const char *level, const char *check, const char *found, const char *cure)
{
	struct buf *text = arg;
	struct json j = { .to = text };
	json_open(&j, NULL, '{');
	json_str(&j, "level", slice_of(level));
	json_str(&j, "check", slice_of(check));
	json_bytes(&j, "found", slice_of(found));
	json_bytes(&j, "cure", slice_of(cure));
	json_close(&j, '}');
	buf_char(text, '\n');
}

struct reply doctor_answer(struct request *r)
{
	struct buf text = { 0 };
	pipeline_doctor(r->pipeline, doctor_line, &text);
	return reply_text(MHD_HTTP_OK, TYPE_JSONL, &text);
}

/* Alive is who can still answer: nothing outside the process is asked, or a slow disk would get the daemon killed. */
struct reply livez_answer(struct request *r)
{
	(void)r;
	struct buf text = { 0 };
	buf_str(&text, "ok\n");
	return reply_text(MHD_HTTP_OK, "text/plain; charset=utf-8", &text);
}

struct reply readyz_answer(struct request *r)
{
	struct err err;
	if (pipeline_failed(r->pipeline, &err) < 0)
		return reply_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "%s", err.text);
	char text[INTAKE_MAX];
	const char *intake = pipeline_intake(r->pipeline, text, sizeof(text));
	if (*intake)
		return reply_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "intake is paused: %s", intake);
	return livez_answer(r);
}
