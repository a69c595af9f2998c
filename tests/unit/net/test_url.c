/* test_url.c - URLs taken apart: what is accepted and as what, what is refused, labels without secrets, Locations. */
#include "daemon/net/url.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_accepted(void **state)
{
	static const struct {
		const char *text;
		bool https, literal;
		uint16_t port;
		const char *host, *target;
	} rows[] = {
		{ "http://example.org", false, false, 80, "example.org", "" },
		{ "HTTPS://Example.ORG/A?b#c", true, false, 443, "example.org", "/A?b" },
		{ "http://example.org./", false, false, 80, "example.org", "/" },
		{ "https://example.org:8443?x=/y@z", true, false, 8443, "example.org", "?x=/y@z" },
		{ "http://a_b.example.org:1/", false, false, 1, "a_b.example.org", "/" },
		{ "http://example.org:65535/%2e%2e/../x", false, false, 65535, "example.org", "/%2e%2e/../x" },
		{ "http://1.2.3.4/", false, true, 80, "1.2.3.4", "/" },
		{ "http://[2001:DB8:0:0::1]:81/", false, true, 81, "2001:db8::1", "/" },
		{ "http://[::FFFF:1.2.3.4]/", false, true, 80, "::ffff:1.2.3.4", "/" },
		{ "http://b\xc3\xbc" "cher.example/\xc3\xbc", false, false, 80, "xn--bcher-kva.example", "/\xc3\xbc" },
		{ "http://localhost/", false, false, 80, "localhost", "/" },
		{ "http://0x.example/", false, false, 80, "0x.example", "/" },
		{ "http://example.org#@evil.test/", false, false, 80, "example.org", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct url url;
		struct err err;
		if (url_parse(rows[i].text, &url, &err) < 0)
			fail_msg("'%s': %s", rows[i].text, err.text);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.https, rows[i].https);
		assert_int_equal(url.literal, rows[i].literal);
		assert_int_equal(url.port, rows[i].port);
		assert_true(slice_eq(url.target, slice_of(rows[i].target)));
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = { "", "http", "http:", "http:/x", "http://", "https:///x", "//example.org/", "example.org",
		" http://example.org/", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "http://user@example.org/",
		"http://user:pw@example.org/", "http://@example.org/", "http://example.org\\@evil.test/", "http://exa%6dple.org/",
		"http://example.org:0/", "http://example.org:/", "http://example.org:65536/", "http://example.org:+80/",
		"http://example.org:80:80/", "http://example.org:8 0/", "http://a b/", "http://example.org/a b", "http://a\tb/",
		"http://a/\x01", "http://a/\x7f", "http://a/\r\nHost: b", "http://.example.org/", "http://a..b/", "http://a../",
		"http://*.example.org/", "http://[::1", "http://[::1]x/", "http://[1.2.3.4]/", "http://[fe80::1%25lo]/", "http://[]/",
		"http://::1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1./",
		"http://1.2.3.4.5/", "http://256.1.1.1/", "http://1.2.3.08/", "http://example.0x10/", "http://x.1/",
		"http://\xc2\xad/", "http://\xe2\x80\x8b/", "http://\xc2\xad.example/", "http://\xef\xbc\x8e/" };
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct url url = { .port = 7 };
		struct err err;
		if (url_parse(texts[i], &url, &err) == 0)
			fail_msg("'%s' is taken: host %s", texts[i], url.host);
		assert_int_equal(err.class, ERR_REJECT);
		assert_int_equal(err.sys, EINVAL);
		assert_int_equal(url.port, 7);
	}
	CLEANUP(freep) char *label = mem_printf("http://%064d.example/", 1);
	CLEANUP(freep) char *name = mem_printf("http://%s%s%s%s%s.example/", "a.123456789012345678901234567890123456789012345678901",
		".123456789012345678901234567890123456789012345678901", ".12345678901234567890123456789012345678901234567890123456",
		".123456789012345678901234567890123456789012345678901", ".1234567890123456789012345678901234567890");
	CLEANUP(freep) char *longest = mem_printf("http://example.org/%0*d", URL_MAX, 1);
	struct url url;
	assert_int_equal(url_parse(label, &url, NULL), -1);
	assert_int_equal(url_parse(name, &url, NULL), -1);
	assert_int_equal(url_parse(longest, &url, NULL), -1);
}

static void test_labels_tell_no_secret(void **state)
{
	static const struct {
		const char *text, *label;
	} rows[] = {
		{ "https://example.org/a/b.jpg?X-Amz-Signature=secret#secret", "https://example.org/a/b.jpg" },
		{ "http://example.org:8080", "http://example.org:8080" },
		{ "https://[2001:db8::1]:444/x", "https://[2001:db8::1]:444/x" },
		{ "http://user:secret@example.org/x", "(URL)" },
		{ "s3://secret/key", "(URL)" },
		{ "http://example.org/\xc3\xbc" "x", "http://example.org/??x" },
	};
	char label[URL_LABEL_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		url_label(rows[i].text, label);
		assert_string_equal(label, rows[i].label);
	}
	CLEANUP(freep) char *text = mem_printf("http://example.org/%0400d", 1);
	url_label(text, label);
	assert_int_equal(strlen(label), URL_LABEL_MAX - 1);
	assert_string_equal(label + strlen(label) - 3, "...");
}

static void test_locations(void **state)
{
	static const struct {
		const char *base, *location, *url;
	} rows[] = {
		{ "http://a.test/x/y?q", "z", "http://a.test/x/z" },
		{ "http://a.test/x/y?q#f", "/z", "http://a.test/z" },
		{ "http://a.test/x/y", "?n", "http://a.test/x/y?n" },
		{ "https://a.test:1/x", "//b.test/z", "https://b.test/z" },
		{ "https://a.test/x", "http://b.test:2/z?q", "http://b.test:2/z?q" },
		{ "http://a.test/x", "/with blank", "http://a.test/with%20blank" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(freep) char *url = url_resolve(rows[i].base, slice_of(rows[i].location));
		assert_non_null(url);
		assert_string_equal(url, rows[i].url);
	}
	CLEANUP(freep) char *nul = url_resolve("http://a.test/", SLICE_LIT("http://b.test\0.evil.test/"));
	assert_null(nul);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_labels_tell_no_secret), cmocka_unit_test(test_locations) };
	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
