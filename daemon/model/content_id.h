/* content_id.h - what bytes are: their SHA-256, raw; hex only in logs, JSON and member names. */
#ifndef INLET_MODEL_CONTENT_ID_H
#define INLET_MODEL_CONTENT_ID_H

#include "daemon/base/hash.h"

#include <stdbool.h>
#include <string.h>

struct content_id {
	uint8_t sha256[SHA256_BYTES]; /* all zero: none (also used for model versions and canonical ids) */
};

#define CONTENT_ID_HEX (2 * SHA256_BYTES)

static inline bool content_id_eq(const struct content_id *a, const struct content_id *b)
{
	return memcmp(a->sha256, b->sha256, SHA256_BYTES) == 0;
}

static inline bool content_id_none(const struct content_id *id)
{
	static const struct content_id none;
	return content_id_eq(id, &none);
}

#endif
