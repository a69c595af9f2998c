/* test_google_external.c - workload identity: subjects from files, URLs, AWS and programs, exchanged for access tokens. */
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "tests/unit/connectors/google_fixture.h"

static void test_workload_identity_from_a_file(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *plain = mem_printf("%s{\"file\":\"%s/subject\"}}", FEDERATED, f->dir);
	CLEANUP(freep) char *inside = mem_printf("%s{\"file\":\"%s/subject\",\"format\":{\"type\":\"json\",\"subject_token_field_name\":"
		"\"jwt\"}}}", FEDERATED, f->dir);
	(void)write_file(f, "subject", "subject-by-file\n");
	begin(f, "wif.json", plain);
	assert_token(f, "token-0");
	assert_non_null(strstr(f->sts, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&"));
	assert_non_null(strstr(f->sts, "&audience=%2F%2Fiam%2Fpool&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only&"));
	assert_non_null(strstr(f->sts, "&subject_token=subject-by-file"));
	(void)write_file(f, "subject", "{\"jwt\":\"subject-in-json\"}");
	begin(f, "wif.json", inside);
	assert_token(f, "token-1");
	assert_non_null(strstr(f->sts, "&subject_token=subject-in-json"));
	(void)write_file(f, "subject", "{\"other\":\"" CANARY "\"}");
	begin(f, "wif.json", inside);
	assert_fails(f, "has no member 'jwt'");
}

static void test_workload_identity_from_a_url_acts_as_a_service_account(void **state)
{
	struct fixture *f = *state;
	begin(f, "wif.json", FEDERATED "{\"url\":\"http://127.0.0.1:%P/oidc\",\"headers\":{\"Metadata\":\"True\"},\"format\":{\"type\":"
		"\"json\",\"subject_token_field_name\":\"value\"}},\"service_account_impersonation_url\":"
		"\"http://127.0.0.1:%P/v1/projects/-/serviceAccounts/a@b:generateAccessToken\"}");
	assert_token(f, "acting-1");
	assert_non_null(strstr(f->sts, "&subject_token=subject-by-url"));
	assert_true(server_saw(&f->server, "Authorization: Bearer token-0"));
	assert_true(server_saw(&f->server, "{\"delegates\":[],\"scope\":[\"https://www.googleapis.com/auth/devstorage.read_only\"],"
		"\"lifetime\":\"3600s\"}"));
}

#define AWS_SOURCE FEDERATED "{\"environment_id\":\"aws1\",\"region_url\":\"http://127.0.0.1:%P/aws/zone\",\"url\":" \
	"\"http://127.0.0.1:%P/aws/role\",\"imdsv2_session_token_url\":\"http://127.0.0.1:%P/aws/token\"," \
	"\"regional_cred_verification_url\":\"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15\"}}"

/* What the exchange got for a subject token, decoded twice: as a form, and as the token itself. */
static void subject_of(struct fixture *f, char *to, size_t size)
{
	const char *from = strstr(f->sts, "&subject_token=");
	size_t n = 0;
	assert_non_null(from);
	(void)snprintf(to, size, "%s", from + strlen("&subject_token="));
	for (int round = 0; round < 2; round++, to[n] = '\0') {
		n = 0;
		for (const char *p = to; *p; p++, n++) {
			uint8_t byte;
			if (*p == '%' && text_unhex((struct slice){ p + 1, 2 }, &byte, 1) == 0)
				to[n] = (char)byte, p += 2;
			else
				to[n] = *p;
		}
	}
}

/* Whether the signature is right is for boto to say: tests/integration/test_gcs.py. */
static void test_workload_identity_from_aws(void **state)
{
	struct fixture *f = *state;
	char subject[4096];
	begin(f, "aws.json", AWS_SOURCE);
	assert_token(f, "token-0");
	subject_of(f, subject, sizeof(subject));
	assert_int_equal(strncmp(subject, "{\"url\":\"https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15\","
		"\"method\":\"POST\",\"headers\":[{\"key\":\"Authorization\",\"value\":\"AWS4-HMAC-SHA256 Credential=AKIDMETA/", 170), 0);
	assert_non_null(strstr(subject, "/eu-central-1/sts/aws4_request"));
	assert_non_null(strstr(subject, "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource"));
	assert_non_null(strstr(subject, "{\"key\":\"host\",\"value\":\"sts.eu-central-1.amazonaws.com\"}"));
	assert_non_null(strstr(subject, "{\"key\":\"x-amz-security-token\",\"value\":\"session-token\"}"));
	assert_non_null(strstr(subject, "{\"key\":\"x-goog-cloud-target-resource\",\"value\":\"//iam/pool\"}"));
	assert_null(strstr(subject, "canary"));
	(void)setenv("AWS_REGION", "ap-south-1", 1);
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", CANARY, 1);
	unsigned int before = atomic_load(&f->server.requests);
	begin(f, "aws.json", AWS_SOURCE);
	assert_token(f, "token-1");
	assert_int_equal(atomic_load(&f->server.requests), before + 1); /* nothing is asked that the environment says */
	subject_of(f, subject, sizeof(subject));
	assert_non_null(strstr(subject, "Credential=AKIDENV/"));
	assert_non_null(strstr(subject, "SignedHeaders=host;x-amz-date;x-goog-cloud-target-resource,"));
	(void)unsetenv("AWS_REGION");
	(void)unsetenv("AWS_ACCESS_KEY_ID");
	(void)unsetenv("AWS_SECRET_ACCESS_KEY");
}

static void test_what_an_aws_source_lacks_is_named(void **state)
{
	struct fixture *f = *state;
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws2\"}}");
	assert_fails(f, "environment_id is 'aws2'; known is aws1");
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws1\"}}");
	assert_fails(f, "no AWS region");
	(void)setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws1\"}}");
	assert_fails(f, "no AWS keys");
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws1\",\"url\":\"http://127.0.0.1:%P/aws/role\"}}");
	assert_fails(f, "aws/role answered 401"); /* asked without its token */
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", CANARY, 1);
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws1\"}}");
	assert_fails(f, "no \"regional_cred_verification_url\"");
	begin(f, "bad.json", FEDERATED "{\"environment_id\":\"aws1\",\"regional_cred_verification_url\":\"http://sts\"}}");
	assert_fails(f, "no https URL");
	(void)unsetenv("AWS_DEFAULT_REGION");
	(void)unsetenv("AWS_ACCESS_KEY_ID");
	(void)unsetenv("AWS_SECRET_ACCESS_KEY");
}

