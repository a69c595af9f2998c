/* format_jsonl.c - plain JSON: objects whose members have roles by mapping or by usual names; the others are metadata. And
 * the sidecar, which is one such object about the file it lies beside.
 *
 * A mapped name that the object does not have may be a path: "data.image". */
#include "daemon/manifest/formats.h"

#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"
#include "daemon/manifest/roles.h"

#define DEPTH_MAX 8

/* The member, or the member of a member. */
static const struct node *by_path(const struct manifest *m, const struct node *object, const char *path)
{
	char name[256];
	const struct node *n = node_get(&m->dom, object, path);
	for (int depth = 0; !n && object && depth < DEPTH_MAX; depth++) {
		const char *dot = strchr(path, '.');
		size_t len = dot ? (size_t)(dot - path) : strlen(path);
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		object = node_get(&m->dom, object, name);
		if (!dot)
			return object;
		path = dot + 1;
	}
	return n;
}

static struct manifest_place place_of(const struct manifest *m, enum manifest_role r)
{
	const struct node *root = dom_root(&m->dom);
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n))
		if (role_by_usual_name(n->name) == r)
			return node_place(m, n);
	return m->draft.row.at;
}

static struct slice text_of(struct manifest *m, const struct node *n)
{
	if (n && (n->kind == NODE_ARRAY || n->kind == NODE_OBJECT))
		return n->text;
	return node_scalar(n, &m->draft.arena);
}

/* Mapped members first, then what has a usual name of a role that is still free; the most usual name wins. A content role
 * that is mapped, or found earlier in the order of the roles, shuts out the others; `content` shuts out all of them. */
static void take_roles(struct manifest *m, const struct node *root, bool content, struct mapped *in,
	const struct node *of[MANIFEST_ROLES])
{
	bool given[MANIFEST_ROLES] = { false };
	for (enum manifest_role r = 0; m->o.columns && r < MANIFEST_ROLES; r++) {
		if (m->o.columns->of[r])
			of[r] = by_path(m, root, m->o.columns->of[r]);
		given[r] = m->o.columns->of[r] && (of[r] || !m->o.columns->loose);
		content = content || (given[r] && role_is_content(r));
	}
	const struct node *usual[MANIFEST_ROLES] = { 0 };
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n)) {
		enum manifest_role r = role_by_usual_name(n->name);
		if (r != ROLE_NONE && n->kind != NODE_NULL &&
			(!usual[r] || role_rank(r, n->name) <= role_rank(r, usual[r]->name)))
			usual[r] = n;
	}
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++) {
		bool free_role = !of[r] && !given[r];
		bool fits = role_is_content(r) ? !content && usual[r] && usual[r]->kind == NODE_STRING :
			usual[r] && (r == ROLE_LABEL || r == ROLE_LABELS || r == ROLE_METADATA || usual[r]->kind < NODE_ARRAY);
		if (free_role && fits)
			of[r] = usual[r];
		content = content || (role_is_content(r) && of[r]);
		in->of[r] = text_of(m, of[r]);
	}
}

int plain_object_row(struct manifest *m, const struct node *root, const struct node *const *taken)
{
	bool elsewhere = m->draft.row.content_kind != 0;
	struct mapped in = { .place = place_of };
	const struct node *of[MANIFEST_ROLES] = { 0 };
	struct draft *d = &m->draft;
	take_roles(m, root, elsewhere, &in, of);
	if (of[ROLE_LABEL] && of[ROLE_LABEL]->kind == NODE_ARRAY && !in.of[ROLE_LABELS].len) {
		in.of[ROLE_LABELS] = in.of[ROLE_LABEL]; /* "label": ["a", "b"] */
		in.of[ROLE_LABEL] = (struct slice){ 0 };
	}
	d->text.len = 0;
	struct json j = { .to = &d->text };
	for (const struct node *n = node_first(&m->dom, root); n; n = node_next(&m->dom, root, n)) {
		bool has_role = false;
		for (size_t i = 0; taken && taken[i]; i++)
			has_role = has_role || taken[i] == n;
		for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
			has_role = has_role || of[r] == n;
		if (!has_role)
			node_write(n, &j);
	}
	in.extra = d->text.len ? draft_take(d) : (struct slice){ 0 };
	return mapped_row(m, &in, elsewhere);
}

static int jsonl_row(struct manifest *m, const struct node *root)
{
	return plain_object_row(m, root, NULL);
}

static int jsonl_next(struct manifest *m, struct err *err)
{
	return objects_next(m, jsonl_row, err);
}

/* All of it is in the window, where the first row can tell whether it is the only one. */
static int sidecar_open(struct manifest *m, struct err *err)
{
	struct window *w = &m->window;
	if (objects_open(m, err) < 0)
		return -1;
	while (!w->ended && window_left(w) <= m->o.record_max)
		if (window_more(w, err) < 0)
			return -1;
	return 0;
}

/* What follows the row, but for the end of the list that it may be in. */
static struct slice sidecar_rest(const struct manifest *m)
{
	const struct window *w = &m->window;
	struct slice rest = slice_trim((struct slice){ w->data + w->at, window_left(w) });
	if (m->values.layout == VALUES_LIST && rest.len && *rest.p == ']')
		rest = slice_trim((struct slice){ rest.p + 1, rest.len - 1 });
	return rest;
}

/* "x/NAME.json" is about "NAME". */
static int sidecar_row(struct manifest *m, const struct node *root)
{
	struct slice rest = sidecar_rest(m);
	if (rest.len || !m->window.ended)
		return draft_fail(&m->draft, rest.len ? window_place(&m->window, (size_t)(rest.p - m->window.data)) : m->draft.row.at, NULL,
			"more follows its JSON object");
	struct slice name = slice_of(m->name);
	const char *slash = memrchr(name.p, '/', name.len);
	if (slash)
		name = (struct slice){ slash + 1, name.len - (size_t)(slash + 1 - name.p) };
	if (name.len <= 5 || memcmp(name.p + name.len - 5, ".json", 5) != 0)
		return draft_fail(&m->draft, m->draft.row.at, NULL, "a sidecar is called NAME.json, beside the file NAME");
	name.len -= 5;
	if (draft_content(&m->draft, name, INPUT_FILE_PATH, m->draft.row.at) == DRAFT_FAILED)
		return DRAFT_FAILED;
	return plain_object_row(m, root, NULL);
}

static int sidecar_next(struct manifest *m, struct err *err)
{
	return objects_next(m, sidecar_row, err);
}

const struct format manifest_jsonl = { .title = "JSON", .open = objects_open, .next = jsonl_next,
	.describe = objects_describe, .values = objects_values };
const struct format manifest_sidecar = { .title = "sidecar", .open = sidecar_open, .next = sidecar_next,
	.values = objects_values };
