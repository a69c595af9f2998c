/* test_s3_error.c - refusals as Amazon, MinIO and versitygw word them, and what becomes of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/connector.h"
#include "connectors/s3_error.h"

#define ERROR(code, more) "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" code "</Code><Message>No &amp; no.</Message>" more "</Error>"

static void read_error(int status, const char *headers, const char *body, struct s3_error *ret, struct err *ret_err)
{
	struct http_reply r = { .status = status, .date_ms = 1, .wait_ms = status == 503 ? 7000 : 0 };
	buf_str(&r.headers, headers);
	buf_str(&r.body, body);
	s3_error_read(ret, &r);
	assert_int_equal(s3_error_set(ret, "s3://b/k", &r, ret_err), -1);
	http_reply_done(&r);
}

static void test_what_each_code_means(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_class class;
		int sys;
		enum s3_cause cause;
	} rows[] = {
		{ 412, ERROR("PreconditionFailed", "<Condition>If-Match</Condition>"), ERR_RETRY, FETCH_CHANGED, S3_REFUSED },
		{ 412, "", ERR_RETRY, FETCH_CHANGED, S3_REFUSED },
		{ 416, ERROR("InvalidRange", ""), ERR_RETRY, FETCH_CHANGED, S3_REFUSED },
		{ 404, ERROR("NoSuchKey", ""), ERR_RETRY, ENOENT, S3_REFUSED },
		{ 404, ERROR("NoSuchBucket", ""), ERR_RETRY, EACCES, S3_REFUSED },
		{ 403, ERROR("InvalidObjectState", "<StorageClass>GLACIER</StorageClass>"), ERR_REJECT, FETCH_ARCHIVED, S3_REFUSED },
		{ 503, ERROR("SlowDown", ""), ERR_RETRY, FETCH_THROTTLED, S3_REFUSED },
		{ 503, "<html>busy</html>", ERR_RETRY, FETCH_THROTTLED, S3_REFUSED },
		{ 429, "", ERR_RETRY, FETCH_THROTTLED, S3_REFUSED },
		{ 500, ERROR("InternalError", ""), ERR_RETRY, FETCH_TROUBLE, S3_REFUSED },
		{ 502, "", ERR_RETRY, FETCH_TROUBLE, S3_REFUSED },
		{ 400, ERROR("RequestTimeout", ""), ERR_RETRY, FETCH_TROUBLE, S3_REFUSED },
		{ 403, ERROR("AccessDenied", ""), ERR_RETRY, EACCES, S3_REFUSED },
		{ 403, "", ERR_RETRY, EACCES, S3_REFUSED },
		{ 403, ERROR("SignatureDoesNotMatch", ""), ERR_RETRY, EACCES, S3_REFUSED },
		{ 403, ERROR("InvalidAccessKeyId", ""), ERR_RETRY, EACCES, S3_EXPIRED },
		{ 400, ERROR("ExpiredToken", ""), ERR_RETRY, EACCES, S3_EXPIRED },
		{ 403, ERROR("InvalidTokenId", ""), ERR_RETRY, EACCES, S3_EXPIRED },
		{ 403, ERROR("RequestTimeTooSkewed", ""), ERR_RETRY, EACCES, S3_SKEWED },
		{ 400, ERROR("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), ERR_RETRY, EACCES, S3_REGION },
		{ 301, ERROR("PermanentRedirect", "<Endpoint>b.s3.amazonaws.com</Endpoint>"), ERR_RETRY, EACCES, S3_REFUSED },
		{ 501, ERROR("NotImplemented", ""), ERR_REJECT, 0, S3_NO_CHECKSUM },
		{ 400, ERROR("KeyTooLongError", ""), ERR_REJECT, 0, S3_REFUSED },
		{ 400, "", ERR_RETRY, EPROTO, S3_REFUSED },
		{ 404, "404 page not found\n", ERR_RETRY, EPROTO, S3_REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct s3_error e;
		struct err err = { 0 };
		read_error(rows[i].status, "", rows[i].body, &e, &err);
		if (err.class != rows[i].class || err.sys != rows[i].sys || e.cause != rows[i].cause)
			fail_msg("row %zu: class %d sys %d cause %d: %s", i, (int)err.class, err.sys, (int)e.cause, err.text);
	}
}

static void test_retry_after_is_passed_on(void **state)
{
	struct s3_error e;
	struct err err = { 0 };
	(void)state;
	read_error(503, "", ERROR("SlowDown", ""), &e, &err);
	assert_int_equal(err.wait_ms, 7000);
}

static void test_region_of_the_header_counts(void **state)
{
	struct s3_error e;
	struct err err = { 0 };
	(void)state;
	read_error(301, "x-amz-bucket-region: eu-central-1\r\n", "", &e, &err);
	assert_int_equal(e.cause, S3_REGION);
	assert_string_equal(e.region, "eu-central-1");
	/* It becomes part of a host name: nothing else gets in. */
	read_error(301, "x-amz-bucket-region: evil.example/x\r\n", "", &e, &err);
	assert_int_equal(e.cause, S3_REFUSED);
	assert_string_equal(e.region, "");
}

/* versitygw's has eight elements beside Code and Message; libs3's parser would overrun its array. */
static void test_many_elements(void **state)
{
	struct s3_error e;
	struct err err = { 0 };
	(void)state;
	read_error(403, "", ERROR("SignatureDoesNotMatch", "<A>1</A><B>2</B><C>3</C><D>4</D><E>5</E><F>6</F><G>7</G><H>8</H><I>9</I>"
		"<AWSAccessKeyId>AKID</AWSAccessKeyId><StringToSign>canary</StringToSign>"), &e, &err);
	assert_string_equal(e.code, "SignatureDoesNotMatch");
	assert_null(strstr(err.text, "AKID"));
	assert_null(strstr(err.text, "canary"));
}

/* Who answers is no S3 server: what it said is told, and where to look. */
static void test_words_of_a_stranger(void **state)
{
	struct s3_error e;
	struct err err = { 0 };
	(void)state;
	read_error(400, "", "Client sent an HTTP request to an HTTPS server.\nsecond line", &e, &err);
	assert_non_null(strstr(err.text, "400: Client sent an HTTP request to an HTTPS server.; no S3 server"));
	assert_non_null(strstr(err.text, "`endpoint`"));
	assert_null(strstr(err.text, "second"));
	read_error(404, "", "<html><body>canary</body></html>", &e, &err);
	assert_null(strstr(err.text, "canary"));
	assert_non_null(strstr(err.text, "`endpoint`"));
}

static void test_servers_words_are_one_printable_line(void **state)
{
	struct s3_error e;
	struct err err = { 0 };
	(void)state;
	read_error(403, "", "<Error><Code>Access&#10;Denied</Code><Message>a&#27;[31mb&#10;c</Message></Error>", &e, &err);
	assert_null(strchr(err.text, '\n'));
	assert_null(strchr(err.text, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_each_code_means),
		cmocka_unit_test(test_retry_after_is_passed_on),
		cmocka_unit_test(test_region_of_the_header_counts),
		cmocka_unit_test(test_many_elements),
		cmocka_unit_test(test_words_of_a_stranger),
		cmocka_unit_test(test_servers_words_are_one_printable_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
