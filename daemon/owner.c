/* owner.c - the life of the process that owns the store. */
#include "daemon/owner.h"

#include "config/source_config.h"
#include "daemon/api/server.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/spawn.h"
#include "daemon/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define DYING_WAIT_MS 2000        /* a daemon that was killed lets go once its memory has been taken back */
#define STAND_IN_WAIT_MS 10000  /* a stand-in ends with its last client: a daemon waits this long for it */
#define LOCK_LOOK_MS 100
#define ARENA_SHARE 4           /* of limits.memory */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_PARTIAL = 3 };

static int fail(const struct err *err)
{
	LOG_ERR(LOG_FATAL, "%s", err->text);
	(void)sd_notifyf(0, "STATUS=%s", err->text);
	return EXIT_FAILED;
}

/* flock with a timeout does not exist. True: a signal that ends the program has come, which loop_block_signals() keeps for us. */
static bool signalled_while_waiting(void)
{
	struct timespec pause = clock_spec(LOCK_LOOK_MS * NS_PER_MS);
	sigset_t ending;
	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGINT);
	(void)sigaddset(&ending, SIGTERM);
	return sigtimedwait(&ending, NULL, &pause) > 0;
}

/* A lock held by a stand-in, or by one that has not said yet what it is (pid 0), is waited for; a daemon's is not, and neither
 * is one that cannot be taken at all. */
static int take_lock(const struct config *c, enum pipeline_mode mode, int *ret_fd, struct err *err)
{
	uint64_t start_ns = clock_mono_ns();
	for (;;) {
		long pid = 0;
		bool attend = false;
		if (store_lock(c->state_dir, mode == PIPELINE_ATTEND ? "attend" : "daemon", ret_fd, &pid, &attend, err) == 0)
			return 0;
		bool daemon = !attend && pid != 0;
		uint64_t wait_ns = (daemon ? DYING_WAIT_MS : STAND_IN_WAIT_MS) * NS_PER_MS;
		if (err->sys != 0 || mode == PIPELINE_ATTEND || clock_mono_ns() - start_ns > wait_ns)
			return -1;
		if (signalled_while_waiting())
			return err_set(err, ERR_RETRY, EINTR, "wait for the store in '%s'", c->state_dir);
	}
}

static struct store_options store_options_of(const struct config *c)
{
	return (struct store_options){ .map_bytes = c->limits.map_bytes, .reserve_bytes = c->limits.reserve_bytes,
		.segment_bytes = c->limits.segment_bytes, .arena_bytes = c->limits.memory_bytes / ARENA_SHARE,
		.memory_bytes = c->limits.memory_bytes };
}

static void report_opening(const struct config *c, const struct store_report *r)
{
	if (r->created)
		LOG_NOTICE(LOG_STORE, "created an empty dataset in %s", c->state_dir);
	if (r->rebuilt)
		LOG_NOTICE(LOG_STORE, "the index was missing and has been rebuilt from the log, revision %llu", (unsigned long long)r->revision);
	else if (r->batches_recovered || r->bytes_cut)
		LOG_NOTICE(LOG_RECOVERED, "after an unclean end: %llu batch%s applied from the log, %llu torn byte%s cut",
			(unsigned long long)r->batches_recovered, r->batches_recovered == 1 ? "" : "es", (unsigned long long)r->bytes_cut,
			text_s(r->bytes_cut));
}

/* A program of ours that lies beside this one. */
static char *sibling(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return mem_strdup(name);
	self[n] = '\0';
	return mem_printf("%.*s/%s", (int)(strrchr(self, '/') - self), self, name);
}

static void greet(const struct config *c)
{
	CLEANUP(freep) char *client = sibling("inlet");
	bool installed = strncmp(client, "/usr/", 5) == 0;
	for (size_t i = 0; i < c->source_count; i++) {
		char where[1024];
		source_config_describe(&c->sources[i], where, sizeof(where));
		LOG_INFO(LOG_STARTED, "watching %s '%s': %s%s", c->sources[i].scheme, c->sources[i].name, where,
			c->sources[i].manifest ? ", for manifests" : "");
	}
	if (c->source_count == 0)
		LOG_NOTICE(LOG_STARTED, "`sources` is empty: nothing is watched, only `inlet import` brings something in");
	LOG_INFO(LOG_STARTED, "the store is in %s", c->state_dir);
	LOG_INFO(LOG_STARTED, "try: %s --config %s status, then items", installed ? "inlet" : client, c->file);
}

static int print_counts(struct pipeline *p)
{
	struct drain_counts n;
	pipeline_counts(p, &n);
	(void)printf("read %llu object%s: %llu new item%s; %llu object%s new, %llu changed, %llu gone\n",
		(unsigned long long)n.read, text_s(n.read), (unsigned long long)n.items_new, text_s(n.items_new),
		(unsigned long long)n.objects_new, text_s(n.objects_new), (unsigned long long)n.objects_changed,
		(unsigned long long)n.objects_gone);
	(void)printf("remaining: %llu quarantined, %llu retrying, %llu source%s offline, %llu unsettled or unreadable\n",
		(unsigned long long)n.quarantined, (unsigned long long)n.retrying, (unsigned long long)n.offline, text_s(n.offline),
		(unsigned long long)n.unsettled);
	struct model_view models[16];
	size_t count = pipeline_models(p, models, 16), broken = 0;
	for (size_t i = 0; i < count; i++)
		broken += models[i].error[0] != '\0';
	if (broken)
		(void)printf("%zu model%s could not be loaded: their items wait\n", broken, text_s(broken));
	if (n.modelless)
		(void)printf("%llu item%s: no model of their kind is configured and usable\n", (unsigned long long)n.modelless,
			n.modelless == 1 ? " waits" : "s wait");
	return n.quarantined || n.retrying || n.offline || n.unsettled || broken ? EXIT_PARTIAL : EXIT_OK;
}

