/* url_fetch.c - one URL into one sink, resumed where it may be. */
#include "connectors/url_fetch.h"

#include "connectors/url_hosts.h"
#include "connectors/url_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/net/url_identity.h"

#define PER_HOST 4
#define REDIRECTS 5

struct url_fetch {
	struct http *http;
	struct url_hosts *hosts;
};

/* One fetch, over all its requests. */
struct fetch {
	struct sink *into;
	const char *known;           /* the version that need not be read again; NULL */
	struct url_version version;  /* of what is being read; empty until the first answer */
	bool begun;                  /* an answer's body is on its way, or was */
	bool unchanged;              /* the answer is of the version that is known */
	uint64_t bytes;              /* in the sink */
	uint64_t skip;               /* of this answer's body: those bytes are there already */
	int64_t length;              /* of the whole; -1: not said */
};

struct url_fetch *url_fetch_new(const struct http_rules *rules, uint32_t per_host)
{
	struct url_fetch *f = mem_zero(1, sizeof(*f));
	struct http_rules copy = *rules;
	copy.redirects = copy.redirects ? copy.redirects : REDIRECTS;
	f->http = http_new(&copy);
	f->hosts = url_hosts_new(per_host ? per_host : PER_HOST, rules->stopping);
	return f;
}

void url_fetch_free(struct url_fetch *f)
{
	if (!f)
		return;
	http_free(f->http);
	url_hosts_free(f->hosts);
	free(f);
}

/* err_set() without strerror's words: sys is for who called. */
static int fail(struct err *err, int sys, const char *why)
{
	(void)err_set(err, ERR_RETRY, 0, "%s", why);
	err->sys = sys;
	return -1;
}

static int changed(struct err *err)
{
	return fail(err, FETCH_CHANGED, "changed while it was read");
}

/* ---- what http_send() calls; err is never NULL down here ---- */

static int begin(struct fetch *t, const struct http_reply *r, struct err *err)
{
	if (r->status != 200 && r->status != 203)
		return err_set(err, ERR_REJECT, 0, "answers %d, which is not the whole of anything", r->status);
	url_version_read(r, &t->version);
	t->unchanged = t->known && t->version.token[0] && strcmp(t->known, t->version.token) == 0;
	if (t->unchanged)
		return -1; /* nobody needs the body of a server that ignores conditions */
	t->begun = true;
	t->length = r->length;
	return 0;
}

/* The rest, or the whole again where the server takes no ranges: of the same version, or it is of no use. */
static int go_on(struct fetch *t, const struct http_reply *r, struct err *err)
{
	struct url_version now;
	uint64_t first = 0;
	int64_t whole = r->length;
	url_version_read(r, &now);
	if (r->status == 206 && url_version_range(r, &first, &whole) < 0)
		return err_set(err, ERR_RETRY, 0, "answers with a range that cannot be read");
	if ((r->status == 206 && first != t->bytes) || !now.strong || strcmp(now.strong, t->version.strong) != 0 ||
	    (t->length >= 0 && whole >= 0 && whole != t->length))
		return changed(err);
	t->skip = t->bytes - first;
	t->length = whole >= 0 ? whole : t->length;
	return 0;
}

static int on_head(void *arg, const struct http_reply *r, struct err *err)
{
	struct fetch *t = arg;
	if (r->status < 200 || r->status >= 300)
		return 0;
	return t->begun ? go_on(t, r, err) : begin(t, r, err);
}

static int on_body(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct fetch *t = arg;
	size_t over = n < t->skip ? n : (size_t)t->skip;
	t->skip -= over;
	p += over;
	for (n -= over; n > 0;) {
		size_t space = 0;
		uint8_t *to = t->into->ops->space(t->into, &space, err);
		if (!to)
			return -1;
		size_t part = n < space ? n : space;
		memcpy(to, p, part);
		if (t->into->ops->wrote(t->into, part, err) < 0)
			return -1;
		t->bytes += part;
		p += part;
		n -= part;
	}
	return 0;
}

/* ---- one request ---- */

