/* test_google_auth.c - access tokens from a real token server: each kind of credentials, Google's order, and how often one asks. */
#include "connectors/google_auth.h"

#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "tests/unit/net/server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CANARY "canary-8f3b1c5e9d7a2f4b6c8d0e1f2a3b4c5d6e7f8091a2b3" /* a secret: in no text */

struct fixture {
	struct server server;
	char dir[64];
	char *pem;                   /* as a JSON text has it: \n for line ends */
	struct google_rules rules;
	struct google_auth *auth;
	struct buf header;
	struct err err;
	atomic_uint tokens;          /* handed out; the number is in each */
	atomic_uint life_s;
	_Atomic(const char *) metadata_extra; /* header lines of the metadata server */
	_Atomic(const char *) refusal; /* what the token endpoint says with 400; NULL: it does not refuse */
	char assertion[4096], sts[4096]; /* bodies as they came */
};

/* The instance's metadata as IMDSv2 gives them. */
static bool answer_aws(struct peer *p, const char *path)
{
	if (strcmp(path, "token") == 0)
		return strncmp(p->request, "PUT ", 4) == 0 && strstr(p->request, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n") ?
			peer_answer(p, "200 OK", "", "imds-" CANARY) : peer_answer(p, "405 No", "", "");
	if (!strstr(p->request, "\r\nX-aws-ec2-metadata-token: imds-" CANARY "\r\n"))
		return peer_answer(p, "401 No", "", "");
	if (strcmp(path, "zone") == 0)
		return peer_answer(p, "200 OK", "", "eu-central-1b");
	if (strcmp(path, "role") == 0)
		return peer_answer(p, "200 OK", "", "lab-role");
	return strcmp(path, "role/lab-role") == 0 ? peer_answer(p, "200 OK", "", "{\"Code\":\"Success\",\"AccessKeyId\":\"AKIDMETA\","
		"\"SecretAccessKey\":\"" CANARY "\",\"Token\":\"session-token\",\"Expiration\":\"2099-01-01T00:00:00Z\"}") :
		peer_answer(p, "404 No", "", "");
}

static bool answer(struct peer *p, const char *path)
{
	struct fixture *f = p->server->arg;
	const char *body = strstr(p->request, "\r\n\r\n") + 4;
	char text[256];

	if (strcmp(path, "/oidc") == 0)
		return strstr(p->request, "\r\nMetadata: True\r\n") ? peer_answer(p, "200 OK", "", "{\"value\":\"subject-by-url\"}") :
			peer_answer(p, "403 No", "", "");
	if (strncmp(path, "/aws/", 5) == 0)
		return answer_aws(p, path + 5);
	if (f->refusal)
		return peer_answer(p, "400 Bad Request", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", f->refusal);
	if (strstr(path, ":generateAccessToken")) {
		(void)snprintf(text, sizeof(text), "{\"accessToken\":\"acting-%u\",\"expireTime\":\"2099-01-01T00:00:00Z\"}",
			atomic_fetch_add(&f->tokens, 1));
		return peer_answer(p, "200 OK", "", text);
	}
	(void)snprintf(strcmp(path, "/sts") == 0 ? f->sts : f->assertion, sizeof(f->sts), "%s", body);
	(void)snprintf(text, sizeof(text), "{\"access_token\":\"token-%u\",\"expires_in\":%u,\"token_type\":\"Bearer\"}",
		atomic_fetch_add(&f->tokens, 1), atomic_load(&f->life_s));
	return peer_answer(p, "200 OK", strstr(path, "computeMetadata") ? f->metadata_extra : "", text);
}

static char *make_pem(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf escaped = { 0 };
	char *text;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	for (long n = BIO_get_mem_data(bio, &text), i = 0; i < n; i++) {
		if (text[i] == '\n')
			buf_str(&escaped, "\\n");
		else
			buf_char(&escaped, text[i]);
	}
	BIO_free_all(bio);
	EVP_PKEY_free(key);
	return buf_take(&escaped);
}

static int set_up(void **state)
{
	static struct fixture f;
	static char *pem;

	memset(&f, 0, sizeof(f));
	limit_time();
	(void)strcpy(f.dir, "/tmp/inlet-google-XXXXXX");
	if (!mkdtemp(f.dir) || server_start(&f.server, "127.0.0.1", answer, &f, NULL) < 0)
		return -1;
	if (!pem)
		pem = make_pem();
	f.pem = pem;
	f.metadata_extra = "Metadata-Flavor: Google\r\n";
	atomic_store(&f.life_s, 3600);
	(void)setenv("HOME", f.dir, 1);
	(void)unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	(void)unsetenv("CLOUDSDK_CONFIG");
	static const char *const aws[] = { "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };

	for (size_t i = 0; i < sizeof(aws) / sizeof(*aws); i++)
		(void)unsetenv(aws[i]);
	(void)unsetenv("GCE_METADATA_HOST");
	(void)setenv("NO_GCE_CHECK", "true", 1);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *remove = mem_printf("rm -rf '%s'", f->dir);

	google_auth_free(f->auth);
	buf_wipe(&f->header);
	server_stop(&f->server);
	return system(remove);
}

/* Writes a file below the fixture's folder; %P in text is the server's port. */
static const char *write_file(struct fixture *f, const char *name, const char *text)
{
	static char path[256];
	CLEANUP(buf_done) struct buf out = { 0 };

	for (const char *p = text; *p; p++) {
		if (p[0] == '%' && p[1] == 'P')
			buf_u64(&out, f->server.port), p++;
		else if (p[0] == '%' && p[1] == 'K')
			buf_str(&out, f->pem), p++;
		else
			buf_char(&out, *p);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_replace(AT_FDCWD, path, out.data, out.len, 0600, &f->err), 0);
	return path;
}

static int get(struct fixture *f)
{
	buf_wipe(&f->header);
	return google_auth_get(f->auth, &f->header, &f->err);
}

static void begin(struct fixture *f, const char *name, const char *text)
{
	google_auth_free(f->auth);
	f->rules.file = name ? write_file(f, name, text) : NULL;
	f->auth = google_auth_new(&f->rules);
}

static void assert_token(struct fixture *f, const char *token)
{
	CLEANUP(freep) char *expected = mem_printf("Authorization: Bearer %s", token);

	if (get(f) < 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->header.data, expected);
}

static void assert_fails(struct fixture *f, const char *why)
{
	assert_int_equal(get(f), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	if (!strstr(f->err.text, why))
		fail_msg("'%s' is not in: %s", why, f->err.text);
	if (strstr(f->err.text, "canary"))
		fail_msg("a secret in: %s", f->err.text);
}

#define ACCOUNT "{\"type\":\"service_account\",\"client_email\":\"lab@x.iam\",\"private_key_id\":\"k1\",\"private_key\":\"%K\"," \
	"\"token_uri\":\"http://127.0.0.1:%P/token\"}"
#define USER "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"" CANARY "\",\"refresh_token\":\"1//r+t\"," \
	"\"token_uri\":\"http://127.0.0.1:%P/token\"}"

static void test_service_account_signs_an_assertion(void **state)
{
	struct fixture *f = *state;
	char text[400];

	begin(f, "key.json", ACCOUNT);
	assert_token(f, "token-0");
	assert_non_null(strstr(f->assertion, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ"));
	google_auth_describe(f->auth, text, sizeof(text));
	assert_non_null(strstr(text, "service account lab@x.iam from /tmp/inlet-google-"));
	assert_in_range(google_auth_expires_ms(f->auth) - clock_wall_ms(), 3500000, 3600000);
}

static void test_user_sends_the_refresh_token(void **state)
{
	struct fixture *f = *state;

	begin(f, "user.json", USER);
	assert_token(f, "token-0");
	assert_string_equal(f->assertion, "grant_type=refresh_token&client_id=id&client_secret=" CANARY "&refresh_token=1%2F%2Fr%2Bt");
}

static void test_metadata_server_must_be_googles(void **state)
{
	struct fixture *f = *state;
	char host[32];

	(void)snprintf(host, sizeof(host), "127.0.0.1:%u", f->server.port);
	(void)setenv("GCE_METADATA_HOST", host, 1);
	(void)unsetenv("NO_GCE_CHECK");
	begin(f, NULL, NULL);
	assert_token(f, "token-0");
	assert_true(server_saw(&f->server, "GET /computeMetadata/v1/instance/service-accounts/default/token"));
	assert_true(server_saw(&f->server, "Metadata-Flavor: Google"));
	f->metadata_extra = "";
	begin(f, NULL, NULL);
	assert_fails(f, "is not Google's");
}

#define FEDERATED "{\"type\":\"external_account\",\"audience\":\"//iam/pool\",\"subject_token_type\":" \
	"\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":\"http://127.0.0.1:%P/sts\",\"credential_source\":"

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

static void test_impersonation_starts_from_other_credentials(void **state)
{
	struct fixture *f = *state;

	begin(f, "imp.json", "{\"type\":\"impersonated_service_account\",\"delegates\":[\"d1\"],\"source_credentials\":" USER ","
		"\"service_account_impersonation_url\":\"http://127.0.0.1:%P/v1/x:generateAccessToken\"}");
	assert_token(f, "acting-1");
	assert_true(server_saw(&f->server, "Authorization: Bearer token-0"));
	assert_true(server_saw(&f->server, "\"delegates\":[\"d1\"]"));
}

static void test_googles_order(void **state)
{
	struct fixture *f = *state;
	char text[400];

	begin(f, NULL, NULL);
	assert_fails(f, "no Google credentials");
	assert_fails(f, "anonymous: true");
	CLEANUP(freep) char *folder = mem_printf("%s/.config/gcloud", f->dir);

	assert_int_equal(dir_make(AT_FDCWD, folder, 0700, &f->err), 0);
	(void)write_file(f, ".config/gcloud/application_default_credentials.json", USER);
	begin(f, NULL, NULL);
	assert_token(f, "token-0");
	google_auth_describe(f->auth, text, sizeof(text));
	assert_non_null(strstr(text, "a person's login from gcloud's file ("));

	(void)setenv("GOOGLE_APPLICATION_CREDENTIALS", write_file(f, "key.json", ACCOUNT), 1);
	begin(f, NULL, NULL);
	assert_token(f, "token-1");
	google_auth_describe(f->auth, text, sizeof(text));
	assert_non_null(strstr(text, "from GOOGLE_APPLICATION_CREDENTIALS ("));

	(void)setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json", 1); /* named: never passed over */
	begin(f, NULL, NULL);
	assert_fails(f, "GOOGLE_APPLICATION_CREDENTIALS (/nowhere/key.json)");
	begin(f, "mine.json", USER); /* gcs.credentials: nothing else is looked at */
	assert_token(f, "token-2");
}

static void test_files_that_are_wrong_say_how(void **state)
{
	struct fixture *f = *state;

	begin(f, "bad.json", "canary, not JSON");
	assert_fails(f, "no Google credentials file");
	begin(f, "bad.json", "{\"type\":\"service_account\",\"client_email\":\"a@b\"}");
	assert_fails(f, "has no \"private_key\"");
	begin(f, "bad.json", "{\"type\":\"gdch_service_account\"}");
	assert_fails(f, "its type is 'gdch_service_account'");
	begin(f, "bad.json", "{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"" CANARY "\"}");
	assert_fails(f, "no PEM private key");
	begin(f, "bad.json", FEDERATED "{\"certificate\":{}}}");
	assert_fails(f, "neither \"file\", \"url\", \"executable\" nor \"environment_id\"");
}

static void test_a_token_is_asked_for_in_no_clear_text(void **state)
{
	struct fixture *f = *state;

	begin(f, "key.json", "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\",\"refresh_token\":\"r\","
		"\"token_uri\":\"http://tokens.example/token\"}");
	assert_fails(f, "must be https");
	assert_int_equal(atomic_load(&f->server.requests), 0);
}

static void refuse(struct fixture *f)
{
	CLEANUP(buf_wipe) struct buf used = { 0 };

	buf_add(&used, f->header.data, f->header.len);
	google_auth_expired(f->auth, &used);
}

static void test_one_request_serves_until_the_token_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, "key.json", USER);
	assert_token(f, "token-0");
	assert_token(f, "token-0");
	refuse(f);
	assert_token(f, "token-1");
	refuse(f);
	assert_fails(f, "refuses one fresh access token after the other"); /* or each request would be four */
	assert_int_equal(atomic_load(&f->server.requests), 2);
}

static void test_short_lived_tokens_are_no_storm(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->life_s, 60);
	begin(f, "key.json", USER);
	for (int i = 0; i < 5; i++)
		assert_token(f, "token-0");
	assert_int_equal(atomic_load(&f->server.requests), 1);
}

static void test_refusals_are_told_without_secrets_and_remembered(void **state)
{
	struct fixture *f = *state;

	f->refusal = "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request with " CANARY " inside.\"}";
	begin(f, "key.json", USER);
	assert_fails(f, "answered 400: invalid_grant: Bad Request with (hidden) inside.");
	assert_fails(f, "this host's clock is");
	assert_int_equal(atomic_load(&f->server.requests), 1);
	f->refusal = "{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\",\"message\":\"IAM said no\"}}";
	begin(f, "key.json", USER);
	assert_fails(f, "PERMISSION_DENIED: IAM said no");
	f->refusal = "<html>" CANARY;
	begin(f, "key.json", USER);
	assert_fails(f, "answered 400");
}

static void *get_in_thread(void *arg)
{
	struct fixture *f = arg;
	CLEANUP(buf_wipe) struct buf header = { 0 };
	struct err err;

	return google_auth_get(f->auth, &header, &err) == 0 && strcmp(header.data, "Authorization: Bearer token-0") == 0 ? f : NULL;
}

static void test_many_threads_are_one_request(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[16];

	begin(f, "key.json", ACCOUNT);
	for (int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_in_thread, f), 0);
	for (int i = 0; i < 16; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_non_null(result);
	}
	assert_int_equal(atomic_load(&f->server.requests), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_service_account_signs_an_assertion),
		TEST(test_user_sends_the_refresh_token),
		TEST(test_metadata_server_must_be_googles),
		TEST(test_workload_identity_from_a_file),
		TEST(test_workload_identity_from_a_url_acts_as_a_service_account),
		TEST(test_workload_identity_from_aws),
		TEST(test_what_an_aws_source_lacks_is_named),
		TEST(test_workload_identity_from_a_program),
		TEST(test_what_a_program_got_wrong_is_named),
		TEST(test_a_programs_output_file_is_used_until_it_ends),
		TEST(test_impersonation_starts_from_other_credentials),
		TEST(test_googles_order),
		TEST(test_files_that_are_wrong_say_how),
		TEST(test_a_token_is_asked_for_in_no_clear_text),
		TEST(test_one_request_serves_until_the_token_is_refused),
		TEST(test_short_lived_tokens_are_no_storm),
		TEST(test_refusals_are_told_without_secrets_and_remembered),
		TEST(test_many_threads_are_one_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
