/* test_http.c - requests against real servers on loopback: what is sent, what is followed, reused and refused, and where it
 * ends. Limits and hostile answers: test_http_limits.c; names that change and TLS: test_http_trust.c. */
#include "daemon/net/http.h"

#include "tests/unit/net/http_fixture.h"

static bool answer(struct peer *p, const char *path)
{
	char extra[512] = "";
	if (strncmp(path, "/to?", 4) == 0) { /* "/to?302,URL" */
		char status[32];
		(void)snprintf(status, sizeof(status), "%.3s There", path + 4);
		(void)snprintf(extra, sizeof(extra), "Location: %s\r\n", path + 8);
		return peer_answer(p, status, extra, "moved");
	}
	if (strcmp(path, "/again") == 0)
		return peer_answer(p, "302 Found", "Location: /again\r\n", "");
	if (strcmp(path, "/interim") == 0)
		return peer_say(p, "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n") && peer_answer(p, "200 OK", "", "done");
	if (strcmp(path, "/trailer") == 0)
		return peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: head\r\n\r\n"
			"3\r\nabc\r\n0\r\nX-A: trailer\r\n\r\n");
	if (strcmp(path, "/leave") == 0)
		return peer_answer(p, "200 OK", "", "gone") && false;
	if (strcmp(path, "/busy") == 0)
		return peer_answer(p, "503 Nope", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n", "later");
	return peer_answer(p, "200 OK", "X-Twice: one\r\nx-twice:  two \t\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", path);
}

static void test_an_answer_is_whole(void **state)
{
	struct fixture *f = *state;
	CLEANUP(http_reply_done) struct http_reply r;
	assert_int_equal(get(f, "/a/../b//c?x=%2e&y", &r), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.data, "/a/../b//c?x=%2e&y"); /* as written */
	assert_int_equal(r.length, 18);
	assert_int_equal(r.bytes, 18);
	assert_true(slice_eq(http_header(&r, "X-TWICE"), SLICE_LIT("two")));
	assert_int_equal(http_header(&r, "X-Twic").len, 0);
	assert_int_equal(r.date_ms, 784111777000);
	assert_int_equal(r.url.len, 0);
	assert_true(server_saw(&f->server, "User-Agent: inlet/"));
	assert_false(server_saw(&f->server, "Accept-Encoding"));
}

