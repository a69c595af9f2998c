/* http_hop.c - drives one transfer of libcurl's and counts: bytes, silence, rate, time. */
#include "daemon/net/http_hop.h"

#include "daemon/base/clock.h"
#include "daemon/net/http_reply.h"

#include <errno.h>
#include <stdio.h>

#define HEAD_MAX (64U << 10)     /* bytes of headers, of interim answers too */
#define REFUSAL_MAX (64U << 10)  /* bytes kept of a body that is not 2xx */
#define BUFFER_BYTES (256L << 10)
#define TICK_MS 100              /* how late a limit or `stopping` may be noticed */

struct transfer {
	const struct http_hop *hop;
	struct http_reply *reply;
	CURL *easy;
	struct guard_state guard;
	struct err err;          /* why it was ended, if failed */
	bool failed;
	bool theirs;             /* err is the head()'s or sink()'s: passed on as it is */
	bool enough;             /* ended by us, and what came will do */
	bool in_head;            /* between a status line and its empty line */
	bool head_done;          /* of the answer proper, not of a 1xx */
	size_t head_bytes;
	uint64_t progress_ns;    /* when something moved last */
	uint64_t sent;           /* bytes of our body, as of then */
	uint64_t window_ns;      /* begin of this window of the rate; 0: nothing came yet */
	uint64_t window_bytes;
	uint64_t sink_ns;        /* of this window: time that the sink took for itself */
	char text[CURL_ERROR_SIZE];
};

bool http_hop_redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_success(const struct http_reply *r)
{
	return r->status >= 200 && r->status < 300;
}

static bool is_method(const struct http_hop *hop, const char *method)
{
	return strcmp(hop->request->method ? hop->request->method : "GET", method) == 0;
}

static bool is_followed(const struct transfer *t)
{
	return t->hop->follows && http_hop_redirects(t->reply->status) && http_header(t->reply, "Location").len > 0;
}

/* Ends the transfer; sys is for the caller to look at, its words add nothing. */
static int fail(struct transfer *t, enum err_class class, int sys, const char *text)
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
	return fail(t, ERR_REJECT, EFBIG, text);
}

/* ---- what libcurl calls ---- */

static void count(struct transfer *t, size_t n)
{
	t->progress_ns = clock_mono_ns();
	t->window_bytes += n;
	if (t->window_ns == 0)
		t->window_ns = t->progress_ns;
}

/* The empty line behind the headers. */
static int end_head(struct transfer *t)
{
	struct http_reply *r = t->reply;
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->in_head = false;
	if (status < 200)
		return 0;
	t->head_done = true;
	r->status = (int)status;
	http_reply_read_head(r);
	if (is_followed(t))
		return 0;
	if (is_success(r) && !is_method(t->hop, "HEAD") && r->length > 0 && (uint64_t)r->length > t->hop->limit)
		return fail_large(t);
	t->failed = t->theirs = t->hop->request->head && t->hop->request->head(t->hop->request->arg, r, &t->err) < 0;
	return t->failed ? -1 : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	(void)size; /* always 1 */
	count(t, n);
	t->head_bytes += n;
	if (t->head_bytes > HEAD_MAX) {
		(void)fail(t, ERR_RETRY, EPROTO, "more than 64 KiB of headers");
		return 0;
	}
	if (t->head_done)
		return n; /* a trailer */
	if (!t->in_head) { /* a status line */
		t->in_head = true;
		t->reply->headers.len = 0;
		return n;
	}
	if (n > 0 && (p[0] == '\r' || p[0] == '\n'))
		return end_head(t) < 0 ? 0 : n;
	buf_add(&t->reply->headers, p, n);
	return n;
}

/* Not 2xx: its first 64 KiB tell enough. */
static size_t keep_refusal(struct transfer *t, const char *p, size_t n)
{
	struct buf *body = &t->reply->body;
	size_t room = REFUSAL_MAX - body->len;
	buf_add(body, p, n < room ? n : room);
	if (n <= room)
		return n;
	t->enough = true;
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	const struct http_request *q = t->hop->request;
	(void)size; /* always 1 */
	t->reply->bytes += n;
	count(t, n);
	if (!is_success(t->reply))
		return keep_refusal(t, p, n);
	if (t->reply->bytes > t->hop->limit) {
		(void)fail_large(t);
		return 0;
	}
	if (!q->sink) {
		buf_add(&t->reply->body, p, n);
		return n;
	}
	uint64_t before_ns = t->progress_ns;
	t->failed = t->theirs = q->sink(q->arg, (const uint8_t *)p, n, &t->err) < 0;
	t->progress_ns = clock_mono_ns();
	t->sink_ns += t->progress_ns - before_ns;
	return t->failed ? 0 : n;
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
		(void)snprintf(text, sizeof(text), "too slow: %llu bytes in %llu s, at least %u bytes/s are expected",
			(unsigned long long)t->window_bytes, (unsigned long long)(spent_ns / NS_PER_SEC), rules->rate_min);
		return fail(t, ERR_RETRY, ETIMEDOUT, text);
	}
	t->window_ns = now_ns;
	t->window_bytes = t->sink_ns = 0;
	return 0;
}

