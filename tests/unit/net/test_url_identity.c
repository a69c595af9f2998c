/* test_url_identity.c - one object signed twice has one identity; what is not a signature stays byte for byte. */
#include "daemon/net/url_identity.h"

#include "daemon/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect(const char *url, const char *identity)
{
	CLEANUP(buf_done) struct buf b = { 0 };
	buf_char(&b, '>'); /* what is there already stays */
	url_identity(slice_of(url), &b);
	assert_int_equal(b.data[0], '>');
	assert_string_equal(b.data + 1, identity);
}

static void test_signatures_go(void **state)
{
	(void)state;
	expect("https://b.s3.amazonaws.com/k/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2F"
	       "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"
	       "X-Amz-Signature=00ff",
		"https://b.s3.amazonaws.com/k/a.jpg");
	expect("https://h/a?versionId=7&x-amz-signature=1&X-AMZ-SECURITY-TOKEN=abc", "https://h/a?versionId=7");
	expect("https://h/a?AWSAccessKeyId=A&Expires=17&Signature=b%2F%3D", "https://h/a");
	expect("https://storage.googleapis.com/b/o?X-Goog-Signature=1&alt=media&X-Goog-Date=2",
		"https://storage.googleapis.com/b/o?alt=media");
	expect("https://storage.googleapis.com/b/o?GoogleAccessId=x@y&Expires=1&Signature=z",
		"https://storage.googleapis.com/b/o");
	expect("https://d.cloudfront.net/a.png?size=1&Policy=p&Signature=s&Key-Pair-Id=k",
		"https://d.cloudfront.net/a.png?size=1");
	expect("https://a.blob.core.windows.net/c/b?sv=2022-11-02&st=1&se=2&sr=b&sp=r&sig=x%3D&snapshot=9",
		"https://a.blob.core.windows.net/c/b?snapshot=9");
	expect("https://b.cos.ap.myqcloud.com/o?q-sign-algorithm=sha1&q-ak=a&q-sign-time=1;2&q-key-time=1;2&"
	       "q-header-list=&q-url-param-list=&q-signature=f",
		"https://b.cos.ap.myqcloud.com/o");
	expect("https://cdn.example/x?ex=1&is=2&hm=3&format=webp", "https://cdn.example/x?format=webp");
}

static void test_what_only_looks_like_one_stays(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"https://h/a?Expires=17", "https://h/a?sig=1", "https://h/a?sv=2&se=3", "https://h/a?ex=1",
		"https://h/a?Signature2=1&Expires=1", "https://h/a?", "https://h/a?b&", "https://h/a?&&", "https://h/a",
		"https://h/X-Amz-Signature=1", "https://h/a#?X-Amz-Signature=1", "", "?", "#", "a b\xff?c",
	};
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		expect(urls[i], urls[i]);
}

static void test_order_and_fragment_stay(void **state)
{
	(void)state;
	expect("https://h/a?b=2&X-Amz-Date=1&a=1&X-Amz-Signature=2&b=3#t=10", "https://h/a?b=2&a=1&b=3#t=10");
	expect("https://h/a?X-Amz-Signature=2#t", "https://h/a#t");
	expect("s3://bucket/key?versionId=1", "s3://bucket/key?versionId=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_go),
		cmocka_unit_test(test_what_only_looks_like_one_stays),
		cmocka_unit_test(test_order_and_fragment_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
