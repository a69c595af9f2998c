/* format_labelstudio.c - Label Studio tasks: {"id","data":{…},"annotations":[…],"predictions":[…]}.
 *
 * What the task is about is the member of data that refers to something, else a file by its name ("image"), else the first
 * that is text; the others and meta are metadata. Coordinates are percents of the upright image. A result without a label of its own (a bare box, a
 * transcript, a rating) has the name of its control as concept. What a geometry does not say stands in the attributes, so
 * that the result can be made again. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/manifest/labelstudio.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"
#include "daemon/manifest/reference.h"
#include "daemon/manifest/roles.h"

/* "/data/local-files/?d=x%20y.jpg" is the file x y.jpg below the folder that Label Studio serves. */
static struct slice local_file(struct manifest *m, struct slice value)
{
	static const char prefix[] = "/data/local-files/?d=";
	struct draft *d = &m->draft;
	if (value.len < sizeof(prefix) || memcmp(value.p, prefix, sizeof(prefix) - 1) != 0)
		return value;
	d->text.len = 0;
	buf_str(&d->text, "file:/");
	buf_add(&d->text, value.p + sizeof(prefix) - 1, value.len - (sizeof(prefix) - 1));
	struct slice url = draft_take(d);
	if (reference_file_path(url, &d->text) < 0)
		return value;
	struct slice path = draft_take(d);
	return (struct slice){ path.p + 1, path.len - 1 };
}

static bool names_a_file(const struct node *n)
{
	enum manifest_role role = role_by_usual_name(n->name);
	return role == ROLE_PATH || role == ROLE_URL;
}

/* The member of data that is the task's content: mapped, else the first reference, else what by its name is a file, else the
 * most usual text. */
static const struct node *find_content(struct manifest *m, const struct node *data)
{
	static const enum manifest_role order[] = { ROLE_INPUT, ROLE_URL, ROLE_PATH, ROLE_TEXT };
	const struct node *reference = NULL;
	const struct node *file = NULL;
	const struct node *text = NULL;
	for (size_t i = 0; m->o.columns && i < 4; i++) {
		const char *name = m->o.columns->of[order[i]];
		const struct node *mapped = name ? node_get(&m->dom, data, name) : NULL;
		if (mapped || (name && !m->o.columns->loose))
			return mapped;
	}
	for (const struct node *n = node_first(&m->dom, data); n; n = node_next(&m->dom, data, n)) {
		if (n->kind != NODE_STRING)
			continue;
		if (!reference && reference_kind(node_string(n, &m->draft.arena)) != REFERENCE_NONE)
			reference = n;
		if (!file && names_a_file(n))
			file = n;
		if (!text || (role_by_usual_name(n->name) == ROLE_TEXT && role_by_usual_name(text->name) != ROLE_TEXT))
			text = n;
	}
	return reference ? reference : file ? file : text;
}

/* The image, audio or video of a task is never a text, also where it is written without a scheme or a leading "./". */
static enum manifest_input input_of(struct manifest *m, const struct node *content, struct slice value)
{
	bool is_local_file = value.p != content->text.p && !content->escaped;
	return is_local_file || (m->o.input == INPUT_AUTO && names_a_file(content)) ? INPUT_FILE_PATH : m->o.input;
}

/* Members of the task, beside its data, that are metadata where data have none of that name. */
static const char *const kept[] = { "meta", "project", "inner_id", "file_upload", "created_at", "updated_at" };

static bool is_kept(const struct node *n)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (node_name_is(n, kept[i]))
			return true;
	return false;
}

/* A list of annotations or predictions without their results, which are labels; false: it is no list of objects. */
static bool write_list(struct manifest *m, const struct node *list, struct json *j)
{
	if (list->kind != NODE_ARRAY)
		return false;
	for (const struct node *n = node_first(&m->dom, list); n; n = node_next(&m->dom, list, n))
		if (n->kind != NODE_OBJECT)
			return false;
	json_open(j, NULL, '[');
	for (const struct node *n = node_first(&m->dom, list); n; n = node_next(&m->dom, list, n)) {
		json_open(j, NULL, '{');
		for (const struct node *k = node_first(&m->dom, n); k; k = node_next(&m->dom, n, k))
			if (!node_name_is(k, "result") || k->kind != NODE_ARRAY)
				node_write(k, j);
		json_close(j, '}');
	}
	json_close(j, ']');
	return true;
}

static void write_lists(struct manifest *m, const struct node *root, struct json *j)
{
	static const char *const names[] = { "annotations", "completions", "predictions" };
	json_open(j, "lists", '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct node *list = node_get(&m->dom, root, names[i]);
		struct buf text = { 0 };
		struct json inner = { .to = &text };
		if (list && write_list(m, list, &inner))
			json_raw(j, names[i], buf_slice(&text));
		buf_done(&text);
	}
	json_close(j, '}');
}

/* What an export needs to make the task again:
 *
 *   {"content":"image","value":"/data/local-files/?d=…","task":{members beside the data},"data":{members of the data that are
 *    named like one of the task},"lists":{"annotations":[{…}],"predictions":[{…}]},"bare":true}
 *
 * value: where it is not the row's content as it is; bare: the whole object is the data. */
