/* aws_chain.h - AWS's order: where credentials are looked for, one place after the other, and which region is meant. */
#ifndef INLET_CONNECTORS_AWS_CHAIN_H
#define INLET_CONNECTORS_AWS_CHAIN_H

#include "config/config.h"
#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"

#include <stdatomic.h>

struct aws_chain {
	const struct s3_config *config;
	const char *region;          /* "" unknown */
	const atomic_bool *stopping;
};
/* Looks now; *ret as { 0 } before. Blocks for seconds. The first place that is set up counts: if it fails, the ones behind it are
 * not asked. ERR_RETRY, ERR_REJECT as aws_provider_get(). */
int aws_chain_find(const struct aws_chain *c, struct aws_credentials *ret, struct err *err);

/* "" where none is named; the caller's. A profile that cannot be read names none. */
char *aws_chain_region(const struct s3_config *config);

#endif
