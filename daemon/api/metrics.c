/* metrics.c - GET /metrics in the Prometheus text format. */
#include "daemon/api/routes.h"
#include "daemon/api/status.h"
#include "daemon/base/cleanup.h"

static void head(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_printf(to, "# HELP inlet_%s %s\n# TYPE inlet_%s %s\n", name, help, name, type);
}

static void plain(struct buf *to, const char *name, const char *type, const char *help, uint64_t value)
{
	head(to, name, type, help);
	buf_printf(to, "inlet_%s %llu\n", name, (unsigned long long)value);
}

/* Label values are names of sources, states and stages: none holds a quote, a backslash or a newline. */
static void labelled(struct buf *to, const char *name, const char *labels, uint64_t value)
{
	buf_printf(to, "inlet_%s{%s} %llu\n", name, labels, (unsigned long long)value);
}

static void add_sources(const struct source_status_row *rows, size_t n, struct buf *to)
{
	char labels[160];
	head(to, "source_objects", "gauge", "Objects in the ledger of a source.");
	for (size_t i = 0; i < n; i++) {
		const struct source_row *row = &rows[i].row;
		const struct {
			const char *state;
			uint64_t n;
		} counts[] = { { "present", row->present }, { "gone", row->gone }, { "quarantined", row->quarantined },
			{ "retrying", row->retrying }, { "archived", row->archived } };
		for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
			(void)snprintf(labels, sizeof(labels), "source=\"%.*s\",state=\"%s\"", (int)row->name.len,
				row->name.p, counts[k].state);
			labelled(to, "source_objects", labels, counts[k].n);
		}
	}
	head(to, "source_up", "gauge", "1 while a source can be listed.");
	for (size_t i = 0; i < n; i++) {
		bool up = strcmp(rows[i].view.state, "live") == 0 || strcmp(rows[i].view.state, "scanning") == 0;
		(void)snprintf(
			labels, sizeof(labels), "source=\"%.*s\"", (int)rows[i].row.name.len, rows[i].row.name.p);
		labelled(to, "source_up", labels, up);
	}
}

static void add_totals(const struct totals *t, struct buf *to)
{
	char labels[96];
	head(to, "items", "gauge", "Items by state.");
	for (enum item_state s = ITEM_COMMITTED; s < ITEM_STATES; s++) {
		(void)snprintf(labels, sizeof(labels), "state=\"%s\"", item_state_name(s));
		labelled(to, "items", labels, t->by_state[s]);
	}
	head(to, "annotations", "gauge", "Standing annotations by status.");
	for (enum annotation_status s = STATUS_SUCCESS; s < STATUSES; s++) {
		(void)snprintf(labels, sizeof(labels), "status=\"%s\"", status_name(s));
		labelled(to, "annotations", labels, t->by_status[s]);
	}
	head(to, "failures", "gauge", "What failed and still stands.");
	labelled(to, "failures", "class=\"quarantined\"", t->quarantined);
	labelled(to, "failures", "class=\"retry\"", t->retrying);
	labelled(to, "failures", "class=\"archived\"", t->archived);
}

static void add_work(struct pipeline *p, struct view *v, struct buf *to)
{
	char labels[96];
	head(to, "work", "gauge", "Durable queue by stage.");
	for (enum stage s = STAGE_FETCH; s < STAGES; s++) {
		struct stage_work work;
		pipeline_work(p, v, s, &work);
		(void)snprintf(labels, sizeof(labels), "stage=\"%s\",kind=\"queued\"", stage_name(s));
		labelled(to, "work", labels, work.queued);
		(void)snprintf(labels, sizeof(labels), "stage=\"%s\",kind=\"retrying\"", stage_name(s));
		labelled(to, "work", labels, work.retrying);
		(void)snprintf(labels, sizeof(labels), "stage=\"%s\",kind=\"waiting\"", stage_name(s));
		labelled(to, "work", labels, work.waiting);
	}
}

static void add_process(struct pipeline *p, struct buf *to)
{
	struct store_usage usage;
	struct drain_counts counts;
	char intake[INTAKE_MAX];
	store_usage(pipeline_store(p), &usage);
	pipeline_counts(p, &counts);
	plain(to, "store_segments", "gauge", "Segments of the log.", usage.segments);
	plain(to, "store_large_blobs", "gauge", "Blobs in files of their own.", usage.large);
	plain(to, "store_bytes", "gauge", "Bytes of stored content.", usage.bytes);
	plain(to, "store_revision", "counter", "Number of the last batch.", usage.revision);
	plain(to, "intake_paused", "gauge", "1 while intake is paused.",
		*pipeline_intake(p, intake, sizeof(intake)) != '\0');
	plain(to, "items_new_total", "counter", "New items since start.", counts.items_new);
	plain(to, "objects_new_total", "counter", "New objects since start.", counts.objects_new);
	plain(to, "objects_changed_total", "counter", "Changed objects since start.", counts.objects_changed);
	plain(to, "objects_gone_total", "counter", "Objects gone since start.", counts.objects_gone);
	plain(to, "objects_read_total", "counter", "Objects read since start.", counts.read);
}

static int metrics_text(struct pipeline *p, struct buf *to, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	CLEANUP(freep) struct source_status_row *rows = NULL;
	size_t n;
	struct totals totals;
	if (view_open(pipeline_store(p), &v, err) < 0 || status_sources(p, v, &rows, &n, err) < 0 ||
		view_totals(v, &totals, err) < 0)
		return -1;
	add_sources(rows, n, to);
	add_totals(&totals, to);
	add_work(p, v, to);
	add_process(p, to);
	return 0;
}

struct reply metrics_answer(struct request *r)
{
	struct buf text = { 0 };
	struct err err;
	if (metrics_text(r->pipeline, &text, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	return reply_text(MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
}
