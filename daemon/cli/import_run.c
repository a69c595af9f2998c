/* import_run.c - begin, end, and the words for people. */
#include "daemon/cli/import_run.h"

#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/work.h"

#include <inttypes.h>

#define SHOW_NS (250 * NS_PER_MS)

void run_done(struct import_run *r)
{
	sender_done(&r->sender);
	import_files_close(&r->files);
	free(r->file);
	free(r->name);
	free(r->attributes);
}

static int hand_over(void *arg, uint64_t pass, import_give_fn *give, void *from, json_t **ret, struct err *err)
{
	CLEANUP(freep) char *path = mem_printf("/api/v1/import/%" PRIu64 "/%s", pass, give ? "rows" : "settle");
	if (!give)
		return client_json(arg, path, "{}", ret, err);
	return client_upload(arg, path, give, from, ret, err);
}

int run_open(struct import_run *r, const char *root, struct err *err)
{
	const struct config *c = r->cli->config;
	if (import_files_open(root, c->state_dir, &r->files, err) < 0)
		return -1;
	r->sender.hand = hand_over;
	r->sender.arg = r->cli->client;
	r->sender.files = &r->files;
	r->sender.bytes_max = c->limits.object_bytes;
	r->start_ns = clock_mono_ns();
	return 0;
}

int run_begin(struct import_run *r, const char *format, struct slice header, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	json_str(&j, "name", slice_of(r->name));
	json_bytes(&j, "file", slice_of(r->file));
	json_str(&j, "format", slice_of(format));
	if (header.len && text_is_utf8(header))
		json_str(&j, "header", header);
	if (r->attributes)
		json_str(&j, "attributes", slice_of(r->attributes));
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	if (client_json(r->cli->client, "/api/v1/import", text, &answer, err) < 0)
		return -1;
	r->number = field_u64(answer, "import");
	r->sender.pass = field_u64(answer, "pass");
	struct slice attributes = field(answer, "attributes");
	if (!r->attributes && attributes.len)
		r->attributes = mem_strndup(attributes.p, attributes.len);
	return 0;
}

int run_mend(struct import_run *r, const char *into, char **ret_format, uint64_t *ret_last, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf file = { 0 };
	CLEANUP(buf_done) struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	json_bytes(&j, "into", slice_of(into));
	json_close(&j, '}');
	buf_char(&body, '\0');
	if (client_json(r->cli->client, "/api/v1/import", body.data, &answer, err) < 0)
		return -1;
	struct slice name = field(answer, "name"), format = field(answer, "format");
	field_bytes(answer, "file", &file);
	r->mends = true;
	r->number = field_u64(answer, "import");
	r->sender.pass = field_u64(answer, "pass");
	r->name = mem_strndup(name.p, name.len);
	r->file = mem_strndup(file.data, file.len);
	*ret_format = mem_strndup(format.p, format.len);
	*ret_last = field_u64(answer, "last");
	return 0;
}

/* --- while it goes on --- */

bool run_shows(struct import_run *r)
{
	uint64_t now_ns = clock_mono_ns();
	if (now_ns - r->shown_ns < SHOW_NS)
		return false;
	r->shown_ns = now_ns;
	return true;
}

static uint64_t spent_ms(const struct import_run *r)
{
	return (clock_mono_ns() - r->start_ns) / NS_PER_MS + 1;
}

uint64_t run_left_s(const struct import_run *r, uint64_t done, uint64_t all)
{
	return done && done < all ? (uint64_t)((double)spent_ms(r) * (double)(all - done) / (double)done / 1000) : 0;
}

void run_progress(const struct import_run *r, const char *what, uint64_t done, uint64_t all, struct buf *to)
{
	if (r->sender.failed)
		buf_printf(to, ", %" PRIu64 " failed", r->sender.failed);
	buf_printf(to, " | %" PRIu64 " %s/s", r->rows * 1000 / spent_ms(r), what);
	if (r->sender.sent_bytes) {
		buf_str(to, " | ");
		out_bytes(to, r->sender.sent_bytes);
	}
	if (all && done && done <= all)
		buf_printf(to, " | %" PRIu64 " %%, %" PRIu64 " s left", done / (all / 100 + 1), run_left_s(r, done, all));
}

/* --- its end --- */

static int print_counts(const struct import_run *r, const json_t *answer, struct err *err)
{
	struct buf name = { 0 };
	uint64_t changed = field_u64(answer, "written"); /* rows: of a file that was not sent, too, its labels may have changed */
	if (r->folder && r->sender.sent > changed)
		changed = r->sender.sent;
	out_plain(&name, slice_of(r->name));
	int printed = out_printf(err, "import %" PRIu64 " of '%s': %" PRIu64 " %s%s, %" PRIu64 " new or changed, %" PRIu64 " failed\n",
		r->number, name.data, r->rows, r->folder ? "file" : "row", text_s(r->rows), changed, r->sender.failed);
	buf_done(&name);
	return printed;
}

