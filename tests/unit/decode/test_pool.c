/* test_pool.c - the pool's side: workers that die, hang, lie or cannot start. The worker here is this very program in
 * another role, so that each misdeed happens on demand; what real workers do with real media is in the other tests. */
#include "daemon/base/clock.h"
#include "daemon/decode/protocol.h"
#include "tests/unit/decode/decode_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* ---- the worker's role: the first byte of the object says what to do ---- */

enum misdeed {
	HONEST = 'h',
	CRASH = 'c',
	KILLED = 'k',
	EXIT = 'e',
	HANG = 's',
	FAIL = 'f',
	REJECT = 'r',
	SHORT = '1',
	HUGE_SECTION = '2',
	BAD_FACTS = '3',
	BAD_TEXT = '4',
	WRONG_JOB = '5',
	OVER_LONG = '6',
	NUL_LESS = '7',
	LINE_FEED = '8',
	SHRINK = '9',
};

static void answer_text(struct wire_done *d, int result, const char *facts, const char *text)
{
	d->verdict = WIRE_DECODED;
	d->media = MEDIA_TEXT;
	(void)snprintf(d->media_type, sizeof(d->media_type), "text/plain");
	d->section[WIRE_FACTS] = strlen(facts);
	d->section[WIRE_TEXT] = strlen(text);
	if (write(result, facts, strlen(facts)) < 0 || write(result, text, strlen(text)) < 0)
		_exit(9);
}

