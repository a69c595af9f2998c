/* test_aws_provider.c - every place that gives out credentials, played by a real server on loopback with AWS's documented
 * answers; what is kept, what is renewed, and that no secret is ever in a text. */
#include "connectors/aws_provider.h"

#include "connectors/aws_answer.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "tests/unit/net/server.h"
#include "tests/unit/put_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/CANARY"
#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

struct fixture {
	struct server server;
	char home[64];
	struct s3_config config;
	atomic_bool stopping;
	struct aws_provider *provider;
	struct aws_credentials got;
	struct err err;
	atomic_int life_s;       /* of what the server gives out */
	atomic_int fails;        /* answers 500 */
	atomic_int given;        /* credentials given out */
	atomic_int slow_ms;
};

static const char *expiry_of(int life_s, char text[32])
{
	struct tm tm;
	time_t at = time(NULL) + life_s;
	(void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	return text;
}

#define JSON "{\"Code\": \"Success\", \"AccessKeyId\": \"ASIA%d\", \"SecretAccessKey\": \"" SECRET "\", \"Token\": \"tok\", \"Expiration\": \"%s\"}"
#define XML "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>" SECRET \
	"</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define DENIED "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: " \
	"sts:AssumeRole</Message></Error></ErrorResponse>"

static bool give(struct peer *p, struct fixture *f, bool xml)
{
	char body[1024], expiry[32];
	if (atomic_load(&f->fails))
		return peer_answer(p, "500 Internal Server Error", "", "{\"Code\": \"x\", \"SecretAccessKey\": \"" SECRET "\"}");
	const struct timespec wait = { .tv_nsec = (long)atomic_load(&f->slow_ms) * 1000000 };
	(void)nanosleep(&wait, NULL);
	int number = atomic_fetch_add(&f->given, 1) + 1;
	(void)snprintf(body, sizeof(body), xml ? XML : JSON, number, expiry_of(atomic_load(&f->life_s), expiry));
	return peer_answer(p, "200 OK", "", body);
}

/* The container's endpoint, the instance's and STS in one. */
static bool script(struct peer *p, const char *path)
{
	struct fixture *f = p->server->arg;
	bool put = strncmp(p->request, "PUT ", 4) == 0, knows = strcasestr(p->request, "x-aws-ec2-metadata-token: T0KEN") != NULL;
	if (strcmp(path, "/container") == 0)
		return strstr(p->request, "Authorization: Basic c2VjcmV0\r\n") ? give(p, f, false)
			: peer_answer(p, "401 Unauthorized", "", "");
	if (strcmp(path, TOKEN_PATH) == 0)
		return put && strcasestr(p->request, "ttl-seconds: 21600") ? peer_answer(p, "200 OK", "", "T0KEN")
			: peer_answer(p, "405 Method Not Allowed", "", "");
	if (strcmp(path, ROLES_PATH) == 0)
		return knows ? peer_answer(p, "200 OK", "", "lab-role\n") : peer_answer(p, "401 Unauthorized", "", "");
	if (strcmp(path, ROLES_PATH "lab-role") == 0)
		return knows ? give(p, f, false) : peer_answer(p, "401 Unauthorized", "", "");
	if (strcmp(path, "/sts/") == 0)
		return strstr(p->request, "denied") ? peer_answer(p, "403 Forbidden", "", DENIED) : give(p, f, true);
	return peer_answer(p, "404 Not Found", "", "");
}

static void in_home(const struct fixture *f, const char *name, const char *text)
{
	CLEANUP(freep) char *path = mem_printf("%s/%s", f->home, name);
	put_file(AT_FDCWD, path, slice_of(text), 0600);
}

static void set_url(const struct fixture *f, const char *variable, const char *path)
{
	CLEANUP(freep) char *url = mem_printf("http://127.0.0.1:%u%s", f->server.port, path);
	(void)setenv(variable, url, 1);
}

static void clear_environment(void)
{
	static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_CREDENTIAL_EXPIRATION", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_ROLE_SESSION_NAME" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
}

static int setup(void **state)
{
	static struct fixture f;
	memset(&f, 0, sizeof(f));
	limit_time();
	clear_environment();
	(void)strcpy(f.home, "/tmp/inlet-aws-XXXXXX");
	if (!mkdtemp(f.home) || server_start(&f.server, "127.0.0.1", script, &f, NULL) < 0)
		return -1;
	CLEANUP(freep) char *folder = mem_printf("%s/.aws", f.home);
	if (dir_make(AT_FDCWD, folder, 0700, &f.err) < 0)
		return -1;
	(void)setenv("HOME", f.home, 1);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	atomic_store(&f.life_s, 3600);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	aws_credentials_done(&f->got);
	aws_provider_free(f->provider);
	server_stop(&f->server);
	CLEANUP(freep) char *command = mem_printf("rm -r '%s'", f->home);
	return system(command);
}

static int ask(struct fixture *f)
{
	if (!f->provider)
		f->provider = aws_provider_new(&f->config, &f->stopping);
	int rc = aws_provider_get(f->provider, &f->got, &f->err);
	assert_null(rc < 0 ? strstr(f->err.text, "CANARY") : NULL);
	assert_null(strstr(f->got.origin, "CANARY"));
	return rc;
}

static void assert_got(struct fixture *f, const char *id, const char *origin)
{
	if (ask(f) < 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->got.key_id.data, id);
	assert_string_equal(f->got.secret.data, SECRET);
	if (!strstr(f->got.origin, origin))
		fail_msg("origin: %s", f->got.origin);
}

static void assert_fails(struct fixture *f, enum err_class class, const char *why)
{
	assert_int_equal(ask(f), -1);
	if (!strstr(f->err.text, why) || f->err.class != class)
		fail_msg("%s: %s", err_class_name(f->err.class), f->err.text);
}

static void test_the_environment_comes_first(void **state)
{
	struct fixture *f = *state;
	in_home(f, ".aws/credentials", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = " SECRET "\n");
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	(void)setenv("AWS_SESSION_TOKEN", "tok", 1);
	(void)setenv("AWS_DEFAULT_REGION", "eu-west-3", 1);
	assert_got(f, "AKIDENV", "the environment");
	assert_string_equal(f->got.token.data, "tok");
	assert_int_equal(f->got.expires_ms, 0);
	assert_string_equal(aws_provider_region(f->provider), "eu-west-3");
}

static void test_a_named_profile_passes_over_the_environment(void **state)
{
	struct fixture *f = *state;
	in_home(f, ".aws/credentials", "[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = " SECRET "\n");
	in_home(f, ".aws/config", "[profile lab]\nregion = eu-west-9\naws_access_key_id = AKIDCONFIG\n");
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	f->config.profile = (char *)"lab";
	assert_got(f, "AKIDLAB", "profile 'lab' in /tmp/inlet-aws-");
	assert_string_equal(aws_provider_region(f->provider), "eu-west-9");
}

static void test_a_credentials_file_is_the_last_word(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *path = mem_printf("%s/keys", f->home);
	f->config.credentials = path;
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	assert_fails(f, ERR_RETRY, "/keys: No such file");
	in_home(f, "keys", "[other]\nregion = x\n");
	assert_fails(f, ERR_RETRY, "profile 'default' is not in");
	in_home(f, "keys", "[default]\naws_access_key_id = AKIDONE\n");
	assert_fails(f, ERR_REJECT, "aws_access_key_id without aws_secret_access_key");
	in_home(f, "keys", "[default]\naws_access_key_id = AKIDONE\naws_secret_access_key = " SECRET "\n");
	assert_got(f, "AKIDONE", "/keys");
	in_home(f, "keys", "[default]\naws_access_key_id = AKIDTWO\naws_secret_access_key = " SECRET "\n");
	assert_got(f, "AKIDONE", "/keys"); /* from memory */
	aws_provider_expired(f->provider, &f->got);
	assert_got(f, "AKIDTWO", "/keys"); /* rotated on disk, refused by the server */
}

static void test_nothing_found_says_where_was_looked(void **state)
{
	struct fixture *f = *state;
	assert_fails(f, ERR_RETRY, "no AWS credentials: not in the environment");
	assert_non_null(strstr(f->err.text, "anonymous: true"));
	f->config.anonymous = true;
	assert_int_equal(ask(f), 0);
	assert_int_equal(f->got.key_id.len, 0);
	assert_int_equal(atomic_load(&f->server.requests), 0);
}

static void test_half_a_pair_is_an_error(void **state)
{
	struct fixture *f = *state;
	(void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	assert_fails(f, ERR_REJECT, "AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID");
}

static void test_container(void **state)
{
	struct fixture *f = *state;
	set_url(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container");
	assert_fails(f, ERR_RETRY, "container credentials: GET http://127.0.0.1");
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic c2VjcmV0", 1);
	assert_got(f, "ASIA1", "container");
	in_home(f, "token", "Basic d3Jvbmc=\n");
	CLEANUP(freep) char *path = mem_printf("%s/token", f->home);
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1); /* wins, and is read each time */
	aws_provider_expired(f->provider, &f->got);
	assert_fails(f, ERR_RETRY, "401");
	in_home(f, "token", "Basic c2VjcmV0\n");
	assert_got(f, "ASIA2", "container");
}

static void test_container_over_http_is_this_host_only(void **state)
{
	struct fixture *f = *state;
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://198.51.100.7/container", 1);
	assert_fails(f, ERR_REJECT, "198.51.100.7 over plain http");
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.org/", 1);
	assert_fails(f, ERR_REJECT, "over plain http");
	(void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/", 1);
	assert_fails(f, ERR_REJECT, "does not begin with '/'");
}

static void test_instance(void **state)
{
	struct fixture *f = *state;
	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	set_url(f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
	assert_got(f, "ASIA1", "role 'lab-role' of this instance");
	assert_int_equal(atomic_load(&f->server.requests), 3);
	assert_string_equal(f->got.token.data, "tok");
	assert_got(f, "ASIA1", "instance");
	assert_int_equal(atomic_load(&f->server.requests), 3);
	set_url(f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "/elsewhere");
	aws_provider_expired(f->provider, &f->got);
	assert_fails(f, ERR_RETRY, "instance metadata: ");
}

static void test_web_identity(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *path = mem_printf("%s/jwt", f->home);
	in_home(f, "jwt", "eyJ.e/+=\n");
	set_url(f, "AWS_ENDPOINT_URL_STS", "/sts");
	(void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	(void)setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
	assert_got(f, "ASIA1", "role arn:aws:iam::1:role/x by the web identity in ");
	assert_true(server_saw(&f->server, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"
		"&RoleSessionName=inlet&WebIdentityToken=eyJ.e%2F%2B%3D"));
	assert_false(server_saw(&f->server, "Authorization"));
}

static void test_roles_over_profiles(void **state)
{
	struct fixture *f = *state;
	in_home(f, ".aws/credentials", "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = " SECRET "\n");
	in_home(f, ".aws/config", "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/lab\nsource_profile = base\n"
		"external_id = e/1\nduration_seconds = 900\n");
	set_url(f, "AWS_ENDPOINT_URL_STS", "/sts");
	assert_got(f, "ASIA1", "role arn:aws:iam::1:role/lab by profile 'base' in ");
	assert_true(server_saw(&f->server, "Action=AssumeRole&Version"));
	assert_true(server_saw(&f->server, "&ExternalId=e%2F1&DurationSeconds=900"));
	assert_true(server_saw(&f->server, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDBASE/"));
	assert_true(server_saw(&f->server, "/eu-west-1/sts/aws4_request"));
	in_home(f, ".aws/config", "[default]\nrole_arn = arn:aws:iam::1:role/denied\nsource_profile = base\n");
	aws_provider_expired(f->provider, &f->got);
	assert_fails(f, ERR_RETRY, "assume role arn:aws:iam::1:role/denied: AccessDenied: not authorized");
}

static void test_profiles_that_lead_nowhere(void **state)
{
	static const struct {
		const char *config, *why;
	} cases[] = {
		{ "[default]\nrole_arn = arn:x\nsource_profile = a\n[profile a]\nrole_arn = arn:y\nsource_profile = default\n", "back to itself" },
		{ "[default]\nrole_arn = arn:x\n", "nothing to assume it with" },
		{ "[default]\nrole_arn = arn:x\nsource_profile = none\n", "source_profile 'none'" },
		{ "[default]\nrole_arn = arn:x\nsource_profile = default\n", "source_profile 'default'" },
		{ "[default]\nrole_arn = arn:x\nsource_profile = a\nmfa_serial = 1\n", "mfa_serial" },
		{ "[default]\nsso_session = x\n", "export-credentials" },
		{ "[default]\ncredential_process = 'open\n", "is no command" },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in_home(f, ".aws/config", cases[i].config);
		assert_fails(f, ERR_REJECT, cases[i].why);
	}
	assert_int_equal(atomic_load(&f->server.requests), 0);
}

static void test_a_process_without_a_shell(void **state)
{
	struct fixture *f = *state;
	in_home(f, "out", "{\"Version\": 1, \"AccessKeyId\": \"AKIDPROC\", \"SecretAccessKey\": \"" SECRET "\"}");
	CLEANUP(freep) char *config = mem_printf("[default]\ncredential_process = cat \"%s/out\"\n", f->home);
	in_home(f, ".aws/config", config);
	assert_got(f, "AKIDPROC", "credential_process of profile 'default'");
	aws_provider_expired(f->provider, &f->got);
	in_home(f, ".aws/config", "[default]\ncredential_process = cat /dev/null; echo {}\n"); /* no shell: files "/dev/null;" ... */
	assert_fails(f, ERR_RETRY, "credential_process 'cat' failed (status 1)");
	in_home(f, ".aws/config", "[default]\ncredential_process = echo " SECRET "\n");
	assert_fails(f, ERR_RETRY, "not a JSON object");
	in_home(f, ".aws/config", "[default]\ncredential_process = /nonexistent/program\n");
	assert_fails(f, ERR_RETRY, getenv("INLET_VALGRIND") ? "'/nonexistent/program' failed (status 127)" /* its vfork forks */
							     : "'/nonexistent/program': No such file");
	in_home(f, ".aws/config", "[default]\ncredential_process = cat /dev/zero\n");
	assert_fails(f, ERR_RETRY, "says too much");
}

static void *stop_soon(void *arg)
{
	const struct timespec wait = { .tv_nsec = 50000000 };
	(void)nanosleep(&wait, NULL);
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

static void test_stopping_ends_a_process(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	in_home(f, ".aws/config", "[default]\ncredential_process = sleep 1000\n");
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, &f->stopping), 0);
	assert_fails(f, ERR_RETRY, "credential_process 'sleep'");
	assert_int_equal(f->err.sys, ECANCELED);
	(void)pthread_join(thread, NULL);
}

static void from_container(struct fixture *f)
{
	set_url(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container");
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic c2VjcmV0", 1);
}

static void test_renewed_before_they_expire(void **state)
{
	struct fixture *f = *state;
	from_container(f);
	atomic_store(&f->life_s, 4);
	assert_got(f, "ASIA1", "container");
	int64_t expires_ms = f->got.expires_ms;
	while (atomic_load(&f->given) < 2) { /* half of its life is over before the server is asked again */
		assert_int_equal(ask(f), 0);
		const struct timespec wait = { .tv_nsec = 10000000 };
		(void)nanosleep(&wait, NULL);
	}
	assert_true(clock_wall_ms() < expires_ms + 1000);
	assert_string_equal(f->got.key_id.data, "ASIA2");
}

static void test_a_failed_renewal_counts_when_the_old_ones_expire(void **state)
{
	struct fixture *f = *state;
	const struct timespec wait = { .tv_nsec = 20000000 };
	unsigned asked;
	from_container(f);
	atomic_store(&f->life_s, 3);
	assert_got(f, "ASIA1", "container");
	atomic_store(&f->fails, 1);
	asked = atomic_load(&f->server.requests);
	int64_t expires_ms = f->got.expires_ms;
	while (ask(f) == 0)
		(void)nanosleep(&wait, NULL);
	assert_true(clock_wall_ms() >= expires_ms);
	assert_true(atomic_load(&f->server.requests) > asked);
	assert_fails(f, ERR_RETRY, "500");
	atomic_store(&f->fails, 0);
	assert_got(f, "ASIA2", "container");
}

static void test_expired_on_arrival(void **state)
{
	struct fixture *f = *state;
	from_container(f);
	atomic_store(&f->life_s, -60);
	assert_fails(f, ERR_RETRY, "is this host's clock right?");
}

static void test_only_the_refused_ones_are_thrown_away(void **state)
{
	struct fixture *f = *state;
	struct aws_credentials old = { 0 };
	from_container(f);
	assert_got(f, "ASIA1", "container");
	assert_int_equal(aws_provider_get(f->provider, &old, &f->err), 0);
	aws_provider_expired(f->provider, &old);
	assert_got(f, "ASIA2", "container");
	aws_provider_expired(f->provider, &old); /* a late complaint of another thread */
	assert_got(f, "ASIA2", "container");
	aws_credentials_done(&old);
}

static void *ask_once(void *arg)
{
	struct fixture *f = arg;
	struct aws_credentials c = { 0 };
	struct err err;
	bool ok = aws_provider_get(f->provider, &c, &err) == 0 && strcmp(c.key_id.data, "ASIA1") == 0;
	aws_credentials_done(&c);
	return ok ? f : NULL;
}

static void test_many_threads_one_request(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[16];
	void *ok;
	from_container(f);
	atomic_store(&f->slow_ms, 100);
	f->provider = aws_provider_new(&f->config, &f->stopping);
	for (int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, f), 0);
	for (int i = 0; i < 16; i++) {
		(void)pthread_join(threads[i], &ok);
		assert_non_null(ok);
	}
	assert_int_equal(atomic_load(&f->given), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_an_answer_drives_no_terminal(void **state)
{
	struct aws_credentials c = { 0 };
	struct err err;
	(void)state;
	assert_int_equal(aws_answer_json(SLICE_LIT("{\"Code\":\"No\\u001b[2J\",\"message\":\"a\\nb\"}"), &c, &err), -1);
	assert_string_equal(err.text, "the answer holds no credentials: No\\x1b[2J: a\\x0ab");
	assert_int_equal(aws_answer_json(SLICE_LIT("{}"), &c, &err), -1);
	assert_string_equal(err.text, "the answer holds no credentials");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_environment_comes_first),
		TEST(test_a_named_profile_passes_over_the_environment),
		TEST(test_a_credentials_file_is_the_last_word),
		TEST(test_nothing_found_says_where_was_looked),
		TEST(test_half_a_pair_is_an_error),
		TEST(test_an_answer_drives_no_terminal),
		TEST(test_container),
		TEST(test_container_over_http_is_this_host_only),
		TEST(test_instance),
		TEST(test_web_identity),
		TEST(test_roles_over_profiles),
		TEST(test_profiles_that_lead_nowhere),
		TEST(test_a_process_without_a_shell),
		TEST(test_stopping_ends_a_process),
		TEST(test_renewed_before_they_expire),
		TEST(test_a_failed_renewal_counts_when_the_old_ones_expire),
		TEST(test_expired_on_arrival),
		TEST(test_only_the_refused_ones_are_thrown_away),
		TEST(test_many_threads_one_request),
	};
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
