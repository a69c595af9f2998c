/* aws_credentials.h - one set of AWS credentials. Secrets are wiped when they go and are never in a text. */
#ifndef INLET_CONNECTORS_AWS_CREDENTIALS_H
#define INLET_CONNECTORS_AWS_CREDENTIALS_H

#include "daemon/base/buf.h"

struct aws_credentials {
	struct buf key_id;       /* empty: anonymous, as configured: requests go unsigned */
	struct buf secret;
	struct buf token;        /* empty: none, and then no x-amz-security-token header */
	int64_t expires_ms;      /* wall clock; 0: they do not */
	char origin[160];        /* for people: "profile 'lab' in /home/x/.aws/credentials" */
};
void aws_credentials_done(struct aws_credentials *c); /* wipes and frees: { 0 } again */
/* Replaces what to holds. */
void aws_credentials_copy(struct aws_credentials *to, const struct aws_credentials *from);

#endif