static struct slice task_attributes(struct manifest *m, const struct node *root, const struct node *data, const struct node *content,
	bool same_value)
{
	static const char *const known[] = { "data", "annotations", "completions", "predictions" };
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	buf_str(&d->text, "\"content\":\"");
	buf_add(&d->text, content->name.p, content->name.len);
	buf_char(&d->text, '"');
	j.comma = true;
	if (!same_value)
		json_raw(&j, "value", node_json(content));
	if (data == root) {
		json_bool(&j, "bare", true);
		json_close(&j, '}');
		return draft_take(d);
	}
	json_open(&j, "task", '{');
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n)) {
		bool listed = false;
		for (size_t i = 0; i < 4 && !listed; i++)
			listed = node_name_is(n, known[i]) && (i == 0 || n->kind == NODE_ARRAY);
		if (!listed)
			node_write(n, &j);
	}
	json_close(&j, '}');
	json_open(&j, "data", '{');
	for (const struct node *n = node_first(&m->dom, data); n; n = node_next(&m->dom, data, n))
		if (n != content && is_kept(n))
			node_write(n, &j);
	json_close(&j, '}');
	write_lists(m, root, &j);
	json_close(&j, '}');
	return draft_take(d);
}

static int take_data(struct manifest *m, const struct node *root, const struct node *data)
{
	struct draft *d = &m->draft;
	const struct node *content = data->kind == NODE_OBJECT ? find_content(m, data) : NULL;
	if (!content || content->kind != NODE_STRING)
		return draft_fail(d, node_place(m, data), NULL, "the task's data name no file, no URL and no text");
	struct slice value = local_file(m, node_string(content, &d->arena));
	if (draft_content(d, value, input_of(m, content, value), node_place(m, content)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	char *name = mem_strndup(content->name.p, content->name.len);
	const char *const but[] = { name, NULL };
	struct slice members = other_members(m, data, but);
	free(name);
	d->text.len = 0;
	struct json j = { .to = &d->text };
	if (members.len) {
		buf_add(j.to, members.p, members.len);
		j.comma = true;
	}
	for (size_t i = 0; data != root && i < sizeof(kept) / sizeof(*kept); i++)
		if (!node_get(&m->dom, data, kept[i]))
			node_write(node_get(&m->dom, root, kept[i]), &j);
	if (d->text.len)
		d->row.metadata = join_members(d, (struct slice){ 0 }, draft_take(d));
	d->row.attributes = task_attributes(m, root, data, content, slice_eq(d->row.content, node_string(content, &d->arena)));
	return DRAFT_ROW;
}

/* Who: completed_by is a number, a name, or an object with an e-mail address. */
static struct slice worker_of(struct manifest *m, const struct node *by)
{
	if (by && by->kind == NODE_OBJECT) {
		const struct node *email = node_get(&m->dom, by, "email");
		by = email ? email : node_get(&m->dom, by, "id");
	}
	return node_scalar(by, &m->draft.arena);
}

static bool is_rejected(struct manifest *m, const struct node *annotation)
{
	const struct node *cancelled = node_get(&m->dom, annotation, "was_cancelled");
	if (cancelled && cancelled->kind == NODE_TRUE)
		return true;
	const struct node *reviews = node_get_kind(&m->dom, annotation, "reviews", NODE_ARRAY);
	const struct node *last = NULL;
	for (const struct node *n = reviews ? node_first(&m->dom, reviews) : NULL; n; n = node_next(&m->dom, reviews, n))
		last = node_get(&m->dom, n, "accepted");
	return last && last->kind == NODE_FALSE;
}

/* annotations (of people) or predictions (of models). */
static void take_results(struct manifest *m, const struct node *root, const char *name, bool predictions)
{
	const struct node *list = node_get_kind(&m->dom, root, name, NODE_ARRAY);
	size_t index = 0;
	for (const struct node *n = list ? node_first(&m->dom, list) : NULL; n; n = node_next(&m->dom, list, n)) {
		struct result_origin origin = {
			.list = name,
			.index = index++,
			.maker = predictions ? MAKER_MACHINE : MAKER_HUMAN,
			.status = predictions ? STATUS_AWAITING_REVIEW :
				is_rejected(m, n) ? STATUS_REVIEW_DENIED : STATUS_SUCCESS,
			.worker = predictions ? node_scalar(node_get(&m->dom, n, "model_version"), &m->draft.arena) :
				worker_of(m, node_get(&m->dom, n, "completed_by")),
			.confidence = predictions ? node_number(node_get(&m->dom, n, "score"), -1) : -1,
		};
		const struct node *results = node_get_kind(&m->dom, n, "result", NODE_ARRAY);
		for (const struct node *r = results ? node_first(&m->dom, results) : NULL; r;
			r = node_next(&m->dom, results, r), origin.result++)
			labelstudio_result(m, r, &origin);
	}
}

static int task_row(struct manifest *m, const struct node *root)
{
	const struct node *data = node_get(&m->dom, root, "data");
	if (data)
		draft_id(&m->draft, node_scalar(node_get(&m->dom, root, "id"), &m->draft.arena));
	if (take_data(m, root, data ? data : root) == DRAFT_FAILED) /* without data the whole object is the data */
		return DRAFT_FAILED;
	if (data) {
		take_results(m, root, "annotations", false);
		take_results(m, root, "completions", false); /* what they were called before 1.0 */
		take_results(m, root, "predictions", true);
	}
	return draft_finish(&m->draft);
}

static int next(struct manifest *m, struct err *err)
{
	return objects_next(m, task_row, err);
}

const struct format manifest_labelstudio = { .title = "Label Studio tasks", .open = objects_open,
	.next = next, .describe = objects_describe, .values = objects_values };
