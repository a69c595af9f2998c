/* cargo.c - rows become records in the committer's thread, against what the index says by then. */
#include "daemon/imports/cargo.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/crc.h"
#include "daemon/base/mem.h"
#include "daemon/imports/refusal.h"
#include "daemon/model/import_body.h"

#include <stdlib.h>

struct loaded_row {
	struct cargo_row row;      /* arrival: NULL */
	bool arrives;
	size_t number;             /* of its arrival in the change */
	struct content_id content; /* of its arrival */
};
struct import_cargo {
	struct imports *imports;
	struct import_pass *pass;
	struct change *change;   /* also the memory of every slice below */
	struct loaded_row rows[CARGO_ROWS_MAX];
	uint32_t marks[CARGO_ROWS_MAX]; /* of their keys */
	size_t row_count;
	struct cargo_failure failures[CARGO_ROWS_MAX];
	size_t failure_count;
	size_t bytes;
	struct buf refused;
	uint64_t frames;
};

struct import_cargo *cargo_new(struct imports *imports, struct import_pass *pass)
{
	struct import_cargo *c = mem_zero(1, sizeof(*c));
	c->imports = imports;
	c->pass = pass;
	c->change = change_new();
	return c;
}

void cargo_free(struct import_cargo *c)
{
	if (!c)
		return;
	change_free(c->change);
	buf_done(&c->refused);
	free(c);
}

struct change *cargo_change(struct import_cargo *c)
{
	return c->change;
}

static uint32_t mark_of(struct slice key)
{
	return crc32c_add(0, key.p, key.len);
}

bool cargo_takes(const struct import_cargo *c, struct slice key)
{
	if (c->row_count == CARGO_ROWS_MAX || c->failure_count == CARGO_ROWS_MAX || c->bytes >= CARGO_BYTES_MAX)
		return false;
	uint32_t mark = mark_of(key);
	for (size_t i = 0; i < c->row_count; i++)
		if (c->marks[i] == mark && slice_eq(c->rows[i].row.key, key))
			return false;
	return true;
}

void cargo_row(struct import_cargo *c, const struct cargo_row *r)
{
	c->bytes += r->key.len + r->version.len + r->body.len + r->origin.len;
	c->marks[c->row_count] = mark_of(r->key);
	struct loaded_row *own = &c->rows[c->row_count++];
	own->row = (struct cargo_row){
		.key = change_copy(c->change, r->key),
		.version = change_copy(c->change, r->version),
		.body = change_copy(c->change, r->body),
		.origin = change_copy(c->change, r->origin),
		.line = r->line,
		.frame = r->frame,
		.stale = r->stale,
	};
	if (!r->arrival)
		return;
	own->arrives = true;
	own->content = r->arrival->content;
	own->number = change_arrive(c->change, r->arrival);
}

void cargo_failure(struct import_cargo *c, const struct cargo_failure *f)
{
	c->bytes += f->reason.len + f->cure.len + f->row.len + f->path.len;
	c->failures[c->failure_count++] = (struct cargo_failure){
		.reason = change_copy(c->change, f->reason),
		.cure = change_copy(c->change, f->cure),
		.row = change_copy(c->change, f->row),
		.path = change_copy(c->change, f->path),
		.line = f->line,
	};
}

/* --- in the committer's thread --- */

static void add_row(struct import_cargo *c, const struct cargo_row *r, uint64_t number, bool pending, bool fresh)
{
	change_add(c->change, RECORD_ROW)->row = (struct record_row){ .row = number, .import = c->pass->import, .line = r->line,
		.body = r->body, .origin = r->origin, .pending = pending, .fresh = fresh, .source = slice_of(c->pass->name), .key = r->key };
	c->pass->written++;
}

static bool same_place(struct slice body, struct slice other)
{
	struct reader r, s;
	struct import_body a, b;
	struct err err;
	if (import_body_read(body, &r, &a, &err) < 0)
		return false;
	bool same = import_body_read(other, &s, &b, &err) == 0 && slice_eq(a.where, b.where);
	reader_done(&r);
	reader_done(&s);
	return same;
}

/* Must the bytes of a row that names a URL be fetched? state: of its object. A URL that is signed anew is no other place, but
 * it is the one to try while the bytes are not there. */
static bool to_fetch(const struct import_cargo *c, const struct cargo_row *r, enum object_state state, const struct import_row *rows,
	size_t n)
{
	bool known = false, tried = false;
	if (r->stale)
		return r->origin.len > 0;
	if (c->pass->mending && state != OBJECT_PRESENT)
		return r->origin.len > 0; /* the row is told again for its sake */
	for (size_t i = 0; r->origin.len && i < n; i++) {
		tried = tried || slice_eq(rows[i].origin, r->origin);
		known = known || same_place(rows[i].body, r->body);
	}
	return r->origin.len && (state == OBJECT_PRESENT ? !known : !tried);
}

/* Other rows of the object that are told anew go when the first of them is: what they said then is not so any more, and where they
 * stand now the mended list decides. */
