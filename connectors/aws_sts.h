/* aws_sts.h - roles: credentials for a role, by others that may assume it or by a web identity token. */
#ifndef INLET_CONNECTORS_AWS_STS_H
#define INLET_CONNECTORS_AWS_STS_H

#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdatomic.h>

struct aws_sts {
	const char *endpoint;     /* NULL: AWS's own, the region's where one is known */
	const char *region;       /* "" unknown */
	const char *ca_file;      /* for endpoint; AWS's own is judged by the system's */
	const char *proxy;
	const atomic_bool *stopping;
};
struct aws_role {
	struct slice arn;
	struct slice session;     /* "": "inlet" */
	struct slice external_id; /* "": none */
	struct slice duration;    /* seconds; "": the role's own */
};

/* AssumeRole, signed with `with`. A clock that is wrong is corrected by the server's. ERR_RETRY. */
int aws_sts_assume(const struct aws_sts *sts, const struct aws_role *role, const struct aws_credentials *with,
	struct aws_credentials *ret, struct err *err);
/* AssumeRoleWithWebIdentity; the token is the proof, nothing is signed. ERR_RETRY. */
int aws_sts_web_identity(const struct aws_sts *sts, const struct aws_role *role, struct slice token, struct aws_credentials *ret,
	struct err *err);

#endif
