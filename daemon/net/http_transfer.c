/* http_transfer.c - counts bytes, silence, rate and time of one answer, and hands its head and body on. */
#include "daemon/net/http_transfer.h"

#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/net/http_reply.h"

#include <errno.h>
#include <stdio.h>

#define REFUSAL_MAX (64U << 10)  /* bytes kept of a body that is not 2xx */

static bool is_success(const struct http_reply *r)
{
	return r->status >= 200 && r->status < 300;
}

static bool is_followed(const struct transfer *t)
{
	return t->hop->follows && http_hop_redirects(t->reply->status) && http_header(t->reply, "Location").len > 0;
}

int transfer_fail(struct transfer *t, enum err_class class, int sys, const char *text)
{
	t->failed = true;
	(void)err_set(&t->err, class, 0, "%s", text);
	t->err.sys = sys;
	return -1;
}

static int fail_large(struct transfer *t)
{
	char text[96];
	(void)snprintf(text, sizeof(text), "larger than the %llu bytes allowed", (unsigned long long)t->hop->limit);
	return transfer_fail(t, ERR_REJECT, EFBIG, text);
}

/* ---- what comes ---- */

void transfer_count(struct transfer *t, size_t n)
{
	t->progress_ns = clock_mono_ns();
	t->window_bytes += n;
	if (t->window_ns == 0)
		t->window_ns = t->progress_ns;
}

int transfer_head(struct transfer *t, int status)
{
	struct http_reply *r = t->reply;
	t->head_done = true;
	r->status = status;
	http_reply_read_head(r);
	if (is_followed(t))
		return 0;
	if (is_success(r) && !http_hop_is(t->hop, "HEAD") && r->length > 0 && (uint64_t)r->length > t->hop->limit)
		return fail_large(t);
	t->failed = t->theirs = t->hop->request->head && t->hop->request->head(t->hop->request->arg, r, &t->err) < 0;
	return t->failed ? -1 : 0;
}

/* Not 2xx: its first 64 KiB tell enough. */
static int keep_refusal(struct transfer *t, const char *p, size_t n)
{
	struct buf *body = &t->reply->body;
	size_t room = REFUSAL_MAX - body->len;
	buf_add(body, p, n < room ? n : room);
	t->enough = n > room;
	return t->enough ? -1 : 0;
}

int transfer_body(struct transfer *t, const char *p, size_t n)
{
	const struct http_request *q = t->hop->request;
	t->reply->bytes += n;
	if (!is_success(t->reply))
		return keep_refusal(t, p, n);
	if (t->reply->bytes > t->hop->limit)
		return fail_large(t);
	if (!q->sink) {
		buf_add(&t->reply->body, p, n);
		return 0;
	}
	uint64_t before_ns = t->progress_ns;
	t->failed = t->theirs = q->sink(q->arg, (const uint8_t *)p, n, &t->err) < 0;
	t->progress_ns = clock_mono_ns();
	t->sink_ns += t->progress_ns - before_ns;
	return t->failed ? -1 : 0;
}

/* ---- limits ---- */

static int check_rate(struct transfer *t, uint64_t now_ns)
{
	const struct http_rules *rules = t->hop->rules;
	uint64_t window_ns = rules->rate_ms * NS_PER_MS;
	uint64_t spent_ns = t->window_ns ? now_ns - t->window_ns - t->sink_ns : 0;
	if (spent_ns < window_ns)
		return 0;
	if ((double)t->window_bytes < (double)rules->rate_min * (double)spent_ns / NS_PER_SEC) {
		char text[96];
		(void)snprintf(text, sizeof(text), "too slow: %llu byte%s in %llu s, at least %u bytes/s are expected",
			(unsigned long long)t->window_bytes, text_s(t->window_bytes), (unsigned long long)(spent_ns / NS_PER_SEC), rules->rate_min);
		return transfer_fail(t, ERR_RETRY, ETIMEDOUT, text);
	}
	t->window_ns = now_ns;
	t->window_bytes = t->sink_ns = 0;
	return 0;
}

int transfer_limits(struct transfer *t, bool connected)
{
	const struct http_rules *rules = t->hop->rules;
	uint64_t now_ns = clock_mono_ns();
	char text[96];
	if (rules->stopping && atomic_load(rules->stopping))
		return transfer_fail(t, ERR_RETRY, ECANCELED, "stopping");
	if (now_ns >= t->hop->deadline_ns)
		return transfer_fail(t, ERR_RETRY, ETIMEDOUT, "not done in the time it was given");
	/* While it connects, libcurl's own limit holds; ours stands behind it. */
	uint64_t most_ms = (uint64_t)rules->idle_ms + (connected || t->head_bytes > 0 ? 0 : rules->connect_ms);
	if (now_ns - t->progress_ns >= most_ms * NS_PER_MS) {
		(void)snprintf(text, sizeof(text), "nothing came for %llu ms", (unsigned long long)most_ms);
		return transfer_fail(t, ERR_RETRY, ETIMEDOUT, text);
	}
	return check_rate(t, now_ns);
}

/* ---- words ---- */

/* libcurl's words hold what the server said: one line of plain text, and the cure for the one failure that has one. */
int transfer_put_err(const struct transfer *t, struct err *err)
{
	char what[320];
	const struct http_rules *rules = t->hop->rules;
	if (!err)
		return -1;
	if (t->theirs) {
		*err = t->err;
		return -1;
	}
	char cure[256] = "";
	http_reply_describe(t->hop->request, t->reply, what, sizeof(what));
	if (t->err.sys == EKEYREJECTED && rules->ca_file)
		(void)snprintf(cure, sizeof(cure), "; trusted is only who ca_file '%.160s' names", rules->ca_file);
	else if (t->err.sys == EPROTO && strstr(t->err.text, "wrong version number")) /* OpenSSL's words */
		(void)strcpy(cure, "; who answers there speaks no TLS: is it http:// and not https://, or another port?");
	else if (t->err.sys == EKEYREJECTED)
		(void)strcpy(cure, "; if it is your own server, name its certificate authority as ca_file");
	(void)err_set(err, t->err.class, 0, "%s: %s%s", what, t->err.text, cure);
	for (char *c = err->text; *c; c++)
		*c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
	err->sys = t->err.sys;
	return -1;
}
