/* test_url_hosts.c - whose turn it is: hosts apart, closings that double, recovery, a bounded table, stopping. */
#include "connectors/url_hosts.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

CLEANUP_FN(struct url_hosts *, url_hosts_free)

static struct url url_at(const char *text)
{
	struct url url;
	assert_int_equal(url_parse(text, &url, NULL), 0);
	return url;
}

static void test_hosts_and_ports_are_apart(void **state)
{
	CLEANUP(url_hosts_freep) struct url_hosts *h = url_hosts_new(1, NULL);
	struct url urls[] = { url_at("http://a.test/x"), url_at("http://b.test/x"), url_at("http://a.test:8080/"),
		url_at("https://a.test/") };
	struct err err;
	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(url_hosts_enter(h, &urls[i], &err), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(url_hosts_leave(h, &urls[i], URL_HOST_ANSWERED, 0), 0);
}

static void test_closings(void **state)
{
	CLEANUP(url_hosts_freep) struct url_hosts *h = url_hosts_new(4, NULL);
	struct url url = url_at("http://a.test/");
	struct url other = url_at("http://b.test/");
	struct err err;
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	assert_int_equal(url_hosts_leave(h, &url, URL_HOST_THROTTLED, 0), URL_HOSTS_GAP_MS);
	assert_int_equal(url_hosts_leave(h, &url, URL_HOST_THROTTLED, 30000), 30000);
	assert_int_equal(url_hosts_leave(h, &url, URL_HOST_ANSWERED, 0), 0); /* a late success does not open it */
	assert_int_equal(url_hosts_enter(h, &url, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.sys, EAGAIN);
	assert_true(err.wait_ms > 20000 && err.wait_ms <= 30001);
	for (int i = 0; i < 3; i++)
		assert_int_equal(url_hosts_enter(h, &other, &err), 0);
	assert_int_equal(url_hosts_leave(h, &other, URL_HOST_UNREACHABLE, 0), 0);
	assert_int_equal(url_hosts_leave(h, &other, URL_HOST_UNREACHABLE, 0), 0);
	assert_int_equal(url_hosts_leave(h, &other, URL_HOST_UNREACHABLE, 0), URL_HOSTS_GAP_MS);
	assert_int_equal(url_hosts_enter(h, &other, &err), 0); /* waits for the gap, which is short */
	assert_int_equal(url_hosts_enter(h, &other, &err), 0);
	assert_int_equal(url_hosts_leave(h, &other, URL_HOST_ANSWERED, 0), 0);
	assert_int_equal(url_hosts_leave(h, &other, URL_HOST_THROTTLED, 0), URL_HOSTS_GAP_MS); /* and not twice as long */
}

static void test_gaps_double_without_success(void **state)
{
	CLEANUP(url_hosts_freep) struct url_hosts *h = url_hosts_new(4, NULL);
	struct url url = url_at("http://a.test/");
	struct err err;
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(url_hosts_enter(h, &url, &err), 0);
		assert_int_equal(url_hosts_leave(h, &url, URL_HOST_THROTTLED, 0), URL_HOSTS_GAP_MS << i);
	}
}

/* After a 429 half as many may come; a long run of successes brings the others back. */
static void test_fewer_at_once_after_a_pause(void **state)
{
	atomic_bool stopping = false;
	CLEANUP(url_hosts_freep) struct url_hosts *h = url_hosts_new(4, &stopping);
	struct url url = url_at("http://a.test/");
	struct err err;
	(void)state;
	assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	(void)url_hosts_leave(h, &url, URL_HOST_THROTTLED, 0);
	assert_int_equal(url_hosts_enter(h, &url, &err), 0); /* waits for the gap, which is short */
	assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	assert_int_equal(url_hosts_enter(h, &url, &err), -1); /* a third one has no turn */
	assert_int_equal(err.sys, EAGAIN);
	for (int i = 0; i < 40; i++) {
		(void)url_hosts_leave(h, &url, URL_HOST_ANSWERED, 0);
		assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	}
	assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	assert_int_equal(url_hosts_enter(h, &url, &err), 0);
	atomic_store(&stopping, true);
	assert_int_equal(url_hosts_enter(h, &url, &err), -1);
	assert_int_equal(err.sys, ECANCELED);
	for (int i = 0; i < 4; i++)
		(void)url_hosts_leave(h, &url, URL_HOST_ANSWERED, 0);
}

static void test_the_table_is_bounded(void **state)
{
	CLEANUP(url_hosts_freep) struct url_hosts *h = url_hosts_new(2, NULL);
	struct url in_use = url_at("http://in-use.test/");
	struct url closed = url_at("http://closed.test/");
	struct err err;
	(void)state;
	assert_int_equal(url_hosts_enter(h, &in_use, &err), 0);
	assert_int_equal(url_hosts_enter(h, &closed, &err), 0);
	assert_int_equal(url_hosts_leave(h, &closed, URL_HOST_THROTTLED, 60000), 60000);
	for (int i = 0; i < 3 * URL_HOSTS_MAX; i++) {
		CLEANUP(freep) char *text = mem_printf("http://host-%d.test/", i);
		struct url url = url_at(text);
		assert_int_equal(url_hosts_enter(h, &url, &err), 0);
		assert_int_equal(url_hosts_leave(h, &url, URL_HOST_ANSWERED, 0), 0);
	}
	assert_int_equal(url_hosts_enter(h, &closed, &err), -1); /* those with something to remember are kept */
	assert_int_equal(url_hosts_leave(h, &in_use, URL_HOST_ANSWERED, 0), 0);
	for (int i = 0; i < 3 * URL_HOSTS_MAX; i++) { /* also when all are closed */
		CLEANUP(freep) char *text = mem_printf("http://shut-%d.test/", i);
		struct url url = url_at(text);
		assert_int_equal(url_hosts_enter(h, &url, &err), 0);
		assert_int_equal(url_hosts_leave(h, &url, URL_HOST_THROTTLED, 60000), 60000);
	}
	assert_int_equal(url_hosts_enter(h, &closed, &err), 0);
	assert_int_equal(url_hosts_leave(h, &closed, URL_HOST_ANSWERED, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_and_ports_are_apart), cmocka_unit_test(test_closings),
		cmocka_unit_test(test_gaps_double_without_success),
		cmocka_unit_test(test_fewer_at_once_after_a_pause), cmocka_unit_test(test_the_table_is_bounded),
	};
	return cmocka_run_group_tests_name("url_hosts", tests, NULL, NULL);
}
