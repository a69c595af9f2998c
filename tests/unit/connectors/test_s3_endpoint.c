/* test_s3_endpoint.c - which host a bucket is asked at, and in which style. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/s3_endpoint.h"

static void test_hosts(void **state)
{
	static const struct {
		const char *bucket, *endpoint, *region;
		bool path_style;         /* configured */
		const char *authority;
		bool https, by_path;
	} rows[] = {
		{ "b", NULL, "eu-west-1", false, "b.s3.eu-west-1.amazonaws.com", true, false },
		{ "b", NULL, "cn-north-1", false, "b.s3.cn-north-1.amazonaws.com.cn", true, false },
		{ "b", NULL, "eu-west-1", true, "s3.eu-west-1.amazonaws.com", true, true },
		{ "dotted.name", NULL, "eu-west-1", false, "s3.eu-west-1.amazonaws.com", true, true },
		{ "Old_Name", NULL, "us-east-1", false, "s3.us-east-1.amazonaws.com", true, true },
		{ "b", "https://minio.example:9000", "x", true, "minio.example:9000", true, true },
		{ "b", "https://minio.example:443/", "x", true, "minio.example", true, true },
		{ "b", "http://minio.example", "x", false, "b.minio.example", false, false },
		{ "dotted.name", "http://minio.example", "x", false, "dotted.name.minio.example", false, false },
		{ "b", "http://127.0.0.1:9000", "x", false, "127.0.0.1:9000", false, true },
		{ "b", "http://[::1]:9000", "x", false, "[::1]:9000", false, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct s3_config config = { .at = { .bucket = (char *)rows[i].bucket, .endpoint = (char *)rows[i].endpoint },
			.path_style = rows[i].path_style };
		struct s3_endpoint *e = NULL;
		struct err err = { 0 };
		if (s3_endpoint_new(&config, rows[i].region, NULL, &e, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(e->authority, rows[i].authority);
		assert_string_equal(e->region, rows[i].region);
		assert_int_equal(e->https, rows[i].https);
		assert_int_equal(e->path_style, rows[i].by_path);
		s3_endpoint_free(e);
	}
}

static void test_what_is_no_endpoint(void **state)
{
	static const char *const endpoints[] = { "", "minio.example", "ftp://minio.example", "http://", "http://user:x@minio.example",
		"http://minio.example/path", "http://minio.example:99999" };
	(void)state;
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
		struct s3_config config = { .at = { .bucket = (char *)"b", .endpoint = (char *)endpoints[i] } };
		struct s3_endpoint *e = NULL;
		struct err err = { 0 };
		assert_int_equal(s3_endpoint_new(&config, "x", NULL, &e, &err), -1);
		assert_int_equal(err.class, ERR_REJECT);
		assert_null(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_what_is_no_endpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
