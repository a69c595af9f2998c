/* google_jwt.h - a JSON Web Token signed with a service account's RSA key (RS256, RFC 7515 and 7519). */
#ifndef INLET_CONNECTORS_GOOGLE_JWT_H
#define INLET_CONNECTORS_GOOGLE_JWT_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

/* Appends header.claims.signature to `to`. pem: a private RSA key of at least 2048 bits; key_id may be NULL; claims: JSON.
 * ERR_REJECT: it is no such key. Any thread. */
int google_jwt(const char *pem, const char *key_id, struct slice claims, struct buf *to, struct err *err);

#endif
