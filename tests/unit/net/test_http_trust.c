/* test_http_trust.c - whom a request may reach and whom it believes: names whose answers change, spellings of 127.0.0.1,
 * redirects inwards, certificates. The resolver is the test's own: this program's getaddrinfo() is the one libcurl calls. */
#include "daemon/net/http.h"

#include "tests/unit/net/http_fixture.h"

#include <dlfcn.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <semaphore.h>

/* ---- a resolver that changes its answer ---- */

static struct {
	_Atomic(const char *) answers[4]; /* of lookup 0, 1, ...; the last one stands; "a b" are two addresses; "": blocks */
	atomic_uint lookups;
	sem_t release;          /* of blocked lookups */
} resolver;

typedef int resolve_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret)
{
	resolve_fn *real;
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	memcpy(&real, &symbol, sizeof(real));
	if (!name || !strstr(name, ".test"))
		return real(name, service, hints, ret);
	size_t n = atomic_fetch_add(&resolver.lookups, 1);
	while (n > 0 && (n >= 4 || !resolver.answers[n]))
		n--;
	const char *addresses = resolver.answers[n];
	if (!addresses)
		return EAI_NONAME;
	if (!*addresses) {
		(void)sem_wait(&resolver.release);
		return EAI_AGAIN;
	}
	struct addrinfo **end = ret;
	struct addrinfo numeric = *hints;
	CLEANUP(freep) char *words = mem_strdup(addresses);
	char *rest = NULL;
	numeric.ai_flags |= AI_NUMERICHOST;
	numeric.ai_family = AF_UNSPEC;
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (real(word, service, &numeric, end) != 0)
			return EAI_FAIL;
		while (*end)
			end = &(*end)->ai_next;
	}
	return 0;
}

static void resolve_to(const char *first, const char *then)
{
	resolver.answers[0] = first;
	resolver.answers[1] = then;
	atomic_store(&resolver.lookups, 0);
}

static bool answer(struct peer *p, const char *path)
{
	char extra[512] = "";
	if (strncmp(path, "/to?", 4) != 0)
		return peer_answer(p, "200 OK", strcmp(path, "/close") == 0 ? "Connection: close\r\n" : "", path) &&
			strcmp(path, "/close") != 0;
	(void)snprintf(extra, sizeof(extra), "Location: %s\r\n", path + 4);
	return peer_answer(p, "302 Found", extra, "");
}

/* The status, or -1. */
static int status_of(struct fixture *f, const char *url)
{
	CLEANUP(http_reply_done) struct http_reply r;
	f->err = (struct err){ 0 };
	return http_send(f->http, &(struct http_request){ .url = url }, &r, &f->err) < 0 ? -1 : r.status;
}

static void test_a_name_is_judged_where_it_leads(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *url = mem_printf("http://name.test:%u/x", f->server.port);
	static const char *const inwards[] = { "127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "169.254.169.254",
		"fd00:ec2::254", "64:ff9b::7f00:1", "0.0.0.0", "::", "127.0.0.1 ::1", "100.100.100.200", "168.63.129.16" };
	for (size_t i = 0; i < sizeof(inwards) / sizeof(inwards[0]); i++) {
		resolve_to(inwards[i], NULL);
		renew(f); /* without what was looked up before */
		if (status_of(f, url) != -1 || f->err.class != ERR_REJECT || f->err.sys != EACCES)
			fail_msg("%s: %d %s", inwards[i], f->err.sys, f->err.text);
	}
	assert_int_equal(server_connections(&f->server), 0);
	resolve_to(NULL, NULL);
	renew(f);
	assert_int_equal(status_of(f, url), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, EHOSTUNREACH);
}

/* 127.0.0.2 plays the outer world: the one network that may be reached. */
static void allow_outside(struct fixture *f)
{
	assert_int_equal(guard_allow_network(f->guard, "127.0.0.2/32", &f->err), 0);
}

static void test_a_changed_answer_is_judged_again(void **state)
{
	struct fixture *f = *state;
	struct server outside;
	allow_outside(f);
	assert_int_equal(server_start(&outside, "127.0.0.2", answer, NULL, NULL), 0);
	CLEANUP(freep) char *close = mem_printf("http://name.test:%u/close", outside.port);
	CLEANUP(freep) char *stay = mem_printf("http://name.test:%u/stay", outside.port);
	resolve_to("127.0.0.2", "127.0.0.1");
	assert_int_equal(status_of(f, close), 200);
	renew(f); /* also forgets what libcurl remembers of names */
	assert_int_equal(status_of(f, stay), -1);
	assert_int_equal(f->err.sys, EACCES);
	assert_int_equal(atomic_load(&resolver.lookups), 2);
	resolve_to("127.0.0.1 127.0.0.2", "127.0.0.1"); /* the one that is refused is passed over */
	renew(f);
	assert_int_equal(status_of(f, stay), 200);
	assert_int_equal(status_of(f, stay), 200);
	assert_int_equal(server_connections(&outside), 2); /* the last two on one */
	server_stop(&outside);
}

