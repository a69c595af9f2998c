/* aws_provider.h - the AWS credentials of one source: found in AWS's order, kept, and renewed before they expire.
 *
 * Where they are looked for, first found wins: s3.credentials (a file; nothing else then), the environment, a web identity token
 * (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), the profile in ~/.aws/credentials and ~/.aws/config (keys, source_profile and
 * credential_source with role_arn, web identity, credential_process), the container endpoint (ECS, EKS), the instance's
 * metadata (IMDSv2). s3.profile names a profile for itself: the environment's keys are then passed over. Nothing found is an
 * error, never anonymous: that is `anonymous: true` only. */
#ifndef INLET_CONNECTORS_AWS_PROVIDER_H
#define INLET_CONNECTORS_AWS_PROVIDER_H

#include "config/config.h"
#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"

#include <stdatomic.h>

struct aws_provider;

/* config and stopping (true ends a running aws_provider_get() soon) are borrowed and outlive the provider. Touches no network. */
struct aws_provider *aws_provider_new(const struct s3_config *config, const atomic_bool *stopping);
void aws_provider_free(struct aws_provider *p); /* NULL allowed; nobody may be in aws_provider_get() */

/* A copy of the credentials of now in *ret ({ 0 } or an earlier copy, which is replaced). From memory unless they are about to
 * expire; then one thread fetches (seconds at worst) while the others go on with what is still valid, or wait where nothing
 * is. A failed renewal counts only once the old ones have expired. ERR_RETRY: not now, the text says where was looked and what
 * to do; ERR_REJECT: the configuration or a file is wrong, the same every time. Any thread. */
int aws_provider_get(struct aws_provider *p, struct aws_credentials *ret, struct err *err);

/* The server called these expired (ExpiredToken) or unknown: if they are still the ones kept, the next get fetches anew. */
void aws_provider_expired(struct aws_provider *p, const struct aws_credentials *used);

/* From s3.region, AWS_REGION, AWS_DEFAULT_REGION or the profile, in this order, as of aws_provider_new(); "" unknown. Valid while
 * p is. */
const char *aws_provider_region(const struct aws_provider *p);

#endif