static int print_people(const struct import_run *i, const json_t *answer, bool waited, struct err *err)
{
	int r = print_counts(i, answer, err);
	if (r == 0 && i->mends)
		r = out_printf(err, "failed rows mended: %" PRIu64 ", left: %" PRIu64 "\n", field_u64(answer, "mended"),
			field_u64(answer, "left"));
	if (r == 0 && i->sender.failed && i->rows_alone)
		r = out_printf(err, "see `inlet failures --import %" PRIu64 "`; mend what it lists and import again, or just these rows: `inlet "
			"failures --import %" PRIu64 " --format csv > again.csv`, then `inlet import again.csv --into %" PRIu64 "`\n",
			i->number, i->number, i->number);
	else if (r == 0 && i->sender.failed)
		r = out_printf(err, "see `inlet failures --import %" PRIu64 "`; mend what it lists and import again\n", i->number);
	if (r == 0 && i->skipped)
		r = out_printf(err, "%" PRIu64 " entr%s passed over: no files, temporary names, or links to folders\n", i->skipped,
			i->skipped == 1 ? "y was" : "ies were");
	if (r == 0 && i->sidecars)
		r = out_printf(err, "%" PRIu64 " sidecar%s (NAME.json beside NAME) %s read for labels; --no-sidecars takes them as files\n",
			i->sidecars, text_s(i->sidecars), i->sidecars == 1 ? "was" : "were");
	uint64_t lost = field_u64(answer, "not_fetched"), later = field_u64(answer, "to_fetch");
	if (r == 0 && lost + later)
		r = out_printf(err, "%" PRIu64 " that rows name cannot be fetched, %" PRIu64 " %s tried again later; see `inlet failures --import %"
			PRIu64 "`\n", lost, later, later == 1 ? "is" : "are", i->number);
	uint64_t vanished = field_u64(answer, "vanished");
	if (r == 0 && vanished)
		r = out_printf(err, "%" PRIu64 " that earlier passes named %s not in the %s any more%s; nothing of that was deleted\n",
			vanished, vanished == 1 ? "is" : "are", i->folder ? "folder" : "manifest", i->sender.failed ? ", or only in what failed" : "");
	if (r == 0 && !waited)
		r = out_printf(err, "the %s are in; `inlet wait` returns when the rest is done\n", i->folder ? "files" : "rows");
	else if (r == 0 && !json_is_true(json_object_get(answer, "drained")))
		r = work_not_done(answer, err);
	return r;
}

static int print_json(const struct import_run *r, json_t *answer, struct err *err)
{
	if (r->folder) {
		(void)json_object_set_new(answer, "files", json_integer((json_int_t)r->rows));
		(void)json_object_set_new(answer, "sent", json_integer((json_int_t)r->sender.sent));
		(void)json_object_set_new(answer, "sent_bytes", json_integer((json_int_t)r->sender.sent_bytes));
		(void)json_object_set_new(answer, "skipped", json_integer((json_int_t)r->skipped));
		(void)json_object_set_new(answer, "sidecars", json_integer((json_int_t)r->sidecars));
		(void)json_object_set_new(answer, "chunks", json_integer((json_int_t)r->chunks));
	}
	CLEANUP(freep) char *text = json_dumps(answer, JSON_COMPACT);
	return out_printf(err, "%s\n", text);
}

static char *end_body(const struct import_run *r, struct slice attributes, bool wait)
{
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	json_u64(&j, "rows", r->rows);
	json_u64(&j, "failed", r->sender.failed);
	if (attributes.len)
		json_str(&j, "attributes", attributes);
	json_bool(&j, "wait", wait);
	json_close(&j, '}');
	return buf_take(&body);
}

int run_end(struct import_run *r, struct slice attributes, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	bool wait = args_option(r->cli->args, "no-wait") == NULL;
	CLEANUP(freep) char *path = mem_printf("/api/v1/import/%" PRIu64 "/end", r->sender.pass);
	CLEANUP(freep) char *body = end_body(r, attributes, wait);
	if (work_request(r->cli, path, body, &answer, err) < 0)
		return -1;
	if ((r->cli->args->json ? print_json(r, answer, err) : print_people(r, answer, wait, err)) < 0)
		return -1;
	if (wait && !json_is_true(json_object_get(answer, "drained")))
		return EXIT_FAILED;
	bool partial = r->sender.failed || field_u64(answer, "not_fetched") || field_u64(answer, "left") || (wait && field_u64(answer, "to_fetch"));
	return partial ? EXIT_PARTIAL : EXIT_DONE;
}
