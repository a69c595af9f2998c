/* import.c - passes over manifests: their beginning, and what is concluded at their end. */
#include "daemon/imports/import.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/imports/list.h"
#include "daemon/imports/pass.h"
#include "daemon/imports/recheck.h"
#include "daemon/manifest/manifest.h"
#include "daemon/model/reader.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 400
#define FILE_MAX_BYTES 16384
#define FORMAT_MAX_BYTES 32
#define SLICE_ROWS 500
#define FOLDER SLICE_LIT("folder") /* the format of an import that is a folder's files */

/* --- begin --- */

/* As it is kept: in one line. */
static int take_attributes(struct slice text, struct buf *to, struct err *err)
{
	struct reader r;
	if (text.len == 0)
		return 0;
	if (text.len > IMPORT_ATTRIBUTES_MAX)
		return err_set(err, ERR_REJECT, 0, "what the manifest says of all its rows is longer than %u bytes", IMPORT_ATTRIBUTES_MAX);
	if (reader_init(&r, text, err) < 0)
		return err_wrap(err, "what the manifest says of all its rows");
	reader_done(&r);
	buf_add(to, text.p, text.len);
	json_one_line(to, 0);
	return 0;
}

struct beginning {
	const struct import_begin *b;
	struct slice attributes; /* p NULL: what is kept stays */
	uint64_t import;         /* 0: it is new */
};

static bool is_source(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (slice_eq(slice_of(c->sources[i].name), name))
			return true;
	return false;
}

static int refuse_name(struct imports *imports, const struct import_begin *b, struct view *v, struct err *err)
{
	struct source_row source;
	int found = view_source(v, b->name, &source, err);
	if (found < 0)
		return -1;
	const struct source_config *owner = b->own ? NULL : import_list_owner(imports->config, b->name);
	if (owner)
		return err_set(err, ERR_REJECT, 0, "'%.*s' is how a manifest of the source '%s' is called; give the import another name with "
			"--name", (int)b->name.len, b->name.p, owner->name);
	bool is_other = found > 0 && source.kind.len && !slice_eq(source.kind, SLICE_LIT("manifest"));
	if (!is_other && !is_source(imports->config, b->name))
		return 0;
	return err_set(err, ERR_REJECT, 0, "'%.*s' is the name of a source; give the import another one with --name", (int)b->name.len,
		b->name.p);
}

/* Writes only what is new: a pass over a known manifest changes nothing by beginning. */
static int prepare_begin(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct beginning *g = arg;
	struct import import = { 0 };
	int found = view_import_of(now, g->b->name, &import, err);
	if (found < 0)
		return -1;
	g->import = import.id;
	if (found && slice_eq(import.format, FOLDER) != slice_eq(g->b->format, FOLDER))
		return err_set(err, ERR_REJECT, 0, "'%.*s' is the name of an import of a %s; give this one another with --name",
			(int)g->b->name.len, g->b->name.p, slice_eq(import.format, FOLDER) ? "folder" : "manifest");
	if (!found || !slice_eq(import.file, g->b->file))
		change_add(c, RECORD_SOURCE)->source = (struct record_source){ g->b->name, SLICE_LIT("manifest"), g->b->file };
	const struct slice attributes = g->attributes.p ? g->attributes : import.attributes;
	if (!found || !slice_eq(import.format, g->b->format) || !slice_eq(import.header, g->b->header) ||
		!slice_eq(import.attributes, attributes))
		change_add(c, RECORD_IMPORT)->import = (struct record_import){
			.import = import.id,
			.source = g->b->name,
			.format = g->b->format,
			.header = g->b->header,
			.attributes = change_copy(c, attributes),
			.rows = import.rows,
			.failed = import.failed,
			.vanished = import.vanished,
			.time_ms = clock_wall_ms(),
		};
	return 0;
}

int import_begin(struct imports *imports, const struct import_begin *b, uint64_t *ret_pass, uint64_t *ret_import, struct buf *as,
	struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	CLEANUP(buf_done) struct buf kept = { 0 };
	struct beginning g = { .b = b };
	struct import import;
	if (b->name.len == 0 || b->name.len > NAME_MAX_BYTES || !text_is_utf8(b->name))
		return err_set(err, ERR_REJECT, 0, "the name of an import is 1 to %d bytes of UTF-8; give it one with --name", NAME_MAX_BYTES);
	if (b->file.len > FILE_MAX_BYTES || b->format.len > FORMAT_MAX_BYTES || b->header.len > MANIFEST_HEADER_MAX)
		return err_set(err, ERR_REJECT, 0, "the path, the format or the header of the manifest is too long");
	if (take_attributes(b->attributes, &kept, err) < 0 || view_open(imports->store, &v, err) < 0 || refuse_name(imports, b, v, err) < 0)
		return -1;
	g.attributes = buf_slice(&kept);
	struct change *c = change_new();
	change_prepare(c, prepare_begin, &g);
	if (committer_wait(imports->store, c, err) < 0 || view_renew(v, err) < 0 || view_import_of(v, b->name, &import, err) < 0)
		return -1;
	struct import_pass *pass = import_pass_new(import.id, b->name);
	*ret_import = import.id;
	pass->last_row = view_last_row(v);
	pass->folder = slice_eq(import.format, FOLDER);
	if (pass->folder && as)
		buf_add(as, import.attributes.p, import.attributes.len);
	pass->users = 1;
	*ret_pass = import_pass_add(imports, pass); /* from here on no other pass adds failures */
	int ok = pass->folder ? places_load(&pass->places, imports->store, pass->import, err) : 0;
	import_pass_put(imports, pass);
	return ok;
}

