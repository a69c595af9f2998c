/* s3_get.c - one object: request, check, resume. */
#include "connectors/s3_get.h"

#include "connectors/s3_checksum.h"
#include "connectors/s3_version.h"
#include "connectors/s3_window.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/net/http_date.h"

#include <stdio.h>
#include <stdlib.h>

#define RESUMES_MAX 100          /* of one object */
#define STALLS_MAX 4             /* in a row that brought not one byte */
#define RESUME_BASE_MS 200
#define RESUME_CAP_MS 5000
#define PATIENCE_MS 10000        /* a longer Retry-After is left to the engine: the bytes so far are not worth a held thread */
#define TICK_NS (100 * NS_PER_MS)

#define AHEAD_LEFT (64U << 20)   /* ranges are for what is larger */
#define LOOK_BYTES (4U << 20)    /* after so many bytes each it is looked at again who waits for whom */
#define WAITS_FACTOR 4           /* the connection is the limit: the sink was waiting for so many times its own time */
#define TRIAL_BYTES (16U << 20)  /* ranges have to be faster than the one connection by then */

static atomic_uint reading;      /* objects, by all sources: those share what links and memory there are */

/* The last LOOK_BYTES of one answer. */
struct look {
	uint64_t bytes, wait_ns, own_ns;
	uint64_t left_ns;            /* when the sink was done with what had come */
	bool first;                  /* a connection begins slowly: nothing is concluded from these */
};

struct get {
	struct s3_client *client;
	const atomic_bool *stopping;
	const struct object *obj;
	struct object *pin;          /* obj, while no answer has said yet which version it is; else NULL */
	char *token;                 /* VERSION_TOKEN_MAX bytes for that version */
	struct sink *into;
	uint64_t got;                /* offset in the object: what is before it was handed to the sink */
	uint64_t end;                /* likewise: of what is wanted */
	const atomic_bool *over;     /* of the window that this is a range of; NULL: it is the whole object */
	uint64_t skip;               /* bytes of this answer that were had before: the server ignored the range */
	struct s3_checksum checksum;
	struct look look;
	bool limited;                /* by the connection: this request was ended for that */
	bool tried_ranges;
	bool final;                  /* err is the last word: another request would not help */
	bool ours;                   /* err is of this file: it names no object yet */
};

static int refuse(struct get *g, int sys, const char *why, struct err *err)
{
	(void)err_set(err, ERR_RETRY, 0, "%s", why);
	err->sys = sys;
	g->final = g->ours = true;
	return -1;
}

/* ---- the head of an answer ---- */

/* "bytes 5-9/10"; false: it is none, or of unknown length. */
static bool read_range(struct slice text, uint64_t *ret_from, uint64_t *ret_total)
{
	const struct slice unit = SLICE_LIT("bytes ");
	const char *dash, *slash;
	if (text.len < unit.len || memcmp(text.p, unit.p, unit.len) != 0)
		return false;
	text = (struct slice){ text.p + unit.len, text.len - unit.len };
	dash = memchr(text.p, '-', text.len);
	slash = memchr(text.p, '/', text.len);
	return dash && slash && dash < slash && text_u64((struct slice){ text.p, (size_t)(dash - text.p) }, ret_from) == 0 &&
		text_u64((struct slice){ slash + 1, (size_t)(text.p + text.len - slash - 1) }, ret_total) == 0;
}

/* What was asked for without a version is of this one from here on. */
static int pin_version(struct get *g, const struct http_reply *r, struct slice version, struct err *err)
{
	if (r->status != 200)
		return refuse(g, EPROTO, "a range was sent that was not asked for", err);
	if (r->length < 0 || version.len > VERSION_TOKEN_MAX)
		return refuse(g, EPROTO, "the answer does not say how long it is, or of which version", err);
	memcpy(g->token, version.p, version.len);
	*g->pin = (struct object){ .key = g->obj->key, .version = { g->token, version.len }, .bytes = (uint64_t)r->length };
	g->pin = NULL;
	g->end = g->obj->bytes;
	return 0;
}

/* bytes: of the whole object, as far as the answer tells. */
static int check_version(struct get *g, const struct http_reply *r, uint64_t bytes, struct err *err)
{
	struct buf seen = { 0 };
	struct slice etag = http_header(r, "ETag");
	int64_t modified_ms = etag.len == 0 ? http_date_ms(http_header(r, "Last-Modified"), clock_wall_ms()) : 0;
	bool same;
	if (!g->pin && bytes != g->obj->bytes)
		return refuse(g, FETCH_CHANGED, "it was written again since it was listed: its length is another", err);
	if (etag.len == 0 && s3_etag(g->obj->version).len > 0)
		return refuse(g, EPROTO, "the answer is none of an S3 server: it has no ETag", err);
	s3_version(&seen, etag, modified_ms ? modified_ms / 1000 : -1, bytes);
	if (g->pin && pin_version(g, r, buf_slice(&seen), err) < 0) {
		buf_done(&seen);
		return -1;
	}
	same = slice_eq(buf_slice(&seen), g->obj->version);
	buf_done(&seen);
	return same ? 0 : refuse(g, FETCH_CHANGED, "it was written again since it was listed: its ETag is another", err);
}

