/* google_subject.h - the token of another issuer that workload identity federation exchanges, from the two sources that take more
 * than a file or a URL (AIP-4117). Both append to `to`, which buf_wipe() ends; ERR_RETRY always. */
#ifndef INLET_CONNECTORS_GOOGLE_SUBJECT_H
#define INLET_CONNECTORS_GOOGLE_SUBJECT_H

#include "connectors/google_auth.h"

#include <jansson.h>

/* credential_source.environment_id "aws1": a GetCallerIdentity request, signed and not sent, which Google sends to AWS to learn who we
 * are. Keys from the environment (AWS_ACCESS_KEY_ID, ...), else from the instance's metadata at credential_source.url; the region from
 * AWS_REGION or AWS_DEFAULT_REGION, else from credential_source.region_url. */
int google_subject_aws(const json_t *file, const struct google_rules *rules, struct buf *to, struct err *err);

/* credential_source.executable: a program that prints the token. Runs only where GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1, so that
 * who may write the credentials file may not thereby run programs; where its output_file holds a token that is still good, it
 * does not. */
int google_subject_executable(const json_t *file, const struct google_rules *rules, struct buf *to, struct err *err);

#endif
