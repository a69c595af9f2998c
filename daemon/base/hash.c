/* hash.c - SHA-256 through OpenSSL's EVP, SipHash-128 through libsodium, random bytes from the kernel. */
#include "daemon/base/hash.h"

#include "daemon/base/mem.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct sha256 {
	EVP_MD_CTX *ctx; /* bound to the fetched algorithm for good: starting again looks nothing up */
};

/* Without a working digest nothing can be stored or verified: there is no way on. */
static void must(int ok)
{
	if (!ok) {
		(void)fputs("<2>SHA-256 is not to be had from OpenSSL, stopping: check openssl.cnf and its providers\n", stderr);
		abort();
	}
}

static EVP_MD *algorithm; /* fetched once a process, never freed */

static void fetch_algorithm(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(algorithm != NULL);
}

struct sha256 *sha256_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, fetch_algorithm);
	struct sha256 *h = mem_zero(1, sizeof(*h));
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(EVP_DigestInit_ex2(h->ctx, algorithm, NULL) == 1);
	return h;
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void sha256_begin(struct sha256 *h)
{
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL) == 1);
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n) == 1);
}

void sha256_end(struct sha256 *h, uint8_t ret_digest[SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(h->ctx, ret_digest, NULL) == 1);
}

void sha256_of(struct sha256 *h, const void *p, size_t n, uint8_t ret_digest[SHA256_BYTES])
{
	sha256_begin(h);
	sha256_add(h, p, n);
	sha256_end(h, ret_digest);
}

static unsigned __int128 siphash(const struct hash_key *key, const void *p, size_t n)
{
	static_assert(sizeof(key->bytes) == crypto_shorthash_siphashx24_KEYBYTES, "key size");
	uint64_t out[2];
	static_assert(sizeof(out) == crypto_shorthash_siphashx24_BYTES, "digest size");
	(void)crypto_shorthash_siphashx24((uint8_t *)out, p, n, key->bytes);
	return (unsigned __int128)le64toh(out[1]) << 64 | le64toh(out[0]);
}

static unsigned __int128 digest_value(const struct digest128 *d)
{
	return (unsigned __int128)d->hi << 64 | d->lo;
}

static struct digest128 digest_of(unsigned __int128 value)
{
	return (struct digest128){ .lo = (uint64_t)value, .hi = (uint64_t)(value >> 64) };
}

void digest128_add(struct digest128 *digest, const struct hash_key *key, const void *p, size_t n)
{
	*digest = digest_of(digest_value(digest) + siphash(key, p, n));
}

void digest128_sub(struct digest128 *digest, const struct hash_key *key, const void *p, size_t n)
{
	*digest = digest_of(digest_value(digest) - siphash(key, p, n));
}

void hash_random(void *p, size_t n)
{
	uint8_t *to = p;
	while (n > 0) {
		ssize_t got = getrandom(to, n, 0);
		if (got < 0) {
			assert(errno == EINTR); /* what else can fail is a bad pointer */
			continue;
		}
		to += got;
		n -= (size_t)got;
	}
}
