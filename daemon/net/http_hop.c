/* http_hop.c - one request: done by libcurl, or by us over a connection of libcurl's. */
#include "daemon/net/http_hop.h"

#include "daemon/base/clock.h"
#include "daemon/net/http_easy.h"
#include "daemon/net/http_lean.h"

bool http_hop_redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool http_hop_is(const struct http_hop *hop, const char *method)
{
	return strcmp(hop->request->method ? hop->request->method : "GET", method) == 0;
}

static int by_libcurl(struct transfer *t, struct http_lane *lane)
{
	const struct http_rules *rules = t->hop->rules;
	CURLcode code = CURLE_FAILED_INIT;
	http_lane_drop(lane); /* what http_lean_run() has left */
	if (guard_apply(rules->guard, t->easy, t->hop->url, rules->proxy != NULL, &t->guard, &t->err) < 0) {
		t->failed = true;
	} else {
		http_easy_options(t);
		code = http_easy_drive(t, lane->multi);
	}
	bool answered = t->head_done && !t->failed && (code == CURLE_OK || t->enough);
	if (!answered)
		(void)http_easy_fail(t, code);
	(void)curl_multi_remove_handle(lane->multi, t->easy); /* a transfer that is not done loses its connection here */
	return answered ? 0 : -1;
}

int http_hop_run(const struct http_hop *hop, struct http_lane *lane, struct http_reply *r, struct err *err)
{
	struct transfer t = { .hop = hop, .reply = r, .easy = lane->easy, .progress_ns = clock_mono_ns() };
	int done = http_lean_can(hop) ? http_lean_run(&t, lane) : by_libcurl(&t, lane);
	return done < 0 ? transfer_put_err(&t, err) : 0;
}
