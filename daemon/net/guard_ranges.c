/* guard_ranges.c - what is not globally reachable, and ports that speak other protocols.
 *
 * Sources: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates): all that is not marked
 * globally reachable, and of the IETF's own 2001::/23 all, because nothing in it serves files; the metadata services as the
 * clouds document them. Azure's 168.63.129.16 lies in a public range and is in no registry. Ports: the Fetch standard's "bad
 * ports". IPv6 outside 2000::/3 is not unicast that anybody routes: one row refuses what the rows before it do not name. */
#include "daemon/net/guard_ranges.h"

#include <stdlib.h>

const struct guard_range guard_ranges[] = {
	{ "169.254.169.254/32", "cloud metadata service", true },
	{ "169.254.170.2/32", "container credentials service", true },
	{ "169.254.170.23/32", "container credentials service", true },
	{ "169.254.42.42/32", "cloud metadata service", true },
	{ "169.254.0.23/32", "cloud metadata service", true },
	{ "100.100.100.200/32", "cloud metadata service", true },
	{ "168.63.129.16/32", "cloud metadata service", true },
	{ "192.0.0.192/32", "cloud metadata service", true },
	{ "fd00:ec2::254/128", "cloud metadata service", true },
	{ "fd00:ec2::23/128", "container credentials service", true },
	{ "fd20:ce::254/128", "cloud metadata service", true },
	{ "fd00:42::42/128", "cloud metadata service", true },
	{ "fe80::a9fe:a9fe/128", "cloud metadata service", true },
	{ "0.0.0.0/8", "this network (RFC 1122)", false },
	{ "10.0.0.0/8", "private (RFC 1918)", false },
	{ "100.64.0.0/10", "shared by a carrier's customers (RFC 6598)", false },
	{ "127.0.0.0/8", "loopback", false },
	{ "169.254.0.0/16", "link-local (RFC 3927)", false },
	{ "172.16.0.0/12", "private (RFC 1918)", false },
	{ "192.0.0.0/24", "protocol assignments (RFC 6890)", false },
	{ "192.0.2.0/24", "documentation (RFC 5737)", false },
	{ "192.88.99.0/24", "6to4 relays (RFC 7526)", false },
	{ "192.168.0.0/16", "private (RFC 1918)", false },
	{ "198.18.0.0/15", "benchmarks (RFC 2544)", false },
	{ "198.51.100.0/24", "documentation (RFC 5737)", false },
	{ "203.0.113.0/24", "documentation (RFC 5737)", false },
	{ "224.0.0.0/4", "multicast (RFC 5771)", false },
	{ "240.0.0.0/4", "reserved or broadcast (RFC 1112)", false },
	{ "::/128", "unspecified", false },
	{ "::1/128", "loopback", false },
	{ "::/96", "IPv4-compatible (RFC 4291)", false },
	{ "::ffff:0:0:0/96", "IPv4-translated (RFC 2765)", false },
	{ "64:ff9b:1::/48", "local NAT64 (RFC 8215)", false },
	{ "100::/64", "discard only (RFC 6666)", false },
	{ "2001::/32", "Teredo (RFC 4380)", false },
	{ "2001::/23", "protocol assignments (RFC 2928)", false },
	{ "2001:db8::/32", "documentation (RFC 3849)", false },
	{ "2002::/16", "6to4 (RFC 3056)", false },
	{ "3fff::/20", "documentation (RFC 9637)", false },
	{ "5f00::/16", "segment routing (RFC 9602)", false },
	{ "fc00::/7", "unique local (RFC 4193)", false },
	{ "fe80::/10", "link-local (RFC 4291)", false },
	{ "fec0::/10", "site-local (RFC 3879)", false },
	{ "ff00::/8", "multicast (RFC 4291)", false },
};
const size_t guard_range_count = sizeof(guard_ranges) / sizeof(guard_ranges[0]);

static const uint16_t bad_ports[] = { /* ascending */
	0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111,
	113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548,
	554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665,
	6666, 6667, 6668, 6669, 6679, 6697, 10080,
};

static int compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

bool guard_port_is_bad(uint16_t port)
{
	return bsearch(&port, bad_ports, sizeof(bad_ports) / sizeof(bad_ports[0]), sizeof(bad_ports[0]), compare) != NULL;
}
