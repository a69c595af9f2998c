/* verb_import.c - import: reads a manifest here, with the caller's rights, and hands its rows to the store's owner. */
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/work.h"
#include "daemon/stages/import_sender.h"
#include "daemon/stages/import_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#define SHOW_NS (250 * NS_PER_MS)
#define WARNINGS_SHOWN 10

CLEANUP_FN(struct manifest *, manifest_close)

struct import {
	struct cli *cli;
	int fd;                       /* of the manifest */
	uint64_t bytes;               /* of it; 0: unknown */
	char *file;                   /* resolved path; "" standard input */
	char *name;
	struct manifest_columns columns;
	char *column_text;            /* what columns points into */
	struct import_files files;
	struct import_sender sender;
	uint64_t number;              /* of the import */
	uint64_t rows, warnings;
	uint64_t start_ns, shown_ns;
};

static void import_done(struct import *i)
{
	sender_done(&i->sender);
	import_files_close(&i->files);
	if (i->fd > STDIN_FILENO)
		close_fdp(&i->fd);
	free(i->file);
	free(i->name);
	free(i->column_text);
}

/* --- the manifest --- */

static ssize_t read_manifest(void *arg, void *p, size_t n, struct err *err)
{
	const struct import *i = arg;
	ssize_t got = read(i->fd, p, n);
	if (got < 0)
		return err_set(err, ERR_RETRY, errno, "read '%s'", *i->file ? i->file : "standard input");
	return got;
}

static int seek_manifest(void *arg, uint64_t offset, struct err *err)
{
	const struct import *i = arg;
	return lseek(i->fd, (off_t)offset, SEEK_SET) < 0 ? err_set(err, ERR_RETRY, errno, "seek in '%s'", i->file) : 0;
}

