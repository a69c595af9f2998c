/* test_google_auth.c - access tokens from a real token server: each kind of credentials, Google's order, and how often one asks. */
#include "daemon/base/clock.h"
#include "tests/unit/connectors/google_fixture.h"

#include <sys/syscall.h>

static atomic_llong wall_ahead_s, mono_ahead_s;

int clock_gettime(clockid_t which, struct timespec *ret) /* NOLINT(readability-inconsistent-declaration-parameter-name) */
{
	if (syscall(SYS_clock_gettime, which, ret) < 0)
		return -1;
	ret->tv_sec += which == CLOCK_REALTIME ? wall_ahead_s : which == CLOCK_MONOTONIC ? mono_ahead_s : 0;
	return 0;
}

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

/* The clock is set back, as NTP does on a host that woke up with a wrong one. */
static void test_a_failure_is_not_remembered_for_longer_where_the_clock_is_set_back(void **state)
{
	struct fixture *f = *state;
	f->refusal = "{\"error\":\"invalid_grant\"}";
	begin(f, "key.json", USER);
	assert_fails(f, "invalid_grant");
	f->refusal = NULL;
	wall_ahead_s = -7200;
	mono_ahead_s = 2;
	assert_token(f, "token-0");
	wall_ahead_s = mono_ahead_s = 0;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_service_account_signs_an_assertion),
		TEST(test_user_sends_the_refresh_token),
		TEST(test_metadata_server_must_be_googles),
		TEST(test_impersonation_starts_from_other_credentials),
		TEST(test_googles_order),
		TEST(test_files_that_are_wrong_say_how),
		TEST(test_a_token_is_asked_for_in_no_clear_text),
		TEST(test_one_request_serves_until_the_token_is_refused),
		TEST(test_short_lived_tokens_are_no_storm),
		TEST(test_refusals_are_told_without_secrets_and_remembered),
		TEST(test_a_failure_is_not_remembered_for_longer_where_the_clock_is_set_back),
		TEST(test_many_threads_are_one_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
