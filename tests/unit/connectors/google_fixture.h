/* google_fixture.h - credentials of Google's kinds in a folder of the test's own, and a real server that hands out tokens, metadata
 * and subjects for them. */
#ifndef INLET_TESTS_GOOGLE_FIXTURE_H
#define INLET_TESTS_GOOGLE_FIXTURE_H

#include "connectors/google_auth.h"

#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "tests/unit/net/server.h"
#include "tests/unit/put_file.h"

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
static inline bool answer_aws(struct peer *p, const char *path)
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

static inline bool answer(struct peer *p, const char *path)
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

static inline char *make_pem(void)
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

static inline int google_set_up(void **state)
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

static inline int google_tear_down(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *remove = mem_printf("rm -rf '%s'", f->dir);
	google_auth_free(f->auth);
	buf_wipe(&f->header);
	server_stop(&f->server);
	return system(remove);
}

/* Writes a file below the fixture's folder; %P in text is the server's port. */
static inline const char *write_file(struct fixture *f, const char *name, const char *text)
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
	put_file(AT_FDCWD, path, buf_slice(&out), 0600);
	return path;
}

static inline int get(struct fixture *f)
{
	buf_wipe(&f->header);
	return google_auth_get(f->auth, &f->header, &f->err);
}

static inline void begin(struct fixture *f, const char *name, const char *text)
{
	google_auth_free(f->auth);
	f->rules.file = name ? write_file(f, name, text) : NULL;
	f->auth = google_auth_new(&f->rules);
}

static inline void assert_token(struct fixture *f, const char *token)
{
	CLEANUP(freep) char *expected = mem_printf("Authorization: Bearer %s", token);
	if (get(f) < 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->header.data, expected);
}

static inline void assert_fails(struct fixture *f, const char *why)
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

#define FEDERATED "{\"type\":\"external_account\",\"audience\":\"//iam/pool\",\"subject_token_type\":" \
	"\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":\"http://127.0.0.1:%P/sts\",\"credential_source\":"

#define TEST(name) cmocka_unit_test_setup_teardown(name, google_set_up, google_tear_down)

#endif
