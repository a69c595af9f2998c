/* test_google_jwt.c - a token that OpenSSL's other half accepts, and keys that are none. */
#include "connectors/google_jwt.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CLAIMS "{\"iss\":\"a@b\",\"x\":\"\xc3\xbf\xc3\xbe?~?>>>\"}"

static char *pem_of(EVP_PKEY *key, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, password ? EVP_aes_128_cbc() : NULL, password,
		password ? (int)strlen(password) : 0, NULL, NULL), 1);
	long n = BIO_get_mem_data(bio, &text);
	copy = mem_strndup(text, (size_t)n);
	BIO_free_all(bio);
	return copy;
}

static void unbase64url(struct slice text, struct buf *to)
{
	CLEANUP(buf_done) struct buf plain = { 0 };
	for (size_t i = 0; i < text.len; i++) {
		assert_null(memchr("+/=", text.p[i], 3));
		buf_char(&plain, text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i]);
	}
	while (plain.len % 4 != 0)
		buf_char(&plain, '=');
	assert_int_equal(text_unbase64(to, buf_slice(&plain)), 0);
}

static void test_openssl_verifies_it(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	EVP_MD_CTX *verify = EVP_MD_CTX_new();
	CLEANUP(freep) char *pem = pem_of(key, NULL);
	CLEANUP(buf_done) struct buf jwt = { 0 }, header = { 0 }, claims = { 0 }, signature = { 0 };
	struct err err;
	(void)state;
	assert_int_equal(google_jwt(pem, "k1", slice_of(CLAIMS), &jwt, &err), 0);
	const char *dot = strchr(jwt.data, '.'), *last = strrchr(jwt.data, '.');
	assert_ptr_not_equal(dot, last);
	unbase64url((struct slice){ jwt.data, (size_t)(dot - jwt.data) }, &header);
	unbase64url((struct slice){ dot + 1, (size_t)(last - dot - 1) }, &claims);
	unbase64url(slice_of(last + 1), &signature);
	assert_string_equal(header.data, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
	assert_string_equal(claims.data, CLAIMS);
	assert_int_equal(EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(verify, (const uint8_t *)signature.data, signature.len, (const uint8_t *)jwt.data,
		(size_t)(last - jwt.data)), 1);
	EVP_MD_CTX_free(verify);
	EVP_PKEY_free(key);
}

static void assert_no_key(const char *pem, const char *why)
{
	CLEANUP(buf_done) struct buf jwt = { 0 };
	struct err err;
	assert_int_equal(google_jwt(pem, NULL, slice_of("{}"), &jwt, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static void test_keys_of_other_kinds_are_refused(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256"), *good = EVP_RSA_gen(2048);
	CLEANUP(freep) char *weak_pem = pem_of(weak, NULL);
	CLEANUP(freep) char *curve_pem = pem_of(curve, NULL);
	CLEANUP(freep) char *locked_pem = pem_of(good, "secret");
	(void)state;
	assert_no_key("no key at all", "no PEM private key");
	assert_no_key("", "no PEM private key");
	assert_no_key(weak_pem, "no RSA key of at least 2048 bits");
	assert_no_key(curve_pem, "no RSA key");
	assert_no_key(locked_pem, "no PEM private key"); /* and nobody is asked for a password */
	EVP_PKEY_free(weak);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_verifies_it),
		cmocka_unit_test(test_keys_of_other_kinds_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
