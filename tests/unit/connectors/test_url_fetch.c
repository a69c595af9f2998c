/* test_url_fetch.c - URLs from real servers into a sink: versions, resumption, hosts that ask for less, servers that lie. */
#include "connectors/url_fetch.h"

#include "tests/unit/net/http_fixture.h"

#define WHOLE "0123456789"

/* A sink that gives room in odd pieces and may be full. */
struct collected {
	struct sink sink;
	char bytes[256];
	size_t len, limit;
};

static uint8_t *space(struct sink *sink, size_t *ret_space, struct err *err)
{
	struct collected *c = (struct collected *)sink;
	if (c->len >= c->limit) {
		(void)err_set(err, ERR_REJECT, 0, "the sink is full");
		return NULL;
	}
	*ret_space = c->limit - c->len < 3 ? c->limit - c->len : 3;
	return (uint8_t *)c->bytes + c->len;
}

static int wrote(struct sink *sink, size_t n, struct err *err)
{
	(void)err;
	((struct collected *)sink)->len += n;
	return 0;
}

static const struct sink_ops ops = { space, wrote };

static atomic_int inside, most_inside;
static atomic_uint round_trips; /* of one test: the script answers by how often it was asked */

static bool break_off(struct peer *p, const char *etag)
{
	char head[256];
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Length: 10\r\n\r\n0123", etag);
	return peer_say(p, head) && false;
}

static bool answer_again(struct peer *p, const char *path)
{
	if (strcmp(path, "/breaks") == 0)
		return peer_answer(p, "206 Partial Content", "ETag: \"v1\"\r\nContent-Range: bytes 4-9/10\r\n", "456789");
	if (strcmp(path, "/breaks/whole") == 0)
		return peer_answer(p, "200 OK", "ETag: \"v1\"\r\n", WHOLE);
	if (strcmp(path, "/breaks/changed") == 0)
		return peer_answer(p, "200 OK", "ETag: \"v2\"\r\n", "abcdefghij");
	if (strcmp(path, "/breaks/other") == 0)
		return peer_answer(p, "206 Partial Content", "ETag: \"v2\"\r\nContent-Range: bytes 4-9/10\r\n", "456789");
	if (strcmp(path, "/breaks/elsewhere") == 0)
		return peer_answer(p, "206 Partial Content", "ETag: \"v1\"\r\nContent-Range: bytes 3-9/10\r\n", "3456789");
	if (strcmp(path, "/breaks/longer") == 0)
		return peer_answer(p, "206 Partial Content", "ETag: \"v1\"\r\nContent-Range: bytes 4-10/11\r\n", "4567890");
	if (strcmp(path, "/breaks/gone") == 0)
		return peer_answer(p, "416 Range Not Satisfiable", "Content-Range: bytes */2\r\n", "");
	return peer_answer(p, "404 Not Found", "", "");
}

static bool be_busy(struct peer *p)
{
	const struct timespec a_moment = { .tv_nsec = 5000000 };
	int now = atomic_fetch_add(&inside, 1) + 1;
	int most = atomic_load(&most_inside);
	while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
		;
	(void)nanosleep(&a_moment, NULL);
	atomic_fetch_sub(&inside, 1);
	return peer_answer(p, "200 OK", "", WHOLE);
}

