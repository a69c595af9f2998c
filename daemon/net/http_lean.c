/* http_lean.c - composes, sends, and reads by http_frame. */
#include "daemon/net/http_lean.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/net/http_easy.h"
#include "daemon/net/http_frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LINES_MAX 128 /* bytes: the request line and the headers of our own, without their values */

bool http_lean_can(const struct http_hop *hop)
{
	return hop->rules->lean && !hop->rules->proxy && !hop->request->body.p && (http_hop_is(hop, "GET") || http_hop_is(hop, "HEAD"));
}

/* ---- the request ---- */

static void add_default(struct buf *to, const struct http_hop *hop, const char *name, struct slice value)
{
	size_t len = strlen(name);
	for (const struct curl_slist *h = hop->headers; h; h = h->next)
		if (strncasecmp(h->data, name, len) == 0 && h->data[len] == ':')
			return;
	buf_add(to, name, len);
	buf_str(to, ": ");
	buf_add(to, value.p, value.len);
	buf_str(to, "\r\n");
}

/* As libcurl takes them: a name without a value says that the header is not to be sent. */
static void add_headers(struct buf *to, const struct curl_slist *h)
{
	for (; h; h = h->next) {
		const char *value = strchr(h->data, ':');
		if (!value || !value[1 + strspn(value + 1, " \t")])
			continue;
		buf_str(to, h->data);
		buf_str(to, "\r\n");
	}
}

static size_t request_room(const struct http_hop *hop)
{
	size_t room = LINES_MAX + 2 * strlen(hop->url) + strlen(hop->rules->user_agent);
	for (const struct curl_slist *h = hop->headers; h; h = h->next)
		room += strlen(h->data) + 2;
	return room;
}

static void compose(struct buf *to, const struct http_hop *hop)
{
	const char *host = strstr(hop->url, "://") + 3;
	size_t host_len = strcspn(host, "/?");
	(void)buf_grow(to, request_room(hop)); /* at once: growing would leave copies behind */
	buf_str(to, http_hop_is(hop, "HEAD") ? "HEAD " : "GET ");
	buf_str(to, host[host_len] == '/' ? "" : "/");
	buf_str(to, host + host_len);
	buf_str(to, " HTTP/1.1\r\n");
	add_default(to, hop, "Host", (struct slice){ host, host_len });
	add_default(to, hop, "User-Agent", slice_of(hop->rules->user_agent));
	add_default(to, hop, "Accept", SLICE_LIT("*/*"));
	add_headers(to, hop->headers);
	buf_str(to, "\r\n");
}

/* ---- the connection ---- */

/* Idle: it has nothing to say. What it has, an end or bytes that nobody asked for, makes it useless. */
static bool is_idle(struct http_lane *lane)
{
	char byte;
	size_t n;
	return curl_easy_recv(lane->easy, &byte, 1, &n) == CURLE_AGAIN;
}

/* The peer is judged as before each request of libcurl's. */
static int check_peer(struct transfer *t, const struct http_lane *lane)
{
	const char *why = "unknown";
	char text[160];
	if (guard_allows(t->hop->rules->guard, (const struct sockaddr *)&lane->peer, lane->origin.host, lane->origin.port, &why))
		return 0;
	(void)snprintf(text, sizeof(text), "address of %.60s: %s", lane->origin.host, why);
	return transfer_fail(t, ERR_REJECT, EACCES, text);
}

static int connect_lane(struct transfer *t, struct http_lane *lane)
{
	socklen_t len = sizeof(lane->peer);
	if (guard_apply(t->hop->rules->guard, t->easy, t->hop->url, false, &t->guard, &t->err) < 0) {
		t->failed = true;
		return -1;
	}
	http_easy_options(t);
	(void)curl_easy_setopt(t->easy, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode code = http_easy_drive(t, lane->multi);
	lane->connected = true; /* or is to be dropped like one that is */
	if (t->failed || code != CURLE_OK)
		return http_easy_fail(t, code);
	if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &lane->fd) != CURLE_OK || lane->fd == CURL_SOCKET_BAD ||
	    getpeername(lane->fd, (struct sockaddr *)&lane->peer, &len) < 0)
		return transfer_fail(t, ERR_RETRY, EPIPE, "broke off before it was asked");
	t->progress_ns = clock_mono_ns();
	return 0;
}

/* ---- the exchange ---- */

enum outcome { ANSWERED, FAILED, DIED }; /* DIED: without one byte of an answer */

static int await(struct transfer *t, const struct http_lane *lane, short what)
{
	struct pollfd p = { .fd = lane->fd, .events = what };
	(void)poll(&p, 1, HTTP_TICK_MS);
	return transfer_limits(t, true);
}

