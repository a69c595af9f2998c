/* gcs_get.c - streams one object into a sink, across as many requests as it takes. */
#include "connectors/gcs_get.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/crc.h"
#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define STALLS_MAX 5U    /* requests in a row that bring nothing */
#define RESUMES_MAX 100U /* in all */

struct getting {
	struct object obj;       /* its version and length: the first answer's, where none is asked for */
	char *token;             /* VERSION_TOKEN_MAX bytes for that version */
	struct sink *into;
	uint64_t got;            /* bytes in the sink */
	uint64_t skip;           /* of this answer: bytes that are there already, because the server ignored the range */
	uint32_t crc, declared;  /* CRC-32C of what is in the sink; of the object, as the server says */
	bool is_declared;
	bool final;              /* the error is ours or the sink's: another request changes nothing */
};

static int give_up(struct getting *g, int sys, struct err *err)
{
	g->final = true;
	err->sys = sys;
	return -1;
}

/* "crc32c=n03x6A==": the four bytes of the CRC, the highest first. */
static void read_hash(struct getting *g, struct slice value)
{
	CLEANUP(buf_done) struct buf raw = { 0 };
	static const char name[] = "crc32c=";
	const char *at = value.len ? memmem(value.p, value.len, name, sizeof(name) - 1) : NULL;
	if (!at)
		return;
	at += sizeof(name) - 1;
	size_t n = 0, rest = (size_t)(value.p + value.len - at);
	while (n < rest && at[n] != ',' && at[n] != ' ')
		n++;
	if (text_unbase64(&raw, (struct slice){ at, n }) < 0 || raw.len != 4)
		return;
	const uint8_t *b = (const uint8_t *)raw.data;
	g->declared = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	g->is_declared = true;
}

/* x-goog-hash comes once a hash, or once with all of them. */
static void read_hashes(struct getting *g, const struct buf *headers)
{
	static const char name[] = "x-goog-hash:";
	for (const char *p = headers->data, *end = p + headers->len, *line; p && p < end; p = line + 1) {
		line = memchr(p, '\n', (size_t)(end - p));
		if (!line)
			line = end;
		if ((size_t)(line - p) > sizeof(name) && strncasecmp(p, name, sizeof(name) - 1) == 0) {
			p += sizeof(name) - 1;
			const char *stop = line > p && line[-1] == '\r' ? line - 1 : line;
			read_hash(g, (struct slice){ p, (size_t)(stop - p) });
		}
	}
}

/* Does the answer begin where we stopped? Content-Range: "bytes 100-199/200". */
static int check_range(struct getting *g, const struct http_reply *r, struct err *err)
{
	char expected[64];
	g->skip = 0;
	if (r->status == 200) {
		g->skip = g->got;
		return 0;
	}
	(void)snprintf(expected, sizeof(expected), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, g->got, g->obj.bytes - 1, g->obj.bytes);
	if (r->status == 206 && slice_eq(http_header(r, "Content-Range"), slice_of(expected)))
		return 0;
	(void)err_set(err, ERR_RETRY, 0, "the server answered %d with another range than was asked for", r->status);
	return give_up(g, EPROTO, err);
}

/* What was asked for without a version is of this one from here on. */
static int pin_version(struct getting *g, const struct http_reply *r, struct slice generation, struct err *err)
{
	if (r->status != 200 || r->length < 0 || generation.len == 0 || generation.len > VERSION_TOKEN_MAX) {
		(void)err_set(err, ERR_RETRY, 0, "the server does not say how long it is, or of which generation");
		return give_up(g, EPROTO, err);
	}
	memcpy(g->token, generation.p, generation.len);
	g->obj.version = (struct slice){ g->token, generation.len };
	g->obj.bytes = (uint64_t)r->length;
	return 0;
}

static int on_head(void *arg, const struct http_reply *r, struct err *err)
{
	struct getting *g = arg;
	struct slice generation;
	if (r->status < 200 || r->status > 299)
		return 0;
	generation = http_header(r, "x-goog-generation");
	if ((g->obj.version.len == 0 && pin_version(g, r, generation, err) < 0) || check_range(g, r, err) < 0)
		return -1;
	if (generation.len > 0 && !slice_eq(generation, g->obj.version)) {
		(void)err_set(err, ERR_RETRY, 0, "the server sends generation %.*s", (int)generation.len, generation.p);
		return give_up(g, FETCH_CHANGED, err);
	}
	if (r->length >= 0 && (uint64_t)r->length != g->obj.bytes - g->got + g->skip) {
		(void)err_set(err, ERR_RETRY, 0, "the server sends %" PRId64 " bytes, not the %" PRIu64 " of the listing", r->length,
			g->obj.bytes - g->got + g->skip);
		return give_up(g, EIO, err);
	}
	read_hashes(g, &r->headers);
	return 0;
}

