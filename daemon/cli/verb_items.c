/* verb_items.c - items, show, cat: looking into the dataset. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/cli/table.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <unistd.h>

/* A concept as it is shown: however often an item has it, as a box each for example, once. */
struct label {
	struct slice concept;
	bool waits;
	size_t count;
	double confidence; /* the highest; -1: none */
};

static void label_count(struct label **labels, size_t *n, struct label found)
{
	for (size_t i = 0; i < *n; i++) {
		struct label *l = &(*labels)[i];
		if (l->waits == found.waits && slice_eq(l->concept, found.concept)) {
			l->count++;
			l->confidence = found.confidence > l->confidence ? found.confidence : l->confidence;
			return;
		}
	}
	*labels = mem_resize(*labels, *n + 1, sizeof(**labels));
	(*labels)[(*n)++] = found;
}

/* "tabby 0.93, tiger cat? 0.41, car x3": a question mark waits for review. */
static void labels_text(const json_t *item, struct buf *to)
{
	CLEANUP(freep) struct label *labels = NULL;
	size_t n = 0, i;
	json_t *label;
	json_array_foreach(json_object_get(item, "annotations"), i, label) {
		struct slice status = field(label, "status");
		const json_t *confidence = json_object_get(label, "confidence");
		bool waits = slice_eq(status, SLICE_LIT("ANNOTATION_AWAITING_REVIEW"));
		if (waits || slice_eq(status, SLICE_LIT("ANNOTATION_SUCCESS")))
			label_count(&labels, &n, (struct label){ field(label, "concept"), waits, 1,
				json_is_number(confidence) ? json_number_value(confidence) : -1 });
	}
	for (i = 0; i < n; i++) {
		buf_printf(to, "%s%s%s", i ? ", " : "", labels[i].concept.p, labels[i].waits ? "?" : "");
		if (labels[i].confidence >= 0)
			buf_printf(to, " %.2f", labels[i].confidence);
		if (labels[i].count > 1)
			buf_printf(to, " x%zu", labels[i].count);
	}
}

static void reference_text(const json_t *item, struct buf *to)
{
	const json_t *references = json_object_get(item, "references");
	const json_t *first = json_array_get(references, 0);
	if (!first)
		return;
	buf_printf(to, "%s:", field(first, "source").p);
	field_bytes(first, "key", to);
	if (json_array_size(references) > 1)
		buf_printf(to, " (+%zu)", json_array_size(references) - 1);
}

static int one_item(void *arg, const json_t *item, struct err *err)
{
	struct buf id = { 0 };
	struct buf bytes = { 0 };
	struct buf labels = { 0 };
	struct buf reference = { 0 };
	buf_u64(&id, field_u64(item, "id"));
	out_bytes(&bytes, field_u64(item, "bytes"));
	labels_text(item, &labels);
	reference_text(item, &reference);
	const struct slice cells[] = { buf_slice(&id), field(item, "state"), field(item, "media_type"),
		buf_slice(&bytes), buf_slice(&reference), buf_slice(&labels) };
	int r = table_row(arg, cells, err);
	buf_done(&id);
	buf_done(&bytes);
	buf_done(&labels);
	buf_done(&reference);
	return r;
}

int verb_items(struct cli *c, struct err *err)
{
	static const char *const titles[] = { ">ID", "STATE", "TYPE", ">SIZE", "FILE", "LABELS (? WAITS FOR REVIEW)",
		NULL };
	static const char *const filters[] = { "state", "status", "concept", "source", "after", "limit" };
	struct buf path = { 0 };
	buf_str(&path, "/api/v1/items");
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		client_query(&path, filters[i], args_option(c->args, filters[i]));
	if (args_option(c->args, "full"))
		client_query(&path, "full", "true");
	CLEANUP(freep) char *url = buf_take(&path);
	if (c->args->json)
		return client_request(c->client, url, NULL, out_write, NULL, err);
	CLEANUP(table_freep) struct table *t = table_new(titles, out_color(), out_write, NULL);
	if (client_lines(c->client, url, NULL, one_item, t, err) < 0)
		return -1;
	return table_end(t, err);
}

int verb_show(struct cli *c, struct err *err)
{
	struct buf path = { 0 };
	buf_printf(&path, "/api/v1/items/%s", c->args->words[0]);
	CLEANUP(freep) char *url = buf_take(&path);
	if (c->args->json)
		return client_request(c->client, url, NULL, out_write, NULL, err);
	CLEANUP(json_decrefp) json_t *item = NULL;
	if (client_json(c->client, url, NULL, &item, err) < 0)
		return -1;
	/* All of it is of interest here; jansson escapes what a terminal must not see. */
	CLEANUP(freep) char *text = json_dumps(item, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(4));
	return out_printf(err, "%s\n", text);
}

struct bytes_out {
	struct client *client;
	bool terminal;
};

/* A terminal gets text only, and of that nothing that drives it. */
static int to_terminal(const struct bytes_out *o, struct slice bytes, struct err *err)
{
	if (strncmp(client_type(o->client), "text/", 5) != 0)
		return err_set(err, ERR_REJECT, 0,
			"%s is nothing for a terminal; write it to a file: inlet cat ID > FILE",
			client_type(o->client));
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		bool plain = c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f);
		if (out_write(NULL, plain ? (struct slice){ bytes.p + i, 1 } : SLICE_LIT("?"), err) < 0)
			return -1;
	}
	return 0;
}

static int write_bytes(void *arg, struct slice bytes, struct err *err)
{
	const struct bytes_out *o = arg;
	return o->terminal ? to_terminal(o, bytes, err) : out_write(NULL, bytes, err);
}

int verb_cat(struct cli *c, struct err *err)
{
	struct buf path = { 0 };
	struct bytes_out o = { c->client, isatty(STDOUT_FILENO) };
	bool thumbnail = args_option(c->args, "thumbnail") != NULL;
	bool canonical = args_option(c->args, "canonical") != NULL;
	if (thumbnail && canonical) {
		(void)err_set(err, ERR_REJECT, 0, "one of --thumbnail and --canonical, not both; see `inlet cat --help`");
		return EXIT_USAGE;
	}
	buf_printf(&path, "/api/v1/items/%s/content", c->args->words[0]);
	client_query(&path, "form", thumbnail ? "thumbnail" : canonical ? "canonical" : NULL);
	CLEANUP(freep) char *url = buf_take(&path);
	return client_request(c->client, url, NULL, write_bytes, &o, err);
}