static void drop_told(struct import_cargo *c, const struct import_row *rows, size_t n, const struct import_row *replaced)
{
	for (size_t i = 0; c->pass->mending && i < n; i++)
		if (&rows[i] != replaced && rows[i].import == c->pass->import && import_told(c->pass, rows[i].line) &&
			!import_saw(c->pass, rows[i].row))
			change_add(c->change, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ rows[i].object, rows[i].row };
}

static void place_row(struct import_cargo *c, const struct cargo_row *r, const struct import_row *rows, size_t n, bool pending,
	bool fresh)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(rows[i].body, r->body)) {
			if (!import_saw(c->pass, rows[i].row))
				import_see(c->pass, rows[i].row, rows[i].line != r->line);
			if (r->origin.len)
				c->pass->names_urls = true;
			if (pending)
				add_row(c, r, rows[i].row, pending, false);
			return;
		}
	}
	const struct import_row *replaced = claim_replaces(c->pass, r->line, rows, n);
	if (replaced)
		import_see(c->pass, replaced->row, false);
	drop_told(c, rows, n, replaced);
	add_row(c, r, replaced ? replaced->row : 0, pending, fresh);
}

/* 1: the row contradicts one before it, and nothing of it is taken. */
static int refuse_row(struct import_cargo *c, struct view *now, const struct loaded_row *l, const struct ledger_row *object,
	const struct import_row *rows, size_t n, struct err *err)
{
	const struct cargo_row *r = &l->row;
	const struct import_claim claim = { r->key, r->version, r->body, r->line, l->arrives && !r->version.len ? &l->content : NULL };
	const struct import_row *earlier;
	int refused = claim_contradicted(c->pass, now, &claim, object, rows, n, &earlier, err);
	if (refused <= 0)
		return refused;
	struct slice text = claim.text ? change_arrived(c->change, l->number, REFUSAL_TEXT_MAX + 1) : SLICE_LIT("");
	refusal_note(c->pass, &claim, text, object, earlier, r->frame, &c->refused);
	if (l->arrives)
		change_unarrive(c->change, l->number);
	return 1;
}

static int prepare_row(struct import_cargo *c, struct view *now, const struct loaded_row *l, struct err *err)
{
	const struct cargo_row *r = &l->row;
	struct ledger_row object = { 0 };
	const struct import_row *rows = NULL;
	size_t n = 0;
	int found = view_object(now, slice_of(c->pass->name), LAYOUT_FLAT, r->key, &object, err);
	if (found < 0 || (found && view_rows(now, object.object, &rows, &n, err) < 0))
		return -1;
	int refused = n > 0 ? refuse_row(c, now, l, &object, rows, n, err) : 0;
	if (refused != 0)
		return refused < 0 ? -1 : 0;
	if (!l->arrives && !r->origin.len && (!found || object.state != OBJECT_PRESENT || !slice_eq(object.version, r->version)))
		return err_set(err, ERR_RETRY, 0, "the store changed while the manifest was read; import it again");
	place_row(c, r, rows, n, to_fetch(c, r, object.state, rows, n), found == 0);
	return 0;
}

static int prepare_failure(struct import_cargo *c, struct view *now, const struct cargo_failure *f, struct err *err)
{
	struct failure known;
	uint64_t number = row_number(c->pass->import, places_give(&c->pass->places, f->line, f->path));
	int found = view_failure(now, SUBJECT_ROW, number, &known, err);
	if (found < 0)
		return -1;
	if (found && slice_eq(known.reason, f->reason) && slice_eq(known.cure, f->cure) && slice_eq(known.row, f->row))
		return 0;
	change_add(c->change, RECORD_FAILURE)->failure = (struct record_failure){ .subject = SUBJECT_ROW, .number = number,
		.reason = f->reason, .cure = f->cure, .row = f->row };
	return 0;
}

static int prepare(struct change *change, struct view *now, void *arg, struct err *err)
{
	struct import_cargo *c = arg;
	(void)change;
	if (c->pass->ended)
		return err_set(err, ERR_REJECT, 0, "the manifest is imported by another command meanwhile, which goes on with it");
	for (size_t i = 0; i < c->row_count; i++)
		if (prepare_row(c, now, &c->rows[i], err) < 0)
			return -1;
	for (size_t i = 0; i < c->failure_count; i++)
		if (prepare_failure(c, now, &c->failures[i], err) < 0)
			return -1;
	return 0;
}

static void committed(void *arg, int64_t revision, const struct err *err)
{
	struct import_cargo *c = arg;
	struct imports *imports = c->imports;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(imports->account, err);
	feeds_kick(imports->feeds);
	const struct import_landing l = { c->bytes, c->frames, buf_slice(&c->refused) };
	import_pass_land(imports, c->pass, &l, revision < 0 ? err : NULL);
	buf_done(&c->refused);
	free(c);
	account_give(imports->account, 1); /* last: what is in hand keeps the pipeline alive */
}

void cargo_submit(struct import_cargo *c, uint64_t frames)
{
	struct change *change = c->change;
	struct err err;
	c->frames = frames;
	import_pass_launch(c->imports, c->pass, c->bytes);
	account_take(c->imports->account, 1);
	change_prepare(change, prepare, c);
	if (committer_submit(c->imports->store, change, committed, c, &err) < 0)
		committed(c, -1, &err);
}