/* A signed URL that is refused is most often one that is too old. */
static int refuse(const struct http_request *q, const struct http_reply *r, struct err *err)
{
	CLEANUP(buf_done) struct buf identity = { 0 };
	url_identity(slice_of(q->url), &identity);
	(void)http_refused(q, r, err);
	bool is_signed = !slice_eq(buf_slice(&identity), slice_of(q->url));
	if (is_signed && (r->status == 400 || r->status == 401 || r->status == 403)) {
		struct err said = *err;
		(void)err_set(err, said.class, 0, "%s; its signature may have expired: get the URL anew", said.text);
		err->sys = said.sys;
	}
	return -1;
}

/* 0: whole; 1: unchanged; -1. */
static int request(struct url_fetch *f, struct fetch *t, const char *url, uint64_t total_ms, struct http_reply *r, struct err *err)
{
	char condition[URL_VERSION_CONDITION];
	char range[64];
	const char *headers[4] = { "Accept-Encoding: identity" };
	size_t count = 1;
	if (t->begun) {
		(void)snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)t->bytes);
		(void)snprintf(condition, sizeof(condition), "If-Range: %s", t->version.strong);
		headers[count++] = range;
		headers[count++] = condition;
	} else if (t->known && url_version_condition(t->known, condition)) {
		headers[count++] = condition;
	}
	struct http_request q = {
		.url = url, .headers = headers, .limit = UINT64_MAX, .total_ms = total_ms, .head = on_head, .sink = on_body, .arg = t,
	};
	int sent = http_send(f->http, &q, r, err);
	if (t->unchanged || (sent == 0 && r->status == 304 && t->known))
		return 1;
	if (sent < 0)
		return -1;
	if (r->status == 416 && t->begun)
		return changed(err);
	if (r->status < 200 || r->status >= 300)
		return refuse(&q, r, err);
	if (t->length < 0 || t->bytes == (uint64_t)t->length) /* without a length it ends wherever the connection does */
		return 0;
	return fail(err, EPIPE, "gave another number of bytes than it announced");
}

/* Requests until it is there, or until going on makes no sense. */
static int run(struct url_fetch *f, struct fetch *t, const char *url, struct http_reply *r, struct err *err)
{
	uint64_t deadline_ns = clock_mono_ns() + URL_TOTAL_MS * NS_PER_MS;
	for (int resumes = 0;; resumes++) {
		uint64_t before = t->bytes;
		uint64_t now_ns = clock_mono_ns();
		uint64_t left_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / NS_PER_MS + 1 : 1;
		int done = request(f, t, url, left_ms, r, err);
		bool again = done < 0 && err->class == ERR_RETRY && err->sys == EPIPE && t->begun && t->version.strong &&
			t->bytes > before && resumes < URL_RESUMES;
		if (!again)
			return done;
		http_reply_done(r);
	}
}

/* What the host is to be told apart by: its own words, or none. */
static enum url_host_answer judge(int done, const struct http_reply *r, const struct err *err)
{
	if (r->status == 429 || r->status == 503)
		return URL_HOST_THROTTLED;
	if (done < 0 && err->class == ERR_RETRY && err->sys != ECANCELED && r->status == 0)
		return URL_HOST_UNREACHABLE;
	return URL_HOST_ANSWERED;
}

int url_fetch_get(struct url_fetch *f, const char *url, const char *version, struct sink *into, struct object *ret_seen,
	struct err *err)
{
	static _Thread_local char token[VERSION_TOKEN_MAX + 1];
	CLEANUP(http_reply_done) struct http_reply r = { .length = -1 };
	struct fetch t = { .into = into, .known = version && *version ? version : NULL, .length = -1 };
	struct url at;
	struct err why = { 0 };
	if (url_parse(url, &at, err) < 0 || url_hosts_enter(f->hosts, &at, err) < 0)
		return -1;
	int done = run(f, &t, url, &r, &why);
	uint32_t closed_ms = url_hosts_leave(f->hosts, &at, judge(done, &r, &why), r.wait_ms);
	if (done < 0) {
		if (closed_ms > 0) {
			why.sys = EAGAIN;
			why.wait_ms = closed_ms;
		}
		if (err)
			*err = why;
		return -1;
	}
	(void)snprintf(token, sizeof(token), "%s", done == 1 ? version : t.version.token);
	*ret_seen = (struct object){ .key = slice_of(url), .version = slice_of(token), .bytes = t.bytes };
	return done;
}
