/* mapped.c - values by role into a row. */
#include "daemon/manifest/mapped.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/manifest/labelstudio.h"
#include "daemon/manifest/literal.h"
#include "daemon/manifest/reference.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.p, word, s.len) == 0;
}

bool number_parse(struct slice text, double *ret)
{
	char copy[64];
	text = slice_trim(text);
	if (text.len == 0 || text.len >= sizeof(copy) || !strchr("+-.0123456789", *text.p) || memchr(text.p, 'x', text.len))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	char *end = NULL;
	double d = strtod(copy, &end);
	if (*end != '\0' || !isfinite(d))
		return false;
	*ret = d;
	return true;
}

struct slice number_json(struct draft *d, struct slice text, double value)
{
	text = slice_trim(text);
	if (is_json_number(text))
		return text;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_double(&j, NULL, value);
	return draft_take(d);
}

enum row_split split_parse(struct slice word)
{
	static const struct {
		const char *word;
		enum row_split split;
	} words[] = { { "train", SPLIT_TRAIN }, { "training", SPLIT_TRAIN }, { "val", SPLIT_VAL }, { "valid", SPLIT_VAL },
		{ "validate", SPLIT_VAL }, { "validation", SPLIT_VAL }, { "dev", SPLIT_VAL }, { "test", SPLIT_TEST },
		{ "testing", SPLIT_TEST } };
	word = slice_trim(word);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (is_word(word, words[i].word))
			return words[i].split;
	return SPLIT_NONE;
}

/* ---- metadata ---- */

bool metadata_json(struct manifest *m, struct slice text, struct slice *ret_json)
{
	struct draft *d = &m->draft;
	const char *why;
	*ret_json = (struct slice){ 0 };
	if (slice_trim(text).len == 0)
		return true;
	d->text.len = 0;
	if (literal_json(text, &m->dom, &d->text, &why) < 0 || d->text.data[0] != '{') {
		draft_warn(d, "its metadata are no JSON object and no Python dictionary%s%s; they are kept as they are", why ? ": " : "",
			why ? why : "");
		return false;
	}
	*ret_json = draft_take(d);
	return true;
}

struct slice join_members(struct draft *d, struct slice object, struct slice members)
{
	if (members.len == 0)
		return object;
	size_t inside = object.len >= 2 ? object.len - 1 : 0;   /* without its closing brace */
	while (inside > 1 && strchr(" \t\r\n", object.p[inside - 1]))
		inside--;
	d->text.len = 0;
	if (inside == 0)
		buf_char(&d->text, '{');
	else
		buf_add(&d->text, object.p, inside);
	if (inside > 1)
		buf_char(&d->text, ',');
	buf_add(&d->text, members.p, members.len);
	buf_char(&d->text, '}');
	return draft_take(d);
}

static bool has_name(const struct dom *t, struct slice name, struct arena *a)
{
	for (const struct node *n = node_first(t, dom_root(t)); n; n = node_next(t, dom_root(t), n))
		if (slice_eq(node_name(n, a), name))
			return true;
	return false;
}

/* Writes the members of `from`; one that `own` has too gets a name of its own. */
static void write_apart(struct draft *d, const struct dom *own, const struct dom *from, struct json *j)
{
	struct arena *a = &d->arena;
	for (const struct node *n = node_first(from, dom_root(from)); n; n = node_next(from, dom_root(from), n)) {
		struct slice is = node_name(n, a), name = is;
		for (unsigned int k = 2; has_name(own, name, a) || (k > 2 && has_name(from, name, a)); k++)
			name = arena_printf(a, "%.*s (%u)", (int)is.len, is.p, k);
		if (name.p != is.p)
			draft_warn(d, "its metadata have a member '%s' already; the other one is called '%s'", draft_show(d, is),
				draft_show(d, name));
		json_str(j, NULL, name);
		buf_char(j->to, ':');
		j->comma = false;
		json_raw(j, NULL, node_json(n));
	}
}

struct slice join_apart(struct manifest *m, struct slice object, struct slice members)
{
	struct draft *d = &m->draft;
	struct slice whole = join_members(d, object, members);
	struct dom_error e;
	if (members.len == 0 || object.len == 0 || dom_parse(&m->dom, whole, &e) == 0)
		return whole;
	struct dom from = { 0 };
	struct slice others = join_members(d, (struct slice){ 0 }, members);
	if (dom_parse(&m->dom, object, &e) == 0 && dom_parse(&from, others, &e) == 0) {
		CLEANUP(buf_done) struct buf text = { 0 };
		struct json j = { .to = &text };
		write_apart(d, &m->dom, &from, &j);
		whole = join_members(d, object, buf_slice(&text));
	}
	dom_done(&from);
	return whole;
}

