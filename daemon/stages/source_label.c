/* source_label.c - rows that say what the folders of a source say. */
#include "daemon/stages/source_label.h"

#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/manifest/path_label.h"
#include "daemon/model/import_body.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_sidecar.h"

#include <stdio.h>

#define SLICE_OBJECTS 500 /* in one change */

bool source_labels(const struct source *s)
{
	return source_config(s)->labels_from == LABELS_FROM_DIRECTORY;
}

/* The key below the root that the configuration names: of a bucket, the last whole folder of its prefix. */
static struct slice below_root(const struct source_config *c, struct slice key)
{
	const char *prefix = source_config_is_bucket(c) ? c->bucket.prefix : NULL;
	const char *slash = prefix ? strrchr(prefix, '/') : NULL;
	size_t n = slash ? (size_t)(slash - prefix) + 1 : 0;
	return n <= key.len ? (struct slice){ key.p + n, key.len - n } : key;
}

/* What import_body_write() would make of it; empty: nothing is said. */
static void make_body(const struct source_config *c, struct slice key, struct buf *to)
{
	struct path_label says = path_label(below_root(c, key));
	struct label label = { .concept = says.concept, .confidence = -1, .status = STATUS_SUCCESS, .maker = maker_parse(SLICE_LIT("unknown")) };
	struct json j = { .to = to };
	if (c->labels_from != LABELS_FROM_DIRECTORY || (says.concept.len == 0 && says.split == SPLIT_NONE))
		return;
	json_open(&j, NULL, '{');
	json_str(&j, "at", SLICE_LIT(BODY_DIRECTORY));
	if (says.split != SPLIT_NONE)
		json_str(&j, "split", slice_of(row_split_name(says.split)));
	if (says.concept.len) {
		json_open(&j, "labels", '[');
		label_put(&j, &label);
		json_close(&j, ']');
	}
	json_close(&j, '}');
}

/* The row of no import of this kind; NULL: there is none. */
static const struct import_row *own_row(const struct import_row *rows, size_t n, const char *at)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].import == 0 && import_body_is(rows[i].body, at))
			return &rows[i];
	return NULL;
}

int source_label(const struct source *s, struct change *c, struct view *now, struct slice key, struct err *err)
{
	CLEANUP(buf_done) struct buf body = { 0 };
	struct slice name = slice_of(source_name(s));
	enum layout layout = source_ops(s)->layout;
	struct ledger_row object;
	const struct import_row *rows = NULL;
	size_t n = 0;
	int found = view_object(now, name, layout, key, &object, err);
	if (found < 0 || (found && view_rows(now, object.object, &rows, &n, err) < 0))
		return -1;
	const struct import_row *own = own_row(rows, n, BODY_DIRECTORY), *said = own_row(rows, n, BODY_SIDECAR);
	if (said && !source_sidecars(s))
		change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ object.object, said->row };
	make_body(source_config(s), key, &body);
	if (own ? slice_eq(own->body, buf_slice(&body)) : body.len == 0)
		return 0;
	if (body.len == 0) {
		change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ object.object, own->row };
		return 0;
	}
	change_add(c, RECORD_ROW)->row = (struct record_row){ .row = own ? own->row : 0, .body = change_copy(c, buf_slice(&body)),
		.source = name, .key = change_copy(c, key), .layout = layout, .fresh = found == 0 };
	return 0;
}

/* --- where an option was changed --- */

/* Objects to be looked at in one change. */
struct relabel {
	struct source *s;
	struct buf keys;     /* each with its length in front */
	size_t count;
	struct buf todo;     /* places of a tree, each with a NUL behind it */
};

