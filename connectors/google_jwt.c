/* google_jwt.c - RS256 by OpenSSL. */
#include "connectors/google_jwt.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define KEY_BITS_MIN 2048
#define SIGNATURE_MAX 2048  /* bytes: of a key of 16,384 bits */

CLEANUP_FN(EVP_PKEY *, EVP_PKEY_free)
CLEANUP_FN(EVP_MD_CTX *, EVP_MD_CTX_free)
CLEANUP_FN(BIO *, BIO_free_all)

/* base64 with '-' and '_', without padding */
static void base64url(struct buf *to, struct slice bytes)
{
	size_t from = to->len;
	text_base64(to, bytes);
	while (to->len > from && to->data[to->len - 1] == '=')
		to->data[--to->len] = '\0';
	for (char *p = to->data + from; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
}

/* A key is asked for no password: there is nobody at the terminal. */
static int no_password(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *read_key(const char *pem, struct err *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	ERR_clear_error();
	if (!key) {
		(void)err_set(err, ERR_REJECT, 0, "its private_key is no PEM private key: download the key file again");
		return NULL;
	}
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= KEY_BITS_MIN &&
		EVP_PKEY_get_size(key) <= SIGNATURE_MAX)
		return key;
	EVP_PKEY_free(key);
	(void)err_set(err, ERR_REJECT, 0, "its private_key is no RSA key of at least %d bits", KEY_BITS_MIN);
	return NULL;
}

int google_jwt(const char *pem, const char *key_id, struct slice claims, struct buf *to, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = read_key(pem, err);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *sign = EVP_MD_CTX_new();
	CLEANUP(buf_done) struct buf header = { 0 };
	struct json j = { .to = &header };
	uint8_t signature[SIGNATURE_MAX];
	size_t size = sizeof(signature), from = to->len;
	if (!key)
		return -1;
	json_open(&j, NULL, '{');
	json_str(&j, "alg", SLICE_LIT("RS256"));
	json_str(&j, "typ", SLICE_LIT("JWT"));
	if (key_id)
		json_str(&j, "kid", slice_of(key_id));
	json_close(&j, '}');
	base64url(to, buf_slice(&header));
	buf_char(to, '.');
	base64url(to, claims);
	if (!sign || EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) != 1 ||
		EVP_DigestSign(sign, signature, &size, (const uint8_t *)to->data + from, to->len - from) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_RETRY, 0, "OpenSSL could not sign with its private_key");
	}
	buf_char(to, '.');
	base64url(to, (struct slice){ (const char *)signature, size });
	return 0;
}
