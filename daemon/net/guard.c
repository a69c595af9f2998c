/* guard.c - judges addresses, not names: in the socket that connects and before every request. */
#include "daemon/net/guard.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/network.h"
#include "daemon/net/guard_ranges.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>

/* A row of the deny list. */
struct denied {
	struct network at;
	const char *why;
	bool metadata;
};
struct endpoint {
	char host[URL_HOST_MAX];
	uint16_t port;
};
struct guard {
	struct denied *denied;       /* guard_ranges, in its order */
	struct network *networks;    /* allowed */
	size_t network_count;
	struct endpoint *endpoints;  /* allowed */
	size_t endpoint_count;
};

static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

struct guard *guard_new(void)
{
	struct guard *g = mem_zero(1, sizeof(*g));
	g->denied = mem_zero(guard_range_count, sizeof(*g->denied));
	for (size_t i = 0; i < guard_range_count; i++) {
		int parsed = network_parse(guard_ranges[i].network, &g->denied[i].at, NULL);
		assert(parsed == 0);
		(void)parsed;
		g->denied[i].why = guard_ranges[i].why;
		g->denied[i].metadata = guard_ranges[i].metadata;
	}
	return g;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	free(g->denied);
	free(g->networks);
	free(g->endpoints);
	free(g);
}

int guard_allow_network(struct guard *g, const char *network, struct err *err)
{
	struct network n;
	if (network_parse(network, &n, err) < 0)
		return -1;
	g->networks = mem_resize(g->networks, g->network_count + 1, sizeof(*g->networks));
	g->networks[g->network_count++] = n;
	return 0;
}

int guard_allow_endpoint(struct guard *g, const char *url, struct err *err)
{
	struct url parsed;
	if (url_parse(url, &parsed, err) < 0)
		return -1;
	g->endpoints = mem_resize(g->endpoints, g->endpoint_count + 1, sizeof(*g->endpoints));
	struct endpoint *e = &g->endpoints[g->endpoint_count++];
	(void)strcpy(e->host, parsed.host);
	e->port = parsed.port;
	return 0;
}

static bool is_endpoint(const struct guard *g, const char *host, uint16_t port)
{
	for (size_t i = 0; i < g->endpoint_count; i++) {
		if (g->endpoints[i].port == port && strcmp(g->endpoints[i].host, host) == 0)
			return true;
	}
	return false;
}

static bool in_allowed_network(const struct guard *g, const uint8_t address[16], bool by_itself)
{
	for (size_t i = 0; i < g->network_count; i++) {
		if ((!by_itself || g->networks[i].bits == 128) && network_has(&g->networks[i], address))
			return true;
	}
	return false;
}

/* The IPv4 address that an IPv6 network would hand this packet on to, in the mapped form. */
static bool embedded_ipv4(const uint8_t address[16], uint8_t ret[16])
{
	static const uint8_t isatap[4] = { 0x00, 0x00, 0x5e, 0xfe }; /* RFC 5214; 02 in front: a global address */
	bool is_isatap = (address[8] & 0xfd) == 0 && memcmp(address + 9, isatap + 1, 3) == 0;
	if (memcmp(address, nat64, sizeof(nat64)) != 0 && !is_isatap)
		return false;
	network_map_ipv4(address + 12, ret);
	return true;
}

/* The first row of the deny list that this address is in; NULL: none. */
static const struct denied *denied_by(const struct guard *g, const uint8_t address[16])
{
	for (size_t i = 0; i < guard_range_count; i++) {
		if (network_has(&g->denied[i].at, address))
			return &g->denied[i];
	}
	return NULL;
}

/* NULL: reachable by anybody, or allowed. */
static const char *why_not(const struct guard *g, const uint8_t address[16])
{
	uint8_t inner[16];
	bool is_mapped = network_is_ipv4(address);
	bool embeds = !is_mapped && embedded_ipv4(address, inner);
	const struct denied *denied = denied_by(g, address);
	const struct denied *inside = embeds ? denied_by(g, inner) : NULL;
	if (in_allowed_network(g, address, (denied && denied->metadata) || (inside && inside->metadata)))
		return NULL;
	if (denied)
		return denied->why;
	if (!is_mapped && memcmp(address, nat64, sizeof(nat64)) != 0 && (address[0] & 0xe0) != 0x20)
		return "not global unicast (RFC 4291)";
	return embeds ? why_not(g, inner) : NULL;
}

/* Is it an address of this host? What listens on a public address of its own, behind a firewall, trusts local connections. The
 * kernel answers: a datagram to an own address would be sent from that same address. Nothing is sent. */
