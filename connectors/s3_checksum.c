/* s3_checksum.c - CRCs by crc.h, SHA by OpenSSL. */
#include "connectors/s3_checksum.h"

#include "daemon/base/crc.h"
#include "daemon/base/text.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct s3_checksum_kind {
	size_t bytes;
	uint64_t (*crc)(uint64_t crc, const void *p, size_t n); /* NULL: a digest */
	const char *digest;
};

static uint64_t add_crc32(uint64_t crc, const void *p, size_t n)
{
	return crc32_add((uint32_t)crc, p, n);
}

static uint64_t add_crc32c(uint64_t crc, const void *p, size_t n)
{
	return crc32c_add((uint32_t)crc, p, n);
}

#define KINDS 5

static const struct s3_checksum_kind kinds[KINDS] = { /* the cheapest first */
	{ 8, crc64nvme_add, NULL },
	{ 4, add_crc32c, NULL },
	{ 4, add_crc32, NULL },
	{ 32, NULL, "SHA256" },
	{ 20, NULL, "SHA1" },
};
static const struct slice headers[KINDS + 1] = { /* theirs, in their order, and what was summed up */
	SLICE_LIT("x-amz-checksum-crc64nvme"), SLICE_LIT("x-amz-checksum-crc32c"), SLICE_LIT("x-amz-checksum-crc32"),
	SLICE_LIT("x-amz-checksum-sha256"), SLICE_LIT("x-amz-checksum-sha1"), SLICE_LIT("x-amz-checksum-type"),
};

static bool read_value(const struct s3_checksum_kind *kind, struct slice text, uint8_t *ret)
{
	struct buf bytes = { 0 };
	bool right = text.len > 0 && text_unbase64(&bytes, text) == 0 && bytes.len == kind->bytes; /* "...-3" is no base64 */
	if (right)
		memcpy(ret, bytes.data, bytes.len);
	buf_done(&bytes);
	return right;
}

void s3_checksum_begin(struct s3_checksum *k, const struct http_reply *r)
{
	struct slice values[KINDS + 1];
	*k = (struct s3_checksum){ 0 };
	http_headers(r, headers, KINDS + 1, values);
	if (slice_eq(values[KINDS], SLICE_LIT("COMPOSITE")))
		return;
	for (size_t i = 0; !k->kind && i < KINDS; i++)
		if (read_value(&kinds[i], values[i], k->expected))
			k->kind = &kinds[i];
	if (!k->kind || k->kind->crc)
		return;
	k->digest = EVP_MD_CTX_new();
	if (!k->digest || EVP_DigestInit_ex(k->digest, EVP_get_digestbyname(k->kind->digest), NULL) != 1)
		k->kind = NULL; /* an OpenSSL without it (SHA-1 under a strict policy) */
}

void s3_checksum_add(struct s3_checksum *k, const void *p, size_t n)
{
	if (!k->kind)
		return;
	if (k->kind->crc)
		k->crc = k->kind->crc(k->crc, p, n);
	else
		(void)EVP_DigestUpdate(k->digest, p, n);
}

bool s3_checksum_right(struct s3_checksum *k)
{
	uint8_t got[EVP_MAX_MD_SIZE];
	if (!k->kind)
		return true;
	if (!k->kind->crc)
		return EVP_DigestFinal_ex(k->digest, got, NULL) == 1 && memcmp(got, k->expected, k->kind->bytes) == 0;
	for (size_t i = 0; i < k->kind->bytes; i++)
		got[i] = (uint8_t)(k->crc >> (8 * (k->kind->bytes - 1 - i)));
	return memcmp(got, k->expected, k->kind->bytes) == 0;
}

void s3_checksum_done(struct s3_checksum *k)
{
	EVP_MD_CTX_free(k->digest);
	*k = (struct s3_checksum){ 0 };
}
