/* test_guard.c - every range of the deny list at both of its ends, what the configuration may open, this host's own addresses,
 * and a kept connection that another guard does not allow. */
#include "daemon/net/guard.h"

#include "daemon/base/mem.h"
#include "daemon/net/guard_ranges.h"
#include "tests/unit/net/server.h"

#include <curl/curl.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <cmocka.h>

static int check(const struct guard *g, const char *text, struct err *err)
{
	struct url url;
	return url_parse(text, &url, err) < 0 ? -1 : guard_check(g, &url, err);
}

static bool allows(const struct guard *g, const char *address, const char **ret_why)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return guard_allows(g, (const struct sockaddr *)&v4, "name.test", 80, ret_why);
	assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return guard_allows(g, (const struct sockaddr *)&v6, "name.test", 80, ret_why);
}

static void refuses(const struct guard *g, const char *address)
{
	const char *why = NULL;
	if (allows(g, address, &why) || !why)
		fail_msg("%s is allowed", address);
}

static void lets(const struct guard *g, const char *address)
{
	const char *why = NULL;
	if (!allows(g, address, &why))
		fail_msg("%s is refused: %s", address, why);
}

/* The last address of a network. */
static void fill(uint8_t *bytes, size_t size, unsigned int bits)
{
	for (unsigned int bit = bits; bit < size * 8; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void test_every_range_is_refused_whole(void **state)
{
	CLEANUP(guard_freep) struct guard *g = guard_new();
	(void)state;
	for (size_t i = 0; i < guard_range_count; i++) {
		uint8_t bytes[16];
		char first[INET6_ADDRSTRLEN];
		char last[INET6_ADDRSTRLEN];
		char mapped[INET6_ADDRSTRLEN + 8];
		const char *slash = strchr(guard_ranges[i].network, '/');
		assert_non_null(slash);
		(void)snprintf(first, sizeof(first), "%.*s", (int)(slash - guard_ranges[i].network), guard_ranges[i].network);
		int family = strchr(first, ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(family, first, bytes), 1);
		fill(bytes, family == AF_INET ? 4 : 16, (unsigned int)strtoul(slash + 1, NULL, 10));
		assert_non_null(inet_ntop(family, bytes, last, sizeof(last)));
		refuses(g, first);
		refuses(g, last);
		static const char *const wraps[] = { "::ffff:%s", "64:ff9b::%s", "2a00::5efe:%s", "2a00::200:5efe:%s", "::%s" };
		for (size_t w = 0; family == AF_INET && w < sizeof(wraps) / sizeof(wraps[0]); w++) {
			char *end = stpncpy(mapped, wraps[w], sizeof(mapped) - 1);
			(void)strcpy(end - 2, last); /* in place of %s */
			refuses(g, mapped);
		}
	}
}

static void test_what_anybody_reaches(void **state)
{
	CLEANUP(guard_freep) struct guard *g = guard_new();
	static const char *const addresses[] = { "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::", "2001:4860::8888",
		"2a00:1450::1", "2003::", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00::5efe:8.8.8.8", "168.63.129.15" };
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		lets(g, addresses[i]);
	static const char *const nowhere[] = { "4000::1", "4000::5efe:8.8.8.8", "1::1", "64:ff9b:2::1", "::2", "e000::1" };
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		refuses(g, nowhere[i]);
}

static void test_networks_open_what_they_name(void **state)
{
	CLEANUP(guard_freep) struct guard *g = guard_new();
	struct err err;
	(void)state;
	assert_int_equal(guard_allow_network(g, "10.1.0.0/16", &err), 0);
	assert_int_equal(guard_allow_network(g, "192.168.1.7", &err), 0);
	assert_int_equal(guard_allow_network(g, "fd00::/8", &err), 0);
	assert_int_equal(guard_allow_network(g, "169.254.0.0/16", &err), 0);
	assert_int_equal(guard_allow_network(g, "64:ff9b::/96", &err), 0);
	static const char *const open[] = { "10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "192.168.1.7", "fd12::1", "169.254.1.1",
		"64:ff9b::10.9.9.9", "2a00::5efe:10.1.2.3" };
	static const char *const shut[] = { "10.0.255.255", "10.2.0.0", "192.168.1.6", "192.168.1.8", "fc00::1", "127.0.0.1",
		"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "fd00:ec2::254", "169.254.170.2" };
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		lets(g, open[i]);
	for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]); i++)
		refuses(g, shut[i]);
	assert_int_equal(guard_allow_network(g, "169.254.169.254", &err), 0);
	lets(g, "169.254.169.254"); /* named by itself */
	lets(g, "64:ff9b::169.254.169.254");
	refuses(g, "169.254.170.2");
	static const char *const none[] = { "", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10/8", "fd00::/129", "name",
		"10.0.0.0/-1", "10.0.0.0/ 8", "1.2.3.4.5", "fd00::1/64", "[::1]" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (guard_allow_network(g, none[i], &err) != -1 || err.class != ERR_REJECT)
			fail_msg("'%s' is taken for a network", none[i]);
	}
}

static void test_an_endpoint_is_one_host_and_port(void **state)
{
	CLEANUP(guard_freep) struct guard *g = guard_new();
	struct sockaddr_in inward = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct sockaddr *to = (const struct sockaddr *)&inward;
	struct err err;
	(void)state;
	assert_int_equal(guard_allow_endpoint(g, "http://MinIO.Test:25/some/path", &err), 0);
	assert_true(guard_allows(g, to, "minio.test", 25, NULL));
	assert_false(guard_allows(g, to, "minio.test", 80, NULL));
	assert_false(guard_allows(g, to, "other.test", 25, NULL));
	assert_int_equal(check(g, "http://minio.test:25/", &err), 0); /* its port is as good as its host */
	assert_int_equal(check(g, "http://other.test:25/", &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_int_equal(err.sys, EINVAL);
	assert_int_equal(check(g, "http://127.0.0.1:25/", &err), -1); /* the address is the graver reason */
	assert_int_equal(err.sys, EACCES);
	assert_int_equal(check(g, "http://other.test:8080/", &err), 0);
	assert_int_equal(check(g, "http://10.0.0.1/", &err), -1);
	assert_int_equal(check(g, "http://[::ffff:10.0.0.1]/", &err), -1);
	assert_int_equal(check(g, "http://1.1.1.1/", &err), 0);
	assert_int_equal(check(g, "ftp://1.1.1.1/", &err), -1);
	assert_int_equal(err.sys, EINVAL);
	assert_int_equal(guard_allow_endpoint(g, "minio.test", &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
}

/* 8.8.8.8 becomes this host's own, in a network namespace. 0: refused as such, and its neighbour is not; 77: no namespaces. */
static int with_own_address(void)
{
	struct ifreq name = { .ifr_name = "lo:1" };
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = { htonl(0x08080808) } };
	const char *why = "";
	memcpy(&name.ifr_addr, &own, sizeof(own));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 77;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0 || ioctl(fd, SIOCSIFADDR, &name) < 0)
		return 77;
	(void)close(fd);
	CLEANUP(guard_freep) struct guard *g = guard_new();
	if (allows(g, "8.8.8.8", &why) || strcmp(why, "an address of this host") != 0 || !allows(g, "1.1.1.1", NULL))
		return 1;
	return allows(g, "::ffff:8.8.8.8", &why) || strcmp(why, "an address of this host") != 0 ? 1 : 0;
}

static void test_own_addresses(void **state)
{
	int status = 0;
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(with_own_address());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	const struct sockaddr local = { .sa_family = AF_UNIX };
	CLEANUP(guard_freep) struct guard *g = guard_new();
	assert_false(guard_allows(g, &local, "name.test", 80, NULL));
}

static bool answer(struct peer *p, const char *path)
{
	(void)path;
	return peer_answer(p, "200 OK", "", "hello");
}

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static CURLcode perform(const struct guard *g, CURL *easy, const char *url, struct guard_state *s)
{
	struct err err;
	assert_int_equal(guard_apply(g, easy, url, false, s, &err), 0);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	return curl_easy_perform(easy);
}

/* The connection is open and judged, by another guard: it is judged again before the request. */
static void test_a_kept_connection_is_judged_again(void **state)
{
	CLEANUP(guard_freep) struct guard *open = guard_new();
	CLEANUP(guard_freep) struct guard *shut = guard_new();
	struct guard_state s;
	struct server server;
	struct err err;
	(void)state;
	assert_int_equal(server_start(&server, "127.0.0.1", answer, NULL, NULL), 0);
	CLEANUP(freep) char *url = mem_printf("http://localhost:%u/", server.port);
	CURL *easy = curl_easy_init();
	(void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	assert_int_equal(guard_allow_endpoint(open, url, &err), 0);
	assert_int_equal(perform(open, easy, url, &s), CURLE_OK);
	assert_int_equal(s.allowed, 1);
	assert_int_equal(perform(shut, easy, url, &s), CURLE_ABORTED_BY_CALLBACK);
	assert_string_equal(s.refused, "address 127.0.0.1: loopback");
	assert_int_equal(atomic_load(&server.requests), 1); /* not a byte of the second one was sent */
	assert_int_equal(server_connections(&server), 1);
	assert_int_equal(perform(shut, easy, url, &s), CURLE_COULDNT_CONNECT);
	assert_string_equal(s.refused, "address 127.0.0.1: loopback");
	curl_easy_cleanup(easy);
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_range_is_refused_whole), cmocka_unit_test(test_what_anybody_reaches),
		cmocka_unit_test(test_networks_open_what_they_name), cmocka_unit_test(test_an_endpoint_is_one_host_and_port),
		cmocka_unit_test(test_own_addresses), cmocka_unit_test(test_a_kept_connection_is_judged_again),
	};
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
