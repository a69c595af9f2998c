/* upload.c - frames of one upload: parsed as they come, their bytes hashed where they will lie. */
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/flow/sinks.h"
#include "daemon/imports/cargo.h"
#include "daemon/imports/import.h"
#include "daemon/imports/refusal.h"
#include "daemon/model/import_body.h"

#include <inttypes.h>
#include <stdlib.h>

#define LINE_MAX_BYTES (2U << 20)
#define REASON_BYTES_MAX (4U << 10)
#define KEY_BYTES_MAX 1024
#define FLYING_BYTES (8U << 20) /* of lines under way when an upload is answered: so much a client has to remember */

/* The frame under way. */
struct frame {
	struct reader reader;
	struct slice key, version, body, origin, failed, reason, cure;
	uint64_t line, bytes;
	bool racy, payload, mended, stale;
	struct buf text;           /* body or failed as it is kept */
	struct buf place;          /* origin as it is kept */
};

struct import_upload {
	struct imports *imports;
	struct import_pass *pass;  /* NULL: refused */
	bool claimed;              /* the pass */
	bool failed;
	struct err err;            /* of the first failure */
	struct view *view;         /* of the ledger; rests between pieces */
	bool view_rests;
	struct buf line;           /* of a frame that is not whole yet */
	bool in_payload;
	bool over;                 /* the payload is passed over... */
	uint64_t passed;           /* ...so far */
	struct frame frame;
	uint64_t first, frames;    /* of the pass: where the upload begins, and whole ones so far */
	uint64_t known_files, known_bytes;
	struct buf wanted;         /* "0,5,9" */
	struct buf refused;        /* as noted (refusal.h), of files that were only offered */
	struct sha256 *hash;
	uint8_t *buffer;           /* SINK_BUFFER, when a large payload came */
	struct fetch_sink sink;
	int fd;                    /* of a large payload; -1 none */
	struct import_cargo *cargo;
	struct arena *arena;       /* of cargo's change, not yet handed over */
};

struct import_upload *import_upload_new(struct imports *imports, uint64_t id)
{
	struct import_upload *u = mem_zero(1, sizeof(*u));
	u->imports = imports;
	u->fd = -1;
	u->hash = sha256_new();
	u->pass = import_pass_get(imports, id, &u->err);
	u->claimed = u->pass && import_pass_claim(u->pass, &u->first, &u->err) == 0;
	u->failed = !u->claimed;
	u->frames = u->first;
	return u;
}

/* Its own failure, or that of what is under way. */
static bool has_failed(struct import_upload *u)
{
	u->failed = u->failed || import_pass_failed(u->pass, &u->err) < 0;
	return u->failed;
}

/* --- cargoes --- */

static void flush(struct import_upload *u)
{
	if (!u->cargo)
		return;
	if (u->arena)
		change_arena(cargo_change(u->cargo), TAKE_PTR(u->arena));
	cargo_submit(TAKE_PTR(u->cargo), u->frames);
}

static struct import_cargo *cargo_for(struct import_upload *u, struct slice key)
{
	if (u->cargo && !cargo_takes(u->cargo, key))
		flush(u);
	if (!u->cargo)
		u->cargo = cargo_new(u->imports, u->pass);
	return u->cargo;
}

/* --- frames --- */

static int read_frame(struct import_upload *u, struct slice line, struct err *err)
{
	struct frame *f = &u->frame;
	struct reader *r = &f->reader;
	if (reader_init(r, line, err) < 0)
		return -1;
	f->line = reader_u64_or(r, "line", ROW_LINE_MAX, 0);
	f->key = reader_text_or_empty(r, "key");
	f->version = reader_text_or_empty(r, "version");
	f->bytes = reader_u64_or(r, "bytes", INT64_MAX, 0);
	f->racy = reader_flag(r, "racy");
	f->payload = reader_flag(r, "payload");
	f->mended = reader_flag(r, "mended");
	f->stale = reader_flag(r, "stale");
	f->body = reader_raw_object(r, "body");
	f->origin = reader_raw_object(r, "origin");
	f->failed = reader_raw_object(r, "failed");
	f->reason = reader_text_or_empty(r, "reason");
	f->cure = reader_text_or_empty(r, "cure");
	f->text.len = f->place.len = 0;
	if (f->line >= BITSET_MAX || !f->line != u->pass->folder)
		reader_fail(r, "line", "is out of range");
	else if (f->mended && (!u->pass->mending || f->body.len || f->failed.len))
		reader_fail(r, "mended", "stands alone, in a pass that mends");
	else if (!f->mended && !f->body.len == !f->failed.len)
		reader_fail(r, "body", "is there, or 'failed', but not both");
	else if (f->body.len && (f->key.len == 0 || f->key.len > KEY_BYTES_MAX || f->version.len > VERSION_TOKEN_MAX))
		reader_fail(r, "key", "or 'version' is empty or too long");
	return reader_finish(r, err);
}

