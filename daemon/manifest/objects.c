/* objects.c - rows that are JSON objects. */
#include "daemon/manifest/objects.h"

#include "daemon/base/text.h"

/* How many lines the head has that begin with '{', of the first two that are not empty; and whether the first is closed. */
static enum values_layout layout_of(struct slice head)
{
	int depth = 0;
	bool string = false;
	for (size_t i = 0; i < head.len; i++) {
		char c = head.p[i];
		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '['))
			depth++;
		else if (!string && (c == '}' || c == ']') && --depth == 0)
			return VALUES_LINES;      /* closed on the line it opened in */
		else if (c == '\n' && i > 2) /* a line like {"a": …, broken or not, is followed by one like it */
			return i + 1 < head.len && head.p[i + 1] == '{' ? VALUES_LINES : VALUES_RUN;
		else if (c == '\n')
			return VALUES_RUN;
	}
	return VALUES_LINES;
}

int objects_open(struct manifest *m, struct err *err)
{
	struct window *w = &m->window;
	char first = '\0';
	values_init(&m->values, w, VALUES_LIST, m->o.record_max);
	if (values_peek(&m->values, &first, err) < 0)
		return -1;
	while (!w->ended && window_left(w) < MANIFEST_HEAD_MAX && !memchr(w->data + w->at, '\n', window_left(w)))
		if (window_more(w, err) < 0)
			return -1;
	while (!w->ended && window_left(w) < 4096)
		if (window_more(w, err) < 0)
			return -1;
	enum values_layout layout = first == '[' ? VALUES_LIST :
		layout_of((struct slice){ w->data + w->at, window_left(w) });
	values_init(&m->values, w, layout, m->o.record_max);
	if (layout == VALUES_LIST) { /* so that a reader that goes on within the list needs to know nothing */
		window_pass(w, 1);
		m->values.inside = true;
	}
	return 0;
}

struct manifest_place node_place(const struct manifest *m, const struct node *n)
{
	size_t at = n ? (size_t)(node_json(n).p - m->value.text.p) : 0;
	return at > 0 && at < m->value.text.len ? place_in(m->draft.row.at, m->value.text, at) : m->draft.row.at;
}

static int failed(struct manifest *m, const struct value *v, struct manifest_place at, const char *cure,
	const char *reason)
{
	(void)draft_fail(&m->draft, at, cure, "%s", reason);
	m->draft.failure.raw_cut = v->cut;
	return DRAFT_FAILED;
}

int objects_next(struct manifest *m, object_row_fn *row, struct err *err)
{
	struct value *v = &m->value;
	int got = values_next(&m->values, v, err);
	if (got <= 0)
		return got;
	draft_begin(&m->draft, v->at, v->text);
	if (got == VALUES_BAD)
		return failed(m, v, v->bad_at, v->cure, v->reason);
	if (!text_is_utf8(v->text))
		return failed(m, v, v->at, "save the file as UTF-8", "the row is not UTF-8");
	struct dom_error e;
	if (dom_parse(&m->dom, v->text, &e) < 0)
		return failed(m, v, place_in(v->at, v->text, e.at), "correct it; each row is JSON of its own", e.reason);
	if (memchr(v->text.p, '\n', v->text.len)) { /* a failed row must fit in a line */
		m->draft.text.len = 0;
		json_compact(v->text, &m->draft.text);
		m->draft.row.raw = draft_take(&m->draft);
	}
	const struct node *root = dom_root(&m->dom);
	if (root->kind != NODE_OBJECT)
		return failed(m, v, v->at, NULL, "the row is no JSON object");
	return row(m, root);
}

struct slice other_members(struct manifest *m, const struct node *object, const char *const *but)
{
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	for (const struct node *n = node_first(&m->dom, object); n; n = node_next(&m->dom, object, n)) {
		bool known = false;
		for (size_t i = 0; but[i] && !known; i++)
			known = node_name_is(n, but[i]);
		if (!known)
			node_write(n, &j);
	}
	return d->text.len ? draft_take(d) : (struct slice){ 0 };
}

void objects_describe(const struct manifest *m, struct buf *to)
{
	static const char *const layouts[] = { "lines", "one list", "one object after the other" };
	buf_printf(to, ", %s", layouts[m->values.layout]);
}

bool objects_values(const struct manifest *m, struct json *j)
{
	struct dom dom = { 0 };
	struct dom_error ignored;
	struct slice raw = m->draft.row.raw;
	bool object = raw.len && text_is_utf8(raw) && dom_parse(&dom, raw, &ignored) == 0 &&
		dom_root(&dom)->kind == NODE_OBJECT;
	dom_done(&dom);
	if (object)
		json_compact(raw, j->to);
	return object;
}

void json_compact(struct slice text, struct buf *to)
{
	bool string = false;
	char *out = buf_grow(to, text.len);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		*out++ = c;
		if (string && c == '\\' && i + 1 < text.len)
			*out++ = text.p[++i];
		else if (c == '"')
			string = !string;
	}
	*out = '\0';
	to->len = (size_t)(out - to->data);
}
