/* google_token.h - Google credentials turned into an access token for reading Cloud Storage: one exchange, or two or three in a
 * row for federated and impersonating ones. */
#ifndef INLET_CONNECTORS_GOOGLE_TOKEN_H
#define INLET_CONNECTORS_GOOGLE_TOKEN_H

#include "connectors/google_auth.h"
#include "connectors/google_credentials.h"

struct google_token {
	struct buf value;    /* for buf_wipe() */
	int64_t expires_ms;  /* wall clock */
};

/* Blocks for seconds at worst. ERR_RETRY always, with the cure where one is known. Any thread. */
int google_token_fetch(const struct google_credentials *c, const struct google_rules *rules, struct google_token *ret,
	struct err *err);

/* Within the connector's own files: a token for another purpose (scope), and what an answer holds. */
int google_token_scoped(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err);
int google_token_read(const char *what, struct slice body, struct google_token *ret, struct err *err); /* RFC 6749, 5.1 */

/* google_external.c: external_account through Google's STS, and acting as a service account with another token. */
int google_federated(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err);
int google_impersonate(const json_t *file, const struct google_rules *rules, const struct google_token *as, const char *scope,
	struct google_token *ret, struct err *err);

#define GOOGLE_SCOPE_READ "https://www.googleapis.com/auth/devstorage.read_only"
#define GOOGLE_SCOPE_ACT "https://www.googleapis.com/auth/iam" /* what acting as another account takes */

#endif