static int prepare_relabel(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct relabel *r = arg;
	for (size_t at = 0; at < r->keys.len;) {
		size_t n;
		memcpy(&n, r->keys.data + at, sizeof(n));
		at += sizeof(n);
		if (source_label(r->s, c, now, (struct slice){ r->keys.data + at, n }, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static int relabel_some(struct relabel *r, struct err *err)
{
	if (r->count == 0)
		return 0;
	struct change *c = change_new();
	change_prepare(c, prepare_relabel, r);
	int ok = committer_wait(source_pipeline(r->s)->store, c, err) < 0 ? -1 : 0;
	r->keys.len = r->count = 0;
	return ok;
}

/* Of directories that are gone as well: what comes back as it was is not read, and has the rows that it had. */
static void take_row(struct relabel *r, struct slice place, const struct ledger_row *row)
{
	size_t n = place.len + (place.len > 0) + row->name.len;
	struct buf *to = row->directory ? &r->todo : &r->keys;
	if (!row->directory && row->item == 0)
		return;
	if (!row->directory)
		buf_add(to, &n, sizeof(n));
	buf_add(to, place.p, place.len);
	if (place.len)
		buf_char(to, '/');
	buf_add(to, row->name.p, row->name.len);
	if (row->directory)
		buf_add(to, "", 1);
	r->count += !row->directory;
}

/* A run of rows of one place after *after. 1: there are more. */
static int read_some(struct relabel *r, struct slice place, struct buf *after, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct ledger_walk *w;
	struct ledger_row row;
	int more = 1;
	if (view_open(source_pipeline(r->s)->store, &v, err) < 0 ||
		view_walk(v, slice_of(source_name(r->s)), source_ops(r->s)->layout, place, buf_slice(after), &w, err) < 0)
		return -1;
	for (int n = 0; n < SLICE_OBJECTS && (more = ledger_next(w, &row, err)) > 0; n++) {
		take_row(r, place, &row);
		after->len = 0;
		buf_add(after, row.name.p, row.name.len);
	}
	ledger_close(w);
	return more;
}

static int relabel_place(struct relabel *r, struct slice place, struct err *err)
{
	CLEANUP(buf_done) struct buf after = { 0 };
	struct pipeline *p = source_pipeline(r->s);
	int more;
	do {
		account_step(p->account);
		if (account_stopping(p->account))
			return err_set(err, ERR_RETRY, 0, "stopping");
		more = read_some(r, place, &after, err);
		if (more >= 0 && relabel_some(r, err) < 0)
			more = -1;
	} while (more > 0);
	return more;
}

static int relabel_all(struct relabel *r, struct err *err)
{
	CLEANUP(buf_done) struct buf place = { 0 };
	int ok = relabel_place(r, SLICE_LIT(""), err);
	while (ok == 0 && r->todo.len > 0) {
		size_t from = r->todo.len - 1;
		while (from > 0 && r->todo.data[from - 1] != '\0')
			from--;
		place.len = 0;
		buf_str(&place, r->todo.data + from);
		r->todo.len = from;
		ok = relabel_place(r, buf_slice(&place), err);
	}
	return ok;
}

/* An option of which the store keeps how it was when all objects were last brought to what it says. */
struct memory {
	char name[128];
	struct slice now;
};

static struct memory memory_of(const struct source *s, const char *option, const char *now)
{
	struct memory m = { .now = slice_of(now) };
	(void)snprintf(m.name, sizeof(m.name), "%s:%s", option, source_name(s));
	return m;
}

static struct memory labels_memory(const struct source *s)
{
	return memory_of(s, "labels_from", source_labels(s) ? "directory" : "none");
}

static struct memory sidecars_memory(const struct source *s)
{
	return memory_of(s, "sidecars", source_sidecars(s) ? "json" : "off");
}

/* A store of which the index was made anew, or by an older Inlet, knows nothing of it. */
enum memory_is { MEMORY_SAME, MEMORY_OTHER, MEMORY_UNKNOWN };

static int recall(const struct source *s, const struct memory *m, enum memory_is *ret, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct slice known;
	int found = view_open(source_pipeline(s)->store, &v, err) < 0 ? -1 : view_meta(v, m->name, &known);
	if (found < 0)
		return -1;
	*ret = found == 0 ? MEMORY_UNKNOWN : slice_eq(known, m->now) ? MEMORY_SAME : MEMORY_OTHER;
	return 0;
}

int source_sidecars_changed(const struct source *s, bool had_objects, struct err *err)
{
	struct memory m = sidecars_memory(s);
	enum memory_is is;
	if (source_config(s)->manifest) /* lists are no items anyway */
		return 0;
	if (recall(s, &m, &is, err) < 0)
		return -1;
	return is == MEMORY_OTHER || (is == MEMORY_UNKNOWN && had_objects);
}

/* Were the labels of folders switched since all objects were last brought to what they say? Without a memory there are none to be
 * taken back. */
static int labels_changed(const struct source *s, const struct memory *m, struct err *err)
{
	enum memory_is is;
	if (recall(s, m, &is, err) < 0)
		return -1;
	return is == MEMORY_OTHER || (is == MEMORY_UNKNOWN && source_labels(s));
}

int source_switch_begin(struct source *s, bool switched, struct err *err)
{
	struct memory labels = labels_memory(s), sidecars = sidecars_memory(s);
	struct store *store = source_pipeline(s)->store;
	int changed = labels_changed(s, &labels, err);
	if (changed < 0 || (changed && committer_set_meta(store, labels.name, SLICE_LIT("under way"), err) < 0))
		return -1;
	return switched ? committer_set_meta(store, sidecars.name, SLICE_LIT("under way"), err) : 0;
}

int source_relabel(struct source *s, bool switched, bool read, struct err *err)
{
	struct store *store = source_pipeline(s)->store;
	struct memory labels = labels_memory(s), sidecars = sidecars_memory(s);
	struct relabel r = { .s = s };
	enum memory_is sidecars_are;
	int new_labels = labels_changed(s, &labels, err);
	if (new_labels < 0 || recall(s, &sidecars, &sidecars_are, err) < 0)
		return -1;
	int ok = switched || new_labels ? relabel_all(&r, err) : 0;
	if (ok == 0 && new_labels)
		ok = committer_set_meta(store, labels.name, labels.now, err);
	if (ok == 0 && sidecars_are != MEMORY_SAME && (!switched || read))
		ok = committer_set_meta(store, sidecars.name, sidecars.now, err);
	buf_done(&r.keys);
	buf_done(&r.todo);
	return ok;
}