/* With store and pipeline open: serve until the end comes. */
static int serve(const struct config *c, struct pipeline *p, enum pipeline_mode mode, const struct loop_home *home)
{
	struct server *server = NULL;
	struct err err;
	if (pipeline_start(p, &err) < 0 || server_start(p, home->dir, &server, &err) < 0)
		return fail(&err);
	if (mode == PIPELINE_DAEMON)
		greet(c);
	(void)sd_notifyf(0, "READY=1\nSTATUS=watching %zu source%s", c->source_count, text_s(c->source_count));
	enum loop_end end = loop_run(p, mode, home, &err);
	(void)sd_notify(0, "STOPPING=1");
	int rc = end == LOOP_FAILED ? fail(&err) : end == LOOP_DRAINED ? print_counts(p) : EXIT_OK;
	if (server_stop(server) < 0) {
		LOG_WARNING(LOG_STOPPED, "a request did not end in time; stopping all the same, the queue is durable");
		_exit(rc);
	}
	if (mode == PIPELINE_DAEMON && end == LOOP_SIGNAL)
		LOG_INFO(LOG_STOPPED, "stopped; what is queued goes on at the next start");
	return rc;
}

/* Until the loop runs, nobody else takes the signals. */
static void *quit_while_opening(void *arg)
{
	sigset_t set;
	int which;
	(void)arg;
	loop_signals(&set);
	if (sigwait(&set, &which) != 0)
		return NULL;
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	LOG_INFO(LOG_STOPPED, "stopped while the store was being opened; that is done again at the next start");
	_exit(EXIT_OK);
}

/* Opening may take minutes (an index that is made anew) and survives a death at any point: that is how it is ended. */
static int open_all(const struct config *c, enum pipeline_mode mode, const char *worker, struct store **ret_store,
	struct pipeline **ret, struct err *err)
{
	struct store_options options = store_options_of(c);
	struct store_report report = { 0 };
	pthread_t quitter;
	bool started = pthread_create(&quitter, NULL, quit_while_opening, NULL) == 0; /* else signals wait for the loop */
	int ok = store_open(c->state_dir, &options, ret_store, &report, err);
	if (ok == 0) {
		report_opening(c, &report);
		ok = pipeline_open(c, *ret_store, mode, worker, ret, err);
	}
	if (started) {
		(void)pthread_cancel(quitter);
		(void)pthread_join(quitter, NULL);
	}
	return ok;
}

static int open_and_serve(const struct config *c, enum pipeline_mode mode, int lock)
{
	struct store *store = NULL;
	struct pipeline *p = NULL;
	struct err err;
	CLEANUP(freep) char *worker = sibling("inlet-decode");
	CLEANUP(close_fdp) int state_dir = open(c->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (state_dir < 0) {
		(void)err_set(&err, ERR_FATAL, errno, "open state_dir '%s'", c->state_dir);
		return fail(&err);
	}
	int rc = EXIT_FAILED;
	if (open_all(c, mode, worker, &store, &p, &err) < 0)
		(void)fail(&err);
	else
		rc = serve(c, p, mode, &(struct loop_home){ c->state_dir, state_dir, lock });
	pipeline_close(p);
	store_close(store);
	return rc;
}

/* Credentials of buckets lie in this process's memory: it leaves no core file, and no other process of its user looks into it. */
static void hide_secrets(const struct config *c)
{
	for (size_t i = 0; i < c->source_count; i++) {
		if (source_config_is_bucket(&c->sources[i]))
			(void)prctl(PR_SET_DUMPABLE, 0);
	}
}

/* The index is a mapped file: where it was cut short, or its disk cannot read it, the kernel sends a signal instead of an error. */
static char bus_text[4400];

static void on_bus(int signal)
{
	(void)signal;
	(void)!write(STDERR_FILENO, bus_text, strlen(bus_text));
	_exit(EXIT_FAILED);
}

static void name_bus_errors(const struct config *c)
{
	(void)snprintf(bus_text, sizeof(bus_text), "<3>fatal: the index in '%s' was cut short or cannot be read: look after the disk, then "
		"\"inlet rebuild-index\" makes it anew\n", c->state_dir);
	(void)sigaction(SIGBUS, &(struct sigaction){ .sa_handler = on_bus }, NULL);
}

int owner_run(const struct config *c, enum pipeline_mode mode)
{
	int lock = -1;
	struct err err;
	hide_secrets(c);
	name_bus_errors(c);
	loop_block_signals();
	if (take_lock(c, mode, &lock, &err) < 0) {
		int rc = fail(&err);
		return mode == PIPELINE_ATTEND && err.sys == 0 ? INLETD_TAKEN : rc; /* all but a held lock has an errno */
	}
	int rc = open_and_serve(c, mode, lock);
	(void)close(lock); /* before any client of a stand-in sees its end */
	return rc;
}

int owner_rebuild(const struct config *c)
{
	struct store_options options = store_options_of(c);
	struct store_report report = { 0 };
	struct err err;
	int lock = -1;
	if (take_lock(c, PIPELINE_DAEMON, &lock, &err) < 0)
		return fail(&err);
	int rc = store_rebuild(c->state_dir, &options, &report, &err);
	(void)close(lock);
	if (rc < 0)
		return fail(&err);
	(void)printf("the index is new: revision %llu\n", (unsigned long long)report.revision);
	return EXIT_OK;
}
