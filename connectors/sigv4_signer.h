/* sigv4_signer.h - signs one request after the other with Signature V4: keeps the key of the day, whose derivation is four fifths of
 * a signature's work. Any thread. */
#ifndef INLET_CONNECTORS_SIGV4_SIGNER_H
#define INLET_CONNECTORS_SIGV4_SIGNER_H

#include "connectors/sigv4.h"

struct sigv4_signer;

struct sigv4_signer *sigv4_signer_new(void);
void sigv4_signer_free(struct sigv4_signer *s); /* NULL allowed; the key is wiped */
/* Appends the value of the Authorization header. The scope may be another each time: another day, region, service or secret makes
 * another key. */
void sigv4_sign(struct sigv4_signer *s, struct buf *to, const struct sigv4_request *q, const struct sigv4_scope *scope);

#endif
