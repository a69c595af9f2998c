/* test_sigv4.c - AWS's published vectors (the aws-signing-test-suite, and the worked examples of the S3 API reference), and hard
 * keys whose signatures were computed by botocore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/sigv4_signer.h"

#define SUITE_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

struct header {
	const char *name, *value;
};
struct param {
	const char *name, *value;
};
struct vector {
	const char *name, *method;
	const char *path;              /* not encoded */
	struct param params[4];
	struct header headers[8];      /* beside x-amz-date */
	const char *payload;           /* NULL: nothing */
	const char *signature;
};

/* Credentials AKIDEXAMPLE, service "service", us-east-1, 2015-08-30T12:36:00Z. */
static const struct vector suite[] = {
	{ "get-vanilla", "GET", "/", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "post-vanilla", "POST", "/", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "get-utf8", "GET", "/\xe1\x88\xb4", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		.headers = { { "host", "example.amazonaws.com" } },
		.signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-slashes-unnormalized", "GET", "//example//", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5" },
	{ "get-relative-unnormalized", "GET", "/example/..", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282" },
	{ "get-space-unnormalized", "GET", "/example space/", .headers = { { "host", "example.amazonaws.com" } },
		.signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-vanilla-query-order-key-case", "GET", "/", .params = { { "Param2", "value2" }, { "Param1", "value1" } },
		.headers = { { "host", "example.amazonaws.com" } },
		.signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-order-encoded", "GET", "/",
		.params = { { "Param-3", "Value3" }, { "Param", "Value2" }, { "\xe1\x88\xb4", "Value1" } },
		.headers = { { "host", "example.amazonaws.com" } },
		.signature = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
	{ "get-vanilla-utf8-query", "GET", "/", .params = { { "\xe1\x88\xb4", "bar" } },
		.headers = { { "host", "example.amazonaws.com" } },
		.signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-header-value-trim", "GET", "/",
		.headers = { { "my-header2", " \"a   b   c\"" }, { "my-header1", " value1" }, { "host", "example.amazonaws.com" } },
		.signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "get-vanilla-with-session-token", "GET", "/",
		.headers = { { "host", "example.amazonaws.com" },
			{ "x-amz-security-token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267" } },
		.signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
	{ "post-x-www-form-urlencoded", "POST", "/",
		.headers = { { "content-type", "application/x-www-form-urlencoded" }, { "host", "example.amazonaws.com" },
			{ "content-length", "13" },
			{ "x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" } },
		.payload = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
		.signature = "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b" },
};

/* "Signature Calculations for the Authorization Header" of the S3 API reference: bucket examplebucket, 2013-05-24. */
static const struct vector s3_reference[] = {
	{ "GET object", "GET", "/test.txt",
		.headers = { { "host", "examplebucket.s3.amazonaws.com" }, { "range", "bytes=0-9" },
			{ "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "GET bucket lifecycle", "GET", "/", .params = { { "lifecycle", "" } },
		.headers = { { "host", "examplebucket.s3.amazonaws.com" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "list objects", "GET", "/", .params = { { "prefix", "J" }, { "max-keys", "2" } },
		.headers = { { "host", "examplebucket.s3.amazonaws.com" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static size_t params_of(const struct vector *v, struct sigv4_param *ret)
{
	size_t n = 0;
	while (n < 4 && v->params[n].name) {
		ret[n] = (struct sigv4_param){ slice_of(v->params[n].name), slice_of(v->params[n].value) };
		n++;
	}
	return n;
}

static struct sigv4_signer *signer; /* of all vectors: what it keeps of one must not get into the next */

static void authorization(const struct vector *v, const struct sigv4_scope *scope, struct buf *ret)
{
	struct sigv4_header headers[9] = { { "x-amz-date", slice_of(scope->time) } };
	struct sigv4_param params[4];
	struct buf path = { 0 }, query = { 0 };
	size_t n = 1;
	for (size_t i = 0; i < 8 && v->headers[i].name; i++)
		headers[n++] = (struct sigv4_header){ v->headers[i].name, slice_of(v->headers[i].value) };
	sigv4_encode(&path, slice_of(v->path), true);
	sigv4_query(&query, params, params_of(v, params));
	sigv4_sign(signer, ret, &(struct sigv4_request){ .method = v->method, .path = buf_slice(&path), .query = buf_slice(&query),
		.headers = headers, .header_count = n, .payload = v->payload ? v->payload : SIGV4_EMPTY }, scope);
	buf_done(&path);
	buf_done(&query);
}

static void check(const struct vector *v, const struct sigv4_scope *scope)
{
	struct buf got = { 0 };
	const char *signature;
	authorization(v, scope, &got);
	signature = strstr(got.data, "Signature=");
	assert_non_null(signature);
	if (strcmp(signature + strlen("Signature="), v->signature) != 0)
		fail_msg("%s: %s", v->name, got.data);
	buf_done(&got);
}

static void test_aws_suite(void **state)
{
	char time[SIGV4_TIME_BYTES];
	(void)state;
	sigv4_time(1440938160, time);
	assert_string_equal(time, "20150830T123600Z");
	for (size_t i = 0; i < sizeof(suite) / sizeof(*suite); i++)
		check(&suite[i], &(struct sigv4_scope){ SLICE_LIT("AKIDEXAMPLE"), SLICE_LIT(SUITE_SECRET), "us-east-1", "service", time });
}

static void test_s3_reference(void **state)
{
	const struct sigv4_scope scope = { SLICE_LIT("AKIAIOSFODNN7EXAMPLE"), SLICE_LIT(S3_SECRET), "us-east-1", "s3",
		"20130524T000000Z" };
	(void)state;
	for (size_t i = 0; i < sizeof(s3_reference) / sizeof(*s3_reference); i++)
		check(&s3_reference[i], &scope);
}

static void test_header_reads_as_documented(void **state)
{
	const struct sigv4_scope scope = { SLICE_LIT("AKIAIOSFODNN7EXAMPLE"), SLICE_LIT(S3_SECRET), "us-east-1", "s3",
		"20130524T000000Z" };
	struct buf got = { 0 };
	(void)state;
	authorization(&s3_reference[0], &scope, &got);
	assert_string_equal(got.data, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	buf_done(&got);
}

/* Keys and requests as the connector sends them, signed by botocore 1.44 (S3SigV4Auth, eu-central-1, 2026-11-25T08:30:00Z). */
static const struct vector hard[] = {
	{ "key with = : + and space", "GET", "/b/a=b:c+d e",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "b4b5cada97e7178a0d88b1852f4b04dd2af2d1b10d09ff59865e7274347f0daa" },
	{ "key with percent and escapes", "GET", "/b/100%25 %2F.txt",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "0c179d4446078fb736b712f07c9b1e43023a0e85f576590a588c38c453b0114e" },
	{ "UTF-8", "GET", "/b/\xc3\xbc/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.jpg",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "e44a1370eec31bb8b93f588a6cd9d75a2805867be4c0114302eaddb3e500b8b4" },
	{ "dot segments", "GET", "/b/../x/./y/..",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "06e0e5fce1fb0e775920f79b0a9a030845a4eeb612d3b104094f0a0aff6a1e48" },
	{ "slashes", "GET", "/b//lead//two/",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "6ef480b0f1c0d371d3c4a11ce8c4e6fb7bc0e720490851f47b1a9fd359a39b5f" },
	{ "marks", "GET", "/b/!()*'~;@&$,?#[]",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "edfaa27927830954a4d73fc8c3aed26c1f9a06f614314b8ec2c85c6ee63109a0" },
	{ "control characters", "GET", "/b/\x01\x7f\x0a",
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "f68599e65d489bdb607c2c79b27b1da98fa31bff6665eb97797cf41d6c59d575" },
	{ "range, if-match, token", "GET", "/b/k",
		.headers = { { "host", "127.0.0.1:9000" }, { "if-match", "\"d41d8cd98f00b204e9800998ecf8427e-3\"" }, { "range", "bytes=5-" },
			{ "x-amz-checksum-mode", "ENABLED" }, { "x-amz-content-sha256", SIGV4_EMPTY },
			{ "x-amz-request-payer", "requester" }, { "x-amz-security-token", "FwoGZXIvYXdzEBY//+==" } },
		.signature = "6567d3e1de869374aab2ec249f760494d8fc98afe451dc957926b80541229cdc" },
	{ "every query parameter", "GET", "/b/",
		.params = { { "list-type", "2" }, { "prefix", "a b/+=%" }, { "continuation-token", "1/ab+c==&x" },
			{ "encoding-type", "url" } },
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY } },
		.signature = "b5c67ed2e94499c4e2f38cb846be3c7a844216f8d0413e7f66bc34bd37a30fd3" },
	{ "start-after", "GET", "/b/",
		.params = { { "start-after", "z/\xc3\xa4 ~" }, { "list-type", "2" }, { "max-keys", "1000" }, { "prefix", "" } },
		.headers = { { "host", "127.0.0.1:9000" }, { "x-amz-content-sha256", SIGV4_EMPTY },
			{ "x-amz-optional-object-attributes", "RestoreStatus" } },
		.signature = "4008ca1975d8bc6da61ddb24f7706f693cde5ba864389cb75834dfb752d72c9e" },
};

static void test_hard_keys(void **state)
{
	char time[SIGV4_TIME_BYTES];
	(void)state;
	sigv4_time(1795595400, time);
	for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++)
		check(&hard[i], &(struct sigv4_scope){ SLICE_LIT("AKIDEXAMPLE"), SLICE_LIT(SUITE_SECRET), "eu-central-1", "s3", time });
}

/* Each part of a scope makes another key; the first scope again makes the first signature again. */
static void test_a_key_is_kept_for_its_scope_only(void **state)
{
	static const struct sigv4_scope scopes[] = {
		{ SLICE_LIT("A"), SLICE_LIT("secret"), "us-east-1", "s3", "20130524T000000Z" },
		{ SLICE_LIT("A"), SLICE_LIT("other"), "us-east-1", "s3", "20130524T000000Z" },
		{ SLICE_LIT("A"), SLICE_LIT("other"), "us-east-2", "s3", "20130524T000000Z" },
		{ SLICE_LIT("A"), SLICE_LIT("other"), "us-east-2", "sts", "20130524T000000Z" },
		{ SLICE_LIT("A"), SLICE_LIT("other"), "us-east-2", "sts", "20130525T000000Z" },
		{ SLICE_LIT("A"), SLICE_LIT("secret"), "us-east-1", "s3", "20130524T000000Z" },
	};
	enum { N = sizeof(scopes) / sizeof(*scopes) };
	struct buf kept[N] = { { 0 } };
	(void)state;
	for (size_t i = 0; i < N; i++)
		authorization(&s3_reference[0], &scopes[i], &kept[i]);
	for (size_t i = 0; i < N; i++) {
		struct sigv4_signer *all = signer;
		struct buf fresh = { 0 };
		signer = sigv4_signer_new();
		authorization(&s3_reference[0], &scopes[i], &fresh);
		assert_string_equal(kept[i].data, fresh.data);
		sigv4_signer_free(signer);
		signer = all;
		buf_done(&fresh);
	}
	assert_string_equal(kept[0].data, kept[N - 1].data);
	for (size_t i = 0; i < N; i++)
		buf_done(&kept[i]);
}

static int make_signer(void **state)
{
	(void)state;
	signer = sigv4_signer_new();
	return 0;
}

static int free_signer(void **state)
{
	(void)state;
	sigv4_signer_free(signer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_suite),
		cmocka_unit_test(test_s3_reference),
		cmocka_unit_test(test_header_reads_as_documented),
		cmocka_unit_test(test_hard_keys),
		cmocka_unit_test(test_a_key_is_kept_for_its_scope_only),
	};
	return cmocka_run_group_tests(tests, make_signer, free_signer);
}