static enum outcome broke_off(struct transfer *t, const struct http_frame *f, CURLcode code)
{
	char text[96];
	if (f->taken == 0)
		return DIED;
	if (code != CURLE_OK)
		(void)snprintf(text, sizeof(text), "broke off: %.80s", t->text[0] ? t->text : curl_easy_strerror(code));
	else if (f->at == FRAME_LENGTH)
		(void)snprintf(text, sizeof(text), "broke off with %llu byte%s to come", (unsigned long long)f->left, text_s(f->left));
	else
		(void)snprintf(text, sizeof(text), "broke off within its %s", f->at == FRAME_HEAD ? "headers" : "body");
	(void)transfer_fail(t, ERR_RETRY, EPIPE, text);
	return FAILED;
}

static enum outcome ask(struct transfer *t, struct http_lane *lane, const struct http_frame *f, struct slice request)
{
	while (request.len > 0) {
		size_t n = 0;
		CURLcode code = curl_easy_send(t->easy, request.p, request.len, &n);
		if (code == CURLE_AGAIN || (code == CURLE_OK && n == 0)) {
			if (await(t, lane, POLLOUT) < 0)
				return FAILED;
			continue;
		}
		if (code != CURLE_OK)
			return broke_off(t, f, code);
		request = (struct slice){ request.p + n, request.len - n };
		t->progress_ns = clock_mono_ns();
	}
	return ANSWERED;
}

static int deliver_head(struct transfer *t, const struct http_frame *f, struct slice lines)
{
	t->reply->headers.len = 0;
	buf_add(&t->reply->headers, lines.p, lines.len);
	return transfer_head(t, f->status);
}

/* 1: the answer is whole, or enough of it is here; 0: it goes on. */
static int deliver(struct transfer *t, struct http_lane *lane, struct http_frame *f, struct slice came)
{
	struct slice piece;
	for (;;) {
		switch (http_frame_next(f, &came, &piece)) {
		case HTTP_MORE: return 0;
		case HTTP_HEAD:
			if (deliver_head(t, f, piece) < 0)
				return -1;
			break;
		case HTTP_BODY:
			if (transfer_body(t, piece.p, piece.len) < 0)
				return t->enough ? 1 : -1;
			break;
		case HTTP_END:
			lane->reusable = f->keep && came.len == 0;
			return 1;
		case HTTP_BAD: return transfer_fail(t, ERR_RETRY, f->at == FRAME_HEAD ? EPROTO : EPIPE, f->why);
		}
	}
}

static enum outcome hear(struct transfer *t, struct http_lane *lane, struct http_frame *f)
{
	int more = await(t, lane, POLLIN);
	while (more == 0) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(t->easy, lane->in, HTTP_BUFFER_BYTES, &n);
		if (code == CURLE_AGAIN) {
			more = await(t, lane, POLLIN);
		} else if (code != CURLE_OK || n == 0) {
			return code == CURLE_OK && http_frame_closed(f) ? ANSWERED : broke_off(t, f, code);
		} else {
			transfer_count(t, n);
			more = deliver(t, lane, f, (struct slice){ lane->in, n });
			more = more == 0 ? transfer_limits(t, true) : more;
		}
	}
	return more > 0 ? ANSWERED : FAILED;
}

static enum outcome exchange(struct transfer *t, struct http_lane *lane)
{
	CLEANUP(http_frame_done) struct http_frame f;
	CLEANUP(buf_wipe) struct buf request = { 0 };
	http_frame_init(&f, http_hop_is(t->hop, "HEAD"), HTTP_HEAD_MAX);
	compose(&request, t->hop);
	lane->reusable = false;
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->text);
	enum outcome outcome = ask(t, lane, &f, buf_slice(&request));
	if (outcome == ANSWERED)
		outcome = hear(t, lane, &f);
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, NULL);
	return outcome;
}

int http_lean_run(struct transfer *t, struct http_lane *lane)
{
	bool kept = lane->connected && is_idle(lane);
	enum outcome outcome = FAILED;
	if (!kept)
		http_lane_drop(lane);
	if (!lane->in)
		lane->in = mem_alloc(HTTP_BUFFER_BYTES);
	if (kept && guard_check(t->hop->rules->guard, t->hop->at, &t->err) < 0)
		t->failed = true;
	else if (kept && check_peer(t, lane) == 0)
		outcome = exchange(t, lane);
	/* Servers close idle connections when they like: what such a one did not answer is asked again. */
	if (kept && outcome == DIED)
		http_lane_drop(lane);
	if (!t->failed && !lane->connected && connect_lane(t, lane) == 0)
		outcome = exchange(t, lane);
	if (outcome == DIED)
		(void)transfer_fail(t, ERR_RETRY, EPIPE, "closed without an answer");
	if (outcome != ANSWERED || !lane->reusable)
		http_lane_drop(lane);
	return outcome == ANSWERED ? 0 : -1;
}
