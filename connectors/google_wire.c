/* google_wire.c - asks a token endpoint and says in words why it refused. */
#include "connectors/google_wire.h"

#include "connectors/google_credentials.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/net/http.h"

#include <inttypes.h>

#define ANSWER_MAX (256U << 10)
#define CONNECT_LOCAL_MS 3000U
#define TOTAL_MS 20000U
#define SKEW_MS 60000     /* a clock this far off is worth a word: signed assertions are refused from five minutes on */
#define WORD_MAX 40       /* bytes; longer ones may be keys or tokens that the server repeats */

CLEANUP_FN(struct http *, http_free)

void google_form(struct buf *to, const char *name, const char *value)
{
	if (to->len > 0)
		buf_char(to, '&');
	buf_str(to, name);
	buf_char(to, '=');
	text_percent(to, slice_of(value));
}

static bool is_this_host(const struct url *url)
{
	return strcmp(url->host, "localhost") == 0 ||
		(url->literal && (strncmp(url->host, "127.", 4) == 0 || strcmp(url->host, "::1") == 0));
}

/* A token over plain http could be read on its way. */
static int check_url(const struct google_question *q, struct err *err)
{
	struct url url;
	if (url_parse(q->url, &url, err) < 0) {
		err->class = ERR_RETRY;
		return err_wrap(err, "%s", q->what);
	}
	if (q->place == GOOGLE_ISSUER && !url.https && !is_this_host(&url))
		return err_set(err, ERR_RETRY, 0, "%s at %s must be https: credentials would go in the clear", q->what, url.host);
	return 0;
}

/* Printable, at most one line, without words that could be secrets. */
static void add_words(struct buf *to, const char *text)
{
	while (text && *text && to->len < 240) {
		size_t n = strcspn(text, " \t\r\n'\"=:");
		if (n > WORD_MAX)
			buf_str(to, "(hidden)");
		else
			text_printable(to, (struct slice){ text, n });
		text += n;
		if (*text)
			buf_char(to, *text == '\t' || *text == '\r' || *text == '\n' ? ' ' : *text);
		text += *text != '\0';
	}
}

/* RFC 6749: {"error": "invalid_grant", "error_description": "..."}; Google's APIs: {"error": {"status": ..., "message": ...}}. */
static void add_reason(struct buf *to, const struct http_reply *r)
{
	json_t *answer = json_loadb(r->body.data ? r->body.data : "", r->body.len, 0, NULL);
	const char *code = google_member(answer, "error"), *text = google_member(answer, "error_description");
	if (!code) {
		code = google_member(answer, "error.status");
		text = google_member(answer, "error.message");
	}
	if (code)
		add_words(to, code);
	if (code && text)
		buf_str(to, ": ");
	add_words(to, text);
	google_json_wipe(answer);
}

static int refused(const struct google_question *q, const struct http_reply *r, struct err *err)
{
	CLEANUP(buf_done) struct buf why = { 0 };
	char where[URL_LABEL_MAX];
	int64_t skew = r->date_ms ? clock_wall_ms() - r->date_ms : 0;
	url_label(q->url, where);
	add_reason(&why, r);
	if (skew > SKEW_MS || skew < -SKEW_MS)
		buf_printf(&why, "%sthis host's clock is %" PRId64 " s %s of the server's: set it, such as with systemd-timesyncd",
			why.len ? "; " : "", (skew > 0 ? skew : -skew) / 1000, skew > 0 ? "ahead" : "behind");
	(void)err_set(err, ERR_RETRY, 0, "%s %s answered %d%s%s", q->what, where, r->status, why.len ? ": " : "",
		why.len ? why.data : "");
	err->wait_ms = r->wait_ms;
	return -1;
}

static int send_one(struct http *http, const struct google_question *q, struct http_reply *r, struct err *err)
{
	static const char *const flavored[] = { "Metadata-Flavor: Google", NULL };
	struct http_request request = {
		.method = q->method ? q->method : q->body.p ? "POST" : "GET",
		.url = q->url,
		.headers = q->place == GOOGLE_METADATA_SERVER ? flavored : q->headers,
		.body = q->body,
		.limit = ANSWER_MAX,
		.total_ms = TOTAL_MS,
	};
	if (http_send(http, &request, r, err) < 0) {
		err->class = ERR_RETRY;
		return err_wrap(err, "%s", q->what);
	}
	if (r->status < 200 || r->status > 299)
		return refused(q, r, err);
	if (q->place == GOOGLE_METADATA_SERVER && !slice_eq(http_header(r, "Metadata-Flavor"), SLICE_LIT("Google")))
		return err_set(err, ERR_RETRY, 0, "%s is not Google's: its answer has no 'Metadata-Flavor: Google'", q->what);
	return 0;
}

int google_ask(const struct google_rules *rules, const struct google_question *q, struct buf *ret_body, struct err *err)
{
	bool local = q->place != GOOGLE_ISSUER;
	CLEANUP(guard_freep) struct guard *guard = guard_new();
	CLEANUP(http_freep) struct http *http = NULL;
	struct http_reply r = { 0 };
	if (check_url(q, err) < 0)
		return -1;
	if (guard_allow_endpoint(guard, q->url, err) < 0) {
		err->class = ERR_RETRY;
		return err_wrap(err, "%s", q->what);
	}
	http = http_new(&(struct http_rules){
		.guard = guard,
		.ca_file = local ? NULL : rules->ca_file,
		.proxy = local ? NULL : rules->proxy,
		.connect_ms = local ? CONNECT_LOCAL_MS : 0,
		.connections = 1,
		.stopping = rules->stopping,
	});
	int result = send_one(http, q, &r, err);
	if (result == 0) {
		*ret_body = r.body;
		r.body = (struct buf){ 0 };
	}
	buf_wipe(&r.body);
	http_reply_done(&r);
	return result;
}

json_t *google_answer(const char *what, struct slice body, struct err *err)
{
	json_t *answer = json_loadb(body.p ? body.p : "", body.len, 0, NULL);
	if (json_is_object(answer))
		return answer;
	google_json_wipe(answer);
	(void)err_set(err, ERR_RETRY, 0, "%s answered something that is no JSON object", what);
	return NULL;
}