static int check_limits(struct transfer *t)
{
	const struct http_rules *rules = t->hop->rules;
	uint64_t now_ns = clock_mono_ns();
	curl_off_t sent = 0;
	curl_off_t connected_us = 0;
	char text[96];
	if (rules->stopping && atomic_load(rules->stopping))
		return fail(t, ERR_RETRY, ECANCELED, "stopping");
	if (now_ns >= t->hop->deadline_ns)
		return fail(t, ERR_RETRY, ETIMEDOUT, "not done in the time it was given");
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if ((uint64_t)sent > t->sent) {
		t->sent = (uint64_t)sent;
		t->progress_ns = now_ns;
	}
	/* While it connects, libcurl's own limit holds; ours stands behind it. */
	(void)curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	uint64_t most_ms = (uint64_t)rules->idle_ms + (connected_us > 0 || t->head_bytes > 0 ? 0 : rules->connect_ms);
	if (now_ns - t->progress_ns >= most_ms * NS_PER_MS) {
		(void)snprintf(text, sizeof(text), "nothing came for %llu ms", (unsigned long long)most_ms);
		return fail(t, ERR_RETRY, ETIMEDOUT, text);
	}
	return check_rate(t, now_ns);
}

/* ---- the transfer ---- */

static void set_method(const struct http_hop *hop, CURL *easy)
{
	const struct http_request *q = hop->request;
	if (q->body.p) {
		(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->body.p);
	}
	if (is_method(hop, "HEAD"))
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (!is_method(hop, q->body.p ? "POST" : "GET"))
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_options(struct transfer *t)
{
	const struct http_hop *hop = t->hop;
	const struct http_rules *rules = hop->rules;
	CURL *easy = t->easy;
	(void)curl_easy_setopt(easy, CURLOPT_URL, hop->url);
	(void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, hop->headers);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, rules->user_agent);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		rules->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent holds nobody up when we stop */
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)rules->connect_ms);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	/* "": neither http_proxy and its like nor no_proxy are looked at. */
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, rules->proxy ? rules->proxy : "");
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (rules->ca_file) {
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, rules->ca_file);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* Debian's libcurl adds /etc/ssl/certs else */
		(void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, rules->ca_file);
		(void)curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	}
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->text);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	set_method(hop, easy);
}

/* Runs until libcurl is done or a limit is reached. */
static CURLcode drive(struct transfer *t, CURLM *multi)
{
	CURLcode code = CURLE_FAILED_INIT;
	int running = 1;
	int left;
	if (curl_multi_add_handle(multi, t->easy) != CURLM_OK)
		return code;
	while (curl_multi_perform(multi, &running) == CURLM_OK && running && !t->failed && check_limits(t) == 0)
		(void)curl_multi_poll(multi, NULL, 0, TICK_MS, NULL);
	for (const CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
		code = m->msg == CURLMSG_DONE ? m->data.result : code;
	return code;
}

static int sort_out(struct transfer *t, CURLcode code)
{
	const char *why = t->text[0] ? t->text : curl_easy_strerror(code);
	long sys = 0;
	if (t->failed)
		return -1;
	if (t->guard.refused[0] && t->guard.allowed == 0)
		return fail(t, ERR_REJECT, EACCES, t->guard.refused);
	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &sys);
	switch (code) {
	case CURLE_OK: return fail(t, ERR_RETRY, EPIPE, "broke off within its headers"); /* libcurl takes that for an answer */
	case CURLE_URL_MALFORMAT: return fail(t, ERR_REJECT, EINVAL, why);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return fail(t, ERR_RETRY, EHOSTUNREACH, why);
	case CURLE_COULDNT_CONNECT: return fail(t, ERR_RETRY, sys ? (int)sys : ECONNREFUSED, why);
	case CURLE_OPERATION_TIMEDOUT: return fail(t, ERR_RETRY, ETIMEDOUT, why);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: return fail(t, ERR_RETRY, EPIPE, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE: return fail(t, ERR_REJECT, EKEYREJECTED, why);
	default: return fail(t, ERR_RETRY, EPROTO, why);
	}
}

/* libcurl's words hold what the server said: one line of plain text, and the cure for the one failure that has one. */
static int put_err(const struct transfer *t, struct err *err)
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
	else if (t->err.sys == EKEYREJECTED)
		(void)strcpy(cure, "; if it is your own server, name its certificate authority as ca_file");
	(void)err_set(err, t->err.class, 0, "%s: %s%s", what, t->err.text, cure);
	for (char *c = err->text; *c; c++)
		*c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
	err->sys = t->err.sys;
	return -1;
}

int http_hop_run(const struct http_hop *hop, struct http_lane *lane, struct http_reply *r, struct err *err)
{
	struct transfer t = { .hop = hop, .reply = r, .easy = lane->easy, .progress_ns = clock_mono_ns() };
	if (guard_apply(hop->rules->guard, t.easy, hop->url, hop->rules->proxy != NULL, &t.guard, &t.err) < 0)
		t.failed = true;
	CURLcode code = CURLE_FAILED_INIT;
	if (!t.failed) {
		set_options(&t);
		code = drive(&t, lane->multi);
	}
	bool answered = t.head_done && !t.failed && (code == CURLE_OK || t.enough);
	if (!answered)
		(void)sort_out(&t, code);
	(void)curl_multi_remove_handle(lane->multi, lane->easy); /* a transfer that is not done loses its connection here */
	return answered ? 0 : put_err(&t, err);
}