static void misbehave(enum misdeed what, struct wire_done *d, int result)
{
	answer_text(d, result,
		    what == BAD_FACTS	? "[1,2"
		    : what == LINE_FEED ? "{\"a\":\n1}"
					: "{}",
		    what == BAD_TEXT ? "\xff" : "hi");
	switch (what) {
	case CRASH:
		(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer would turn it into an exit */
		(void)raise(SIGSEGV);
		break;
	case KILLED:
		(void)raise(SIGKILL);
		break;
	case EXIT:
		_exit(7);
	case HANG:
		(void)pause();
		break;
	case FAIL:
	case REJECT:
		*d = (struct wire_done){ .head = d->head,
					 .verdict = what == FAIL ? WIRE_FAILED : WIRE_REJECTED,
					 .reason = "because\n" };
		break;
	case HUGE_SECTION:
		d->section[WIRE_FORM] = UINT64_MAX - 1;
		break;
	case WRONG_JOB:
		d->head.job++;
		break;
	case NUL_LESS:
		memset(d->media_type, 'a', sizeof(d->media_type));
		break;
	case SHRINK: /* what was sealed cannot be cut: the answer stays readable */
		if (ftruncate(result, 0) == 0)
			_exit(8);
		break;
	default:
		break;
	}
}

static int act_as_worker(void)
{
	struct rlimit no_core = { 0, 0 };
	struct wire_hello hello;
	struct wire_ready ready = { .head = { WIRE_MAGIC, WIRE_READY, 0 }, .sandbox = SANDBOX_SECCOMP };
	struct wire_job job;
	int fds[2];
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (wire_receive(WIRE_FD, &hello, sizeof(hello), NULL, 0) != sizeof(hello))
		return 1;
	if (hello.thumbnail == 1)
		return 1;
	if (hello.thumbnail == 2)
		(void)snprintf(ready.failure, sizeof(ready.failure), "no sandbox here; do this");
	(void)wire_send(WIRE_FD, &ready, sizeof(ready), NULL, 0);
	while (wire_receive(WIRE_FD, &job, sizeof(job), fds, 2) == sizeof(job)) {
		struct wire_done done[2] = { { .head = { WIRE_MAGIC, WIRE_DONE, job.head.job } } };
		char what = 0;
		if (pread(fds[0], &what, 1, 0) != 1)
			return 1;
		misbehave((enum misdeed)what, &done[0], fds[1]);
		(void)wire_send(WIRE_FD, done,
				what == SHORT	    ? 12
				: what == OVER_LONG ? sizeof(done)
						    : sizeof(done[0]),
				NULL, 0);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	return 0;
}

/* ---- the tests ---- */

static char self[PATH_MAX];

static struct decode_options acting(void)
{
	struct decode_options o = default_options(self);
	o.workers = 2;
	return o;
}

static struct decode_stats stats_of(struct decode_pool *p)
{
	struct decode_stats s;
	decode_pool_stats(p, &s);
	return s;
}

static void assert_honest(struct decode_pool *p)
{
	struct decode_result r;
	struct err err;
	if (run(p, "h", 1, &r, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(r.decoded);
	assert_string_equal(r.text.data, "hi");
	decode_result_done(&r);
}

static void assert_fails(enum misdeed what, enum err_class class, const char *reason, uint64_t deaths)
{
	struct decode_options o = acting();
	struct decode_pool *p = open_pool(&o);
	struct decode_result r;
	struct err err;
	const char byte = (char)what;
	assert_int_equal(run(p, &byte, 1, &r, &err), -1);
	if (err.class != class || !strstr(err.text, reason))
		fail_msg("expected %s with \"%s\", got %s: %s", err_class_name(class), reason,
			 err_class_name(err.class), err.text);
	assert_int_equal(stats_of(p).deaths, deaths);
	assert_honest(p); /* the next object is served all the same */
	decode_pool_close(p);
}

static void test_bytes_that_kill_two_workers_are_rejected(void **state)
{
	(void)state;
	assert_fails(CRASH, ERR_REJECT, "killed the decoder twice (signal 11", 2);
}

static void test_a_kill_from_outside_is_not_the_objects_fault(void **state)
{
	(void)state;
	assert_fails(KILLED, ERR_RETRY, "killed from outside", 2);
}

static void test_a_worker_that_gives_up_twice_rejects(void **state)
{
	(void)state;
	assert_fails(EXIT, ERR_REJECT, "exit status 7", 2);
}

static void test_verdicts_come_through(void **state)
{
	(void)state;
	assert_fails(REJECT, ERR_REJECT, "because ", 0);
	assert_fails(FAIL, ERR_RETRY, "because ", 0);
}

static void test_lies_are_found(void **state)
{
	(void)state;
	assert_fails(SHORT, ERR_REJECT, "12 bytes", 2);
	assert_fails(OVER_LONG, ERR_REJECT, "broke the decoder twice", 2);
	assert_fails(HUGE_SECTION, ERR_REJECT, "impossible: section length", 2);
	assert_fails(BAD_FACTS, ERR_REJECT, "facts are not a JSON object", 2);
	assert_fails(LINE_FEED, ERR_REJECT, "facts are not a JSON object", 2);
	assert_fails(BAD_TEXT, ERR_REJECT, "text is not UTF-8", 2);
	assert_fails(WRONG_JOB, ERR_REJECT, "not the answer to this job", 2);
	assert_fails(NUL_LESS, ERR_REJECT, "media type", 2);
}

static void test_the_result_cannot_be_cut(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_pool *p = open_pool(&o);
	struct decode_result r;
	struct err err;
	assert_int_equal(run(p, "9", 1, &r, &err), 0);
	assert_string_equal(r.text.data, "hi");
	decode_result_done(&r);
	decode_pool_close(p);
}

static void test_time_limit_kills(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_result r;
	struct err err;
	o.time_limit_ms = 50;
	struct decode_pool *p = open_pool(&o);
	assert_int_equal(run(p, "s", 1, &r, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_non_null(strstr(err.text, "longer than limits.decode_time (50 ms)"));
	assert_int_equal(stats_of(p).timeouts, 2);
	assert_int_equal(stats_of(p).deaths, 0);
	decode_pool_close(p);
}

static void test_workers_are_recycled(void **state)
{
	(void)state;
	struct decode_options o = acting();
	o.workers = 1;
	o.recycle = 3;
	struct decode_pool *p = open_pool(&o);
	for (int i = 0; i < 10; i++)
		assert_honest(p);
	assert_int_equal(stats_of(p).recycled, 3);
	assert_int_equal(stats_of(p).items, 10);
	decode_pool_close(p);
}

static void test_sandbox_failure_is_fatal_and_says_why(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_pool *p = NULL;
	struct err err;
	o.thumbnail = 2;
	assert_int_equal(decode_pool_open(&o, &p, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_string_equal(err.text, "decoder: no sandbox here; do this");
	o.thumbnail = 1;
	assert_int_equal(decode_pool_open(&o, &p, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_non_null(strstr(err.text, "--self-test"));
	assert_null(p);
}

static void test_missing_program_is_fatal(void **state)
{
	(void)state;
	struct decode_options o = default_options("/nowhere/inlet-decode");
	struct decode_pool *p = NULL;
	struct err err;
	assert_int_equal(decode_pool_open(&o, &p, &err), -1);
	assert_int_equal(err.class, ERR_FATAL);
	assert_non_null(strstr(err.text, "/nowhere/inlet-decode"));
}

static void test_unreadable_object_is_reported(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_pool *p = open_pool(&o);
	struct decode_result r;
	struct err err = { 0 };
	CLEANUP(close_fdp) int closed = open("/", O_PATH | O_CLOEXEC);
	const struct decode_job job = { .fd = closed, .bytes = 10 };
	assert_int_equal(decode_run(p, &job, &r, &err), -1);
	assert_true(err.text[0]);
	assert_honest(p);
	decode_pool_close(p);
}

struct caller {
	struct decode_pool *pool;
	struct err err;
	int result;
	char what;
	atomic_int *started;
};

static void *call(void *arg)
{
	struct caller *c = arg;
	struct decode_result r;
	(void)atomic_fetch_add(c->started, 1);
	c->result = run(c->pool, &c->what, 1, &r, &c->err);
	if (c->result == 0)
		decode_result_done(&r);
	return NULL;
}

static void test_stop_ends_running_and_waiting_calls(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_pool *p = open_pool(&o);
	atomic_int started = 0;
	pthread_t threads[5];
	struct caller callers[5];
	for (int i = 0; i < 5; i++) { /* two run, three wait */
		callers[i] = (struct caller){ .pool = p, .what = HANG, .started = &started };
		assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
	}
	while (atomic_load(&started) < 5 || stats_of(p).workers < 2)
		(void)usleep(1000);
	decode_pool_stop(p);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(callers[i].result, -1);
		assert_int_equal(callers[i].err.class, ERR_RETRY);
	}
	decode_pool_close(p);
}

static void test_many_callers_share_few_workers(void **state)
{
	(void)state;
	struct decode_options o = acting();
	struct decode_pool *p = open_pool(&o);
	atomic_int started = 0;
	pthread_t threads[24];
	struct caller callers[24];
	for (int i = 0; i < 24; i++) {
		callers[i] = (struct caller){ .pool = p, .what = i % 4 ? HONEST : CRASH, .started = &started };
		assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
	}
	for (int i = 0; i < 24; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(callers[i].result, i % 4 ? 0 : -1);
	}
	assert_int_equal(stats_of(p).deaths, 12);
	assert_int_equal(stats_of(p).items, 18);
	decode_pool_close(p);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		_exit(act_as_worker());
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_that_kill_two_workers_are_rejected),
		cmocka_unit_test(test_a_kill_from_outside_is_not_the_objects_fault),
		cmocka_unit_test(test_a_worker_that_gives_up_twice_rejects),
		cmocka_unit_test(test_verdicts_come_through),
		cmocka_unit_test(test_lies_are_found),
		cmocka_unit_test(test_the_result_cannot_be_cut),
		cmocka_unit_test(test_time_limit_kills),
		cmocka_unit_test(test_workers_are_recycled),
		cmocka_unit_test(test_sandbox_failure_is_fatal_and_says_why),
		cmocka_unit_test(test_missing_program_is_fatal),
		cmocka_unit_test(test_unreadable_object_is_reported),
		cmocka_unit_test(test_stop_ends_running_and_waiting_calls),
		cmocka_unit_test(test_many_callers_share_few_workers),
	};
	if (!realpath(argv[0], self)) /* /proc/self/exe would be valgrind */
		return 1;
	return cmocka_run_group_tests_name("decode pool", tests, NULL, NULL);
}
