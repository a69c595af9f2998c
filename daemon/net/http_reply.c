/* http_reply.c - reads an answer's head and words its refusal. */
#include "daemon/net/http_reply.h"

#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/net/http_date.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

void http_reply_done(struct http_reply *r)
{
	buf_done(&r->headers);
	buf_done(&r->body);
	buf_done(&r->url);
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct slice){ s.p + 1, s.len - 1 };
	while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) && s.p[s.len - 1])
		s.len--;
	return s;
}

void http_headers(const struct http_reply *r, const struct slice *names, size_t count, struct slice *ret)
{
	struct slice rest = buf_slice(&r->headers);
	for (size_t i = 0; i < count; i++)
		ret[i] = (struct slice){ "", 0 };
	while (rest.len > 0) {
		const char *end = memchr(rest.p, '\n', rest.len);
		size_t line = end ? (size_t)(end - rest.p) + 1 : rest.len;
		for (size_t i = 0; i < count; i++) {
			size_t len = names[i].len;
			if (line > len && rest.p[len] == ':' && strncasecmp(rest.p, names[i].p, len) == 0)
				ret[i] = trim((struct slice){ rest.p + len + 1, line - len - 1 });
		}
		rest = (struct slice){ rest.p + line, rest.len - line };
	}
}

struct slice http_header(const struct http_reply *r, const char *name)
{
	struct slice wanted = slice_of(name);
	struct slice found;
	http_headers(r, &wanted, 1, &found);
	return found;
}

void http_reply_read_head(struct http_reply *r)
{
	static const struct slice names[] = { SLICE_LIT("Transfer-Encoding"), SLICE_LIT("Content-Length"), SLICE_LIT("Date"),
		SLICE_LIT("Retry-After") };
	enum { CODING, LENGTH, DATE, RETRY, NAMES };
	struct slice values[NAMES];
	int64_t now_ms = clock_wall_ms();
	uint64_t length;
	http_headers(r, names, NAMES, values);
	bool declared = values[CODING].len == 0 && text_u64(values[LENGTH], &length) == 0 && length <= INT64_MAX;
	r->length = declared ? (int64_t)length : -1;
	r->date_ms = http_date_ms(values[DATE], now_ms);
	/* A date in Retry-After is meant by the clock that wrote Date. */
	r->wait_ms = http_retry_after_ms(values[RETRY], r->date_ms ? r->date_ms : now_ms);
}

void http_reply_describe(const struct http_request *q, const struct http_reply *r, char *ret_text, size_t size)
{
	char label[URL_LABEL_MAX];
	const char *method = q->method ? q->method : "GET";
	url_label(q->url, label);
	if (r->url.len == 0) {
		(void)snprintf(ret_text, size, "%s %s", method, label);
		return;
	}
	char last[URL_LABEL_MAX];
	url_label(r->url.data, last);
	(void)snprintf(ret_text, size, "%s %.160s, redirected to %.160s", method, label, last);
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 416, "Range Not Satisfiable" }, { 425, "Too Early" }, { 429, "Too Many Requests" },
		{ 451, "Unavailable For Legal Reasons" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return status >= 300 && status < 400 ? "a redirect" : "";
}

int http_refused(const struct http_request *q, const struct http_reply *r, struct err *err)
{
	char what[448];
	bool again = r->status == 408 || r->status == 425 || r->status == 429 || (r->status >= 500 && r->status < 600);
	const char *why = reason(r->status);
	http_reply_describe(q, r, what, sizeof(what));
	(void)err_set(err, again ? ERR_RETRY : ERR_REJECT, 0, "%s: %d%s%s", what, r->status, *why ? " " : "", why);
	if (err && again) {
		err->sys = r->status == 429 || r->status == 503 ? EBUSY : 0;
		err->wait_ms = r->wait_ms;
	}
	return -1;
}
