/* guard.h - which hosts and addresses a request may reach: public ones only, unless the configuration names more.
 *
 * A URL is somebody else's text. The name in it is resolved by libcurl; every address it resolves to is checked on the socket
 * before it connects, and again before each request on a connection that is used again, so an answer that changes between two
 * looks is never trusted. Refused by default: every range that is not globally reachable (loopback, private, link-local, CGNAT,
 * multicast, reserved, metadata services, and IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo). The list with its sources:
 * guard_ranges.c. An endpoint that is written in the configuration is itself the permission for that host and port. */
#ifndef INLET_NET_GUARD_H
#define INLET_NET_GUARD_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct guard; /* unchanged once in use: then any thread */

struct guard *guard_new(void);
void guard_free(struct guard *g);                            /* NULL allowed */
/* "10.0.0.0/8", "fd00::/8" or one address. ERR_REJECT: neither. */
int guard_allow_network(struct guard *g, const char *network, struct err *err);
/* The host and port of this URL, whatever it resolves to (nothing else there: its redirects stay guarded). ERR_REJECT: not an
 * http or https URL. */
int guard_allow_endpoint(struct guard *g, const char *url, struct err *err);

/* May this URL be asked for at all: http or https, a host in the one plain form (no decimal, octal or short IPv4, no user
 * part), no forbidden port? ERR_REJECT with the reason. Names are not resolved here. */
int guard_check_url(const struct guard *g, const char *url, struct err *err);
/* Does g allow this address, reached for host:port? The reason why not goes to ret_why (static text; may be NULL). */
bool guard_allows(const struct guard *g, const struct sockaddr *address, struct slice host, uint16_t port, const char **ret_why);

/* Puts the checks into an easy handle for one request: CURLOPT_OPENSOCKETFUNCTION, CURLOPT_PREREQFUNCTION, protocols. *state is
 * the caller's memory, alive until the request is done; state->refused says afterwards what was refused ("": nothing), because
 * libcurl only knows that no connection was made. */
struct guard_state {
	const struct guard *guard;
	char host[256];
	uint16_t port;
	char refused[160];
};
int guard_apply(const struct guard *g, void *curl, const char *url, struct guard_state *state, struct err *err);

#endif