static bool is_own(const uint8_t address[16])
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct sockaddr_in6 from = { .sin6_family = AF_UNSPEC };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in from4 = { .sin_family = AF_UNSPEC };
	bool v4 = network_is_ipv4(address);
	memcpy(&to.sin6_addr, address, 16);
	memcpy(&to4.sin_addr, address + 12, 4);
	CLEANUP(close_fdp) int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = v4 ? sizeof(from4) : sizeof(from);
	const struct sockaddr *sa = v4 ? (const struct sockaddr *)&to4 : (const struct sockaddr *)&to;
	if (fd < 0 || connect(fd, sa, len) < 0 || getsockname(fd, v4 ? (struct sockaddr *)&from4 : (struct sockaddr *)&from, &len) < 0)
		return false; /* no route: the connection fails as well */
	return v4 ? memcmp(&from4.sin_addr, &to4.sin_addr, 4) == 0 : memcmp(&from.sin6_addr, &to.sin6_addr, 16) == 0;
}

static const char *judge(const struct guard *g, const uint8_t address[16], const char *host, uint16_t port)
{
	if (is_endpoint(g, host, port))
		return NULL;
	const char *why = why_not(g, address);
	return !why && !in_allowed_network(g, address, false) && is_own(address) ? "an address of this host" : why;
}

bool guard_allows(const struct guard *g, const struct sockaddr *address, const char *host, uint16_t port, const char **ret_why)
{
	uint8_t bytes[16];
	const char *why = "neither IPv4 nor IPv6";
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, address, sizeof(v4));
		network_map_ipv4(&v4.sin_addr, bytes);
		why = judge(g, bytes, host, port);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, address, sizeof(v6));
		why = judge(g, v6.sin6_addr.s6_addr, host, port);
	}
	if (why && ret_why)
		*ret_why = why;
	return !why;
}

static int refuse(struct err *err, int sys, const char *text)
{
	(void)err_set(err, ERR_REJECT, 0, "%s", text);
	if (err)
		err->sys = sys;
	return -1;
}

int guard_check(const struct guard *g, const struct url *url, struct err *err)
{
	uint8_t address[16];
	bool literal = url->literal && network_address(url->host, address) >= 0;
	const char *why = literal ? judge(g, address, url->host, url->port) : NULL;
	char text[160];
	(void)snprintf(text, sizeof(text), "address %.45s: %s", url->host, why ? why : "");
	if (why)
		return refuse(err, EACCES, text);
	if (guard_port_is_bad(url->port) && !is_endpoint(g, url->host, url->port))
		return refuse(err, EINVAL, "the URL's port belongs to another protocol than HTTP"); /* no allowed network opens it */
	return 0;
}

/* ---- inside libcurl ---- */

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct guard_state *s = arg;
	const char *why = NULL;
	char text[INET6_ADDRSTRLEN] = "?";
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!s->proxied && !guard_allows(s->guard, &to->addr, s->url.host, s->url.port, &why)) {
		struct sockaddr_storage copy = { .ss_family = AF_UNSPEC };
		memcpy(&copy, &to->addr, to->addrlen < sizeof(copy) ? to->addrlen : sizeof(copy));
		(void)inet_ntop(to->family, to->family == AF_INET ? (const void *)&((const struct sockaddr_in *)&copy)->sin_addr
			: (const void *)&((const struct sockaddr_in6 *)&copy)->sin6_addr, text, sizeof(text));
		(void)snprintf(s->refused, sizeof(s->refused), "address %s: %s", text, why);
		return CURL_SOCKET_BAD;
	}
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	s->allowed += fd >= 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_request(void *arg, char *peer, char *own, int peer_port, int own_port)
{
	struct guard_state *s = arg;
	uint8_t address[16];
	const char *why = "unknown";
	(void)own;
	(void)peer_port;
	(void)own_port;
	if (s->proxied)
		return CURL_PREREQFUNC_OK;
	if (peer && network_address(peer, address) >= 0)
		why = judge(s->guard, address, s->url.host, s->url.port);
	if (!why)
		return CURL_PREREQFUNC_OK;
	(void)snprintf(s->refused, sizeof(s->refused), "address %s: %s", peer ? peer : "?", why);
	s->allowed = 0;
	return CURL_PREREQFUNC_ABORT;
}

int guard_apply(const struct guard *g, void *curl, const char *url, bool proxied, struct guard_state *state, struct err *err)
{
	struct url parsed;
	if (url_parse(url, &parsed, err) < 0 || guard_check(g, &parsed, err) < 0)
		return -1;
	*state = (struct guard_state){ .guard = g, .url = parsed, .proxied = proxied };
	(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, state);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQDATA, state);
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		return refuse(err, EACCES, "this libcurl cannot be limited to http and https");
	return 0;
}