/* --- end: what was not seen --- */

/* What a pass makes of the rows that it did not see. */
struct conclusion {
	struct imports *imports;
	struct import_pass *pass;
	struct view *v;
	struct change *change;
	uint64_t vanished;
	uint64_t asked;      /* the item of which has_moved() was asked last; 0: none */
	int moved;           /* and what it said */
};

static bool any_seen(struct import_pass *pass, const struct import_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (import_saw(pass, rows[i].row))
			return true;
	return false;
}

static bool any_labels(const struct import_row *rows, size_t n)
{
	static const char labels[] = "\"labels\":";
	for (size_t i = 0; i < n; i++)
		if (memmem(rows[i].body.p, rows[i].body.len, labels, sizeof(labels) - 1))
			return true;
	return false;
}

/* Does a row of this pass name a file of this content? 1, 0, -1. */
static int is_named(struct conclusion *c, uint64_t item, struct err *err)
{
	const struct reference *refs;
	const struct import_row *rows;
	size_t ref_count, n;
	if (view_references(c->v, item, false, &refs, &ref_count, err) < 0)
		return -1;
	for (size_t i = 0; i < ref_count; i++) {
		if (!slice_eq(refs[i].source, slice_of(c->pass->name)))
			continue;
		if (view_rows(c->v, refs[i].object, &rows, &n, err) < 0)
			return -1;
		if (any_seen(c->pass, rows, n))
			return 1;
	}
	return 0;
}

/* Has a folder's file that is not where it was another place in it now? Then what its old one said is not so any more. Many of one
 * content go together: asked once. 1, 0, -1. */
static int has_moved(struct conclusion *c, uint64_t item, struct err *err)
{
	if (c->asked != item) {
		c->moved = is_named(c, item, err);
		c->asked = item;
	}
	return c->moved;
}

/* Of an object that some row named: rows that are not there any more go. Of one that none named: it has vanished. */
static int conclude_object(struct conclusion *c, const struct ledger_row *object, struct err *err)
{
	const struct import_row *rows;
	size_t n;
	if (view_rows(c->v, object->object, &rows, &n, err) < 0)
		return -1;
	bool named = any_seen(c->pass, rows, n), folder = c->pass->folder;
	int moved = !named && folder && any_labels(rows, n) ? has_moved(c, object->item, err) : 0;
	if (moved < 0)
		return -1;
	c->vanished += n > 0 && !named && !moved && !(folder && places_failed(&c->pass->places, object->name));
	for (size_t i = 0; (named || moved) && i < n; i++)
		if (!import_saw(c->pass, rows[i].row))
			change_add(c->change, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ object->object, rows[i].row };
	return 0;
}

static int commit(struct imports *imports, struct change *c, struct err *err)
{
	if (change_records(c) == 0) {
		change_free(c);
		return 0;
	}
	return committer_wait(imports->store, c, err) < 0 ? -1 : 0;
}

/* A run of objects after *after in one snapshot. 1: there are more. */
static int conclude_some(struct conclusion *c, struct buf *after, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct ledger_walk *w;
	struct ledger_row row;
	int more = 0;
	if (view_open(c->imports->store, &v, err) < 0 ||
		view_walk(v, slice_of(c->pass->name), LAYOUT_FLAT, SLICE_LIT(""), buf_slice(after), &w, err) < 0)
		return -1;
	c->v = v;
	c->change = change_new();
	for (int n = 0; n < SLICE_ROWS && (more = ledger_next(w, &row, err)) > 0; n++) {
		after->len = 0;
		buf_add(after, row.name.p, row.name.len);
		if (conclude_object(c, &row, err) < 0) {
			more = -1;
			break;
		}
	}
	ledger_close(w);
	if (more < 0) {
		change_free(c->change);
		return -1;
	}
	return commit(c->imports, c->change, err) < 0 ? -1 : more;
}