static int on_head(void *arg, const struct http_reply *r, struct err *err)
{
	struct get *g = arg;
	uint64_t from = 0, total = r->length >= 0 ? (uint64_t)r->length : g->obj->bytes;
	if (r->status != 200 && r->status != 206)
		return refuse(g, EPROTO, "the answer is neither 200 nor 206", err);
	if (r->status == 206 && (!read_range(http_header(r, "Content-Range"), &from, &total) || from != g->got))
		return refuse(g, EPROTO, "another range was sent than was asked for", err);
	if (g->over && (r->status == 200 || (r->length >= 0 && (uint64_t)r->length != g->end - g->got)))
		return refuse(g, EPROTO, "more was sent than the range that was asked for", err);
	if (check_version(g, r, total, err) < 0)
		return -1;
	g->skip = r->status == 200 ? g->got : 0;
	g->look = (struct look){ .left_ns = clock_mono_ns(), .first = true };
	if (g->got == 0) {
		s3_checksum_done(&g->checksum);
		s3_checksum_begin(&g->checksum, r);
	}
	return 0;
}

/* ---- its body ---- */

static int sink_failed(struct get *g)
{
	g->final = true;
	return -1;
}

static int put(struct get *g, const uint8_t *p, size_t n, struct err *err)
{
	s3_checksum_add(&g->checksum, p, n);
	while (n > 0) {
		size_t room;
		uint8_t *to = g->into->ops->space(g->into, &room, err);
		if (!to)
			return sink_failed(g);
		room = room < n ? room : n;
		memcpy(to, p, room);
		if (g->into->ops->wrote(g->into, room, err) < 0)
			return sink_failed(g);
		p += room;
		n -= room;
		g->got += room;
	}
	return 0;
}

/* Is the connection the limit, and is it worth more of them? */
static bool is_limited(struct get *g, size_t n, uint64_t came_ns)
{
	struct look *l = &g->look;
	uint64_t now_ns = clock_mono_ns();
	bool limited;
	l->bytes += n;
	l->wait_ns += came_ns - l->left_ns;
	l->own_ns += now_ns - came_ns;
	l->left_ns = now_ns;
	if (l->bytes < LOOK_BYTES)
		return false;
	limited = !l->first && !g->over && !g->tried_ranges && g->end - g->got > AHEAD_LEFT &&
		l->wait_ns / WAITS_FACTOR > l->own_ns && atomic_load(&reading) == 1;
	if (!limited)
		*l = (struct look){ .left_ns = now_ns };
	return limited;
}

static int on_body(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct get *g = arg;
	uint64_t came_ns = clock_mono_ns();
	size_t had = g->skip < n ? (size_t)g->skip : n;
	g->skip -= had;
	if (n - had > g->end - g->got)
		return refuse(g, FETCH_CHANGED, "more bytes came than it has", err);
	if (put(g, p + had, n - had, err) < 0)
		return -1;
	g->limited = is_limited(g, n - had, came_ns);
	return g->limited ? err_set(err, ERR_RETRY, 0, "the rest is read by ranges") : 0;
}

/* ---- requests ---- */

static int request(struct get *g, struct err *err)
{
	struct http_reply reply;
	struct s3_call call = { .key = g->obj->key, .etag = s3_etag(g->obj->version), .from = g->got,
		.count = g->over ? g->end - g->got : 0, .checksum = g->got == 0, .limit = UINT64_MAX, .head = on_head, .body = on_body, .arg = g };
	int done;
	g->ours = false;
	done = s3_client_send(g->client, &call, &reply, err);
	/* An answer is the server's last word, unless it is one of those that pass by themselves. */
	if (done < 0 && (err->class != ERR_RETRY || (reply.status >= 300 && reply.status < 500 && reply.status != 408 && reply.status != 429)))
		g->final = true;
	http_reply_done(&reply);
	if (done == 0 && g->got != g->end) {
		(void)err_set(err, ERR_RETRY, 0, "it ended after %llu of %llu bytes", (unsigned long long)g->got,
			(unsigned long long)g->end);
		err->sys = EPIPE;
		g->ours = true;
		return -1;
	}
	return done;
}

static bool is_over(const struct get *g)
{
	return atomic_load(g->stopping) || (g->over && atomic_load(g->over));
}

static bool wait_ms(const struct get *g, uint64_t ms)
{
	for (uint64_t until_ns = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until_ns;) {
		struct timespec tick = clock_spec(TICK_NS);
		if (is_over(g))
			return false;
		(void)nanosleep(&tick, NULL);
	}
	return !is_over(g);
}

