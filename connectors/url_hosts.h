/* url_hosts.h - politeness towards hosts that a list of URLs names: so many requests at once, and none while one asked to be
 * left alone or does not answer.
 *
 * A host (name and port) is closed after 429 or 503, for Retry-After or for a gap that doubles each time (and halves with each
 * success), and may then have half as many requests at once; each run of successes allows one more again. A host that cannot be reached three times in a row is
 * closed in the same way, so that a list of a million rows of a dead host does not wait a million times. At most URL_HOSTS_MAX
 * hosts are remembered: who was used longest ago is forgotten. */
#ifndef INLET_CONNECTORS_URL_HOSTS_H
#define INLET_CONNECTORS_URL_HOSTS_H

#include "daemon/base/err.h"
#include "daemon/net/url.h"

#include <stdatomic.h>

#define URL_HOSTS_MAX 1024
#define URL_HOSTS_WAIT_MS 2000U     /* a thread waits as long for its turn; then it is better used elsewhere */
#define URL_HOSTS_GAP_MS 1000U      /* after the first 429 or 503 without Retry-After; doubles */
#define URL_HOSTS_GAP_MAX_MS 300000U

struct url_hosts; /* any thread */
struct url_hosts *url_hosts_new(uint32_t per_host, const atomic_bool *stopping); /* stopping: borrowed, may be NULL */
void url_hosts_free(struct url_hosts *h); /* NULL allowed; nobody inside */

/* Blocks for at most URL_HOSTS_WAIT_MS until a request may be sent to this host; url_hosts_leave() must follow. ERR_RETRY: sys
 * EAGAIN, not now, and wait_ms says when; ECANCELED, stopping. */
int url_hosts_enter(struct url_hosts *h, const struct url *url, struct err *err);

enum url_host_answer {
	URL_HOST_ANSWERED,    /* anything that is none of the following, refusals too */
	URL_HOST_THROTTLED,   /* asks for less */
	URL_HOST_UNREACHABLE, /* no name, no connection, no answer */
};
/* wait_ms: Retry-After; 0: not given. Returns how long the host is closed from now on, in ms; 0: it is not. */
uint32_t url_hosts_leave(struct url_hosts *h, const struct url *url, enum url_host_answer answer, uint32_t wait_ms);

#endif
