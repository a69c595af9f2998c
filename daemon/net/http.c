/* http.c - a request from its first hop to its last: redirects are followed here, where each can be judged. */
#include "daemon/net/http.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/version.h"
#include "daemon/net/http_hop.h"
#include "daemon/net/http_lane.h"
#include "daemon/net/http_reply.h"

#include <errno.h>
#include <strings.h>

#define DEFAULT_LIMIT (1U << 20)
#define DEFAULT_TOTAL_MS 60000U

struct http {
	struct http_rules rules; /* with the defaults filled in */
	struct http_pool pool;
};

static void start_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort(); /* only for want of memory: as mem.h */
}

struct http *http_new(const struct http_rules *rules)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, start_curl);
	struct http *h = mem_zero(1, sizeof(*h));
	struct http_rules *r = &h->rules;
	*r = *rules;
	r->user_agent = r->user_agent ? r->user_agent : "inlet/" INLET_VERSION;
	r->connect_ms = r->connect_ms ? r->connect_ms : 10000;
	r->idle_ms = r->idle_ms ? r->idle_ms : 30000;
	r->rate_min = r->rate_min ? r->rate_min : 1024;
	r->rate_ms = r->rate_ms ? r->rate_ms : 60000;
	r->connections = r->connections ? r->connections : 16;
	http_pool_init(&h->pool, r->connections);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	http_pool_done(&h->pool);
	free(h);
}

/* What may go to a place that the caller did not name. */
static bool is_harmless(const char *header)
{
	static const struct slice names[] = { SLICE_LIT("Accept:"), SLICE_LIT("Accept-"), SLICE_LIT("Range:"), SLICE_LIT("If-") };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncasecmp(header, names[i].p, names[i].len) == 0)
			return true;
	}
	return false;
}

static bool has_header(const struct http_request *q, const char *name)
{
	size_t len = strlen(name);
	for (const char *const *h = q->headers; h && *h; h++) {
		if (strncasecmp(*h, name, len) == 0 && (*h)[len] == ':')
			return true;
	}
	return false;
}

static int check_headers(const struct http_request *q, struct err *err)
{
	for (const char *const *h = q->headers; h && *h; h++) {
		if (!strpbrk(*h, "\r\n"))
			continue;
		(void)err_set(err, ERR_REJECT, 0, "a header '%.*s' has a line break in it", (int)strcspn(*h, ":\r\n"), *h);
		if (err)
			err->sys = EINVAL;
		return -1;
	}
	return 0;
}

#define OWN_HEADERS 2

static size_t count_headers(const struct http_request *q)
{
	size_t count = 0;
	while (q->headers && q->headers[count])
		count++;
	return count;
}

/* Links text, borrowed, behind what is in nodes. libcurl only reads it. */
static void append(struct curl_slist *nodes, size_t *count, const char *text)
{
	nodes[*count] = (struct curl_slist){ .data = (char *)(uintptr_t)text };
	if (*count > 0)
		nodes[*count - 1].next = &nodes[*count];
	++*count;
}

/* The list is in nodes and holds no copies: headers hold credentials. NULL: it is empty. Neither of the headers that libcurl adds
 * to a body: what it is only the caller knows, and nobody waits for "100 Continue". */
static struct curl_slist *header_list(const struct http_request *q, bool at_home, struct curl_slist *nodes)
{
	size_t count = 0;
	for (const char *const *h = q->headers; h && *h; h++) {
		if (at_home || is_harmless(*h))
			append(nodes, &count, *h);
	}
	if (q->body.p && !has_header(q, "Content-Type"))
		append(nodes, &count, "Content-Type:");
	if (q->body.p)
		append(nodes, &count, "Expect:");
	return count > 0 ? nodes : NULL;
}

static int run_hop(struct http *h, struct http_hop *hop, const struct url *url, bool at_home, struct http_reply *r, struct err *err)
{
	CLEANUP(freep) struct curl_slist *nodes = mem_alloc((count_headers(hop->request) + OWN_HEADERS) * sizeof(*nodes));
	struct http_lane *lane = http_pool_take(&h->pool, url);
	hop->at = url;
	hop->headers = header_list(hop->request, at_home, nodes);
	int done = http_hop_run(hop, lane, r, err);
	http_pool_give(&h->pool, lane);
	return done;
}

static int wrap(const struct http_request *q, const struct http_reply *r, struct err *err)
{
	char what[448];
	http_reply_describe(q, r, what, sizeof(what));
	return err_wrap(err, "%s", what);
}

static int fail(const struct http_request *q, const struct http_reply *r, int sys, const char *why, struct err *err)
{
	(void)err_set(err, ERR_REJECT, 0, "%s", why);
	if (err)
		err->sys = sys;
	return wrap(q, r, err);
}

/* Leaves only what belongs to no hop. */
static void forget_hop(struct http_reply *r)
{
	r->headers.len = r->body.len = 0;
	r->status = 0;
	r->bytes = 0;
	r->length = -1;
	r->wait_ms = 0;
	r->date_ms = 0;
}

/* 1: r leads to another place, which is now in r->url. */
static int next_hop(const struct http_request *q, bool follows, const char *from, struct http_reply *r, struct err *err)
{
	if (!follows || !http_hop_redirects(r->status))
		return 0;
	struct slice location = http_header(r, "Location");
	if (location.len == 0)
		return 0;
	CLEANUP(freep) char *to = url_resolve(from, location);
	if (!to)
		return fail(q, r, EINVAL, "redirected to what is not a URL", err);
	r->url.len = 0;
	buf_str(&r->url, to);
	forget_hop(r);
	return 1;
}

static int send_hops(struct http *h, const struct http_request *q, struct http_reply *r, struct err *err)
{
	struct url first;
	bool at_home = true;
	bool follows = h->rules.redirects > 0 && (!q->method || strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0);
	uint64_t total_ms = q->total_ms || q->sink ? q->total_ms : DEFAULT_TOTAL_MS;
	struct http_hop hop = {
		.rules = &h->rules, .request = q, .limit = q->limit ? q->limit : DEFAULT_LIMIT, .follows = follows,
		.deadline_ns = total_ms ? clock_mono_ns() + total_ms * NS_PER_MS : UINT64_MAX,
	};
	if (url_parse(q->url, &first, err) < 0)
		return wrap(q, r, err);
	if (check_headers(q, err) < 0)
		return -1;
	for (uint32_t hops = 0;; hops++) {
		struct url url = first;
		if (hops > 0 && url_parse(r->url.data, &url, err) < 0)
			return wrap(q, r, err);
		CLEANUP(freep) char *text = url_ascii(&url);
		/* For good: who is asked on the way back would be chosen by the other place. */
		at_home = at_home && url_same_origin(&first, &url);
		hop.url = text;
		if (run_hop(h, &hop, &url, at_home, r, err) < 0)
			return -1;
		int more = next_hop(q, follows, text, r, err);
		if (more <= 0)
			return more;
		if (hops == h->rules.redirects)
			return fail(q, r, ELOOP, "too many redirects", err);
	}
}

int http_send(struct http *h, const struct http_request *q, struct http_reply *ret, struct err *err)
{
	*ret = (struct http_reply){ .length = -1 };
	return send_hops(h, q, ret, err);
}
