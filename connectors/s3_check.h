/* s3_check.h - what `inlet doctor` asks of a bucket that speaks S3: credentials and where they come from, region, clock, the right
 * to list, one read. */
#ifndef INLET_CONNECTORS_S3_CHECK_H
#define INLET_CONNECTORS_S3_CHECK_H

#include "connectors/connector.h"
#include "connectors/s3_client.h"

/* As connector_ops.check(). Three requests at most, beside those for credentials. */
void s3_check(struct s3_client *c, const struct s3_config *config, check_fn *tell, void *arg);

#endif
