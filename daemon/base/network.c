/* network.c - an IP network: an address and how many of its bits count. */
#include "daemon/base/network.h"

#include "daemon/base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define BITS 128

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool network_has(const struct network *n, const uint8_t address[16])
{
	unsigned int whole = n->bits / 8;
	unsigned int rest = n->bits % 8;
	if (memcmp(n->bytes, address, whole) != 0)
		return false;
	return rest == 0 || ((n->bytes[whole] ^ address[whole]) & (0xff00U >> rest & 0xffU)) == 0;
}

void network_map_ipv4(const void *ipv4, uint8_t ret[16])
{
	memcpy(ret, mapped, sizeof(mapped));
	memcpy(ret + sizeof(mapped), ipv4, 4);
}

bool network_is_ipv4(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

int network_address(const char *text, uint8_t ret[16])
{
	struct in_addr ipv4;
	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		network_map_ipv4(&ipv4, ret);
		return 96;
	}
	return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -1;
}

/* Clears what lies behind the prefix; true: something did. */
static bool cut(uint8_t bytes[16], unsigned int bits)
{
	bool any = false;
	for (unsigned int bit = bits; bit < BITS; bit++) {
		uint8_t mask = (uint8_t)(0x80U >> bit % 8);
		any |= (bytes[bit / 8] & mask) != 0;
		bytes[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

static int refuse_rest(const char *text, const uint8_t bytes[16], int first, struct err *err)
{
	char name[INET6_ADDRSTRLEN];
	(void)inet_ntop(first ? AF_INET : AF_INET6, bytes + (first ? sizeof(mapped) : 0), name, sizeof(name));
	return err_set(err, ERR_REJECT, 0, "'%.60s' has bits set behind its prefix; the network is %s%s", text, name, strchr(text, '/'));
}

int network_parse(const char *text, struct network *ret, struct err *err)
{
	char address[INET6_ADDRSTRLEN] = "";
	size_t len = strcspn(text, "/");
	uint64_t bits = BITS;
	struct network n;
	if (len < sizeof(address))
		memcpy(address, text, len);
	int first = network_address(address, n.bytes);
	if (first < 0)
		return err_set(err, ERR_REJECT, 0, "'%.60s' is no network: write 10.0.0.0/8, fd00::/8 or one address; names are not taken",
			text);
	if (text[len] == '/' && (text_u64(slice_of(text + len + 1), &bits) < 0 || bits > BITS - (unsigned int)first))
		return err_set(err, ERR_REJECT, 0, "'%.60s': needs a prefix of 0 to %u bits behind the '/'", text, BITS - (unsigned int)first);
	n.bits = text[len] == '/' ? (unsigned int)bits + (unsigned int)first : BITS;
	if (cut(n.bytes, n.bits))
		return refuse_rest(text, n.bytes, first, err);
	*ret = n;
	return 0;
}
