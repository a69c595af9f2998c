/* status.c - gathers how things stand. */
#include "daemon/api/status.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/version.h"

static bool configured(const struct source_status_row *rows, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(slice_of(rows[i].view.name), name))
			return true;
	return false;
}

static struct source_view *live_views(struct pipeline *p, size_t *ret_n)
{
	size_t max = pipeline_config(p)->source_count;
	struct source_view *views = mem_zero(max + 1, sizeof(*views));
	*ret_n = pipeline_source_views(p, views, max);
	return views;
}

/* name and kind of a detached source, or of a manifest that was imported, are slices of the view: not terminated, so they are
 * kept in row only. */
static int add_others(const struct config *c, struct view *v, struct source_status_row **rows, size_t *n, struct err *err)
{
	struct source_row row = { 0 };
	size_t named = *n;
	int found;
	while ((found = view_source_next(v, row.name, &row, err)) > 0) {
		if (configured(*rows, named, row.name) || import_list_owner(c, row.name))
			continue; /* manifests of a source are counted with it */
		*rows = mem_resize(*rows, *n + 1, sizeof(**rows));
		bool import = slice_eq(row.kind, SLICE_LIT("manifest"));
		struct source_status_row *to = &(*rows)[(*n)++];
		*to = (struct source_status_row){
			.view = { .name = "", .kind = "", .state = import ? "imported" : "detached", .watching = "none" },
			.row = row,
		};
		if (!import)
			(void)snprintf(to->view.message, sizeof(to->view.message), "not in the configuration any more; its items stay");
	}
	return found;
}

/* A stand-in looks at no source unless it is asked to: what was found at the last look still holds. */
static void recall(struct source_status_row *s)
{
	static const char *const kept[] = { "held", "offline" };
	if (strcmp(s->view.state, "idle") != 0)
		return;
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (slice_eq(s->row.state, slice_of(kept[i])))
			s->view.state = kept[i];
	if (!s->view.message[0])
		(void)snprintf(s->view.message, sizeof(s->view.message), "%.*s", (int)s->row.message.len, s->row.message.p);
}

int status_sources(struct pipeline *p, struct view *v, struct source_status_row **ret, size_t *ret_n, struct err *err)
{
	size_t n;
	CLEANUP(freep) struct source_view *views = live_views(p, &n);
	CLEANUP(freep) struct source_status_row *rows = mem_zero(n + 1, sizeof(*rows));
	for (size_t i = 0; i < n; i++) {
		rows[i].view = views[i];
		int found = view_source(v, slice_of(views[i].name), &rows[i].row, err);
		if (found < 0)
			return -1;
		const struct source_config *config = &pipeline_config(p)->sources[i];
		rows[i].manifests = config->manifest != NULL;
		if (config->manifest && import_list_sum(v, config, &rows[i].sum, err) < 0)
			return -1;
		if (found == 0)
			rows[i].row = (struct source_row){ .name = slice_of(views[i].name) };
		rows[i].row.kind = slice_of(views[i].kind); /* the ledger learns it with the first pass that ends */
		recall(&rows[i]);
	}
	if (add_others(pipeline_config(p), v, &rows, &n, err) < 0)
		return -1;
	*ret = TAKE_PTR(rows);
	*ret_n = n;
	return 0;
}