static void take_metadata(struct manifest *m, const struct mapped *in)
{
	struct manifest_row *row = &m->draft.row;
	struct slice own = { 0 };
	if (!metadata_json(m, in->of[ROLE_METADATA], &own))
		row->unreadable = in->of[ROLE_METADATA];
	row->metadata = join_apart(m, own, in->extra);
}

/* ---- labels ---- */

/* "cat", 3, {"name":"dog","confidence":0.5}; false: it has no name. */
static bool label_of(struct manifest *m, const struct node *n)
{
	static const char *const names[] = { "concept", "name", "label", "class" };
	struct arena *a = &m->draft.arena;
	const struct node *named = n;
	const struct node *confidence = NULL;
	if (n->kind == NODE_OBJECT) {
		for (size_t i = 0; i < 4 && (named == n || !named); i++)
			named = node_get(&m->dom, n, names[i]);
		confidence = node_get(&m->dom, n, "confidence");
		if (!confidence)
			confidence = node_get(&m->dom, n, "score");
	}
	struct slice concept = slice_trim(node_scalar(named, a));
	if (concept.len)
		draft_label(&m->draft, arena_copy(a, concept))->confidence = node_number(confidence, -1);
	return concept.len > 0;
}

/* ["cat", {"name":"dog","confidence":0.5}, 3], or regions of Label Studio */
static void labels_of_list(struct manifest *m, const struct node *list)
{
	size_t nameless = 0;
	for (const struct node *n = node_first(&m->dom, list); n; n = node_next(&m->dom, list, n))
		if (!(n->kind == NODE_OBJECT && labelstudio_region(m, n)))
			nameless += !label_of(m, n);
	if (nameless)
		draft_warn(&m->draft, "%zu of its labels %s no name and %s left out", nameless, nameless == 1 ? "has" : "have",
			nameless == 1 ? "is" : "are");
}

/* {"cat":0.9,"dog":0.1}: names and how sure each is. 1; 0: it is nothing of the kind. */
static bool labels_of_scores(struct manifest *m, const struct node *object)
{
	const struct node *n = node_first(&m->dom, object);
	while (n && n->kind == NODE_NUMBER && n->name.len)
		n = node_next(&m->dom, object, n);
	if (n || object->count == 0)
		return false;
	for (n = node_first(&m->dom, object); n; n = node_next(&m->dom, object, n))
		draft_label(&m->draft, arena_copy(&m->draft.arena, node_name(n, &m->draft.arena)))->confidence = node_number(n, -1);
	return true;
}

char concepts_separator(struct slice cell)
{
	if (cell.len == 0)
		return ',';
	return memchr(cell.p, '|', cell.len) ? '|' : memchr(cell.p, ';', cell.len) ? ';' : ',';
}

bool concepts_next(struct slice *cell, char separator, struct slice *ret)
{
	while (cell->len) {
		const char *end = memchr(cell->p, separator, cell->len);
		size_t len = end ? (size_t)(end - cell->p) : cell->len;
		*ret = slice_trim((struct slice){ cell->p, len });
		len += end ? 1 : 0;
		*cell = (struct slice){ cell->p + len, cell->len - len };
		if (ret->len)
			return true;
	}
	return false;
}

void add_labels(struct manifest *m, struct slice cell)
{
	struct dom_error ignored;
	cell = slice_trim(cell);
	if (cell.len && strchr("[{\"", *cell.p) && dom_parse(&m->dom, cell, &ignored) == 0) {
		const struct node *root = dom_root(&m->dom);
		if (root->kind == NODE_ARRAY) {
			labels_of_list(m, root);
			return;
		}
		if (root->kind == NODE_OBJECT) {
			if (!label_of(m, root) && !labels_of_scores(m, root))
				draft_warn(&m->draft, "its labels are an object without a name, and left out");
			return;
		}
		cell = node_string(root, &m->draft.arena);
	}
	if (!cell.p || !cell.len)
		return;
	char separator = concepts_separator(cell);
	struct slice concept;
	while (concepts_next(&cell, separator, &concept))
		(void)draft_label(&m->draft, concept);
}