static void add_row(struct import_upload *u, struct import_cargo *to, const struct arrival *arrival)
{
	const struct frame *f = &u->frame;
	cargo_row(to, &(struct cargo_row){ .key = f->key, .version = f->version, .body = buf_slice(&f->text), .origin = buf_slice(&f->place),
		.line = f->line, .frame = u->frames, .stale = f->stale, .arrival = arrival });
}

static int take_failure(struct import_upload *u, struct err *err)
{
	struct frame *f = &u->frame;
	struct import_failure row;
	struct reader r;
	if (import_failure_write(f->failed, &f->text, err) < 0)
		return -1;
	if (f->text.len > IMPORT_FAILURE_MAX || f->reason.len > REASON_BYTES_MAX || f->cure.len > REASON_BYTES_MAX)
		return err_set(err, ERR_REJECT, 0, "what is told of one failed row is too long");
	if (import_failure_read(buf_slice(&f->text), &r, &row, err) < 0)
		return -1;
	cargo_failure(cargo_for(u, SLICE_LIT("")),
		&(struct cargo_failure){ f->reason, f->cure, buf_slice(&f->text), f->line, f->line ? SLICE_LIT("") : row.raw });
	reader_done(&r);
	return 0;
}

/* Another file than an earlier row of its key: refused before its bytes are sent. 1, 0, -1. */
static int refuse_offer(struct import_upload *u, const struct ledger_row *object, struct err *err)
{
	const struct frame *f = &u->frame;
	const struct import_claim claim = { f->key, f->version, buf_slice(&f->text), f->line, NULL };
	const struct import_row *rows, *earlier;
	size_t n;
	if (view_rows(u->view, object->object, &rows, &n, err) < 0)
		return -1;
	int other = claim_contradicted(u->pass, u->view, &claim, object, rows, n, &earlier, err);
	if (other > 0)
		refusal_note(u->pass, &claim, SLICE_LIT(""), object, earlier, u->frames, &u->refused);
	return other;
}

/* What the ledger has of the frame's key: 1, 0, -1. */
static int look_up(struct import_upload *u, struct ledger_row *ret, struct err *err)
{
	if ((!u->view ? view_open(u->imports->store, &u->view, err) : u->view_rests ? view_renew(u->view, err) : 0) < 0)
		return -1;
	u->view_rests = false;
	return view_object(u->view, slice_of(u->pass->name), LAYOUT_FLAT, u->frame.key, ret, err);
}

/* Does it have a file's bytes at the frame's version? */
static bool has_version(const struct ledger_row *row, struct slice version)
{
	return row->state == OBJECT_PRESENT && !row->racy && slice_eq(row->version, version);
}

/* A file: need its bytes be sent? */
static int offer(struct import_upload *u, struct err *err)
{
	struct ledger_row row;
	int found = look_up(u, &row, err);
	if (found < 0)
		return -1;
	if (found && has_version(&row, u->frame.version)) {
		add_row(u, cargo_for(u, u->frame.key), NULL);
		return 0;
	}
	int refused = found ? refuse_offer(u, &row, err) : 0;
	if (refused == 0)
		buf_printf(&u->wanted, "%s%" PRIu64, u->wanted.len ? "," : "", u->frames);
	return refused < 0 ? -1 : 0;
}

static void rest(struct import_upload *u)
{
	if (u->view)
		view_rest(u->view);
	u->view_rests = true;
}

/* A file is sent, which may not have been offered. 1: its bytes are there already, or its row contradicts an earlier one: they are
 * passed over as they come; 0, -1. A large file is published before the committer sees its row, so what is before it must be durable. */
static int passes_over(struct import_upload *u, struct err *err)
{
	const struct frame *f = &u->frame;
	bool large = f->bytes > ARENA_MEMBER_MAX;
	struct ledger_row row;
	if (large) {
		flush(u);
		rest(u);
	}
	if (large && import_pass_await(u->pass, 0, err) < 0)
		return -1;
	int found = look_up(u, &row, err);
	if (found <= 0)
		return found;
	if (!has_version(&row, f->version))
		return large ? refuse_offer(u, &row, err) : 0;
	add_row(u, cargo_for(u, f->key), NULL);
	u->known_files++;
	u->known_bytes += f->bytes;
	return 1;
}