static void test_spellings_of_loopback(void **state)
{
	struct fixture *f = *state;
	static const char *const hosts[] = { "127.0.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1",
		"0177.0.0.1", "127.000.000.001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[::127.0.0.1]", "0", "0.0.0.0",
		"[::]", "127.0.0.1.", "%31%32%37.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "localhost", "user@127.0.0.1",
		"10.0.0.1", "[fe80::1%25lo]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[fd00:ec2::254]", "169.254.169.254" };
	struct server quiet; /* nobody's endpoint */
	assert_int_equal(server_start(&quiet, "127.0.0.1", answer, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		CLEANUP(freep) char *url = mem_printf("http://%s:%u/x", hosts[i], quiet.port);
		CLEANUP(freep) char *redirect = mem_printf("/to?%s", url);
		CLEANUP(freep) char *start = url_of(&f->server, redirect);
		const char *ways[] = { url, start };
		for (int way = 0; way < 2; way++) {
			if (status_of(f, ways[way]) != -1 || f->err.class != ERR_REJECT || (f->err.sys != EACCES && f->err.sys != EINVAL))
				fail_msg("%s: %d %s", ways[way], f->err.sys, f->err.text);
		}
	}
	assert_int_equal(server_connections(&quiet), 0);
	assert_int_equal(atomic_load(&f->server.requests), sizeof(hosts) / sizeof(hosts[0])); /* the redirects were seen */
	server_stop(&quiet);
}

static void test_redirects_elsewhere_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const places[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/", "//127.0.0.1:22/",
		"http://127.0.0.1:1/", "javascript:alert(1)", "http://", "dict://x/", "http:////127.0.0.1:9999/" };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CLEANUP(freep) char *redirect = mem_printf("/to?%s", places[i]);
		CLEANUP(freep) char *start = url_of(&f->server, redirect);
		if (status_of(f, start) != -1 || f->err.class != ERR_REJECT)
			fail_msg("%s: %d %s", places[i], f->err.sys, f->err.text);
	}
}

/* A name server that says nothing: neither the limit nor a stop waits for it. */
static void test_a_silent_name_server(void **state)
{
	struct fixture *f = *state;
	atomic_bool stopping = true;
	assert_int_equal(sem_init(&resolver.release, 0, 0), 0);
	resolve_to("", NULL);
	f->rules.connect_ms = 200;
	renew(f);
	assert_int_equal(status_of(f, "http://name.test/x"), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, ETIMEDOUT);
	f->rules.stopping = &stopping;
	renew(f);
	assert_int_equal(status_of(f, "http://name.test/x"), -1);
	assert_int_equal(f->err.sys, ECANCELED);
	http_free(f->http);
	f->http = NULL;
	(void)sem_post(&resolver.release);
	(void)sem_post(&resolver.release);
}

/* ---- TLS ---- */