static bool answer(struct peer *p, const char *path)
{
	unsigned int earlier = atomic_fetch_add(&round_trips, 1);
	if (strncmp(path, "/breaks", 7) == 0)
		return earlier == 0 ? break_off(p, "\"v1\"") : answer_again(p, path);
	if (strcmp(path, "/weak") == 0)
		return break_off(p, "W/\"v1\"");
	if (strcmp(path, "/crumbs") == 0) {
		char head[256];
		unsigned int at = earlier % 10;
		(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nETag: \"v\"\r\nContent-Range: bytes %u-9/10\r\n"
			"Content-Length: %u\r\n\r\n%c", at ? "206 Part" : "200 OK", at, 10 - at, WHOLE[at]);
		return peer_say(p, head) && false;
	}
	if (strcmp(path, "/etag") == 0)
		return strstr(p->request, "\r\nIf-None-Match: \"v1\"\r\n") ? peer_answer(p, "304 Not Modified", "", "")
			: peer_answer(p, "200 OK", "ETag: \"v1\"\r\nContent-Type: text/html\r\n", WHOLE);
	if (strcmp(path, "/date") == 0)
		return strstr(p->request, "\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
			? peer_answer(p, "304 Not Modified", "", "")
			: peer_answer(p, "200 OK", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", WHOLE);
	if (strcmp(path, "/deaf") == 0) /* to conditions */
		return peer_say(p, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 1000000000\r\n\r\n") && (peer_drip(p, "x"), false);
	if (strcmp(path, "/pause") == 0)
		return peer_answer(p, "429 Slow Down", "Retry-After: 100\r\n", "");
	if (strcmp(path, "/part") == 0)
		return peer_answer(p, "206 Unasked", "Content-Range: bytes 0-9/20\r\n", WHOLE);
	if (strcmp(path, "/nothing") == 0)
		return peer_say(p, "HTTP/1.1 204 No Content\r\n\r\n");
	if (strncmp(path, "/forbidden", 10) == 0)
		return peer_answer(p, "403 Forbidden", "", "<Error/>");
	if (strcmp(path, "/busy") == 0)
		return be_busy(p);
	return peer_answer(p, "200 OK", "", WHOLE);
}

struct urls {
	struct fixture *http;
	struct url_fetch *fetch;
	struct collected to;
	struct object seen;
	struct err err;
};

static int setup(void **state)
{
	static struct urls u;
	memset(&u, 0, sizeof(u));
	atomic_store(&round_trips, 0);
	if (fixture_setup((void **)&u.http) < 0)
		return -1;
	u.http->rules.redirects = 0;
	u.fetch = url_fetch_new(&u.http->rules, 2);
	u.to = (struct collected){ .sink = { &ops }, .limit = sizeof(u.to.bytes) };
	*state = &u;
	return 0;
}

static int teardown(void **state)
{
	struct urls *u = *state;
	url_fetch_free(u->fetch);
	return fixture_teardown((void **)&u->http);
}

static int fetch(struct urls *u, const char *path, const char *version)
{
	CLEANUP(freep) char *url = url_of(&u->http->server, path);
	u->to.len = 0;
	u->err = (struct err){ 0 };
	return url_fetch_get(u->fetch, url, version, &u->to.sink, &u->seen, &u->err);
}

static void assert_whole(struct urls *u)
{
	assert_int_equal(u->to.len, 10);
	assert_memory_equal(u->to.bytes, WHOLE, 10);
	assert_int_equal(u->seen.bytes, 10);
}

static void test_versions(void **state)
{
	struct urls *u = *state;
	const struct {
		const char *path, *token;
	} rows[] = { { "/etag", "etag:\"v1\"" }, { "/date", "date:Sun, 06 Nov 1994 08:49:37 GMT;10" } };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fetch(u, rows[i].path, NULL), 0);
		assert_whole(u);
		assert_true(slice_eq(u->seen.version, slice_of(rows[i].token)));
		assert_int_equal(fetch(u, rows[i].path, rows[i].token), 1);
		assert_int_equal(u->to.len, 0);
		assert_true(slice_eq(u->seen.version, slice_of(rows[i].token)));
	}
	assert_int_equal(fetch(u, "/etag", "etag:\"v0\""), 0);
	assert_whole(u);
	assert_int_equal(fetch(u, "/deaf", "etag:\"v1\""), 1); /* without waiting for what is known */
	assert_int_equal(u->to.len, 0);
	assert_int_equal(fetch(u, "/plain", ""), 0);
	assert_int_equal(u->seen.version.len, 0);
	assert_whole(u);
}

static void test_what_breaks_off_goes_on(void **state)
{
	struct urls *u = *state;
	assert_int_equal(fetch(u, "/breaks", NULL), 0);
	assert_whole(u);
	assert_true(server_saw(&u->http->server, "\r\nRange: bytes=4-\r\n"));
	assert_true(server_saw(&u->http->server, "\r\nIf-Range: \"v1\"\r\n"));
	atomic_store(&round_trips, 0);
	assert_int_equal(fetch(u, "/breaks/whole", NULL), 0); /* takes no ranges: the first bytes are passed over */
	assert_whole(u);
	assert_int_equal(atomic_load(&round_trips), 2);
}

static void test_two_versions_are_never_mixed(void **state)
{
	struct urls *u = *state;
	static const char *const paths[] = { "/breaks/changed", "/breaks/other", "/breaks/elsewhere", "/breaks/longer", "/breaks/gone" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		atomic_store(&round_trips, 0);
		if (fetch(u, paths[i], NULL) != -1 || u->err.class != ERR_RETRY || u->err.sys != FETCH_CHANGED)
			fail_msg("%s: %d %s", paths[i], u->err.sys, u->err.text);
		assert_int_equal(u->to.len, 4);
	}
	atomic_store(&round_trips, 0);
	assert_int_equal(fetch(u, "/weak", NULL), -1);
	assert_int_equal(u->err.sys, EPIPE);
	assert_int_equal(atomic_load(&round_trips), 1);
}

static void test_resumptions_end(void **state)
{
	struct urls *u = *state;
	assert_int_equal(fetch(u, "/crumbs", NULL), -1);
	assert_int_equal(u->err.sys, EPIPE);
	assert_int_equal(atomic_load(&round_trips), 1 + URL_RESUMES);
}

static void test_refusals(void **state)
{
	struct urls *u = *state;
	assert_int_equal(fetch(u, "/forbidden?X-Amz-Signature=s3cr3t", NULL), -1);
	assert_int_equal(u->err.class, ERR_REJECT);
	assert_non_null(strstr(u->err.text, "expired"));
	assert_null(strstr(u->err.text, "s3cr3t"));
	assert_int_equal(fetch(u, "/forbidden", NULL), -1);
	assert_null(strstr(u->err.text, "expired"));
	assert_int_equal(fetch(u, "/part", NULL), -1);
	assert_int_equal(u->err.class, ERR_REJECT);
	assert_int_equal(fetch(u, "/nothing", NULL), -1);
	assert_int_equal(u->err.class, ERR_REJECT);
	assert_int_equal(u->to.len, 0);
	u->to.limit = 7;
	assert_int_equal(fetch(u, "/plain", NULL), -1);
	assert_string_equal(u->err.text, "the sink is full");
	assert_int_equal(u->err.class, ERR_REJECT);
	assert_int_equal(url_fetch_get(u->fetch, "file:///etc/passwd", NULL, &u->to.sink, &u->seen, &u->err), -1);
	assert_int_equal(u->err.class, ERR_REJECT);
}

static void test_a_host_that_asks_for_less(void **state)
{
	struct urls *u = *state;
	CLEANUP(freep) char *other = url_of(&u->http->other, "/plain");
	assert_int_equal(fetch(u, "/pause", NULL), -1);
	assert_int_equal(u->err.class, ERR_RETRY);
	assert_int_equal(u->err.sys, EAGAIN);
	assert_int_equal(u->err.wait_ms, 100000);
	assert_int_equal(fetch(u, "/plain", NULL), -1); /* is not even asked */
	assert_int_equal(u->err.sys, EAGAIN);
	assert_true(u->err.wait_ms > 0 && u->err.wait_ms <= 100000);
	assert_int_equal(atomic_load(&u->http->server.requests), 1);
	assert_int_equal(url_fetch_get(u->fetch, other, NULL, &u->to.sink, &u->seen, &u->err), 0); /* only that host */
}

static void test_a_dead_host(void **state)
{
	struct urls *u = *state;
	CLEANUP(freep) char *url = url_of(&u->http->other, "/plain");
	(void)shutdown(u->http->other.listener, SHUT_RDWR);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(url_fetch_get(u->fetch, url, NULL, &u->to.sink, &u->seen, &u->err), -1);
		assert_int_equal(u->err.class, ERR_RETRY);
		assert_int_equal(u->err.sys, i < 2 ? ECONNREFUSED : EAGAIN); /* from then on it is left alone for a while */
	}
	assert_true(u->err.wait_ms > 0);
}

