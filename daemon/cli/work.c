/* work.c - work that takes a while. */
#include "daemon/cli/work.h"

#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#include <unistd.h>

static void show_progress(void *arg, const json_t *status)
{
	(void)arg;
	struct buf text = { 0 };
	const char *stage;
	json_t *work;
	uint64_t items = field_u64(json_object_get(status, "items"), "total");
	buf_printf(&text, "%llu item%s", (unsigned long long)items, text_s(items));
	json_object_foreach(json_object_get(status, "work"), stage, work) {
		uint64_t n = field_u64(work, "queued") + field_u64(work, "retrying");
		if (n)
			buf_printf(&text, " | %s %llu", stage, (unsigned long long)n);
	}
	progress_show("%s", text.data);
	buf_done(&text);
}

int work_request(struct cli *c, const char *path, const char *body, json_t **ret, struct err *err)
{
	if (isatty(STDERR_FILENO))
		client_watch(c->client, show_progress, NULL);
	int r = client_json(c->client, path, body, ret, err);
	client_watch(c->client, NULL, NULL);
	return r;
}

/* "3 quarantined, 1 retrying" of what is left over; false: nothing is. */
static bool left_over(const json_t *answer, struct buf *to)
{
	static const char *const kinds[][3] = { { "quarantined", "quarantined", "quarantined" },
		{ "retrying", "retrying", "retrying" }, { "offline", "source offline", "sources offline" },
		{ "unsettled", "still being written or unreadable", "still being written or unreadable" },
		{ "models_broken", "model that cannot be used", "models that cannot be used" } };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		uint64_t n = field_u64(answer, kinds[i][0]);
		if (n)
			buf_printf(to, "%s%llu %s", to->len ? ", " : "", (unsigned long long)n, kinds[i][n == 1 ? 1 : 2]);
	}
	return to->len > 0;
}

int work_not_done(const json_t *answer, struct err *err)
{
	struct buf reason = { 0 };
	field_printable(answer, "reason", &reason);
	int r = out_printf(err, "not done yet: %s\n", reason.len ? reason.data : "");
	buf_done(&reason);
	return r;
}

static int print_people(const json_t *answer, bool waited, const char *left, struct err *err)
{
	if (!waited)
		return out_printf(err, "under way; `inlet wait` returns when it is done\n");
	if (!json_is_true(json_object_get(answer, "drained")))
		return work_not_done(answer, err);
	uint64_t items_new = field_u64(answer, "items_new");
	if (out_printf(err, "done: %llu new item%s, %llu new, %llu changed and %llu gone files since the start\n",
		    (unsigned long long)items_new, text_s(items_new),
		    (unsigned long long)field_u64(answer, "objects_new"),
		    (unsigned long long)field_u64(answer, "objects_changed"),
		    (unsigned long long)field_u64(answer, "objects_gone")) < 0)
		return -1;
	uint64_t modelless = field_u64(answer, "modelless");
	if (modelless && out_printf(err, "%llu item%s: no model of their kind is configured and usable\n",
		(unsigned long long)modelless, modelless == 1 ? " waits" : "s wait") < 0)
		return -1;
	if (*left == '\0')
		return 0;
	return out_printf(err, "left over: %s; see `inlet failures`, `inlet status` and `inlet doctor`\n", left);
}

int work_messages(const json_t *sources, struct err *err)
{
	size_t i;
	json_t *source;
	int r = 0;
	json_array_foreach((json_t *)sources, i, source) {
		struct buf text = { 0 };
		field_printable(source, "message", &text);
		if (text.len)
			r = out_printf(err, "  %s: %s\n", field(source, "name").p, text.data);
		buf_done(&text);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* Why sources are offline. A stand-in that works on the store itself knows it only for as long as it runs. */
static int print_why(struct cli *c, struct err *err)
{
	json_t *status;
	if (client_json(c->client, "/api/v1/status", NULL, &status, err) < 0)
		return -1;
	int r = work_messages(json_object_get(status, "sources"), err);
	json_decref(status);
	return r;
}

int work_report(struct cli *c, const json_t *answer, bool waited, struct err *err)
{
	struct buf left = { 0 };
	bool partial = left_over(answer, &left);
	bool drained = json_is_true(json_object_get(answer, "drained"));
	CLEANUP(freep) char *text = c->args->json ? json_dumps(answer, JSON_COMPACT) : buf_take(&left);
	buf_done(&left);
	int r = c->args->json ? out_printf(err, "%s\n", text) : print_people(answer, waited, text, err);
	if (r < 0 || (!c->args->json && waited && field_u64(answer, "offline") && print_why(c, err) < 0))
		return -1;
	if (waited && !drained)
		return EXIT_FAILED;
	return waited && partial ? EXIT_PARTIAL : EXIT_DONE;
}