static int open_spool(void)
{
	const char *dir = getenv("TMPDIR");
	return open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* "url=image_url,label=class": roles and the columns that have them. */
static int parse_columns(struct import *i, const char *text, struct err *err)
{
	char *rest = i->column_text = mem_strdup(text), *pair;
	while ((pair = strsep(&rest, ",")) != NULL) {
		char *column = strchr(pair, '=');
		enum manifest_role role = MANIFEST_ROLES;
		if (column) {
			*column++ = '\0';
			role = manifest_role_parse(slice_of(pair));
		}
		if (role == MANIFEST_ROLES)
			return err_set(err, ERR_REJECT, 0, "option '--columns' takes roles and columns, like url=image_url,label=class; "
				"'%s' is no role with a column", pair);
		i->columns.of[role] = column;
	}
	return 0;
}

static int options(struct import *i, struct manifest_options *o, struct err *err)
{
	const struct args *a = i->cli->args;
	const char *format = args_option(a, "format"), *input = args_option(a, "input"), *columns = args_option(a, "columns");
	bool known = true;
	const struct import_config *c = &i->cli->config->import;
	*o = (struct manifest_options){ .name = *i->file ? i->file : i->name, .spool = -1, .input = c->input,
		.field_max = (size_t)c->field_bytes };
	if (format)
		o->format = manifest_format_parse(slice_of(format), &known);
	if (!known) {
		const char *near = text_nearest(format, manifest_format_names());
		return err_set(err, ERR_REJECT, 0, "unknown format '%s'%s%s%s", format, near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	if (input)
		o->input = manifest_input_parse(slice_of(input), &known);
	if (!known)
		return err_set(err, ERR_REJECT, 0, "option '--input' takes url, file_path, raw or auto");
	if (columns && parse_columns(i, columns, err) < 0)
		return -1;
	for (enum manifest_role r = 0; !columns && r < MANIFEST_ROLES; r++)
		i->columns.of[r] = c->columns.of[r];
	i->columns.loose = !columns;
	o->columns = &i->columns;
	o->seek = *i->file ? seek_manifest : NULL;
	return 0;
}

/* Who the manifest is: its resolved path, and the name that it has from then on. */
static int identify(struct import *i, const char *word, struct err *err)
{
	const char *name = args_option(i->cli->args, "name");
	struct stat st;
	if (strcmp(word, "-") == 0) {
		if (!name)
			return err_set(err, ERR_REJECT, 0, "a manifest from standard input has no name: give it one with --name, under which "
				"it is known when it is imported again");
		i->fd = STDIN_FILENO;
		i->file = mem_strdup("");
		i->name = mem_strdup(name);
		return 0;
	}
	i->fd = open(word, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	i->file = i->fd >= 0 ? realpath(word, NULL) : NULL;
	if (!i->file || fstat(i->fd, &st) < 0)
		return err_set(err, ERR_REJECT, errno, "the manifest '%s'", word);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_REJECT, 0, "'%s' is a folder; name a manifest in it", word);
	i->bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	i->name = mem_strdup(name ? name : i->file);
	return 0;
}

static int open_files(struct import *i, struct err *err)
{
	const char *root = args_option(i->cli->args, "root");
	CLEANUP(freep) char *beside = mem_strdup(i->file);
	return import_files_open(root ? root : *i->file ? dirname(beside) : ".", i->cli->config->state_dir, &i->files, err);
}

/* --- its rows --- */

static void warn(struct import *i, const struct manifest_row *row)
{
	for (size_t k = 0; k < row->warning_count; k++) {
		if (i->warnings++ >= WARNINGS_SHOWN)
			continue;
		struct buf text = { 0 };
		out_plain(&text, row->warnings[k]);
		progress_clear();
		(void)fprintf(stderr, "inlet: %s:%" PRIu64 ": %s\n", *i->file ? i->file : i->name, row->at.line, text.data);
		buf_done(&text);
	}
}

static void show(struct import *i, const struct manifest *m)
{
	uint64_t now_ns = clock_mono_ns();
	if (now_ns - i->shown_ns < SHOW_NS)
		return;
	i->shown_ns = now_ns;
	struct buf text = { 0 };
	uint64_t ms = (now_ns - i->start_ns) / NS_PER_MS + 1, read = manifest_read_bytes(m);
	buf_printf(&text, "%" PRIu64 " rows", i->rows);
	if (i->sender.failed)
		buf_printf(&text, ", %" PRIu64 " failed", i->sender.failed);
	buf_printf(&text, " | %" PRIu64 " rows/s", i->rows * 1000 / ms);
	if (i->sender.sent_bytes) {
		buf_str(&text, " | ");
		out_bytes(&text, i->sender.sent_bytes);
	}
	if (i->bytes && read && read <= i->bytes)
		buf_printf(&text, " | %" PRIu64 " %%, %" PRIu64 " s left", read * 100 / i->bytes,
			ms * (i->bytes - read) / read / 1000);
	progress_show("%s", text.data);
	buf_done(&text);
}

static int all_rows(struct import *i, struct manifest *m, struct err *err)
{
	struct manifest_row row;
	struct manifest_failure failure;
	int more;
	while ((more = manifest_next(m, &row, &failure, err)) > 0) {
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "the import");
		i->rows++;
		if (more == 1)
			warn(i, &row);
		if ((more == 1 ? sender_row(&i->sender, m, &row, err) : sender_failure(&i->sender, m, &failure, err)) < 0)
			return -1;
		show(i, m);
	}
	int sent = sender_flush(&i->sender, more < 0 ? &(struct err){ 0 } : err); /* what was read before it broke stays read */
	progress_clear();
	return more < 0 ? -1 : sent;
}

/* --- with the owner --- */

static int hand_over(void *arg, uint64_t pass, import_give_fn *give, void *from, json_t **ret, struct err *err)
{
	CLEANUP(freep) char *path = mem_printf("/api/v1/import/%" PRIu64 "/rows", pass);
	return client_upload(arg, path, give, from, ret, err);
}

static int begin(struct import *i, const struct manifest *m, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct buf body = { 0 };
	struct json j = { .to = &body };
	struct slice header = { 0 };
	json_open(&j, NULL, '{');
	json_str(&j, "name", slice_of(i->name));
	json_bytes(&j, "file", slice_of(i->file));
	json_str(&j, "format", slice_of(manifest_format_name(manifest_format(m))));
	if (manifest_header(m, &header) == 0 && header.len && text_is_utf8(header))
		json_str(&j, "header", header);
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	if (client_json(i->cli->client, "/api/v1/import", text, &answer, err) < 0)
		return -1;
	i->number = field_u64(answer, "import");
	i->sender.pass = field_u64(answer, "pass");
	return 0;
}

static int print_people(const struct import *i, const json_t *answer, bool waited, struct err *err)
{
	struct buf name = { 0 };
	out_plain(&name, slice_of(i->name));
	int r = out_printf(err, "import %" PRIu64 " of '%s': %" PRIu64 " rows, %" PRIu64 " new or changed, %" PRIu64 " failed\n",
		i->number, name.data, i->rows, field_u64(answer, "written"), i->sender.failed);
	buf_done(&name);
	if (r == 0 && i->sender.failed)
		r = out_printf(err, "see `inlet failures --import %" PRIu64 "`; mend what it lists and import again\n", i->number);
	uint64_t lost = field_u64(answer, "not_fetched"), later = field_u64(answer, "to_fetch");
	if (r == 0 && lost + later)
		r = out_printf(err, "%" PRIu64 " that rows name cannot be fetched, %" PRIu64 " are tried again later; see `inlet failures --import %"
			PRIu64 "`\n", lost, later, i->number);
	uint64_t vanished = field_u64(answer, "vanished");
	if (r == 0 && vanished)
		r = out_printf(err, "%" PRIu64 " that earlier passes named are not in the manifest any more; nothing of them was deleted\n",
			vanished);
	if (r == 0 && !waited)
		r = out_printf(err, "the rows are in; `inlet wait` returns when the rest is done\n");
	else if (r == 0 && !json_is_true(json_object_get(answer, "drained")))
		r = out_printf(err, "not done yet: %s\n", field(answer, "reason").p);
	return r;
}

static char *end_body(const struct import *i, const struct manifest *m, bool wait)
{
	struct buf body = { 0 };
	struct json j = { .to = &body };
	struct slice attributes = manifest_attributes(m);
	json_open(&j, NULL, '{');
	json_u64(&j, "rows", i->rows);
	json_u64(&j, "failed", i->sender.failed);
	if (attributes.len)
		json_str(&j, "attributes", attributes);
	json_bool(&j, "wait", wait);
	json_close(&j, '}');
	return buf_take(&body);
}

static int end(struct import *i, const struct manifest *m, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	bool wait = args_option(i->cli->args, "no-wait") == NULL;
	CLEANUP(freep) char *path = mem_printf("/api/v1/import/%" PRIu64 "/end", i->sender.pass);
	CLEANUP(freep) char *body = end_body(i, m, wait);
	if (work_request(i->cli, path, body, &answer, err) < 0)
		return -1;
	if (i->cli->args->json) {
		CLEANUP(freep) char *text = json_dumps(answer, JSON_COMPACT);
		if (out_printf(err, "%s\n", text) < 0)
			return -1;
	} else if (print_people(i, answer, wait, err) < 0) {
		return -1;
	}
	if (wait && !json_is_true(json_object_get(answer, "drained")))
		return EXIT_FAILED;
	bool partial = i->sender.failed || field_u64(answer, "not_fetched") || (wait && field_u64(answer, "to_fetch"));
	return partial ? EXIT_PARTIAL : EXIT_DONE;
}

static int run(struct import *i, struct manifest_options *o, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	struct buf line = { 0 };
	if (open_files(i, err) < 0)
		return -1;
	struct manifest_tree tree = import_tree(&i->files);
	o->tree = &tree;
	o->spool = open_spool(); /* the reader's from here on */
	if (manifest_open(o, read_manifest, i, &m, err) < 0)
		return -1;
	manifest_describe(m, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	buf_done(&line);
	i->sender.hand = hand_over;
	i->sender.arg = i->cli->client;
	i->sender.files = &i->files;
	i->start_ns = clock_mono_ns();
	if (begin(i, m, err) < 0 || all_rows(i, m, err) < 0)
		return -1;
	if (i->warnings > WARNINGS_SHOWN)
		(void)fprintf(stderr, "inlet: %" PRIu64 " warnings in all\n", i->warnings);
	return end(i, m, err);
}

int verb_import(struct cli *c, struct err *err)
{
	struct import i = { .cli = c, .fd = -1, .files.root = -1 };
	struct manifest_options o;
	int r = identify(&i, c->args->words[0], err);
	if (r < 0 && i.fd < 0 && strcmp(c->args->words[0], "-") == 0)
		r = EXIT_USAGE;
	else if (r == 0 && options(&i, &o, err) < 0)
		r = EXIT_USAGE;
	if (r == EXIT_DONE)
		r = run(&i, &o, err);
	import_done(&i);
	return r;
}
