/* decode_fixture.h - for the tests of decoding: a pool of real workers, and jobs from bytes in memory. */
#ifndef INLET_TESTS_DECODE_FIXTURE_H
#define INLET_TESTS_DECODE_FIXTURE_H

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/decode/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static inline char *real_worker(void)
{
	const char *build = getenv("INLET_BUILD"), *worker = getenv("INLET_DECODE");
	if (worker)
		return mem_strdup(worker);
	return mem_printf("%s/inlet-decode", build ? build : "build");
}

static inline struct decode_options default_options(const char *worker)
{
	return (struct decode_options){
		.worker = worker,
		.workers = 1,
		.recycle = 1000,
		.time_limit_ms = 60000,
		.memory_bytes = 512ULL << 20,
		.max_bytes = 100000000,
		.max_pixels = 100000000,
		.thumbnail = 256,
	};
}

static inline struct decode_pool *open_pool(const struct decode_options *o)
{
	struct decode_pool *p = NULL;
	struct err err;
	if (decode_pool_open(o, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

/* *state: one pool for a whole group of tests. */
static inline int setup_real_pool(void **state)
{
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	*state = open_pool(&o);
	return 0;
}

static inline int teardown_pool(void **state)
{
	decode_pool_close(*state);
	return 0;
}

static inline int run_wanting(struct decode_pool *p, const void *bytes, size_t n, const struct pixel_spec *wants,
			      size_t want_count, bool inputs_only, struct decode_result *ret, struct err *err)
{
	static const char before[] = "bytes of another object";
	CLEANUP(close_fdp) int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, before, sizeof(before)), sizeof(before)); /* objects lie anywhere in a segment */
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(write(fd, before, sizeof(before)), sizeof(before));
	*err = (struct err){ 0 };
	*ret = (struct decode_result){ 0 };
	const struct decode_job job = { .fd = fd,
					.offset = sizeof(before),
					.bytes = n,
					.wants = wants,
					.want_count = want_count,
					.inputs_only = inputs_only };
	return decode_run(p, &job, ret, err);
}

static inline int run(struct decode_pool *p, const void *bytes, size_t n, struct decode_result *ret, struct err *err)
{
	return run_wanting(p, bytes, n, NULL, 0, false, ret, err);
}

static inline void assert_rejected(struct decode_pool *p, const void *bytes, size_t n, const char *reason)
{
	struct decode_result r;
	struct err err;
	assert_int_equal(run(p, bytes, n, &r, &err), -1);
	if (err.class != ERR_REJECT || !strstr(err.text, reason))
		fail_msg("expected a rejection with \"%s\", got %s: %s", reason, err_class_name(err.class), err.text);
}

static inline bool has_fact(const struct decode_result *r, const char *json)
{
	bool found = r->facts.data && strstr(r->facts.data, json);
	if (!found)
		print_error("no %s in %s\n", json, r->facts.data ? r->facts.data : "(no facts)");
	return found;
}

#endif