/* A certificate of its own for 127.0.0.1, and the file that makes it trusted. */
static SSL_CTX *self_signed(const char *name, const char *ca_file)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	FILE *pem = fopen(ca_file, "w");
	assert_non_null(pem);
	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"inlet test", -1, -1, 0);
	(void)X509_set_issuer_name(cert, subject);
	(void)X509_set_pubkey(cert, key);
	X509_EXTENSION *alternative = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
	(void)X509_add_ext(cert, alternative, -1);
	X509_EXTENSION_free(alternative);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(pem, cert), 1);
	(void)fclose(pem);
	assert_int_equal(SSL_CTX_use_certificate(tls, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return tls;
}

static void test_certificates(void **state)
{
	struct fixture *f = *state;
	char good[] = "/tmp/test_http.XXXXXX";
	char other[] = "/tmp/test_http.XXXXXX";
	CLEANUP(close_fdp) int fd = mkstemp(good);
	CLEANUP(close_fdp) int other_fd = mkstemp(other);
	struct server right, wrong;
	assert_true(fd >= 0 && other_fd >= 0);
	assert_int_equal(server_start(&right, "127.0.0.1", answer, NULL, self_signed("IP:127.0.0.1", good)), 0);
	assert_int_equal(server_start(&wrong, "127.0.0.1", answer, NULL, self_signed("DNS:elsewhere.test", other)), 0);
	CLEANUP(freep) char *url = url_of(&right, "/x");
	CLEANUP(freep) char *wrong_url = url_of(&wrong, "/x");
	assert_int_equal(guard_allow_endpoint(f->guard, url, &f->err), 0);
	assert_int_equal(guard_allow_endpoint(f->guard, wrong_url, &f->err), 0);
	assert_int_equal(status_of(f, url), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(f->err.sys, EKEYREJECTED);
	assert_non_null(strstr(f->err.text, "ca_file"));
	f->rules.ca_file = good;
	renew(f);
	assert_int_equal(status_of(f, url), 200);
	assert_int_equal(status_of(f, url), 200);
	assert_int_equal(server_connections(&right), 2); /* the refused one, and one kept */
	f->rules.ca_file = other; /* trusted, but by another name */
	renew(f);
	assert_int_equal(status_of(f, wrong_url), -1);
	assert_int_equal(f->err.sys, EKEYREJECTED);
	f->rules.ca_file = "/nonexistent/ca.pem";
	renew(f);
	assert_int_equal(status_of(f, url), -1);
	assert_int_equal(f->err.sys, EKEYREJECTED);
	assert_non_null(strstr(f->err.text, "/nonexistent/ca.pem"));
	(void)unlink(good);
	(void)unlink(other);
	server_stop(&right);
	server_stop(&wrong);
}

/* ---- proxies ---- */

/* Carries bytes both ways until one side is done. */
static void tunnel(struct peer *p, int to)
{
	struct pollfd both[2] = { { p->fd, POLLIN, 0 }, { to, POLLIN, 0 } };
	char bytes[4096];
	while (poll(both, 2, -1) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t n = both[i].revents ? recv(both[i].fd, bytes, sizeof(bytes), 0) : 1;
			if (n <= 0)
				return;
			if (both[i].revents && send(both[1 - i].fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
				return;
		}
	}
}

/* A proxy that takes one user, and whatever name it is asked for, to the server whose port is `arg`. */
static bool be_proxy(struct peer *p, const char *path)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	(void)path;
	if (!strstr(p->request, "Proxy-Authorization: Basic dXNlcjpzM2NyM3Q=\r\n")) /* user:s3cr3t */
		return peer_answer(p, "407 Who Are You", "Proxy-Authenticate: Basic realm=x\r\n", "");
	if (strncmp(p->request, "CONNECT inner.test:443 ", 23) != 0)
		return peer_answer(p, "403 No", "", "");
	CLEANUP(close_fdp) int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_port = htons((uint16_t)(uintptr_t)p->server->arg);
	if (to >= 0 && connect(to, (const struct sockaddr *)&at, sizeof(at)) == 0 && peer_say(p, "HTTP/1.1 200 Go\r\nX-Proxy: 1\r\n\r\n"))
		tunnel(p, to);
	return false;
}

static void test_a_proxy(void **state)
{
	struct fixture *f = *state;
	char ca[] = "/tmp/test_http.XXXXXX";
	CLEANUP(close_fdp) int fd = mkstemp(ca);
	struct server inner, proxy;
	CLEANUP(http_reply_done) struct http_reply r;
	assert_true(fd >= 0);
	assert_int_equal(server_start(&inner, "127.0.0.1", answer, NULL, self_signed("DNS:inner.test", ca)), 0);
	assert_int_equal(server_start(&proxy, "127.0.0.1", be_proxy, (void *)(uintptr_t)inner.port, NULL), 0);
	CLEANUP(freep) char *right = mem_printf("http://user:s3cr3t@127.0.0.1:%u", proxy.port);
	CLEANUP(freep) char *wrong = mem_printf("http://user:s3cr3t-not@127.0.0.1:%u", proxy.port);
	f->rules.ca_file = ca;
	f->rules.proxy = right;
	renew(f);
	resolve_to(NULL, NULL); /* only the proxy knows the name */
	assert_int_equal(http_send(f->http, &(struct http_request){ .url = "https://inner.test/x" }, &r, &f->err), 0);
	assert_string_equal(r.body.data, "/x");
	assert_int_equal(http_header(&r, "X-Proxy").len, 0);
	assert_int_equal(atomic_load(&resolver.lookups), 0);
	assert_false(server_saw(&inner, "Proxy-Authorization"));
	assert_int_equal(status_of(f, "https://other.test/x"), -1); /* refused by the proxy */
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_non_null(strstr(f->err.text, "403"));
	f->rules.proxy = wrong;
	renew(f);
	assert_int_equal(status_of(f, "https://inner.test/x"), -1);
	assert_non_null(strstr(f->err.text, "407"));
	assert_null(strstr(f->err.text, "s3cr3t"));
	(void)unlink(ca);
	server_stop(&proxy);
	server_stop(&inner);
}

int main(void)
{
	FIXTURE_SCRIPT = answer;
	const struct CMUnitTest tests[] = {
		TEST(test_a_name_is_judged_where_it_leads), TEST(test_a_changed_answer_is_judged_again),
		TEST(test_spellings_of_loopback), TEST(test_redirects_elsewhere_are_refused), TEST(test_a_silent_name_server),
		TEST(test_certificates), TEST(test_a_proxy),
	};
	return fixture_run("http_trust", tests, sizeof(tests) / sizeof(tests[0]));
}
