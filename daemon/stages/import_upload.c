/* import_upload.c - frames of one upload: parsed as they come, their bytes hashed where they will lie. */
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/model/import_body.h"
#include "daemon/stages/import_cargo.h"
#include "daemon/stages/import_claim.h"
#include "daemon/stages/sinks.h"

#include <inttypes.h>
#include <stdlib.h>

#define LINE_MAX_BYTES (2U << 20)
#define KEY_BYTES_MAX 1024
#define BODY_MAX_BYTES (512U << 10) /* with the rest of its line it must fit into one of the log */

/* The frame under way. */
struct frame {
	struct reader reader;
	struct slice key, version, body, origin, failed, reason, cure;
	uint64_t line, bytes;
	bool racy, payload;
	struct buf text;           /* body or failed as it is kept */
	struct buf place;          /* origin as it is kept */
};

struct import_upload {
	struct pipeline *p;
	struct import_pass *pass;  /* NULL: refused */
	bool failed;
	struct err err;            /* of the first failure; guarded by lock while changes are under way */
	struct buf line;           /* of a frame that is not whole yet */
	bool in_payload;
	struct frame frame;
	uint64_t frames;           /* whole ones */
	struct buf wanted;         /* "0,5,9" */
	struct buf refused;        /* "{…},{…}"; guarded by lock while changes are under way */
	struct sha256 *hash;
	uint8_t *buffer;           /* SINK_BUFFER, when a large payload came */
	struct fetch_sink sink;
	int fd;                    /* of a large payload; -1 none */
	struct import_cargo *cargo;
	struct arena *arena;       /* of cargo's change, not yet handed over */
	pthread_mutex_t lock;
	pthread_cond_t landed;
	uint64_t flying;           /* cargoes under way, guarded by lock */
};

struct import_upload *import_upload_new(struct pipeline *p, uint64_t id)
{
	struct import_upload *u = mem_zero(1, sizeof(*u));
	u->p = p;
	u->fd = -1;
	u->hash = sha256_new();
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->landed, NULL);
	u->pass = import_pass_get(p, id, &u->err);
	u->failed = !u->pass;
	return u;
}

static int fail(struct import_upload *u, const struct err *err)
{
	pthread_mutex_lock(&u->lock);
	if (!u->failed)
		u->err = *err;
	u->failed = true;
	pthread_mutex_unlock(&u->lock);
	return -1;
}

static bool has_failed(struct import_upload *u)
{
	pthread_mutex_lock(&u->lock);
	bool failed = u->failed;
	pthread_mutex_unlock(&u->lock);
	return failed;
}

/* --- cargoes --- */

/* The lock is held. */
static void refuse(struct import_upload *u, struct slice refused)
{
	if (refused.len && u->refused.len)
		buf_char(&u->refused, ',');
	buf_add(&u->refused, refused.p, refused.len);
}

static void landed(void *arg, struct slice refused, const struct err *err)
{
	struct import_upload *u = arg;
	if (err)
		(void)fail(u, err);
	pthread_mutex_lock(&u->lock);
	refuse(u, refused);
	u->flying--;
	pthread_cond_signal(&u->landed);
	pthread_mutex_unlock(&u->lock);
}

static void flush(struct import_upload *u)
{
	if (!u->cargo)
		return;
	if (u->arena)
		change_arena(cargo_change(u->cargo), TAKE_PTR(u->arena));
	pthread_mutex_lock(&u->lock);
	u->flying++;
	pthread_mutex_unlock(&u->lock);
	cargo_submit(TAKE_PTR(u->cargo), landed, u);
}

static void await_all(struct import_upload *u)
{
	pthread_mutex_lock(&u->lock);
	while (u->flying > 0)
		pthread_cond_wait(&u->landed, &u->lock);
	pthread_mutex_unlock(&u->lock);
}

