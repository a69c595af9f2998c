/* test_worker.c - real workers as processes: their sandbox, and what happens when one is killed at work or too slow. */
#include "tests/unit/decode/decode_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <vips/vips.h>

static void test_self_test_proves_the_sandbox(void **state)
{
	(void)state;
	static const char *const refused[] = { "open /etc/passwd", "create a file", "TCP socket",	 "fork", "exec /bin/true",
					       "ptrace",	   "netlink socket", "executable memory" };
	CLEANUP(freep) char *worker = real_worker();
	CLEANUP(freep) char *command = mem_printf("'%s' --self-test", worker);
	char text[4096] = "";
	FILE *f = popen(command, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CLEANUP(freep) char *line = mem_printf("refused  %s ", refused[i]);
		if (!strstr(text, line))
			fail_msg("no \"%s\" in\n%s", line, text);
	}
	assert_null(strstr(text, "ALLOWED"));
	assert_non_null(strstr(text, "the sandbox holds"));
}

static pid_t child_of_mine(void)
{
	CLEANUP(freep) char *path = mem_printf("/proc/self/task");
	CLEANUP(closedirp) DIR *tasks = opendir(path);
	pid_t found = 0;
	for (struct dirent *e; tasks && !found && (e = readdir(tasks));) {
		CLEANUP(freep) char *children = mem_printf("%s/%s/children", path, e->d_name);
		CLEANUP(fclosep) FILE *f = fopen(children, "re");
		if (f && fscanf(f, "%d", &found) != 1)
			found = 0;
	}
	return found;
}

/* What the kernel says of a running worker. */
static bool status_has(pid_t pid, const char *line)
{
	CLEANUP(freep) char *path = mem_printf("/proc/%d/status", pid);
	char text[8192];
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	return strstr(text, line) != NULL;
}

static void test_a_waiting_worker_is_confined(void **state)
{
	pid_t pid = child_of_mine();
	struct decode_stats stats;
	assert_true(pid > 0);
	assert_true(status_has(pid, "NoNewPrivs:\t1"));
	assert_true(status_has(pid, "Seccomp:\t2"));
	decode_pool_stats(*state, &stats);
	assert_int_equal(strncmp(stats.sandbox, "seccomp", 7), 0);
}

static void test_the_environment_is_cleared(void **state)
{
	(void)state;
	CLEANUP(freep) char *path = mem_printf("/proc/%d/environ", child_of_mine());
	char text[4096];
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	if (!f) /* the worker is not dumpable: only root may look */
		skip();
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_null(memmem(text, n, "INLET_BUILD", 11));
	assert_null(memmem(text, n, "HOME=", 5));
}

static void *big_png(size_t *ret_n)
{
	VipsImage *noise, *bytes;
	void *p;
	assert_int_equal(vips_gaussnoise(&noise, 3000, 3000, "mean", 128.0, "sigma", 40.0, NULL), 0);
	assert_int_equal(vips_cast_uchar(noise, &bytes, NULL), 0);
	assert_int_equal(vips_pngsave_buffer(bytes, &p, ret_n, "compression", 1, NULL), 0);
	g_object_unref(noise);
	g_object_unref(bytes);
	return p;
}

struct job {
	struct decode_pool *pool;
	void *bytes;
	size_t n;
	int result;
	struct err err;
	struct decode_result r;
};

static void *run_job(void *arg)
{
	struct job *j = arg;
	j->result = run(j->pool, j->bytes, j->n, &j->r, &j->err);
	return NULL;
}

static void test_a_worker_killed_at_work_is_replaced_and_the_work_done(void **state)
{
	struct decode_stats stats;
	struct job j = { .pool = *state };
	pthread_t thread;
	j.bytes = big_png(&j.n);
	pid_t victim = child_of_mine();
	assert_int_equal(pthread_create(&thread, NULL, run_job, &j), 0);
	while (!status_has(victim, "State:\tR")) /* decoding takes a good part of a second */
		(void)usleep(500);
	assert_int_equal(kill(victim, SIGKILL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (j.result < 0)
		fail_msg("%s", j.err.text);
	assert_true(j.r.decoded);
	assert_int_equal(j.r.width, 3000);
	decode_pool_stats(*state, &stats);
	assert_int_equal(stats.deaths, 1);
	assert_int_not_equal(child_of_mine(), victim);
	decode_result_done(&j.r);
	g_free(j.bytes);
}

static void test_a_worker_that_dies_idle_costs_nothing(void **state)
{
	struct decode_result r;
	struct err err;
	pid_t victim = child_of_mine();
	assert_int_equal(kill(victim, SIGKILL), 0);
	if (run(*state, "hello\n", 6, &r, &err) < 0)
		fail_msg("%s", err.text);
	decode_result_done(&r);
}

static void test_decoding_over_its_time_is_rejected(void **state)
{
	(void)state;
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	struct decode_stats stats;
	size_t n;
	void *png = big_png(&n);
	o.time_limit_ms = 5;
	struct decode_pool *p = open_pool(&o);
	assert_rejected(p, png, n, "longer than limits.decode_time (5 ms)");
	decode_pool_stats(p, &stats);
	assert_int_equal(stats.timeouts, 2);
	decode_pool_close(p);
	g_free(png);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_test_proves_the_sandbox),
		cmocka_unit_test(test_a_waiting_worker_is_confined),
		cmocka_unit_test(test_the_environment_is_cleared),
		cmocka_unit_test(test_a_worker_killed_at_work_is_replaced_and_the_work_done),
		cmocka_unit_test(test_a_worker_that_dies_idle_costs_nothing),
		cmocka_unit_test(test_decoding_over_its_time_is_rejected),
	};
	if (vips_init("test_worker") != 0)
		return 1;
	vips_concurrency_set(1);
	int failed = cmocka_run_group_tests_name("decode workers", tests, setup_real_pool, teardown_pool);
	vips_shutdown();
	return failed;
}
