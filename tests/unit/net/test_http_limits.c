/* test_http_limits.c - servers that are slow, endless, cut off or lying: every request ends, for the reason that is true, and no
 * error tells a secret. */
#include "daemon/net/http.h"

#include "tests/unit/net/http_fixture.h"

#define SECRET "/path?token=s3cr3t"

static char block[16384]; /* filled by main() */

static void repeat(struct peer *p, const char *text)
{
	while (!atomic_load(&p->server->stopping) && peer_say(p, text))
		;
}

static void wait_a_little(void)
{
	const struct timespec moment = { 1, 700000000 }; /* until the sink is back, see linger() */
	(void)nanosleep(&moment, NULL);
}

/* Every way to misbehave has a name. */
static bool misbehave(struct peer *p, const char *path)
{
	const char *how = p->server->arg;
	(void)path;
	if (strcmp(how, "silent") == 0)
		peer_wait(p);
	else if (strcmp(how, "drip") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
		peer_drip(p, "x");
	else if (strcmp(how, "drip of headers") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\nX: "))
		peer_drip(p, "x");
	else if (strcmp(how, "stall") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
		peer_wait(p);
	else if (strcmp(how, "pieces") == 0)
		(void)(peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc") && (wait_a_little(), peer_say(p, "def")));
	else if (strcmp(how, "endless") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\n\r\n"))
		repeat(p, block);
	else if (strcmp(how, "endless chunk") == 0 &&
		 peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"))
		repeat(p, block);
	else if (strcmp(how, "endless refusal") == 0 && peer_say(p, "HTTP/1.1 500 No\r\n\r\n"))
		repeat(p, block);
	else if (strcmp(how, "endless redirect") == 0 && peer_say(p, "HTTP/1.1 302 No\r\nLocation: /x\r\n\r\n"))
		repeat(p, block);
	else if (strcmp(how, "endless interim") == 0)
		repeat(p, "HTTP/1.1 100 Continue\r\n\r\n");
	else if (strcmp(how, "many headers") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\n"))
		repeat(p, "X-Header: of some length\r\n");
	else if (strcmp(how, "long header") == 0 && peer_say(p, "HTTP/1.1 200 OK\r\nX: "))
		repeat(p, block);
	else if (strcmp(how, "large") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n");
	else if (strcmp(how, "short") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
	else if (strcmp(how, "cut chunk") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nab");
	else if (strcmp(how, "no last chunk") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
	else if (strcmp(how, "broken chunk") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n");
	else if (strcmp(how, "nothing") == 0)
		return false;
	else if (strcmp(how, "half a head") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nContent-Len");
	else if (strcmp(how, "no http") == 0)
		(void)peer_say(p, "<html>hello</html>\r\n\r\n");
	else if (strcmp(how, "negative") == 0)
		(void)peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc");
	return false;
}

/* What came of a request to a server that misbehaves so. */
static int ask(struct fixture *f, const char *how, struct http_reply *r)
{
	f->server.arg = (void *)(uintptr_t)how;
	int done = get(f, SECRET, r);
	if (done < 0 && strstr(f->err.text, "s3cr3t"))
		fail_msg("tells the secret: %s", f->err.text);
	return done;
}

static void refused(struct fixture *f, const char *how, enum err_class class, int sys, uint64_t bytes)
{
	CLEANUP(http_reply_done) struct http_reply r;
	int done = ask(f, how, &r);
	if (done != -1 || f->err.class != class || f->err.sys != sys || r.bytes != bytes)
		fail_msg("%s: %d, %s, %d, %llu bytes: %s", how, done, err_class_name(f->err.class), f->err.sys,
			(unsigned long long)r.bytes, f->err.text);
}

static void test_time_is_limited(void **state)
{
	struct fixture *f = *state;
	f->rules.idle_ms = 1000;
	renew(f);
	refused(f, "silent", ERR_RETRY, ETIMEDOUT, 0);
	refused(f, "stall", ERR_RETRY, ETIMEDOUT, 3);
}

static void test_rate_is_limited(void **state)
{
	struct fixture *f = *state;
	CLEANUP(http_reply_done) struct http_reply r;
	f->rules.rate_ms = 300;
	renew(f);
	refused(f, "drip of headers", ERR_RETRY, ETIMEDOUT, 0);
	assert_int_equal(ask(f, "drip", &r), -1);
	assert_int_equal(f->err.sys, ETIMEDOUT);
	assert_true(r.bytes > 0);
	assert_non_null(strstr(f->err.text, "too slow"));
}

static int linger(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	const struct timespec long_time = { 1, 500000000 };
	size_t *taken = arg;
	(void)p;
	(void)err;
	if (*taken == 0)
		(void)nanosleep(&long_time, NULL);
	*taken += n;
	return 0;
}

/* What a full disk or a full queue costs is not the server's fault. */
static void test_the_sinks_time_is_its_own(void **state)
{
	struct fixture *f = *state;
	size_t taken = 0;
	f->rules.idle_ms = 1000;
	f->rules.rate_ms = 1000;
	renew(f);
	f->server.arg = (void *)(uintptr_t) "pieces";
	CLEANUP(freep) char *url = url_of(&f->server, SECRET);
	CLEANUP(http_reply_done) struct http_reply r;
	struct http_request q = { .url = url, .sink = linger, .arg = &taken };
	if (http_send(f->http, &q, &r, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(taken, 6);
}

static void test_the_whole_is_limited(void **state)
{
	struct fixture *f = *state;
	f->server.arg = (void *)(uintptr_t) "drip";
	CLEANUP(freep) char *url = url_of(&f->server, SECRET);
	CLEANUP(http_reply_done) struct http_reply r;
	struct http_request q = { .url = url, .total_ms = 250 };
	assert_int_equal(http_send(f->http, &q, &r, &f->err), -1);
	assert_int_equal(f->err.sys, ETIMEDOUT);
}

static void test_size_is_limited(void **state)
{
	struct fixture *f = *state;
	CLEANUP(http_reply_done) struct http_reply r;
	CLEANUP(http_reply_done) struct http_reply r2;
	refused(f, "large", ERR_REJECT, EFBIG, 0); /* before a byte of it came */
	assert_int_equal(ask(f, "endless", &r), -1);
	assert_int_equal(f->err.sys, EFBIG);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(ask(f, "endless chunk", &r2), -1);
	assert_int_equal(f->err.sys, EFBIG);
}

static void test_refusals_are_cut(void **state)
{
	struct fixture *f = *state;
	CLEANUP(http_reply_done) struct http_reply r;
	assert_int_equal(ask(f, "endless refusal", &r), 0);
	assert_int_equal(r.status, 500);
	assert_int_equal(r.body.len, 65536);
	refused(f, "endless redirect", ERR_REJECT, ELOOP, 0);
}

static void test_heads_are_limited(void **state)
{
	struct fixture *f = *state;
	refused(f, "many headers", ERR_RETRY, EPROTO, 0);
	refused(f, "endless interim", ERR_RETRY, EPROTO, 0);
	CLEANUP(http_reply_done) struct http_reply r;
	assert_int_equal(ask(f, "long header", &r), -1); /* libcurl's own limit, or ours */
	assert_int_equal(f->err.class, ERR_RETRY);
}

static void test_what_broke_off_is_no_answer(void **state)
{
	struct fixture *f = *state;
	refused(f, "short", ERR_RETRY, EPIPE, 3);
	refused(f, "cut chunk", ERR_RETRY, EPIPE, 7);
	refused(f, "no last chunk", ERR_RETRY, EPIPE, 5);
	refused(f, "broken chunk", ERR_RETRY, EPIPE, 0);
	refused(f, "nothing", ERR_RETRY, EPIPE, 0);
	refused(f, "half a head", ERR_RETRY, EPIPE, 0);
	refused(f, "no http", ERR_RETRY, EPROTO, 0);
	refused(f, "negative", ERR_RETRY, EPROTO, 0);
}

static void test_nobody_listens(void **state)
{
	struct fixture *f = *state;
	uint16_t port = f->other.port;
	CLEANUP(freep) char *url = mem_printf("http://127.0.0.1:%u" SECRET, port);
	(void)shutdown(f->other.listener, SHUT_RDWR); /* the port stays ours: nobody else gets it */
	CLEANUP(http_reply_done) struct http_reply r;
	assert_int_equal(http_send(f->http, &(struct http_request){ .url = url }, &r, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, ECONNREFUSED);
}

static void *stop_soon(void *arg)
{
	struct fixture *f = arg;
	while (atomic_load(&f->server.requests) == 0)
		(void)sched_yield();
	atomic_store((atomic_bool *)(uintptr_t)f->rules.stopping, true);
	return NULL;
}

static void test_stopping_ends_it(void **state)
{
	struct fixture *f = *state;
	atomic_bool stopping = false;
	pthread_t stopper;
	f->rules.stopping = &stopping;
	renew(f);
	(void)pthread_create(&stopper, NULL, stop_soon, f);
	refused(f, "silent", ERR_RETRY, ECANCELED, 0);
	(void)pthread_join(stopper, NULL);
	refused(f, "silent", ERR_RETRY, ECANCELED, 0);
}

/* A connection that broke is not used again: the same client goes on. */
static void test_the_next_request_is_well(void **state)
{
	struct fixture *f = *state;
	static const char *const ways[] = { "short", "cut chunk", "endless", "many headers", "endless refusal", "nothing" };
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		CLEANUP(http_reply_done) struct http_reply r;
		CLEANUP(http_reply_done) struct http_reply r2;
		(void)ask(f, ways[i], &r);
		f->other.arg = (void *)(uintptr_t) "large";
		CLEANUP(freep) char *url = url_of(&f->other, "/");
		struct http_request q = { .url = url, .method = "HEAD" };
		assert_int_equal(http_send(f->http, &q, &r2, &f->err), 0);
		assert_int_equal(r2.length, 2000000);
	}
}

int main(void)
{
	FIXTURE_SCRIPT = misbehave;
	memset(block, 'x', sizeof(block) - 1);
	const struct CMUnitTest tests[] = {
		TEST(test_time_is_limited), TEST(test_rate_is_limited), TEST(test_the_sinks_time_is_its_own), TEST(test_the_whole_is_limited), TEST(test_size_is_limited),
		TEST(test_refusals_are_cut), TEST(test_heads_are_limited), TEST(test_what_broke_off_is_no_answer),
		TEST(test_nobody_listens), TEST(test_stopping_ends_it), TEST(test_the_next_request_is_well),
	};
	return fixture_run("http_limits", tests, sizeof(tests) / sizeof(tests[0]));
}