static struct import_cargo *cargo_for(struct import_upload *u, struct slice key)
{
	if (u->cargo && !cargo_takes(u->cargo, key))
		flush(u);
	if (!u->cargo)
		u->cargo = cargo_new(u->p, u->pass);
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
	f->body = reader_raw_object(r, "body");
	f->origin = reader_raw_object(r, "origin");
	f->failed = reader_raw_object(r, "failed");
	f->reason = reader_text_or_empty(r, "reason");
	f->cure = reader_text_or_empty(r, "cure");
	f->text.len = f->place.len = 0;
	if (f->line >= BITSET_MAX || !f->line != u->pass->folder)
		reader_fail(r, "line", "is out of range");
	else if (!f->body.len == !f->failed.len)
		reader_fail(r, "body", "is there, or 'failed', but not both");
	else if (f->body.len && (f->key.len == 0 || f->key.len > KEY_BYTES_MAX || f->version.len > VERSION_TOKEN_MAX))
		reader_fail(r, "key", "or 'version' is empty or too long");
	return reader_finish(r, err);
}

static void add_row(struct import_upload *u, struct import_cargo *to, const struct arrival *arrival)
{
	const struct frame *f = &u->frame;
	cargo_row(to, &(struct cargo_row){ f->key, f->version, buf_slice(&f->text), buf_slice(&f->place), f->line, u->frames, arrival });
}

/* f->text is the failure as it is kept. */
static int take_failure(struct import_upload *u, struct err *err)
{
	const struct frame *f = &u->frame;
	struct import_failure row;
	struct reader r;
	if (import_failure_read(buf_slice(&f->text), &r, &row, err) < 0)
		return -1;
	cargo_failure(cargo_for(u, SLICE_LIT("")),
		&(struct cargo_failure){ f->reason, f->cure, buf_slice(&f->text), f->line, f->line ? SLICE_LIT("") : row.raw });
	reader_done(&r);
	return 0;
}

/* Another file than an earlier row of its key: refused before its bytes are sent. 1, 0, -1. */
static int refuse_offer(struct import_upload *u, struct view *v, const struct ledger_row *object, struct err *err)
{
	const struct frame *f = &u->frame;
	const struct import_claim claim = { f->key, f->version, buf_slice(&f->text), NULL };
	const struct import_row *rows, *earlier;
	struct buf refused = { 0 };
	size_t n;
	if (view_rows(v, object->object, &rows, &n, err) < 0)
		return -1;
	int other = claim_contradicted(u->pass, v, &claim, object, rows, n, &earlier, err);
	if (other <= 0)
		return other;
	claim_refusal(u->pass, &claim, earlier, u->frames, &refused);
	pthread_mutex_lock(&u->lock);
	refuse(u, buf_slice(&refused));
	pthread_mutex_unlock(&u->lock);
	buf_done(&refused);
	return 1;
}

/* A file: does the ledger have its bytes at this version, so that they need not be sent? */
static int offer(struct import_upload *u, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	const struct frame *f = &u->frame;
	struct ledger_row row;
	if (view_open(u->p->store, &v, err) < 0)
		return -1;
	int found = view_object(v, slice_of(u->pass->name), LAYOUT_FLAT, f->key, &row, err);
	if (found < 0)
		return -1;
	if (found && row.state == OBJECT_PRESENT && !row.racy && slice_eq(row.version, f->version)) {
		add_row(u, cargo_for(u, f->key), NULL);
		return 0;
	}
	int refused = found ? refuse_offer(u, v, &row, err) : 0;
	if (refused == 0)
		buf_printf(&u->wanted, "%s%" PRIu64, u->wanted.len ? "," : "", u->frames);
	return refused < 0 ? -1 : 0;
}

