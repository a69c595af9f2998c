/* verb_failures.c - failures, retry: what went wrong, and another try. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/table.h"
#include "daemon/cli/work.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HTTP_BAD_REQUEST 400

struct listing {
	struct table *table;
	bool any;
};

static int one_failure(void *arg, const json_t *f, struct err *err)
{
	struct listing *l = arg;
	struct buf file = { 0 };
	struct buf reason = { 0 };
	struct slice source = field(f, "source");
	uint64_t line = field_u64(f, "line");
	if (line) {
		field_bytes(f, "file", &file);
		buf_printf(&file, ":%llu:%llu", (unsigned long long)line, (unsigned long long)field_u64(f, "column"));
	} else if (field_has(f, "file") && !field_has(f, "key")) {
		field_bytes(f, "file", &file);
		buf_char(&file, '/');
		field_bytes(f, "path", &file);
	} else {
		buf_add(&file, source.p, source.len);
		buf_char(&file, ':');
		field_bytes(f, "key", &file);
	}
	field_bytes(f, "reason", &reason);
	if (field_has(f, "cure"))
		buf_str(&reason, "; ");
	field_bytes(f, "cure", &reason);
	const struct slice cells[] = { field(f, "id"), field(f, "stage"), field(f, "class"), field(f, "due"),
		buf_slice(&file), buf_slice(&reason) };
	int r = table_row(l->table, cells, err);
	l->any = true;
	buf_done(&file);
	buf_done(&reason);
	return r;
}

/* Which import is meant was not said. */
static int refused(const struct cli *c)
{
	return client_status(c->client) == HTTP_BAD_REQUEST ? EXIT_USAGE : -1;
}

static int pass_on(struct cli *c, const char *url, struct err *err)
{
	int r = client_request(c->client, url, NULL, out_write, NULL, err);
	const char *told = r == 0 ? client_trailer(c->client, "Inlet-Mend-Into") : NULL;
	uint64_t into = 0, cut = 0;
	size_t first = told ? strcspn(told, " ") : 0;
	if (told && (!told[first] || text_u64((struct slice){ told, first }, &into) < 0 || text_u64(slice_of(told + first + 1), &cut) < 0))
		into = cut = 0;
	if (into)
		(void)fprintf(stderr, "inlet: when these rows are mended, `inlet import FILE --into %" PRIu64 "` takes them in\n", into);
	if (cut)
		(void)fprintf(stderr, "inlet: %" PRIu64 " row%s too long to be kept and not among them: mend the list itself, and import that\n",
			cut, cut == 1 ? " is" : "s are");
	return r < 0 ? refused(c) : cut ? EXIT_PARTIAL : EXIT_DONE;
}

int verb_failures(struct cli *c, struct err *err)
{
	static const char *const titles[] = { "ID", "STAGE", "CLASS", "NEXT TRY", "FILE", "WHY, AND WHAT TO DO", NULL };
	struct buf path = { 0 };
	buf_str(&path, "/api/v1/failures");
	client_query(&path, "after", args_option(c->args, "after"));
	client_query(&path, "limit", args_option(c->args, "limit"));
	client_query(&path, "import", args_option(c->args, "import"));
	client_query(&path, "format", args_option(c->args, "format"));
	CLEANUP(freep) char *url = buf_take(&path);
	if (c->args->json || args_option(c->args, "format"))
		return pass_on(c, url, err);
	CLEANUP(table_freep) struct table *t = table_new(titles, out_color(), out_write, NULL);
	struct listing l = { .table = t };
	if (client_lines(c->client, url, NULL, one_failure, &l, err) < 0)
		return refused(c);
	return l.any ? table_end(t, err) : out_printf(err, "no failures\n");
}

/* id NULL: all of them. */
static int retry_request(struct cli *c, const char *id, bool wait, json_t **ret, struct err *err)
{
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	if (id)
		json_bytes(&j, "id", slice_of(id));
	else
		json_bool(&j, "all", true);
	json_bool(&j, "wait", wait);
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	return work_request(c, "/api/v1/retry", text, ret, err);
}

/* Several ids: all are queued first, and the work of all is waited for with the last one. */
int verb_retry(struct cli *c, struct err *err)
{
	const struct args *a = c->args;
	bool all = args_option(a, "all") != NULL;
	bool wait = args_option(a, "no-wait") == NULL;
	if (all == (a->word_count > 0)) {
		(void)err_set(err, ERR_REJECT, 0,
			"usage: inlet retry ID… or inlet retry --all; `inlet failures` lists the ids");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i + 1 < a->word_count; i++) {
		CLEANUP(json_decrefp) json_t *queued = NULL;
		if (retry_request(c, a->words[i], false, &queued, err) < 0)
			return -1;
	}
	CLEANUP(json_decrefp) json_t *answer = NULL;
	if (retry_request(c, all ? NULL : a->words[a->word_count - 1], wait, &answer, err) < 0)
		return -1;
	return work_report(c, answer, wait, err);
}
