/* aws_process.h - credential_process: a program of the user's that prints credentials as JSON. */
#ifndef INLET_CONNECTORS_AWS_PROCESS_H
#define INLET_CONNECTORS_AWS_PROCESS_H

#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdatomic.h>

#define AWS_PROCESS_MS 60000U

/* As helper_run(). */
int aws_process_run(struct slice command, const atomic_bool *stopping, struct aws_credentials *ret, struct err *err);

#endif
