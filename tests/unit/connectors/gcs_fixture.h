/* gcs_fixture.h - a bucket on a real HTTP server of the test's own, which answers from a script and may misbehave. */
#ifndef INLET_TESTS_GCS_FIXTURE_H
#define INLET_TESTS_GCS_FIXTURE_H

#include "connectors/gcs_api.h"
#include "connectors/gcs_get.h"
#include "connectors/gcs_list.h"
#include "connectors/gcs_scan.h"
#include "daemon/base/mem.h"
#include "tests/unit/net/server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BUCKET "photos"

struct fixture {
	struct server server;
	char endpoint[64];
	char *include[1], *exclude[1];
	struct gcs_config config;
	struct bucket bucket;
	struct gcs_api *api;
	struct err err;
	struct buf got;              /* keys of the pages, or bytes of the object */
	_Atomic(const char *) mode;  /* for the script */
	atomic_uint asked;           /* requests so far, counted by the script */
};

static script_fn *FIXTURE_SCRIPT; /* set by main() */

/* Again with the configuration as it is now. */
static inline void fixture_open(struct fixture *f)
{
	gcs_api_free(f->api);
	f->api = NULL;
	assert_int_equal(gcs_api_new(&f->config, &f->bucket.stopping, &f->api, &f->err), 0);
}

static inline int fixture_setup(void **state)
{
	static struct fixture f;
	static char name[] = BUCKET;
	memset(&f, 0, sizeof(f));
	limit_time();
	(void)unsetenv("STORAGE_EMULATOR_HOST");
	if (server_start(&f.server, "127.0.0.1", FIXTURE_SCRIPT, &f, NULL) < 0)
		return -1;
	(void)snprintf(f.endpoint, sizeof(f.endpoint), "http://127.0.0.1:%u", f.server.port);
	f.config = (struct gcs_config){ .at = { .bucket = name, .endpoint = f.endpoint, .include = f.include, .exclude = f.exclude },
		.anonymous = true };
	f.mode = "";
	bucket_init(&f.bucket, "gs", &f.config.at);
	fixture_open(&f);
	*state = &f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	gcs_api_free(f->api);
	bucket_done(&f->bucket);
	buf_done(&f->got);
	server_stop(&f->server);
	return 0;
}

static inline void assert_text(const struct fixture *f, const char *what)
{
	if (!strstr(f->err.text, what))
		fail_msg("'%s' is not in: %s", what, f->err.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
