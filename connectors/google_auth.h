/* google_auth.h - an OAuth access token for reading Cloud Storage, kept and renewed before it expires.
 *
 * Credentials come from gcs.credentials (then nothing else is looked at) or in the order of Google's Application Default
 * Credentials (google_credentials.h). The file is read again at each renewal, so a replaced key is taken up. Secrets are wiped
 * when they go and are in no text. */
#ifndef INLET_CONNECTORS_GOOGLE_AUTH_H
#define INLET_CONNECTORS_GOOGLE_AUTH_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct google_rules {
	const char *file;            /* gcs.credentials; NULL: Google's order */
	const char *ca_file, *proxy; /* as http_rules has them; neither is used for the metadata server */
	const atomic_bool *stopping; /* true ends a running google_auth_get() soon */
};

struct google_auth;
struct google_auth *google_auth_new(const struct google_rules *rules); /* strings borrowed; looks at nothing yet */
void google_auth_free(struct google_auth *a);                          /* NULL allowed; nobody may be in google_auth_get() */

/* Appends "Authorization: Bearer ..." to the empty *ret, which buf_wipe() ends. From memory unless the token ends within four
 * minutes: then one thread renews it while the others go on with the old one, or wait where that has ended. A failed renewal
 * counts only when the old token has ended, and is answered from memory for a moment, so that a hundred threads are no storm.
 * -1 is ERR_RETRY always, for no object is to blame: the text says where was looked and what to do. Any thread. */
int google_auth_get(struct google_auth *a, struct buf *ret, struct err *err);
/* The server refused this header: unless another thread has renewed it since, the next get does. */
void google_auth_expired(struct google_auth *a, const struct buf *used);

/* For people: where the credentials came from and whose they are; "" before the first google_auth_get(). */
void google_auth_describe(struct google_auth *a, char *ret_text, size_t size);
int64_t google_auth_expires_ms(struct google_auth *a); /* wall clock; 0: no token */

#endif