static void *fetch_busy(void *arg)
{
	struct urls *u = arg;
	CLEANUP(freep) char *url = url_of(&u->http->server, "/busy");
	for (int i = 0; i < 10; i++) {
		struct collected to = { .sink = { &ops }, .limit = sizeof(to.bytes) };
		struct object seen;
		struct err err;
		int r;
		do { /* where everything is slow, a turn does not come within URL_HOSTS_WAIT_MS */
			r = url_fetch_get(u->fetch, url, NULL, &to.sink, &seen, &err);
		} while (r < 0 && err.sys == EAGAIN);
		assert_int_equal(r, 0);
		assert_int_equal(to.len, 10);
	}
	return NULL;
}

static void test_one_host_is_not_overrun(void **state)
{
	struct urls *u = *state;
	pthread_t threads[8];
	atomic_store(&most_inside, 0);
	for (int i = 0; i < 8; i++)
		(void)pthread_create(&threads[i], NULL, fetch_busy, u);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(threads[i], NULL);
	assert_true(atomic_load(&most_inside) <= 2);
	assert_true(server_connections(&u->http->server) <= 2);
}

static void test_letters_beyond_ascii(void **state)
{
	struct urls *u = *state;
	assert_int_equal(fetch(u, "/bücher/%C3%BC?q=ä#ö", NULL), 0);
	assert_true(server_saw(&u->http->server, "GET /b%C3%BCcher/%C3%BC?q=%C3%A4 HTTP/1.1\r\n"));
}

#define URL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	FIXTURE_SCRIPT = answer;
	const struct CMUnitTest tests[] = {
		URL_TEST(test_versions), URL_TEST(test_what_breaks_off_goes_on), URL_TEST(test_two_versions_are_never_mixed),
		URL_TEST(test_resumptions_end), URL_TEST(test_refusals), URL_TEST(test_a_host_that_asks_for_less),
		URL_TEST(test_a_dead_host), URL_TEST(test_one_host_is_not_overrun), URL_TEST(test_letters_beyond_ascii),
	};
	return cmocka_run_group_tests_name("url_fetch", tests, NULL, NULL);
}
