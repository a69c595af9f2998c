/* host.c - takes "host[:port]" apart. */
#include "config/host.h"

#include "daemon/base/network.h"
#include "daemon/base/text.h"

#include <stdint.h>
#include <string.h>

#define HOST_MAX 253
#define LABEL_MAX 63
#define DIGITS "0123456789"
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "-_."

/* A host whose last label is a number, decimal or 0x.., is meant as an IPv4 address, and there is one spelling of these. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.'), *last = dot ? dot + 1 : host;
	bool hex = last[0] == '0' && (last[1] | 32) == 'x';
	const char *digits = hex ? last + 2 : last;
	return strspn(digits, hex ? DIGITS "abcdefABCDEF" : DIGITS) == strlen(digits);
}

static bool is_host(const char *host)
{
	uint8_t address[16];
	size_t len = strlen(host);
	if (len == 0 || len > HOST_MAX || strspn(host, NAME_BYTES) != len)
		return false;
	for (size_t at = 0, n; at <= len; at += n + 1) {
		n = strcspn(host + at, ".");
		if (n == 0 || n > LABEL_MAX)
			return false;
	}
	return !ends_in_number(host) || network_address(host, address) == 96;
}

const char *host_wrong(const char *text, bool *ret_port)
{
	char host[HOST_MAX + 1] = "";
	uint8_t address[16];
	uint64_t port = 0;
	bool v6 = text[0] == '[';
	size_t n = v6 ? strcspn(++text, "]") : strcspn(text, ":");
	if (n < sizeof(host))
		memcpy(host, text, n);
	if (v6 ? text[n] != ']' || network_address(host, address) != 0 : !is_host(host))
		return v6 ? "no IPv6 address stands in the brackets" : "no host stands there: a name, an IPv4 address or an IPv6 address in brackets";
	const char *rest = text + n + (v6 ? 1 : 0);
	*ret_port = rest[0] == ':';
	if (rest[0] == '\0')
		return NULL;
	if (rest[0] == ':' && text_u64(slice_of(rest + 1), &port) == 0 && port >= 1 && port <= UINT16_MAX)
		return NULL;
	return rest[0] == ':' ? "its port is not a number from 1 to 65535" : "only a port may follow the host";
}
