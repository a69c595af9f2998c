/* aws_metadata.h - credentials from where the program runs: the container's endpoint (ECS, EKS), or the instance's (IMDSv2). */
#ifndef INLET_CONNECTORS_AWS_METADATA_H
#define INLET_CONNECTORS_AWS_METADATA_H

#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"

#include <stdatomic.h>

/* Both: 1 found, 0 there is no such place here (not configured, switched off), -1 ERR_RETRY or, where the environment names an
 * endpoint that may not be asked, ERR_REJECT. Never through a proxy. */
int aws_container_get(const atomic_bool *stopping, struct aws_credentials *ret, struct err *err);
/* Blocks for about two seconds where nobody answers. */
int aws_instance_get(const atomic_bool *stopping, struct aws_credentials *ret, struct err *err);

#endif