/* A federated file whose token a shell script in the fixture's folder prints; extra: further members of "executable". */
static void begin_executable(struct fixture *f, const char *script, const char *extra)
{
	(void)write_file(f, "print.sh", script);
	CLEANUP(freep) char *file = mem_printf("%s{\"executable\":{\"command\":\"sh '%s/print.sh' two\"%s}},"
		"\"service_account_impersonation_url\":\"http://127.0.0.1:%%P/v1/projects/-/serviceAccounts/a@b:generateAccessToken\"}",
		FEDERATED, f->dir, extra);
	begin(f, "exe.json", file);
}

#define PRINTS(members) "echo '{\"version\":1," members "}'\n"
#define GOOD "\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:jwt\""

static void test_workload_identity_from_a_program(void **state)
{
	struct fixture *f = *state;
	(void)unsetenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
	begin_executable(f, "touch \"$HOME/ran\"\n", "");
	assert_fails(f, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1");
	CLEANUP(freep) char *ran = mem_printf("%s/ran", f->dir);
	assert_int_equal(access(ran, F_OK), -1);
	(void)setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	begin_executable(f, "echo '{\"version\":1," GOOD ",\"id_token\":\"'$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE'+'$GOOGLE_EXTERNAL_ACCOUNT_"
		"TOKEN_TYPE'+'$GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL'+'$GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE'+'$1'\"}'\n", "");
	assert_token(f, "acting-1");
	assert_non_null(strstr(f->sts, "&subject_token=%2F%2Fiam%2Fpool%2Burn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt%2Ba%40b%2B0%2Btwo"));
	begin_executable(f, PRINTS("\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:saml2\",\"saml_response\":\"saml\""), "");
	assert_token(f, "acting-3");
	assert_non_null(strstr(f->sts, "&subject_token=saml"));
	(void)unsetenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
}

static void test_what_a_program_got_wrong_is_named(void **state)
{
	static const char *const cases[][3] = {
		{ PRINTS("\"success\":false,\"code\":\"401\",\"message\":\"" CANARY "\""), "", "failed, code '401'" },
		{ "echo '{\"version\":2}'\n", "", "another version" },
		{ PRINTS(GOOD), "", "without token_type and id_token" },
		{ PRINTS(GOOD ",\"id_token\":\"" CANARY "\",\"expiration_time\":1"), "", "has ended" },
		{ PRINTS(GOOD ",\"id_token\":\"" CANARY "\""), ",\"output_file\":\"/nowhere/at/all\"", "without expiration_time" },
		{ "echo " CANARY "\n", "", "no JSON object" },
		{ "exit 7\n", "", "failed (status 7)" },
		{ "exit 0\n", ",\"timeout_millis\":100", "timeout_millis must be 5000 to 120000" },
	};
	struct fixture *f = *state;
	(void)setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin_executable(f, cases[i][0], cases[i][1]);
		assert_fails(f, cases[i][2]);
	}
	assert_int_equal(atomic_load(&f->server.requests), 0);
	(void)unsetenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
}

static void test_a_programs_output_file_is_used_until_it_ends(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *extra = mem_printf(",\"output_file\":\"%s/kept\"", f->dir);
	(void)setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	(void)write_file(f, "kept", "{\"version\":1," GOOD ",\"id_token\":\"kept\",\"expiration_time\":4102444800}");
	begin_executable(f, "exit 1\n", extra);
	assert_token(f, "acting-1");
	assert_non_null(strstr(f->sts, "&subject_token=kept"));
	(void)write_file(f, "kept", "{\"version\":1," GOOD ",\"id_token\":\"kept\",\"expiration_time\":1}");
	begin_executable(f, PRINTS(GOOD ",\"id_token\":\"new\",\"expiration_time\":9223372036854775807"), extra);
	assert_token(f, "acting-3");
	assert_non_null(strstr(f->sts, "&subject_token=new"));
	(void)write_file(f, "kept", "half of {");
	begin_executable(f, PRINTS(GOOD ",\"id_token\":\"newer\",\"expiration_time\":4102444800"), extra);
	assert_token(f, "acting-5");
	assert_non_null(strstr(f->sts, "&subject_token=newer"));
	(void)unsetenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_workload_identity_from_a_file),
		TEST(test_workload_identity_from_a_url_acts_as_a_service_account),
		TEST(test_workload_identity_from_aws),
		TEST(test_what_an_aws_source_lacks_is_named),
		TEST(test_workload_identity_from_a_program),
		TEST(test_what_a_program_got_wrong_is_named),
		TEST(test_a_programs_output_file_is_used_until_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
