/* aws_role.h - the credentials that a profile stands for: its keys, a role over another profile, a token, a program. */
#ifndef INLET_CONNECTORS_AWS_ROLE_H
#define INLET_CONNECTORS_AWS_ROLE_H

#include "connectors/aws_chain.h"
#include "connectors/aws_profile.h"

#define AWS_ROLE_DEPTH 8U /* profiles that lead to each other through source_profile */

/* 1: found. 0: the profile says nothing of credentials (or is not there). -1: ERR_RETRY, ERR_REJECT. */
int aws_role_resolve(const struct aws_chain *c, const struct aws_profiles *profiles, struct slice profile,
	struct aws_credentials *ret, struct err *err);
/* The environment's keys, and its web identity: 1, 0, -1 as above. */
int aws_role_environment(struct aws_credentials *ret, struct err *err);
int aws_role_web_identity(const struct aws_chain *c, struct aws_credentials *ret, struct err *err);

#endif
