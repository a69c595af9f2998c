/* guard_ranges.h - the addresses and ports that nobody's URL may reach. Plain tables, constant. */
#ifndef INLET_NET_GUARD_RANGES_H
#define INLET_NET_GUARD_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_range {
	const char *network;  /* "10.0.0.0/8" */
	const char *why;
	bool metadata;        /* allowed only by naming the one address */
};
extern const struct guard_range guard_ranges[]; /* the first that matches says why */
extern const size_t guard_range_count;

bool guard_port_is_bad(uint16_t port);

#endif
