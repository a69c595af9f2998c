/* hash.h - SHA-256 by OpenSSL with the algorithm fetched once, and a keyed 128-bit hash (SipHash-2-4-128, libsodium). */
#ifndef INLET_BASE_HASH_H
#define INLET_BASE_HASH_H

#include "daemon/base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

struct sha256; /* a running hash; not thread-safe: one per thread, reused for any number of messages */

struct sha256 *sha256_new(void); /* begun */
void sha256_free(struct sha256 *h);
CLEANUP_FN(struct sha256 *, sha256_free)
void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *p, size_t n);
void sha256_end(struct sha256 *h, uint8_t ret_digest[SHA256_BYTES]); /* sha256_begin() before the next message */
/* One message in one call; h is reused, whatever was in it is dropped. */
void sha256_of(struct sha256 *h, const void *p, size_t n, uint8_t ret_digest[SHA256_BYTES]);

struct hash_key {
	uint8_t bytes[16];
};
struct digest128 {
	uint64_t lo, hi;
};
/* digest + hash(key, p[0..n)) modulo 2^128: a set's digest is the sum over its members in any order. */
void digest128_add(struct digest128 *digest, const struct hash_key *key, const void *p, size_t n);
void digest128_sub(struct digest128 *digest, const struct hash_key *key, const void *p, size_t n);

void hash_random(void *p, size_t n); /* cryptographically strong random bytes */

#endif
