/* verb_status.c - status, sources, doctor: how things stand. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/table.h"
#include "daemon/cli/work.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#define CELLS 9
#define COUNTS 5

static struct slice number(struct buf *space, uint64_t n)
{
	space->len = 0;
	buf_u64(space, n);
	return buf_slice(space);
}

/* What the lists of a source of manifests came to. */
static int print_manifests(const json_t *sources, struct err *err)
{
	size_t i;
	const json_t *source;
	json_array_foreach((json_t *)sources, i, source) {
		const json_t *sum = json_object_get(source, "manifests");
		uint64_t failed = field_u64(sum, "failed"), gone = field_u64(sum, "gone");
		uint64_t present = field_u64(sum, "present"), rows = field_u64(sum, "rows");
		struct buf text = { 0 };
		if (failed)
			buf_printf(&text, ", %llu failed (`inlet failures` says why)", (unsigned long long)failed);
		if (gone)
			buf_printf(&text, "; %llu of its manifests %s gone, what they brought stays", (unsigned long long)gone, gone == 1 ? "is" : "are");
		int r = sum ? out_printf(err, "%s: %llu manifest%s, %llu row%s%s\n", field(source, "name").p,
			(unsigned long long)present, text_s(present), (unsigned long long)rows, text_s(rows),
			text.len ? text.data : "") : 0;
		buf_done(&text);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int print_sources(const json_t *status, struct err *err)
{
	static const char *const titles[] = { "SOURCE", "KIND", "STATE", "WATCHING", ">PRESENT", ">GONE", ">SKIPPED",
		">QUARANTINED", ">ARCHIVED", NULL };
	static const char *const counts[COUNTS] = { "present", "gone", "skipped", "quarantined", "archived" };
	CLEANUP(table_freep) struct table *t = table_new(titles, out_color(), out_write, NULL);
	const json_t *sources = json_object_get(status, "sources");
	struct buf numbers[COUNTS] = { { 0 } };
	size_t i;
	json_t *source;
	int r = 0;
	json_array_foreach((json_t *)sources, i, source) {
		const json_t *objects = json_object_get(source, "objects");
		struct slice cells[CELLS] = { field(source, "name"), field(source, "kind"), field(source, "state"),
			field(source, "watching") };
		for (size_t k = 0; k < COUNTS; k++)
			cells[4 + k] = number(&numbers[k], field_u64(objects, counts[k]));
		if ((r = table_row(t, cells, err)) < 0)
			break;
	}
	for (size_t k = 0; k < COUNTS; k++)
		buf_done(&numbers[k]);
	if (r < 0 || table_end(t, err) < 0 || print_manifests(sources, err) < 0)
		return -1;
	return work_messages(sources, err);
}

static int print_items(const json_t *status, struct err *err)
{
	const json_t *items = json_object_get(status, "items");
	const char *state;
	json_t *n;
	struct buf text = { 0 };
	buf_printf(&text, "\nItems    %llu", (unsigned long long)field_u64(items, "total"));
	const char *gap = ": ";
	json_object_foreach(json_object_get(items, "by_state"), state, n) {
		if (json_integer_value(n) <= 0)
			continue;
		buf_printf(&text, "%s%lld %s", gap, (long long)json_integer_value(n), state);
		gap = ", ";
	}
	const json_t *labels = json_object_get(status, "annotations");
	buf_printf(&text, "\nLabels   %llu accepted, %llu wait for review\n",
		(unsigned long long)field_u64(labels, "ANNOTATION_SUCCESS"),
		(unsigned long long)field_u64(labels, "ANNOTATION_AWAITING_REVIEW"));
	int r = out_write(NULL, buf_slice(&text), err);
	buf_done(&text);
	return r;
}

static int print_work(const json_t *status, struct err *err)
{
	const char *stage;
	json_t *work;
	struct buf text = { 0 };
	const char *gap = "";
	json_object_foreach(json_object_get(status, "work"), stage, work) {
		uint64_t queued = field_u64(work, "queued");
		uint64_t retrying = field_u64(work, "retrying");
		if (queued + retrying == 0)
			continue;
		buf_printf(&text, "%s%s %llu queued", gap, stage, (unsigned long long)queued);
		if (retrying)
			buf_printf(&text, " + %llu retrying", (unsigned long long)retrying);
		gap = ", ";
	}
	int r = out_printf(err, "Work     %s\n", text.len ? text.data : "nothing to do");
	buf_done(&text);
	return r;
}

/* No work for anybody as things are configured. */
static int print_waiting(const json_t *status, struct err *err)
{
	static const char *const whys[][2] = {
		{ "normalize", "for `normalize: on`" },
		{ "infer", "for a model: none of their kind is configured and usable" },
	};
	const json_t *work = json_object_get(status, "work");
	for (size_t i = 0; i < sizeof(whys) / sizeof(*whys); i++) {
		uint64_t n = field_u64(json_object_get(work, whys[i][0]), "waiting");
		if (n && out_printf(err, "Waiting  %llu item%s %s\n", (unsigned long long)n, text_s(n), whys[i][1]) < 0)
			return -1;
	}
	return 0;
}

static int print_models(const json_t *status, struct err *err)
{
	size_t i;
	json_t *model;
	int r = 0;
	json_array_foreach(json_object_get(status, "models"), i, model) {
		struct buf error = { 0 };
		field_printable(model, "error", &error);
		if (error.len)
			r = out_printf(err, "Model    %s cannot be used: %s\n", field(model, "name").p, error.data);
		else
			r = out_printf(err, "Model    %s (%s, %s)\n", field(model, "name").p, field(model, "media").p,
				field(model, "runtime").p);
		buf_done(&error);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int print_store(const json_t *status, struct err *err)
{
	const json_t *store = json_object_get(status, "store");
	uint64_t segments = field_u64(store, "segments"), large = field_u64(store, "large");
	struct buf bytes = { 0 };
	out_bytes(&bytes, field_u64(store, "bytes"));
	int r = out_printf(err, "Store    %s in %llu segment%s and %llu large file%s, revision %llu\n", bytes.data,
		(unsigned long long)segments, text_s(segments), (unsigned long long)large, text_s(large),
		(unsigned long long)field_u64(store, "revision"));
	buf_done(&bytes);
	return r;
}

/* What a person would want to do about it. */
static int print_next(const json_t *status, struct err *err)
{
	const json_t *failures = json_object_get(status, "failures");
	struct buf intake = { 0 };
	field_printable(json_object_get(status, "daemon"), "intake", &intake);
	int r = intake.len ? out_printf(err, "\nIntake is paused: %s\n", intake.data) : 0;
	buf_done(&intake);
	if (r < 0)
		return -1;
	uint64_t failed = field_u64(failures, "quarantined") + field_u64(failures, "retrying");
	if (failed &&
		out_printf(err, "\nNext: `inlet failures` says why %llu could not be done\n",
			(unsigned long long)failed) < 0)
		return -1;
	if (field_u64(json_object_get(status, "annotations"), "ANNOTATION_AWAITING_REVIEW") == 0)
		return 0;
	return out_printf(err, "\nNext: `inlet items --status ANNOTATION_AWAITING_REVIEW`, then `inlet accept ID` or "
		"`inlet reject ID`\n");
}

int verb_status(struct cli *c, struct err *err)
{
	if (c->args->json)
		return client_request(c->client, "/api/v1/status", NULL, out_write, NULL, err);
	CLEANUP(json_decrefp) json_t *status = NULL;
	if (client_json(c->client, "/api/v1/status", NULL, &status, err) < 0)
		return -1;
	struct slice uuid = field(status, "uuid");
	if (out_printf(err, "Inlet %s, dataset %s, %s\n\n", field(status, "version").p, uuid.p,
		client_stand_in(c->client) ? "no daemon runs (start one with `systemctl start inletd` or `inletd`)" :
			"daemon runs") < 0)
		return -1;
	if (print_sources(status, err) < 0 || print_items(status, err) < 0 || print_work(status, err) < 0 ||
		print_waiting(status, err) < 0 || print_models(status, err) < 0 || print_store(status, err) < 0 || print_next(status, err) < 0)
		return -1;
	return EXIT_DONE;
}

int verb_sources(struct cli *c, struct err *err)
{
	CLEANUP(json_decrefp) json_t *status = NULL;
	if (client_json(c->client, "/api/v1/status", NULL, &status, err) < 0)
		return -1;
	if (!c->args->json)
		return print_sources(status, err);
	size_t i;
	json_t *source;
	json_array_foreach(json_object_get(status, "sources"), i, source) {
		CLEANUP(freep) char *text = json_dumps(source, JSON_COMPACT);
		if (out_printf(err, "%s\n", text) < 0)
			return -1;
	}
	return EXIT_DONE;
}

struct checks {
	struct table *table;
	bool json;
	int fails;
};

static int one_check(void *arg, const json_t *line, struct err *err)
{
	struct checks *k = arg;
	k->fails += slice_eq(field(line, "level"), SLICE_LIT("fail"));
	if (k->json) {
		CLEANUP(freep) char *text = json_dumps(line, JSON_COMPACT);
		return out_printf(err, "%s\n", text);
	}
	struct buf found = { 0 };
	struct buf cure = { 0 };
	field_bytes(line, "found", &found);
	field_bytes(line, "cure", &cure);
	const struct slice cells[] = { field(line, "level"), field(line, "check"), buf_slice(&found),
		buf_slice(&cure) };
	int r = table_row(k->table, cells, err);
	buf_done(&found);
	buf_done(&cure);
	return r;
}

int verb_doctor(struct cli *c, struct err *err)
{
	static const char *const titles[] = { "", "CHECK", "FOUND", "WHAT TO DO", NULL };
	CLEANUP(table_freep) struct table *t = table_new(titles, out_color(), out_write, NULL);
	struct checks k = { .table = t, .json = c->args->json };
	if (client_lines(c->client, "/api/v1/doctor", NULL, one_check, &k, err) < 0 || table_end(t, err) < 0)
		return -1;
	return k.fails ? EXIT_FAILED : EXIT_DONE;
}
