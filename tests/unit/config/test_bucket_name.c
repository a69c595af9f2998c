/* test_bucket_name.c - the providers' naming rules, at their edges. */
#include "config/bucket_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define L63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"

static void check(enum bucket_rules rules, bool right, const char *const *names)
{
	for (; *names; names++)
		if (!bucket_name_wrong(*names, rules) != right)
			fail_msg("'%s' is %s", *names, right ? "refused" : "taken");
}
#define TAKES(rules, ...) check(rules, true, (const char *const[]){ __VA_ARGS__, NULL })
#define REFUSES(rules, ...) check(rules, false, (const char *const[]){ __VA_ARGS__, NULL })

static void test_amazon(void **state)
{
	(void)state;
	TAKES(BUCKET_AMAZON, "abc", "0a0", "my.bucket-1.x", L63, "photos-s3alias", "1.2.3.4.5", "a.1");
	REFUSES(BUCKET_AMAZON, "", "ab", L63 "4", "Photos", "my_photos", "-abc", "abc-", ".abc", "abc.", "a..b", "192.168.5.4", "xn--abc",
		"sthree-abc", "a b", "a/b", "b\xc3\xbc" "cher");
	TAKES(BUCKET_AMAZON_OLD, "Photos", "my_photos", L63 "4", "a..b", "abc");
	REFUSES(BUCKET_AMAZON_OLD, "ab", "a b", "..");
}

static void test_google(void **state)
{
	(void)state;
	TAKES(BUCKET_GOOGLE, "abc", "my_photos", "a-b.example.org", L63, L63 "." L63, "gcp-public-data-landsat");
	REFUSES(BUCKET_GOOGLE, "ab", "Photos", L63 "4", L63 "4.a", L63 "." L63 "." L63 "." L63, "_abc", "abc_", "a..b", "10.0.0.1");
}

static void test_another_server(void **state)
{
	(void)state;
	TAKES(BUCKET_LENIENT, "b", "B_", "-x-", "10.0.0.1", L63 "4");
	REFUSES(BUCKET_LENIENT, "", ".", "..", "a b", "a/b", "a:b", L63 L63 L63 L63 "1234");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amazon), cmocka_unit_test(test_google), cmocka_unit_test(test_another_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