/* Where the payload goes: a member of the arena, or a file of its own. */
static int payload_begin(struct import_upload *u, struct err *err)
{
	uint64_t limit = u->p->config->limits.object_bytes;
	uint64_t bytes = u->frame.bytes;
	if (bytes > limit)
		return err_set(err, ERR_REJECT, 0, "%" PRIu64 " bytes are more than limits.object allows (%" PRIu64 ")", bytes, limit);
	if (bytes > ARENA_MEMBER_MAX) {
		if (!u->buffer)
			u->buffer = mem_alloc(SINK_BUFFER);
		if (large_create(u->p->store, bytes, &u->fd, err) < 0)
			return -1;
		sink_file(&u->sink, u->p, u->hash, u->buffer, u->fd, limit);
		return 0;
	}
	if (u->arena && arena_room(u->arena) <= bytes)
		flush(u);
	if (!u->arena && store_ready(u->p->store, bytes, err) < 0)
		return -1;
	if (!u->arena)
		u->arena = arena_get(store_arenas(u->p->store), (size_t)bytes);
	if (!u->arena)
		return err_set(err, ERR_RETRY, 0, "inletd is stopping; import again, it goes on where it was");
	sink_arena(&u->sink, u->p, u->hash, u->arena);
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
	if (f->failed.len)
		return import_failure_write(f->failed, &f->text, err) < 0 ? -1 : take_failure(u, err);
	if (import_body_write(f->body, &f->text, err) < 0)
		return -1;
	if (f->text.len > BODY_MAX_BYTES)
		return err_set(err, ERR_REJECT, 0, "the labels and metadata of one row are more than %u bytes", BODY_MAX_BYTES);
	if (f->origin.len && import_failure_write(f->origin, &f->place, err) < 0)
		return -1;
	if (f->place.len > BODY_MAX_BYTES / 2)
		return err_set(err, ERR_REJECT, 0, "the text of one row is more than %u bytes", BODY_MAX_BYTES / 2);
	if (f->origin.len && !f->payload) {
		add_row(u, cargo_for(u, f->key), NULL);
		return 0;
	}
	if (!f->payload)
		return offer(u, err);
	(void)cargo_for(u, f->key);
	if (payload_begin(u, err) < 0)
		return -1;
	(void)cargo_for(u, f->key); /* a full arena has gone with the one before */
	u->in_payload = true;
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

static int take_payload(struct import_upload *u, struct slice *bytes, struct err *err)
{
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
	struct err err;
	while (goes_on(u, bytes) && !has_failed(u))
		if ((u->in_payload ? take_payload(u, &bytes, &err) : take_line(u, &bytes, &err)) < 0) {
			if (u->frame.line)
				(void)err_wrap(&err, "row of line %" PRIu64, u->frame.line);
			(void)fail(u, &err);
		}
}

static void put_list(struct json *j, const char *name, const struct buf *elements)
{
	json_open(j, name, '[');
	if (elements->len)
		buf_add(j->to, elements->data, elements->len);
	json_close(j, ']');
}

int import_finish(struct import_upload *u, struct json *j, struct err *err)
{
	bool whole = !u->in_payload && u->line.len == 0;
	if (!has_failed(u) && whole)
		flush(u);
	await_all(u);
	store_trim(u->p->store);
	if (!u->failed && !whole)
		u->failed = err_set(&u->err, ERR_REJECT, 0, "the upload ends within a frame") < 0;
	bool failed = u->failed;
	if (failed) {
		*err = u->err;
	} else {
		json_u64(j, "frames", u->frames);
		put_list(j, "wanted", &u->wanted);
		put_list(j, "refused", &u->refused);
	}
	import_drop(u);
	return failed ? -1 : 0;
}

void import_drop(struct import_upload *u)
{
	await_all(u);
	reader_done(&u->frame.reader);
	cargo_free(u->cargo);
	arena_put(u->arena);
	close_fdp(&u->fd);
	if (u->pass)
		import_pass_put(u->p, u->pass);
	buf_done(&u->frame.text);
	buf_done(&u->frame.place);
	buf_done(&u->line);
	buf_done(&u->wanted);
	buf_done(&u->refused);
	sha256_free(u->hash);
	free(u->buffer);
	pthread_mutex_destroy(&u->lock);
	pthread_cond_destroy(&u->landed);
	free(u);
}