static int on_bytes(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct getting *g = arg;
	size_t known = g->skip < n ? (size_t)g->skip : n;
	g->skip -= known;
	p += known;
	n -= known;
	if (n > g->obj.bytes - g->got) {
		(void)err_set(err, ERR_RETRY, 0, "the server sends more than the %" PRIu64 " bytes of the listing", g->obj.bytes);
		return give_up(g, EIO, err);
	}
	while (n > 0) {
		size_t room;
		uint8_t *to = g->into->ops->space(g->into, &room, err);
		if (room > n)
			room = n;
		if (to) {
			memcpy(to, p, room);
			g->crc = crc32c_add(g->crc, to, room);
		}
		if (!to || g->into->ops->wrote(g->into, room, err) < 0) {
			g->final = true;
			return -1;
		}
		g->got += room;
		p += room;
		n -= room;
	}
	return 0;
}

static int ask_once(struct gcs_api *api, struct getting *g, struct err *err)
{
	CLEANUP(buf_done) struct buf url = { 0 };
	char range[48];
	/* What is stored gzip-encoded is decoded on the way to whoever does not say this, without length or checksum. */
	const char *headers[] = { "Accept-Encoding: gzip", g->got > 0 ? range : NULL, NULL };
	struct http_request request = { .headers = headers, .limit = UINT64_MAX, .head = on_head, .sink = on_bytes, .arg = g };
	struct http_reply reply = { 0 };
	gcs_url_media(api, g->obj.key, &url);
	if (g->obj.version.len > 0)
		gcs_query(&url, "generation", g->obj.version);
	request.url = url.data;
	(void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-", g->got);
	int result = gcs_api_get(api, &request, &reply, err);
	http_reply_done(&reply);
	return result;
}

static bool worth_another(const struct getting *g, const struct err *err)
{
	return g->got > 0 && !g->final && err->class == ERR_RETRY && err->sys != ENOENT && err->sys != FETCH_CHANGED &&
		err->sys != EACCES && err->sys != ECANCELED;
}

static int get_all(struct gcs_api *api, struct getting *g, struct err *err)
{
	for (uint32_t stalls = 0, resumes = 0;; resumes++) {
		uint64_t before = g->got;
		if (ask_once(api, g, err) == 0) {
			if (g->got == g->obj.bytes)
				return 0;
			(void)err_set(err, ERR_RETRY, EPIPE, "the server sent %" PRIu64 " of %" PRIu64 " bytes", g->got, g->obj.bytes);
		} else if (g->got == g->obj.bytes && g->got > before && !g->final && err->class == ERR_RETRY) {
			return 0; /* all is there; the connection broke behind it */
		}
		stalls = g->got > before ? 0 : stalls + 1;
		if (!worth_another(g, err) || stalls >= STALLS_MAX || resumes >= RESUMES_MAX || !gcs_pause(api, stalls, err))
			return -1;
	}
}

static int check(const struct getting *g, struct err *err)
{
	if (!g->is_declared || g->declared == g->crc)
		return 0;
	(void)err_set(err, ERR_RETRY, 0, "the bytes have CRC-32C %08x, the server says %08x: damaged on the way", g->crc, g->declared);
	err->sys = EIO;
	return -1;
}

int gcs_get(struct gcs_api *api, struct bucket *b, const struct object *obj, struct sink *into, struct object *ret_seen,
	struct err *err)
{
	static _Thread_local char token[VERSION_TOKEN_MAX];
	struct getting g = { .obj = *obj, .token = token, .into = into };
	char name[200];
	if (get_all(api, &g, err) < 0 || check(&g, err) < 0) {
		if (g.got > 0 && err->sys == ENOENT)
			err->sys = FETCH_CHANGED;
		if (g.final && err->sys != EIO && err->sys != EPROTO && err->sys != FETCH_CHANGED)
			return -1; /* the sink's own words */
		bucket_describe(b, obj->key, name, sizeof(name));
		return err_wrap(err, "%s", name);
	}
	*ret_seen = g.obj;
	return 0;
}