/* Where the payload goes: a member of the arena, or a file of its own. */
static int payload_begin(struct import_upload *u, struct err *err)
{
	uint64_t limit = u->imports->config->limits.object_bytes;
	uint64_t bytes = u->frame.bytes;
	if (bytes > limit)
		return err_set(err, ERR_REJECT, 0, "%" PRIu64 " bytes are more than limits.object allows (%" PRIu64 ")", bytes, limit);
	if (bytes > ARENA_MEMBER_MAX) {
		if (!u->buffer)
			u->buffer = mem_alloc(SINK_BUFFER);
		if (large_create(u->imports->store, bytes, &u->fd, err) < 0)
			return -1;
		sink_file(&u->sink, u->imports->account, u->hash, u->buffer, u->fd, limit);
		return 0;
	}
	if (u->arena && arena_room(u->arena) <= bytes)
		flush(u);
	if (!u->arena && store_ready(u->imports->store, bytes, err) < 0)
		return -1;
	if (!u->arena)
		u->arena = arena_get(store_arenas(u->imports->store), (size_t)bytes);
	if (!u->arena)
		return err_set(err, ERR_RETRY, 0, "inletd is stopping; import again, it goes on where it was");
	sink_arena(&u->sink, u->imports->account, u->hash, u->arena);
	return 0;
}

/* The row's bytes are all there. */
static int payload_end(struct import_upload *u, struct err *err)
{
	struct frame *f = &u->frame;
	struct arrival a = { .source = slice_of(u->pass->name), .key = f->key, .version = f->version, .layout = LAYOUT_FLAT,
		.racy = f->racy, .bytes = f->bytes, .fd = -1 };
	if (sink_end(&u->sink, &a.content, err) < 0)
		return -1;
	if (u->fd >= 0) {
		a.how = ARRIVAL_FILE;
		a.fd = take_fd(&u->fd);
	} else {
		a.how = ARRIVAL_ARENA;
		a.place = arena_member(u->arena, &a.content, (size_t)f->bytes);
	}
	add_row(u, u->cargo, &a);
	return 0;
}

static int take_frame(struct import_upload *u, struct slice line, struct err *err)
{
	struct frame *f = &u->frame;
	if (read_frame(u, line, err) < 0)
		return -1;
	if (f->mended) {
		import_tell(u->pass, f->line);
		return 0;
	}
	if (f->failed.len)
		return take_failure(u, err);
	if (import_body_write(f->body, &f->text, err) < 0)
		return -1;
	if (f->text.len > IMPORT_BODY_MAX)
		return err_set(err, ERR_REJECT, 0, "the labels and metadata of one row are more than %u bytes", IMPORT_BODY_MAX);
	if (f->origin.len && import_failure_write(f->origin, &f->place, err) < 0)
		return -1;
	if (f->place.len > IMPORT_FAILURE_MAX)
		return err_set(err, ERR_REJECT, 0, "the text of one row is more than %u bytes", IMPORT_FAILURE_MAX);
	if (f->origin.len && !f->payload) {
		add_row(u, cargo_for(u, f->key), NULL);
		return 0;
	}
	if (!f->payload)
		return offer(u, err);
	int over = f->version.len ? passes_over(u, err) : 0;
	if (over < 0)
		return -1;
	u->in_payload = true;
	u->over = over > 0;
	u->passed = 0;
	if (u->over)
		return 0;
	(void)cargo_for(u, f->key);
	if (payload_begin(u, err) < 0)
		return -1;
	(void)cargo_for(u, f->key); /* a full arena has gone with the one before */
	return 0;
}

static void frame_end(struct import_upload *u)
{
	reader_done(&u->frame.reader);
	u->in_payload = false;
	u->frames++;
}

/* --- bytes --- */

static int take_line(struct import_upload *u, struct slice *bytes, struct err *err)
{
	const char *end = memchr(bytes->p, '\n', bytes->len);
	size_t n = end ? (size_t)(end - bytes->p) : bytes->len;
	if (u->line.len + n > LINE_MAX_BYTES)
		return err_set(err, ERR_REJECT, 0, "a line of more than %u bytes", LINE_MAX_BYTES);
	buf_add(&u->line, bytes->p, n);
	*bytes = (struct slice){ bytes->p + n + (end != NULL), bytes->len - n - (end != NULL) };
	if (!end)
		return 0;
	int ok = take_frame(u, buf_slice(&u->line), err);
	u->line.len = 0;
	if (ok == 0 && !u->in_payload)
		frame_end(u);
	return ok;
}

