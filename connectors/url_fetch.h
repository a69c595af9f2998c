/* url_fetch.h - reads what an http or https URL names into a sink: for rows of manifests, from hosts that nobody knows.
 *
 * Addresses are the guard's to judge, limits http.h's, and each host is asked politely (url_hosts.h). A transfer that breaks off
 * goes on where it broke, if the server gives a validator that proves it is the same version; else the caller begins again.
 * Content-Type, file names and the like are not looked at: what the bytes are, the bytes say. */
#ifndef INLET_CONNECTORS_URL_FETCH_H
#define INLET_CONNECTORS_URL_FETCH_H

#include "connectors/connector.h"
#include "daemon/net/http.h"

#define URL_TOTAL_MS (3U * 3600000U) /* one fetch, resumptions included */
#define URL_RESUMES 5                /* at most, and each only after one that brought something */

struct url_fetch; /* any thread */

/* rules: as of http_new(); redirects 0 becomes 5. per_host: requests to one host at once; 0: 4. */
struct url_fetch *url_fetch_new(const struct http_rules *rules, uint32_t per_host);
void url_fetch_free(struct url_fetch *f); /* NULL allowed; no fetch may be running */

/* Blocking. version: the token of an earlier fetch, or NULL: it is read only if it changed.
 * 0: read whole. 1: version still stands, into was not touched. Both fill ret_seen: key is url; version (valid until the same
 * thread fetches again) is "etag:…", "date:…" or "", where the server says nothing that tells versions apart; bytes only for 0.
 * -1: what the sink said, unchanged; as http_send(); as http_refused(), but where a host asks for less or cannot be reached sys
 * is EAGAIN and wait_ms says when: it concerns that host, not the source. ERR_RETRY with FETCH_CHANGED: changed while it was
 * read. */
int url_fetch_get(struct url_fetch *f, const char *url, const char *version, struct sink *into, struct object *ret_seen,
	struct err *err);

#endif
