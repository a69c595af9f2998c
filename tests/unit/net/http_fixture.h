/* http_fixture.h - two real servers and a client that may reach both, fresh for each test. */
#ifndef INLET_TESTS_UNIT_NET_HTTP_FIXTURE_H
#define INLET_TESTS_UNIT_NET_HTTP_FIXTURE_H

#include "daemon/base/mem.h"
#include "daemon/net/http.h"
#include "tests/unit/net/server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
	struct server server, other;
	struct guard *guard;
	struct http_rules rules;
	struct http *http;
	struct err err;
	struct buf taken;
	int heads, head_status;
	bool refuse_head, refuse_body;
};

static script_fn *FIXTURE_SCRIPT; /* set by main() */
static bool FIXTURE_LEAN;         /* likewise: all must hold for both ways of sending */

static inline char *url_of(const struct server *s, const char *path)
{
	return mem_printf("http%s://127.0.0.1:%u%s", s->tls ? "s" : "", s->port, path);
}

/* Another client, by the rules as they are now. */
static inline void renew(struct fixture *f)
{
	http_free(f->http);
	f->http = http_new(&f->rules);
}

static inline int get(struct fixture *f, const char *path, struct http_reply *ret)
{
	CLEANUP(freep) char *url = url_of(&f->server, path);
	return http_send(f->http, &(struct http_request){ .url = url }, ret, &f->err);
}

static inline int fixture_setup(void **state)
{
	static struct fixture f;
	memset(&f, 0, sizeof(f));
	(void)signal(SIGPIPE, SIG_IGN);
	limit_time();
	if (server_start(&f.server, "127.0.0.1", FIXTURE_SCRIPT, NULL, NULL) < 0 ||
	    server_start(&f.other, "127.0.0.1", FIXTURE_SCRIPT, NULL, NULL) < 0)
		return -1;
	CLEANUP(freep) char *url = url_of(&f.server, "/");
	CLEANUP(freep) char *other = url_of(&f.other, "/");
	f.guard = guard_new();
	if (guard_allow_endpoint(f.guard, url, &f.err) < 0 || guard_allow_endpoint(f.guard, other, &f.err) < 0)
		return -1;
	f.rules = (struct http_rules){ .guard = f.guard, .redirects = 5, .lean = FIXTURE_LEAN };
	f.rules.connect_ms = f.rules.idle_ms = 100000; /* only what is about time ends by it: a handshake under valgrind took 10 s */
	f.http = http_new(&f.rules);
	*state = &f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	http_free(f->http);
	guard_free(f->guard);
	buf_done(&f->taken);
	server_stop(&f->server);
	server_stop(&f->other);
	return 0;
}

/* The tests of a program, by libcurl and over its connections only. */
static inline int fixture_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	char lean[64];
	(void)snprintf(lean, sizeof(lean), "%s, lean", name);
	int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	FIXTURE_LEAN = true;
	return failed + _cmocka_run_group_tests(lean, tests, count, NULL, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