static void pass_over(struct import_upload *u, struct slice *bytes)
{
	uint64_t left = u->frame.bytes - u->passed;
	size_t n = bytes->len < left ? bytes->len : (size_t)left;
	*bytes = (struct slice){ bytes->p + n, bytes->len - n };
	u->passed += n;
	if (u->passed == u->frame.bytes)
		frame_end(u);
}

static int take_payload(struct import_upload *u, struct slice *bytes, struct err *err)
{
	if (u->over) {
		pass_over(u, bytes);
		return 0;
	}
	while (u->sink.bytes < u->frame.bytes && bytes->len > 0) {
		size_t space;
		uint8_t *to = u->sink.sink.ops->space(&u->sink.sink, &space, err);
		if (!to)
			return -1;
		size_t n = bytes->len < space ? bytes->len : space;
		n = n < u->frame.bytes - u->sink.bytes ? n : (size_t)(u->frame.bytes - u->sink.bytes);
		memcpy(to, bytes->p, n);
		*bytes = (struct slice){ bytes->p + n, bytes->len - n };
		if (u->sink.sink.ops->wrote(&u->sink.sink, n, err) < 0)
			return -1;
	}
	if (u->sink.bytes < u->frame.bytes)
		return 0;
	if (payload_end(u, err) < 0)
		return -1;
	frame_end(u);
	return 0;
}

/* A payload of no bytes ends before any come. */
static bool goes_on(const struct import_upload *u, struct slice bytes)
{
	return bytes.len > 0 || (u->in_payload && u->frame.bytes == 0);
}

void import_take(struct import_upload *u, struct slice bytes)
{
	while (goes_on(u, bytes) && !has_failed(u))
		if ((u->in_payload ? take_payload(u, &bytes, &u->err) : take_line(u, &bytes, &u->err)) < 0) {
			if (u->frame.line)
				(void)err_wrap(&u->err, "row of line %" PRIu64, u->frame.line);
			u->failed = true;
		}
	rest(u);
}

/* "durable" and "refused" (import.h). */
static void tell(const struct imports *imports, struct import_pass *pass, struct json *j)
{
	CLEANUP(buf_done) struct buf refused = { 0 };
	uint64_t durable;
	import_pass_tell(pass, &durable, &refused);
	json_u64(j, "durable", durable);
	refusals_tell(imports->store, buf_slice(&refused), j);
}

static void put_answer(struct import_upload *u, struct json *j)
{
	json_u64(j, "frames", u->frames - u->first);
	json_u64(j, "known", u->known_files);
	json_u64(j, "known_bytes", u->known_bytes);
	json_open(j, "wanted", '[');
	if (u->wanted.len)
		buf_add(j->to, u->wanted.data, u->wanted.len);
	json_close(j, ']');
	tell(u->imports, u->pass, j);
}

int import_finish(struct import_upload *u, struct json *j, struct err *err)
{
	bool whole = !u->in_payload && u->line.len == 0;
	if (!has_failed(u) && !whole)
		u->failed = err_set(&u->err, ERR_REJECT, 0, "the upload ends within a frame") < 0;
	if (!u->failed)
		flush(u);
	u->failed = u->failed || import_pass_await(u->pass, FLYING_BYTES, &u->err) < 0;
	store_trim(u->imports->store);
	bool failed = u->failed;
	if (failed) {
		*err = u->err;
	} else {
		import_pass_unclaim(u->pass, u->frames, buf_slice(&u->refused));
		u->claimed = false;
		put_answer(u, j);
	}
	import_drop(u);
	return failed ? -1 : 0;
}

void import_drop(struct import_upload *u)
{
	reader_done(&u->frame.reader);
	view_close(u->view);
	cargo_free(u->cargo);
	arena_put(u->arena);
	close_fdp(&u->fd);
	if (u->claimed)
		import_pass_unclaim(u->pass, u->frames, SLICE_LIT(""));
	if (u->pass)
		import_pass_put(u->imports, u->pass);
	buf_done(&u->frame.text);
	buf_done(&u->frame.place);
	buf_done(&u->line);
	buf_done(&u->wanted);
	buf_done(&u->refused);
	sha256_free(u->hash);
	free(u->buffer);
	free(u);
}

int import_settle(struct imports *imports, uint64_t id, struct json *j, struct err *err)
{
	struct import_pass *pass = import_pass_get(imports, id, err);
	if (!pass)
		return -1;
	int ok = import_pass_await(pass, 0, err);
	if (ok == 0)
		tell(imports, pass, j);
	import_pass_put(imports, pass);
	return ok;
}