/* Nothing came yet: the engine tries again, which knows the pace. Else the bytes that are here are worth going on from. */
static int read_all(struct get *g, int (*once)(struct get *g, struct err *err), struct err *err)
{
	uint32_t stalls = 0;
	for (uint32_t resumes = 0;; resumes++) {
		uint64_t before = g->got;
		if (once(g, err) == 0)
			return 0;
		stalls = g->got > before ? 0 : stalls + 1;
		if (g->final || g->got == 0 || stalls == STALLS_MAX || resumes == RESUMES_MAX || err->wait_ms > PATIENCE_MS)
			return -1;
		uint64_t pause_ms = backoff_ms(stalls, RESUME_BASE_MS, RESUME_CAP_MS);
		if (!wait_ms(g, pause_ms > err->wait_ms ? pause_ms : err->wait_ms))
			return -1;
	}
}

static void name_object(const struct get *g, struct err *err)
{
	char what[256];
	if (!g->ours)
		return;
	s3_client_describe(g->client, g->obj->key, what, sizeof(what));
	(void)err_wrap(err, "%s", what);
}

/* ---- ranges that are read ahead ---- */

/* A sink over a slot of the window. */
struct slot {
	struct sink sink;
	const atomic_bool *over;
	uint8_t *at;
	size_t left;
};

static uint8_t *slot_space(struct sink *s, size_t *ret_space, struct err *err)
{
	struct slot *slot = (struct slot *)s;
	if (atomic_load(slot->over)) {
		(void)err_set(err, ERR_RETRY, ECANCELED, "read ahead");
		return NULL;
	}
	*ret_space = slot->left;
	return slot->at;
}

static int slot_wrote(struct sink *s, size_t n, struct err *err)
{
	struct slot *slot = (struct slot *)s;
	(void)err;
	slot->at += n;
	slot->left -= n;
	return 0;
}

static const struct sink_ops slot_ops = { .space = slot_space, .wrote = slot_wrote };

struct ranges {
	struct get *whole;
	uint64_t bytes, since_ns;    /* taken */
	uint64_t stream_ns;          /* that the one connection took for LOOK_BYTES */
};

static int fill_slot(void *arg, const atomic_bool *over, uint64_t from, uint8_t *into, size_t n, struct err *err)
{
	const struct get *whole = ((const struct ranges *)arg)->whole;
	struct slot slot = { .sink = { &slot_ops }, .over = over, .at = into, .left = n };
	struct get g = { .client = whole->client, .stopping = whole->stopping, .obj = whole->obj, .into = &slot.sink, .got = from,
		.end = from + n, .over = over };
	int done = read_all(&g, request, err);
	if (done < 0)
		name_object(&g, err);
	return done;
}

static int take_slot(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct ranges *r = arg;
	bool trial = r->bytes < TRIAL_BYTES;
	if (put(r->whole, p, n, err) < 0)
		return -1;
	r->bytes += n;
	if (trial && r->bytes >= TRIAL_BYTES && clock_mono_ns() - r->since_ns >= r->stream_ns * (r->bytes / LOOK_BYTES))
		return err_set(err, ERR_RETRY, 0, "ranges bring no more than one connection");
	return 0;
}

static int by_ranges(struct get *g, struct err *err)
{
	struct ranges r = { .whole = g, .since_ns = clock_mono_ns(), .stream_ns = g->look.wait_ns + g->look.own_ns };
	const struct s3_window_work work = { .from = g->got, .to = g->end, .read = fill_slot, .take = take_slot, .arg = &r };
	int done = s3_window_read(&work, err);
	g->ours = false;
	if (done < 0 && (err->class != ERR_RETRY || err->sys == FETCH_CHANGED))
		g->final = true;
	return done;
}

static int request_or_ranges(struct get *g, struct err *err)
{
	int done = request(g, err);
	if (!g->limited)
		return done;
	g->limited = false;
	g->tried_ranges = true;
	return by_ranges(g, err);
}

/* ---- */

static int read_counted(struct get *g, struct err *err)
{
	int done;
	atomic_fetch_add(&reading, 1);
	done = read_all(g, request_or_ranges, err);
	atomic_fetch_sub(&reading, 1);
	return done;
}

int s3_get(struct s3_client *c, const struct object *obj, struct sink *into, const atomic_bool *stopping, struct object *ret_seen,
	struct err *err)
{
	static _Thread_local char token[VERSION_TOKEN_MAX];
	struct object own = *obj;
	struct get g = { .client = c, .stopping = stopping, .obj = &own, .pin = own.version.len == 0 ? &own : NULL, .token = token,
		.into = into, .end = own.bytes };
	int done = read_counted(&g, err);
	if (done == 0 && !s3_checksum_right(&g.checksum))
		done = refuse(&g, EIO, "the bytes that arrived are not those that the server's checksum was made of", err);
	if (done == 0)
		*ret_seen = own; /* or it would have been refused */
	if (done < 0)
		name_object(&g, err);
	s3_checksum_done(&g.checksum);
	return done;
}
