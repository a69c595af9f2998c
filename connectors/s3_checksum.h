/* s3_checksum.h - the checksum that a server sends with an object (x-amz-checksum-...), computed again over what arrived.
 *
 * Only one that covers the whole object: a COMPOSITE one ("...-3") is made of the parts' checksums and says nothing of the bytes
 * here. One thread at a time. */
#ifndef INLET_CONNECTORS_S3_CHECKSUM_H
#define INLET_CONNECTORS_S3_CHECKSUM_H

#include "daemon/net/http.h"

struct s3_checksum {
	const struct s3_checksum_kind *kind; /* NULL: the server sent none that can be checked */
	uint64_t crc;
	void *digest;                /* EVP_MD_CTX */
	uint8_t expected[32];
};

/* Takes the cheapest that the answer carries. */
void s3_checksum_begin(struct s3_checksum *k, const struct http_reply *r);
void s3_checksum_add(struct s3_checksum *k, const void *p, size_t n);
bool s3_checksum_right(struct s3_checksum *k); /* after the last byte; true also where there is none */
void s3_checksum_done(struct s3_checksum *k);

#endif
