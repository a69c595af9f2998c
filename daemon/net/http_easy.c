/* http_easy.c - libcurl's handle: its options, its callbacks, its loop, and what its failures mean. */
#include "daemon/net/http_easy.h"

#include "daemon/base/clock.h"

#include <errno.h>

/* ---- what libcurl calls ---- */

/* The empty line behind the headers. */
static int end_head(struct transfer *t)
{
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->in_head = false;
	return status < 200 ? 0 : transfer_head(t, (int)status);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	(void)size; /* always 1 */
	transfer_count(t, n);
	t->head_bytes += n;
	if (t->head_bytes > HTTP_HEAD_MAX) {
		(void)transfer_fail(t, ERR_RETRY, EPROTO, HTTP_HEAD_LARGE);
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

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	(void)size; /* always 1 */
	transfer_count(t, n);
	return transfer_body(t, p, n) < 0 ? 0 : n;
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
	if (http_hop_is(hop, "HEAD"))
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (!http_hop_is(hop, q->body.p ? "POST" : "GET"))
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
}

void http_easy_options(struct transfer *t)
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
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, HTTP_BUFFER_BYTES);
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

static int check_limits(struct transfer *t)
{
	curl_off_t sent = 0;
	curl_off_t connected_us = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if ((uint64_t)sent > t->sent) {
		t->sent = (uint64_t)sent;
		t->progress_ns = clock_mono_ns();
	}
	(void)curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	return transfer_limits(t, connected_us > 0);
}

CURLcode http_easy_drive(struct transfer *t, CURLM *multi)
{
	CURLcode code = CURLE_FAILED_INIT;
	int running = 1;
	int left;
	if (curl_multi_add_handle(multi, t->easy) != CURLM_OK)
		return code;
	while (curl_multi_perform(multi, &running) == CURLM_OK && running && !t->failed && check_limits(t) == 0)
		(void)curl_multi_poll(multi, NULL, 0, HTTP_TICK_MS, NULL);
	for (const CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
		code = m->msg == CURLMSG_DONE ? m->data.result : code;
	return code;
}

/* What a proxy answered instead of making the tunnel that was asked for. */
static long tunnel_status(const struct transfer *t)
{
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status;
}

int http_easy_fail(struct transfer *t, CURLcode code)
{
	const char *why = t->text[0] ? t->text : curl_easy_strerror(code);
	long sys = 0;
	if (t->failed)
		return -1;
	if (t->guard.refused[0] && t->guard.allowed == 0)
		return transfer_fail(t, ERR_REJECT, EACCES, t->guard.refused);
	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &sys);
	if (tunnel_status(t) == 407)
		return transfer_fail(t, ERR_RETRY, EPROTO, "the proxy wants a user (407), and `proxy` names none: have it let this host through");
	switch (code) {
	case CURLE_OK: return transfer_fail(t, ERR_RETRY, EPIPE, "broke off within its headers"); /* libcurl takes that for an answer */
	case CURLE_URL_MALFORMAT: return transfer_fail(t, ERR_REJECT, EINVAL, why);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return transfer_fail(t, ERR_RETRY, EHOSTUNREACH, why);
	case CURLE_COULDNT_CONNECT: return transfer_fail(t, ERR_RETRY, sys ? (int)sys : ECONNREFUSED, why);
	case CURLE_OPERATION_TIMEDOUT: return transfer_fail(t, ERR_RETRY, ETIMEDOUT, why);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: return transfer_fail(t, ERR_RETRY, EPIPE, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE: return transfer_fail(t, ERR_REJECT, EKEYREJECTED, why);
	default: return transfer_fail(t, ERR_RETRY, EPROTO, why);
	}
}
