/* test_host.c - what stands in a URL for a host, and what url_parse() would refuse later, without a line to point at. */
#include "config/host.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const good[] = { "h", "example.org", "a_b.example.org", "1.2.3.4", "[::1]", "[2001:DB8::1]", "localhost", "0x.example",
	"xn--bcher-kva.example" };
static const char *const bad[] = { "", ".", "a..b", ".a", "a b", "h\xc3\xbc", "*.a", "1.2.3", "1.2.3.4.5", "256.1.1.1", "127.1", "1", "x.1",
	"0x7f000001", "example.0x10", "0177.0.0.1", "[::1", "[]", "[1.2.3.4]", "[fe80::1%25lo]", "::1", "a@b", "a/b", "a?b",
	"123456789-123456789-123456789-123456789-123456789-123456789-1234.org" };

static void test_hosts(void **state)
{
	bool port;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CLEANUP(freep) char *with = mem_printf("%s:8080", good[i]);
		CLEANUP(freep) char *url = mem_printf("http://%s/", with);
		struct url parsed;
		if (host_wrong(good[i], &port) || port || host_wrong(with, &port) || !port)
			fail_msg("'%s' is refused", good[i]);
		assert_int_equal(url_parse(url, &parsed, NULL), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!host_wrong(bad[i], &port))
			fail_msg("'%s' is taken for a host", bad[i]);
}

static void test_ports(void **state)
{
	static const char *const wrong[] = { "h:", "h:0", "h:65536", "h:+80", "h:8 0", "h:80:80", "[::1]x", "[::1]:", "[::1]:0" };
	bool port;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (!host_wrong(wrong[i], &port))
			fail_msg("'%s' is taken", wrong[i]);
	assert_null(host_wrong("h:1", &port));
	assert_null(host_wrong("[::1]:65535", &port));
	assert_true(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts), cmocka_unit_test(test_ports) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