static void test_interim_answers_and_trailers_are_not_the_answer(void **state)
{
	struct fixture *f = *state;
	struct http_reply r;
	assert_int_equal(get(f, "/interim", &r), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(http_header(&r, "Link").len, 0);
	http_reply_done(&r);
	assert_int_equal(get(f, "/trailer", &r), 0);
	assert_true(slice_eq(http_header(&r, "X-A"), SLICE_LIT("head")));
	assert_int_equal(r.length, -1);
	assert_string_equal(r.body.data, "abc");
	http_reply_done(&r);
}

static void test_bodies_go_out_as_they_are(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = { "Authorization: Bearer t", NULL };
	const struct {
		const char *method, *line;
		struct slice body;
	} rows[] = {
		{ "POST", "POST /x HTTP/1.1\r\n", SLICE_LIT("a=b") },
		{ "PUT", "PUT /x HTTP/1.1\r\n", SLICE_LIT("") },
		{ "PATCH", "PATCH /x HTTP/1.1\r\n", SLICE_LIT("0123456789") },
		{ "HEAD", "HEAD /x HTTP/1.1\r\n", { NULL, 0 } },
		{ "DELETE", "DELETE /x HTTP/1.1\r\n", { NULL, 0 } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		CLEANUP(freep) char *url = url_of(&f->server, "/x");
		char length[64];
		struct http_request q = { .method = rows[i].method, .url = url, .body = rows[i].body, .headers = headers };
		assert_int_equal(http_send(f->http, &q, &r, &f->err), 0);
		(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", rows[i].body.len);
		assert_true(server_saw(&f->server, rows[i].line));
		assert_true(server_saw(&f->server, "Authorization: Bearer t\r\n"));
		assert_int_equal(server_saw(&f->server, length), rows[i].body.p != NULL);
		assert_false(server_saw(&f->server, "Content-Type"));
		assert_false(server_saw(&f->server, "Expect"));
		assert_int_equal(r.body.len, strcmp(rows[i].method, "HEAD") == 0 ? 0 : 2);
		assert_int_equal(r.length, 2);
	}
	static const char *const split[] = { "X: y\r\nHost: elsewhere", NULL };
	CLEANUP(http_reply_done) struct http_reply r;
	struct http_request q = { .url = "http://127.0.0.1/", .headers = split };
	assert_int_equal(http_send(f->http, &q, &r, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
}

static void test_connections_are_kept(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 20; i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		assert_int_equal(get(f, i % 2 ? "/busy" : "/x", &r), 0);
		CLEANUP(freep) char *other = url_of(&f->other, "/y");
		CLEANUP(http_reply_done) struct http_reply r2;
		assert_int_equal(http_send(f->http, &(struct http_request){ .url = other }, &r2, &f->err), 0);
	}
	assert_int_equal(server_connections(&f->server), 1);
	assert_int_equal(server_connections(&f->other), 1);
}

static void test_connections_are_bounded(void **state)
{
	struct fixture *f = *state;
	f->rules.connections = 1;
	renew(f);
	for (int i = 0; i < 3; i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		CLEANUP(http_reply_done) struct http_reply r2;
		CLEANUP(freep) char *other = url_of(&f->other, "/y");
		assert_int_equal(get(f, "/x", &r), 0);
		assert_int_equal(http_send(f->http, &(struct http_request){ .url = other }, &r2, &f->err), 0);
	}
	/* One is closed for the other each time; which one, libcurl decides where both were used within a millisecond. */
	assert_true(server_connections(&f->server) + server_connections(&f->other) >= 4);
}

static void *many(void *arg)
{
	struct fixture *f = arg;
	for (int i = 0; i < 25; i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		CLEANUP(freep) char *url = url_of(&f->server, "/x");
		struct err err;
		assert_int_equal(http_send(f->http, &(struct http_request){ .url = url }, &r, &err), 0);
	}
	return NULL;
}

static void test_threads_share_a_client(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		(void)pthread_create(&threads[i], NULL, many, f);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&f->server.requests), 200);
	assert_true(server_connections(&f->server) <= 8);
}

static void test_redirects_are_followed(void **state)
{
	struct fixture *f = *state;
	static const char *const statuses[] = { "301", "302", "303", "307", "308" };
	for (size_t i = 0; i < 5; i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		CLEANUP(freep) char *path = mem_printf("/to?%s,/there?q", statuses[i]);
		CLEANUP(freep) char *end = url_of(&f->server, "/there?q");
		assert_int_equal(get(f, path, &r), 0);
		assert_string_equal(r.body.data, "/there?q");
		assert_string_equal(r.url.data, end);
	}
	CLEANUP(http_reply_done) struct http_reply r;
	assert_int_equal(get(f, "/again", &r), -1);
	assert_int_equal(f->err.sys, ELOOP);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(atomic_load(&f->server.requests), 10 + 6);
}

static void test_redirects_that_are_answers(void **state)
{
	struct fixture *f = *state;
	struct http_reply r;
	CLEANUP(freep) char *url = url_of(&f->server, "/to?307,/there");
	struct http_request q = { .method = "POST", .url = url, .body = SLICE_LIT("x") };
	assert_int_equal(http_send(f->http, &q, &r, &f->err), 0);
	assert_int_equal(r.status, 307);
	http_reply_done(&r);
	assert_int_equal(get(f, "/to?304,/there", &r), 0);
	assert_int_equal(r.status, 304);
	http_reply_done(&r);
	f->rules.redirects = 0;
	renew(f);
	assert_int_equal(get(f, "/to?302,/there", &r), 0);
	assert_int_equal(r.status, 302);
	assert_string_equal(r.body.data, "moved");
	assert_int_equal(http_refused(&q, &r, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	http_reply_done(&r);
}

static void test_secrets_stay_at_home(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = { "Authorization: Bearer t", "X-Api-Key: t", "cookie: t", "Range: bytes=1-",
		"if-match: \"e\"", "Accept: image/*", NULL };
	CLEANUP(freep) char *home = url_of(&f->server, "/last");
	CLEANUP(freep) char *path = mem_printf("/to?302,%s", home);
	CLEANUP(freep) char *away = url_of(&f->other, path);
	CLEANUP(freep) char *first = mem_printf("/to?302,%s", away);
	CLEANUP(freep) char *url = url_of(&f->server, first);
	CLEANUP(http_reply_done) struct http_reply r;
	struct http_request q = { .url = url, .headers = headers };
	assert_int_equal(http_send(f->http, &q, &r, &f->err), 0);
	assert_string_equal(r.body.data, "/last");
	struct server *both[] = { &f->other, &f->server }; /* also the way back was chosen by the other one */
	for (int i = 0; i < 2; i++) {
		assert_false(server_saw(both[i], ": Bearer"));
		assert_false(server_saw(both[i], ": t"));
		assert_true(server_saw(both[i], "Range: bytes=1-"));
		assert_true(server_saw(both[i], "if-match: \"e\""));
		assert_true(server_saw(both[i], "Accept: image/*"));
	}
}

static int count_heads(void *arg, const struct http_reply *r, struct err *err)
{
	struct fixture *f = arg;
	f->heads++;
	f->head_status = r->status;
	return f->refuse_head ? err_set(err, ERR_FATAL, EIO, "head says no") : 0;
}

static int take(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct fixture *f = arg;
	buf_add(&f->taken, p, n);
	return f->refuse_body ? err_set(err, ERR_RETRY, ENOSPC, "sink says no") : 0;
}

static void test_a_sink_gets_the_last_hop(void **state)
{
	struct fixture *f = *state;
	struct http_reply r;
	CLEANUP(freep) char *url = url_of(&f->server, "/to?301,/there");
	CLEANUP(freep) char *busy = url_of(&f->server, "/to?301,/busy");
	struct http_request q = { .url = url, .head = count_heads, .sink = take, .arg = f };
	assert_int_equal(http_send(f->http, &q, &r, &f->err), 0);
	assert_int_equal(f->heads, 1);
	assert_int_equal(f->head_status, 200);
	assert_string_equal(f->taken.data, "/there");
	assert_int_equal(r.body.len, 0);
	http_reply_done(&r);
	q.url = busy;
	assert_int_equal(http_send(f->http, &q, &r, &f->err), 0);
	assert_int_equal(f->heads, 2);
	assert_string_equal(f->taken.data, "/there");
	assert_string_equal(r.body.data, "later");
	assert_int_equal(r.wait_ms, 10000);
	assert_int_equal(http_refused(&q, &r, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, EBUSY);
	assert_int_equal(f->err.wait_ms, 10000);
	assert_non_null(strstr(f->err.text, "503 Service Unavailable"));
	http_reply_done(&r);
}

static void test_what_callbacks_say_is_passed_on(void **state)
{
	struct fixture *f = *state;
	struct http_reply r;
	CLEANUP(freep) char *url = url_of(&f->server, "/x");
	struct http_request q = { .url = url, .head = count_heads, .sink = take, .arg = f };
	f->refuse_body = true;
	assert_int_equal(http_send(f->http, &q, &r, &f->err), -1);
	assert_string_equal(f->err.text, "sink says no: No space left on device");
	assert_int_equal(f->err.sys, ENOSPC);
	http_reply_done(&r);
	f->refuse_head = true;
	assert_int_equal(http_send(f->http, &q, &r, &f->err), -1);
	assert_string_equal(f->err.text, "head says no: Input/output error");
	assert_int_equal(f->err.class, ERR_FATAL);
	assert_string_equal(f->taken.data, "/x"); /* of the first request */
	http_reply_done(&r);
}

static void test_the_environment_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct http_reply r;
	static const char *const names[] = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" };
	for (size_t i = 0; i < 4; i++)
		(void)setenv(names[i], "http://127.0.0.1:1/", 1);
	int done = get(f, "/x", &r);
	for (size_t i = 0; i < 4; i++)
		(void)unsetenv(names[i]);
	assert_int_equal(done, 0);
	http_reply_done(&r);
	CLEANUP(freep) char *proxy = url_of(&f->server, "");
	f->rules.proxy = proxy;
	renew(f);
	(void)setenv("no_proxy", "*", 1);
	done = http_send(f->http, &(struct http_request){ .url = "http://nowhere.test/a" }, &r, &f->err);
	(void)unsetenv("no_proxy");
	assert_int_equal(done, 0);
	assert_string_equal(r.body.data, "http://nowhere.test/a"); /* the proxy resolves it */
	http_reply_done(&r);
	done = http_send(f->http, &(struct http_request){ .url = "http://10.0.0.1/a" }, &r, &f->err);
	assert_int_equal(done, -1);
	assert_int_equal(f->err.sys, EACCES);
	http_reply_done(&r);
}

/* Servers close idle connections when they like: the request that finds out is sent again on a new one. */
static void test_a_kept_connection_that_died(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		assert_int_equal(get(f, "/leave", &r), 0);
		assert_string_equal(r.body.data, "gone");
	}
	assert_int_equal(server_connections(&f->server), 5);
}

int main(void)
{
	FIXTURE_SCRIPT = answer;
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_is_whole), TEST(test_interim_answers_and_trailers_are_not_the_answer),
		TEST(test_bodies_go_out_as_they_are), TEST(test_connections_are_kept), TEST(test_connections_are_bounded),
		TEST(test_threads_share_a_client), TEST(test_redirects_are_followed), TEST(test_redirects_that_are_answers),
		TEST(test_secrets_stay_at_home), TEST(test_a_sink_gets_the_last_hop), TEST(test_what_callbacks_say_is_passed_on),
		TEST(test_the_environment_is_ignored), TEST(test_a_kept_connection_that_died),
	};
	return fixture_run("http", tests, sizeof(tests) / sizeof(tests[0]));
}