static void source_json(const struct source_status_row *s, struct json *j)
{
	json_open(j, NULL, '{');
	json_str(j, "name", s->row.name);
	json_str(j, "kind", *s->view.kind ? slice_of(s->view.kind) : s->row.kind);
	json_str(j, "state", slice_of(s->view.state));
	json_str(j, "watching", slice_of(s->view.watching));
	json_bytes(j, "message", slice_of(s->view.message));
	json_open(j, "objects", '{');
	json_u64(j, "present", s->row.present);
	json_u64(j, "gone", s->row.gone);
	json_u64(j, "skipped", s->row.skipped);
	json_u64(j, "quarantined", s->row.quarantined);
	json_u64(j, "retrying", s->row.retrying);
	json_u64(j, "archived", s->row.archived);
	json_u64(j, "settling", s->view.settling);
	json_close(j, '}');
	if (s->manifests) {
		json_open(j, "manifests", '{');
		json_u64(j, "present", s->sum.present);
		json_u64(j, "rows", s->sum.rows);
		json_u64(j, "failed", s->sum.failed);
		json_u64(j, "gone", s->sum.gone);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static int sources_json(struct pipeline *p, struct view *v, struct json *j, struct err *err)
{
	CLEANUP(freep) struct source_status_row *rows = NULL;
	size_t n;
	if (status_sources(p, v, &rows, &n, err) < 0)
		return -1;
	json_open(j, "sources", '[');
	for (size_t i = 0; i < n; i++)
		source_json(&rows[i], j);
	json_close(j, ']');
	return 0;
}

static int totals_json(struct view *v, struct json *j, struct err *err)
{
	struct totals t;
	if (view_totals(v, &t, err) < 0)
		return -1;
	json_open(j, "items", '{');
	json_u64(j, "total", t.items);
	json_open(j, "by_state", '{');
	for (enum item_state s = ITEM_COMMITTED; s < ITEM_STATES; s++)
		json_u64(j, item_state_name(s), t.by_state[s]);
	json_close(j, '}');
	json_close(j, '}');
	json_open(j, "annotations", '{');
	for (enum annotation_status s = STATUS_SUCCESS; s < STATUSES; s++)
		json_u64(j, status_name(s), t.by_status[s]);
	json_close(j, '}');
	json_open(j, "failures", '{');
	json_u64(j, "quarantined", t.quarantined);
	json_u64(j, "retrying", t.retrying);
	json_u64(j, "archived", t.archived);
	json_close(j, '}');
	return 0;
}

static void work_json(struct pipeline *p, struct view *v, struct json *j)
{
	json_open(j, "work", '{');
	for (enum stage s = STAGE_FETCH; s < STAGES; s++) {
		struct stage_work work;
		pipeline_work(p, v, s, &work);
		json_open(j, stage_name(s), '{');
		json_u64(j, "queued", work.queued);
		json_u64(j, "retrying", work.retrying);
		json_u64(j, "waiting", work.waiting);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void models_json(struct pipeline *p, struct json *j)
{
	size_t max = pipeline_config(p)->model_count + 1;
	CLEANUP(freep) struct model_view *models = mem_zero(max, sizeof(*models));
	size_t n = pipeline_models(p, models, max);
	json_open(j, "models", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", slice_of(models[i].name));
		json_str(j, "media", slice_of(models[i].media));
		json_str(j, "runtime", slice_of(models[i].runtime));
		if (!content_id_none(&models[i].version))
			json_hex(j, "version", models[i].version.sha256, SHA256_BYTES);
		if (*models[i].error)
			json_bytes(j, "error", slice_of(models[i].error));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void store_json(struct pipeline *p, struct json *j)
{
	struct store_usage usage;
	store_usage(pipeline_store(p), &usage);
	json_open(j, "store", '{');
	json_u64(j, "segments", usage.segments);
	json_u64(j, "large", usage.large);
	json_u64(j, "bytes", usage.bytes);
	json_u64(j, "revision", usage.revision);
	json_close(j, '}');
}

int status_json(struct pipeline *p, struct buf *to, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	char intake[INTAKE_MAX];
	if (view_open(pipeline_store(p), &v, err) < 0)
		return -1;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, "version", SLICE_LIT(INLET_VERSION));
	json_str(&j, "uuid", slice_of(store_uuid(pipeline_store(p))));
	json_open(&j, "daemon", '{');
	json_u64(&j, "pid", (uint64_t)getpid());
	json_bytes(&j, "intake", slice_of(pipeline_intake(p, intake, sizeof(intake))));
	json_close(&j, '}');
	if (sources_json(p, v, &j, err) < 0 || totals_json(v, &j, err) < 0)
		return -1;
	work_json(p, v, &j);
	models_json(p, &j);
	store_json(p, &j);
	json_close(&j, '}');
	return 0;
}
