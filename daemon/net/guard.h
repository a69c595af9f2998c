/* guard.h - which hosts and addresses a request may reach: public ones only, unless the configuration names more.
 *
 * A URL is somebody else's text. The name in it is resolved by libcurl; every address it resolves to is checked on the socket
 * before it connects, and again before each request on a connection that is used again, so an answer that changes between two
 * looks is never trusted. Refused by default: every range that is not globally reachable (loopback, private, link-local, CGNAT,
 * multicast, reserved), metadata services, this host's own addresses, and IPv4 inside IPv6 by the same rules (mapped, NAT64,
 * ISATAP; 6to4, Teredo and the rest as a whole). The list with its sources: guard_ranges.c. An endpoint that is written in the
 * configuration is itself the permission for that host and port. */
#ifndef INLET_NET_GUARD_H
#define INLET_NET_GUARD_H

#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/net/url.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct guard; /* unchanged once in use: then any thread */

struct guard *guard_new(void);
void guard_free(struct guard *g);                            /* NULL allowed */
CLEANUP_FN(struct guard *, guard_free)
/* "10.0.0.0/8", "fd00::/8" or one address; every address in it and every port. Metadata services inside a network stay refused:
 * they are allowed by naming the one address. ERR_REJECT: neither, or bits set behind the prefix. */
int guard_allow_network(struct guard *g, const char *network, struct err *err);
/* The host and port of this URL, whatever it resolves to (nothing else there: its redirects stay guarded). ERR_REJECT: not an
 * http or https URL that url_parse() takes. */
int guard_allow_endpoint(struct guard *g, const char *url, struct err *err);

/* May this URL be asked for at all: no address that guard_allows() refuses, no port of another protocol (the Fetch standard's list; an
 * endpoint's port is allowed)? ERR_REJECT: EINVAL not such a port, EACCES not allowed. Names are not resolved here. */
int guard_check(const struct guard *g, const struct url *url, struct err *err);
/* Does g allow this address, reached for host:port (host as url_parse() gives it)? The reason why not goes to ret_why (static
 * text; may be NULL). Anything but AF_INET and AF_INET6 is refused. */
bool guard_allows(const struct guard *g, const struct sockaddr *address, const char *host, uint16_t port, const char **ret_why);

/* Puts the checks into an easy handle for one request: CURLOPT_OPENSOCKETFUNCTION, CURLOPT_PREREQFUNCTION, http and https only,
 * no redirects by libcurl. *state is the caller's memory, alive until the request is done; it says afterwards what was refused,
 * because libcurl only knows that no connection was made. `proxied`: the connection goes to a proxy that the configuration
 * names: it may have any address, and names in URLs are resolved by it (addresses in URLs are still checked here). A handle's
 * connections may be used again under the same guard only. ERR_REJECT as guard_check(). */
struct guard_state {
	const struct guard *guard;
	struct url url;            /* of the request */
	bool proxied;
	uint32_t allowed;          /* sockets that were opened */
	char refused[160];         /* "address 10.0.0.1: private (RFC 1918)"; "": nothing was refused */
};
int guard_apply(const struct guard *g, void *curl, const char *url, bool proxied, struct guard_state *state, struct err *err);

#endif
