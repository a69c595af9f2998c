/* network.h - an IP network as people write it ("10.0.0.0/8", "fd00::/8" or one address), both families in one form: IPv4 as
 * ::ffff:a.b.c.d. Pure functions, any thread. */
#ifndef INLET_BASE_NETWORK_H
#define INLET_BASE_NETWORK_H

#include "daemon/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct network {
	uint8_t bytes[16];
	unsigned int bits;  /* of the one form: an IPv4 network's are 96 and more */
};

/* ERR_REJECT, and the text says what is wrong: no address, a prefix that is none, or bits set behind it. */
int network_parse(const char *text, struct network *ret, struct err *err);
bool network_has(const struct network *n, const uint8_t address[16]);

/* One address in inet_pton's strict spelling. The offset of its first own bit: 96 for IPv4, 0 for IPv6; -1: no address. */
int network_address(const char *text, uint8_t ret[16]);
void network_map_ipv4(const void *ipv4, uint8_t ret[16]); /* 4 bytes in network order */
bool network_is_ipv4(const uint8_t address[16]);

#endif