/* The four corners, if there are any: DRAFT_ROW with *ret_json empty or a geometry, or DRAFT_FAILED. */
static int box_json(struct manifest *m, const struct mapped *in, struct slice *ret_json)
{
	struct draft *d = &m->draft;
	static const enum manifest_role corners[] = { ROLE_XMIN, ROLE_YMIN, ROLE_XMAX, ROLE_YMAX };
	double v[4] = { 0 };
	size_t given = 0;
	bool fraction = true;
	bool whole = true;
	*ret_json = (struct slice){ 0 };
	for (size_t i = 0; i < 4; i++)
		given += slice_trim(in->of[corners[i]]).len > 0;
	if (given == 0)
		return DRAFT_ROW;
	for (size_t i = 0; i < 4; i++) {
		if (!number_parse(in->of[corners[i]], &v[i]))
			return draft_fail(d, in->place(m, corners[i]), "a box wants four numbers", "'%s' is no number",
				draft_show(d, in->of[corners[i]]));
		fraction = fraction && v[i] >= 0 && v[i] <= 1;
		whole = whole && v[i] == floor(v[i]);
	}
	struct slice n[4];
	for (size_t i = 0; i < 4; i++)
		n[i] = number_json(d, in->of[corners[i]], v[i]);
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	json_str(&j, "kind", SLICE_LIT("box"));
	json_str(&j, "unit", slice_of(fraction && !whole ? "fraction" : "px"));
	if (d->row.width && d->row.height) {
		json_open(&j, "size", '[');
		json_u64(&j, NULL, d->row.width);
		json_u64(&j, NULL, d->row.height);
		json_close(&j, ']');
	}
	json_str(&j, "form", SLICE_LIT("xyxy"));
	json_open(&j, "box", '[');
	for (size_t i = 0; i < 4; i++)
		json_raw(&j, NULL, n[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	*ret_json = draft_take(d);
	return DRAFT_ROW;
}

static enum annotation_status status_of(struct slice word)
{
	static const struct {
		const char *word;
		enum annotation_status status;
	} words[] = { { "success", STATUS_SUCCESS }, { "approved", STATUS_SUCCESS }, { "accepted", STATUS_SUCCESS },
		{ "awaiting_review", STATUS_AWAITING_REVIEW }, { "pending", STATUS_AWAITING_REVIEW },
		{ "review", STATUS_AWAITING_REVIEW }, { "review_denied", STATUS_REVIEW_DENIED },
		{ "denied", STATUS_REVIEW_DENIED }, { "rejected", STATUS_REVIEW_DENIED } };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (is_word(word, words[i].word))
			return words[i].status;
	return status_parse(word);
}

/* Of the labels from `first` on. */
static void describe_labels(struct manifest *m, const struct mapped *in, size_t first)
{
	struct draft *d = &m->draft;
	struct slice status = slice_trim(in->of[ROLE_STATUS]);
	struct slice maker = slice_trim(in->of[ROLE_MAKER]);
	double confidence = -1;
	if (slice_trim(in->of[ROLE_CONFIDENCE]).len &&
		(!number_parse(in->of[ROLE_CONFIDENCE], &confidence) || confidence < 0 || confidence > 1)) {
		draft_warn(d, "'%s' is no confidence between 0 and 1; the label stands without one",
			draft_show(d, in->of[ROLE_CONFIDENCE]));
		confidence = -1;
	}
	enum annotation_status s = status.len ? status_of(status) : STATUS_SUCCESS;
	if (s == STATUS_NONE) {
		draft_warn(d, "'%s' is no status of a label; it waits for review", draft_show(d, status));
		s = STATUS_AWAITING_REVIEW;
	}
	bool human = is_word(maker, "human") || is_word(maker, "manual");
	bool machine = is_word(maker, "machine") || is_word(maker, "model") || is_word(maker, "auto");
	for (size_t i = first; i < d->label_count; i++) {
		struct manifest_label *l = &d->labels[i];
		l->confidence = l->confidence < 0 ? confidence : l->confidence;
		l->status = s;
		l->maker = human ? MAKER_HUMAN : machine ? MAKER_MACHINE : MAKER_UNKNOWN;
		if (!human && !machine && !is_word(maker, "unknown"))
			l->worker = maker;
	}
}

static int take_labels(struct manifest *m, const struct mapped *in)
{
	struct slice box = { 0 };
	size_t first = m->draft.label_count; /* those before are the format's own */
	if (box_json(m, in, &box) == DRAFT_FAILED)
		return DRAFT_FAILED;
	struct manifest_place at = box.len ? in->place(m, ROLE_XMIN) : m->draft.row.at; /* the parser is used for labels */
	struct slice one = slice_trim(in->of[ROLE_LABEL]);
	if (one.len && (*one.p == '[' || *one.p == '{'))
		add_labels(m, one);
	else if (one.len)
		(void)draft_label(&m->draft, one);
	add_labels(m, in->of[ROLE_LABELS]);
	if (box.len && m->draft.label_count == first)
		return draft_fail(&m->draft, at, "map the column that names it to label",
			"there is a box without a label");
	for (size_t i = first; box.len && i < m->draft.label_count; i++)
		m->draft.labels[i].geometry = box;
	describe_labels(m, in, first);
	return DRAFT_ROW;
}

/* ---- facts ---- */

static uint32_t pixels(struct manifest *m, struct slice text, const char *what)
{
	double v = 0;
	if (slice_trim(text).len == 0)
		return 0;
	if (number_parse(text, &v) && v >= 1 && v <= UINT32_MAX && v == floor(v))
		return (uint32_t)v;
	draft_warn(&m->draft, "'%s' is no %s in pixels", draft_show(&m->draft, text), what);
	return 0;
}

static enum media media_of(struct slice word)
{
	const char *slash = word.len ? memchr(word.p, '/', word.len) : NULL;
	return media_parse((struct slice){ word.p, slash ? (size_t)(slash - word.p) : word.len });
}

static void take_checksum(struct manifest *m, const struct mapped *in)
{
	struct draft *d = &m->draft;
	struct slice text = slice_trim(in->of[ROLE_CHECKSUM]);
	const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
	struct slice hex = colon ? (struct slice){ colon + 1, text.len - (size_t)(colon + 1 - text.p) } : text;
	uint8_t bytes[32];
	if (text.len == 0)
		return;
	const char *kind = hex.len == 64 ? "sha256" : hex.len == 32 ? "md5" : "";
	if (!*kind || text_unhex(hex, bytes, hex.len / 2) < 0) {
		draft_warn(d, "'%s' is no SHA-256 and no MD5", draft_show(d, text));
		return;
	}
	char digits[65];
	text_hex(bytes, hex.len / 2, digits);
	d->row.checksum = arena_printf(&d->arena, "%s:%s", kind, digits);
}

static void take_facts(struct manifest *m, const struct mapped *in)
{
	struct manifest_row *row = &m->draft.row;
	double size = 0;
	row->width = pixels(m, in->of[ROLE_WIDTH], "width");
	row->height = pixels(m, in->of[ROLE_HEIGHT], "height");
	if (number_parse(in->of[ROLE_SIZE], &size) && size >= 0 && size < 9e15)
		row->size_bytes = (uint64_t)size;
	if (row->media == MEDIA_UNKNOWN)
		row->media = media_of(slice_trim(in->of[ROLE_MEDIA]));
	row->split = split_parse(in->of[ROLE_SPLIT]);
	take_checksum(m, in);
}

/* A value of the URL or path role refers to something whatever it looks like; INPUT asks the options. */
static int take_content(struct manifest *m, const struct mapped *in)
{
	static const enum manifest_role order[] = { ROLE_INPUT, ROLE_URL, ROLE_PATH, ROLE_TEXT };
	struct draft *d = &m->draft;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		struct slice value = in->of[order[i]];
		if (value.len == 0 || (order[i] != ROLE_TEXT && slice_trim(value).len == 0))
			continue;
		if (order[i] == ROLE_TEXT) {
			draft_text(d, value);
			return DRAFT_ROW;
		}
		enum manifest_input input = order[i] == ROLE_INPUT ? m->o.input : INPUT_FILE_PATH;
		if (input != INPUT_RAW && reference_kind(slice_trim(value)) != REFERENCE_NONE)
			value = slice_trim(value);
		return draft_content(d, value, input, in->place(m, order[i]));
	}
	return draft_fail(d, d->row.at, NULL, "the row names no file, no URL and no text");
}

int mapped_row(struct manifest *m, const struct mapped *in, bool elsewhere)
{
	draft_id(&m->draft, slice_trim(in->of[ROLE_ID]));
	if (!elsewhere && take_content(m, in) == DRAFT_FAILED)
		return DRAFT_FAILED;
	take_facts(m, in);
	if (take_labels(m, in) == DRAFT_FAILED)
		return DRAFT_FAILED;
	take_metadata(m, in);
	return draft_finish(&m->draft);
}
