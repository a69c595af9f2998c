/* s3_get.c - one object: request, check, resume. */
#include "connectors/s3_get.h"

#include "connectors/s3_checksum.h"
#include "connectors/s3_version.h"
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

struct get {
	const struct object *obj;
	struct sink *into;
	uint64_t got;                /* handed to the sink */
	uint64_t skip;               /* bytes of this answer that were had before: the server ignored the range */
	struct s3_checksum checksum;
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

/* bytes: of the whole object, as far as the answer tells. */
static int check_version(struct get *g, const struct http_reply *r, uint64_t bytes, struct err *err)
{
	struct buf seen = { 0 };
	struct slice etag = http_header(r, "ETag");
	int64_t modified_ms = http_date_ms(http_header(r, "Last-Modified"), clock_wall_ms());
	bool same;

	if (bytes != g->obj->bytes)
		return refuse(g, FETCH_CHANGED, "it was written again since it was listed: its length is another", err);
	if (etag.len == 0 && s3_etag(g->obj->version).len > 0)
		return refuse(g, EPROTO, "the answer is none of an S3 server: it has no ETag", err);
	s3_version(&seen, etag, modified_ms ? modified_ms / 1000 : -1, bytes);
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
	if (check_version(g, r, total, err) < 0)
		return -1;
	g->skip = r->status == 200 ? g->got : 0;
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

static int on_body(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct get *g = arg;
	size_t had = g->skip < n ? (size_t)g->skip : n;

	g->skip -= had;
	if (n - had > g->obj->bytes - g->got)
		return refuse(g, FETCH_CHANGED, "more bytes came than it has", err);
	return put(g, p + had, n - had, err);
}

/* ---- requests ---- */

static int request(struct get *g, struct s3_client *c, struct err *err)
{
	struct http_reply reply;
	struct s3_call call = { .key = g->obj->key, .etag = s3_etag(g->obj->version), .from = g->got, .checksum = g->got == 0,
		.limit = UINT64_MAX, .head = on_head, .body = on_body, .arg = g };
	int done;

	g->ours = false;
	done = s3_client_send(c, &call, &reply, err);
	/* An answer is the server's last word, unless it is one of those that pass by themselves. */
	if (done < 0 && (err->class != ERR_RETRY || (reply.status >= 300 && reply.status < 500 && reply.status != 408 && reply.status != 429)))
		g->final = true;
	http_reply_done(&reply);
	if (done == 0 && g->got != g->obj->bytes) {
		(void)err_set(err, ERR_RETRY, 0, "it ended after %llu of %llu bytes", (unsigned long long)g->got,
			(unsigned long long)g->obj->bytes);
		err->sys = EPIPE;
		g->ours = true;
		return -1;
	}
	return done;
}

static bool wait_ms(uint64_t ms, const atomic_bool *stopping)
{
	for (uint64_t until_ns = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until_ns;) {
		struct timespec tick = clock_spec(TICK_NS);

		if (atomic_load(stopping))
			return false;
		(void)nanosleep(&tick, NULL);
	}
	return !atomic_load(stopping);
}

/* Nothing came yet: the engine tries again, which knows the pace. Else the bytes that are here are worth going on from. */
static int read_whole(struct get *g, struct s3_client *c, const atomic_bool *stopping, struct err *err)
{
	uint32_t stalls = 0;

	for (uint32_t resumes = 0;; resumes++) {
		uint64_t before = g->got;

		if (request(g, c, err) == 0)
			return 0;
		stalls = g->got > before ? 0 : stalls + 1;
		if (g->final || g->got == 0 || stalls == STALLS_MAX || resumes == RESUMES_MAX || err->wait_ms > PATIENCE_MS)
			return -1;
		uint64_t pause_ms = backoff_ms(stalls, RESUME_BASE_MS, RESUME_CAP_MS);

		if (!wait_ms(pause_ms > err->wait_ms ? pause_ms : err->wait_ms, stopping))
			return -1;
	}
}

int s3_get(struct s3_client *c, const struct object *obj, struct sink *into, const atomic_bool *stopping, struct object *ret_seen,
	struct err *err)
{
	struct get g = { .obj = obj, .into = into };
	char what[256];
	int done;

	done = read_whole(&g, c, stopping, err);
	if (done == 0 && !s3_checksum_right(&g.checksum))
		done = refuse(&g, EIO, "the bytes that arrived are not those that the server's checksum was made of", err);
	if (done == 0)
		*ret_seen = *obj; /* or it would have been refused */
	if (done < 0 && g.ours) {
		s3_client_describe(c, obj->key, what, sizeof(what));
		(void)err_wrap(err, "%s", what);
	}
	s3_checksum_done(&g.checksum);
	return done;
}