/* Failures of lines that did not fail this time; of a pass that mends, of lines that it told. 1: there are more. */
static int mend_some(struct imports *imports, struct import_pass *pass, uint64_t *after, struct import_counts *counts, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct failure f;
	struct change *c = change_new();
	int more = view_open(imports->store, &v, err) < 0 ? -1 : 1;
	for (int n = 0; more > 0 && n < SLICE_ROWS; n++) {
		more = view_failure_next(v, SUBJECT_ROW, *after, &f, err);
		if (more <= 0 || row_import(f.number) != pass->import) {
			more = more < 0 ? -1 : 0;
			break;
		}
		*after = f.number;
		uint64_t line = row_line(f.number);
		bool over = !bitset_has(&pass->places.failed, line) && (!pass->mending || import_told(pass, line));
		if (over)
			change_add(c, RECORD_MENDED)->mended = (struct record_mended){ f.number };
		counts->mended += over;
		counts->left += !over;
	}
	if (more < 0) {
		change_free(c);
		return -1;
	}
	return commit(imports, c, err) < 0 ? -1 : more;
}

struct ending {
	struct import_counts counts;
	struct slice attributes;
	const struct import_close *close;
};

static int prepare_end(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct ending *e = arg;
	const struct import_counts *counts = &e->counts;
	struct import i;
	if (e->close->also && e->close->also(c, now, e->close->also_arg, err) < 0)
		return -1;
	int found = view_import(now, counts->import, &i, err);
	if (found <= 0)
		return found;
	struct import is = i;
	is.complete = !e->close->again;
	is.failed = counts->mending ? counts->left : counts->failed;
	if (!counts->mending) { /* else the list has what it had */
		is.rows = counts->rows;
		is.vanished = counts->vanished;
		is.attributes = e->attributes;
	}
	if (i.complete == is.complete && i.rows == is.rows && i.failed == is.failed && i.vanished == is.vanished && slice_eq(i.attributes, is.attributes))
		return 0;
	change_add(c, RECORD_IMPORT)->import = (struct record_import){ .import = is.id, .source = change_copy(c, is.source),
		.format = change_copy(c, is.format), .header = change_copy(c, is.header), .attributes = change_copy(c, is.attributes),
		.rows = is.rows, .failed = is.failed, .vanished = is.vanished, .complete = is.complete, .time_ms = clock_wall_ms() };
	return 0;
}

/* What the pass did not see. */
static int conclude_unseen(struct imports *imports, struct import_pass *pass, struct import_counts *counts, struct err *err)
{
	CLEANUP(buf_done) struct buf after = { 0 };
	struct conclusion what = { .imports = imports, .pass = pass };
	int more;
	do {
		account_step(imports->account);
		store_trim(imports->store);
		more = conclude_some(&what, &after, err);
	} while (more > 0);
	counts->vanished = what.vanished;
	return more;
}

static int conclude(struct imports *imports, struct import_pass *pass, struct ending *e, struct err *err)
{
	struct import_counts *counts = &e->counts;
	uint64_t last = row_number(pass->import, 0);
	int more = pass->mending ? mend_objects(imports, pass, &counts->mended, err) : conclude_unseen(imports, pass, counts, err);
	if (more < 0)
		return -1;
	do
		more = mend_some(imports, pass, &last, counts, err);
	while (more > 0);
	if (more < 0)
		return -1;
	struct change *c = change_new();
	change_prepare(c, prepare_end, e);
	return committer_wait(imports->store, c, err) < 0 ? -1 : 0;
}

int import_end(struct imports *imports, uint64_t id, const struct import_close *b, struct import_counts *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf attributes = { 0 };
	if (take_attributes(b->attributes, &attributes, err) < 0)
		return -1;
	struct import_pass *pass = import_pass_get(imports, id, err);
	if (!pass)
		return -1;
	struct ending e = { .counts = { .import = pass->import, .rows = b->rows, .failed = b->failed, .written = pass->written,
		.mending = pass->mending }, .attributes = buf_slice(&attributes), .close = b };
	int ok = import_pass_await(pass, 0, err);
	if (ok == 0)
		ok = conclude(imports, pass, &e, err);
	if (ok == 0)
		ok = imports->ops->activate(imports->pipeline, err);
	if (ok == 0 && pass->names_urls && !pass->mending)
		recheck_pass(imports->recheck, id);
	pass->ended = true;
	import_pass_put(imports, pass);
	if (ok == 0)
		*ret = e.counts;
	return ok;
}

int import_left(struct imports *imports, uint64_t import, uint64_t *ret_quarantined, uint64_t *ret_retrying, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct import i;
	struct source_row source = { 0 };
	if (view_open(imports->store, &v, err) < 0 || view_import(v, import, &i, err) < 0 || view_source(v, i.source, &source, err) < 0)
		return -1;
	*ret_quarantined = source.quarantined;
	*ret_retrying = source.retrying;
	return 0;
}
