/* verb_export.c - export, verify: the whole dataset. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/export_file.h"
#include "daemon/cli/export_tree.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/rule.h"
#include "daemon/cli/target.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/export/export.h"

static int export_to_file(struct cli *c, const char *url, const char *name, struct err *err)
{
	struct buf size = { 0 };
	uint64_t bytes;
	if (export_file(c->client, url, name, &bytes, err) < 0)
		return -1;
	out_bytes(&size, bytes);
	int r = c->args->json ? 0 : out_printf(err, "%s: %s\n", name, size.data);
	buf_done(&size);
	return r;
}

/* YOLO's pictures need a folder; a tar has labels only. */
static bool wants_tree(const struct cli *c, const char *name)
{
	const char *format = args_option(c->args, "format");
	size_t n = name ? strlen(name) : 0;
	return name && format && strcmp(format, "yolo") == 0 && !(n > 4 && strcmp(name + n - 4, ".tar") == 0);
}

static int export_to_tree(struct cli *c, const char *url, const char *name, struct err *err)
{
	struct export_tree_done done = { 0 };
	struct buf size = { 0 };
	if (export_tree(c->client, url, name, &done, err) < 0)
		return -1;
	out_bytes(&size, done.bytes);
	int r = c->args->json ? 0 : out_printf(err, "%s: %llu picture%s, %s\n", name, (unsigned long long)done.pictures,
		text_s(done.pictures), size.data);
	buf_done(&size);
	if (done.left)
		(void)fprintf(stderr, "inlet: left out: %s\n", done.left);
	free(done.left);
	if (r < 0 || done.missing == 0)
		return r;
	(void)err_set(err, ERR_RETRY, 0, "left out with their labels: %llu picture%s that could not be read: %s",
		(unsigned long long)done.missing, text_s(done.missing), done.why.text);
	return EXIT_PARTIAL;
}

int verb_export(struct cli *c, struct err *err)
{
	const char *name = args_option(c->args, "output");
	struct buf path = { 0 };
	if (name && strcmp(name, "-") == 0)
		name = NULL;
	if (target_check(c->config, name, err) < 0)
		return -1;
	buf_str(&path, "/api/v1/export");
	client_query(&path, "format", args_option(c->args, "format"));
	client_query(&path, "by", args_option(c->args, "by"));
	client_query(&path, "attribute", args_option(c->args, "attribute"));
	client_query(&path, "review", args_option(c->args, "review") ? "true" : NULL);
	client_query(&path, "files", wants_tree(c, name) ? "true" : NULL);
	CLEANUP(freep) char *url = buf_take(&path);
	if (wants_tree(c, name))
		return export_to_tree(c, url, name, err);
	int r = name ? export_to_file(c, url, name, err) :
		client_request(c->client, url, NULL, out_write, NULL, err);
	const char *left = r == 0 ? client_trailer(c->client, EXPORT_LEFT_OUT) : NULL;
	if (left)
		(void)fprintf(stderr, "inlet: left out: %s\n", left);
	return r;
}

struct findings {
	bool json;
	uint64_t problems;
};

static int one_finding(void *arg, const json_t *line, struct err *err)
{
	struct findings *f = arg;
	f->problems += field_u64(line, "problems"); /* the report, which comes last */
	if (f->json) {
		CLEANUP(freep) char *text = json_dumps(line, JSON_COMPACT);
		return out_printf(err, "%s\n", text);
	}
	struct buf text = { 0 };
	field_printable(line, "problem", &text);
	if (text.len == 0) {
		const uint64_t batches = field_u64(line, "batches"), blobs = field_u64(line, "blobs"), items = field_u64(line, "items"),
			problems = field_u64(line, "problems");
		buf_printf(&text, "checked %llu batch%s, %llu blob%s, %llu item%s: %llu problem%s", (unsigned long long)batches,
			batches == 1 ? "" : "es", (unsigned long long)blobs, text_s(blobs), (unsigned long long)items, text_s(items),
			(unsigned long long)problems, text_s(problems));
	}
	int r = out_printf(err, "%s\n", text.data);
	buf_done(&text);
	return r;
}

int verb_verify(struct cli *c, struct err *err)
{
	const char *option = args_option(c->args, "slice");
	struct findings f = { .json = c->args->json };
	uint64_t slice = 1;
	uint64_t slices = 1;
	if (option) /* "1/30" is the API's slice 0 of 30 */
		(void)rule_slice_parse(option, &slice, &slices);
	CLEANUP(freep) char *body = mem_printf("{\"slice\":%llu,\"slices\":%llu}", (unsigned long long)slice - 1,
		(unsigned long long)slices);
	progress_show("verifying; this reads everything that is stored …");
	if (client_lines(c->client, "/api/v1/verify", body, one_finding, &f, err) < 0)
		return -1;
	return f.problems ? EXIT_PARTIAL : EXIT_DONE;
}
