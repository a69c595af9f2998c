/* loop.c - one thread that waits for everything and computes nothing. */
#include "daemon/loop.h"

#include "daemon/attend.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define REPORT_USEC 10000000ULL  /* aggregated progress, only when something moved; and is the store still there? */
#define ONCE_ATTEMPTS 3

struct loop {
	struct pipeline *p;
	enum pipeline_mode mode;
	const struct loop_home *home;
	sd_event *event;
	sd_event_source *pump, *watchdog, *report;
	enum loop_end end;
	struct err failure;
	uint64_t watchdog_usec, progress;
	struct drain_counts reported;
	/* --once: a thread waits for the end of all work and says so here */
	pthread_t drainer;
	bool draining;             /* there is such a thread, and nobody has joined it */
	int drained_fd;
	int drained;               /* result of pipeline_drain() */
	struct err drain_err;
};

void loop_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	if (isatty(STDERR_FILENO)) /* a closed terminal leaves nobody behind; for a service it means nothing */
		sigaddset(ret, SIGHUP);
}

void loop_block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void finish(struct loop *l, enum loop_end end)
{
	l->end = end;
	(void)sd_event_exit(l->event, 0);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)s;
	(void)si;
	finish(arg, LOOP_SIGNAL);
	return 0;
}

/* Take what has come, wake what is due, and sleep until the next thing is. */
static void pump(struct loop *l)
{
	struct err err;
	if (pipeline_failed(l->p, &err) < 0) {
		l->failure = err;
		finish(l, LOOP_FAILED);
		return;
	}
	uint64_t due_ns = pipeline_pump(l->p);
	(void)sd_event_source_set_time(l->pump, due_ns == UINT64_MAX ? UINT64_MAX : due_ns / 1000 + 1);
	(void)sd_event_source_set_enabled(l->pump, due_ns == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_ready(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	(void)s;
	(void)fd;
	(void)revents;
	pump(arg);
	return 0;
}

static int on_due(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	pump(arg);
	return 0;
}

/* The watchdog hears of progress, not of a timer that happens to run. */
static int on_watchdog(sd_event_source *s, uint64_t usec, void *arg)
{
	struct loop *l = arg;
	uint64_t now = pipeline_progress(l->p);
	if (now != l->progress)
		(void)sd_notify(0, "WATCHDOG=1");
	l->progress = now;
	(void)sd_event_source_set_time(s, usec + l->watchdog_usec / 3);
	(void)sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

static int on_report(sd_event_source *s, uint64_t usec, void *arg)
{
	struct loop *l = arg;
	struct drain_counts now;
	pipeline_counts(l->p, &now);
	if (now.items_new != l->reported.items_new || now.objects_gone != l->reported.objects_gone)
		LOG_INFO(LOG_PROGRESS, "since start: %llu object%s read, %llu new item%s, %llu gone", (unsigned long long)now.read,
			text_s(now.read), (unsigned long long)now.items_new, text_s(now.items_new), (unsigned long long)now.objects_gone);
	if (now.quarantined > l->reported.quarantined)
		LOG_WARNING(LOG_QUARANTINED, "%llu in quarantine; `inlet failures` names each, the reason and the cure",
			(unsigned long long)now.quarantined);
	if (now.retrying > l->reported.retrying)
		LOG_WARNING(LOG_RETRYING, "%llu are being retried; `inlet failures` says why", (unsigned long long)now.retrying);
	(void)sd_notifyf(0, "STATUS=%llu new items since start, %llu in quarantine, %llu retrying",
		(unsigned long long)now.items_new, (unsigned long long)now.quarantined, (unsigned long long)now.retrying);
	l->reported = now;
	if (store_lock_stands(l->home->path, l->home->lock, &l->failure) < 0)
		finish(l, LOOP_FAILED);
	(void)sd_event_source_set_time(s, usec + REPORT_USEC);
	(void)sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

static void deserted(void *arg)
{
	finish(arg, LOOP_DESERTED);
}

static void *drain_thread(void *arg)
{
	struct loop *l = arg;
	uint64_t one = 1;
	l->drained = pipeline_drain(l->p, ONCE_ATTEMPTS, 0, &l->drain_err);
	(void)!write(l->drained_fd, &one, sizeof(one));
	return NULL;
}

static int on_drained(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct loop *l = arg;
	(void)fd, (void)revents;
	(void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
	(void)pthread_join(l->drainer, NULL);
	l->draining = false;
	if (l->drained < 0)
		l->failure = l->drain_err;
	finish(l, l->drained < 0 ? LOOP_FAILED : LOOP_DRAINED);
	return 0;
}

static int watch_fds(struct loop *l)
{
	int rc = sd_event_add_io(l->event, NULL, pipeline_wake_fd(l->p), EPOLLIN, on_ready, l);
	for (size_t i = 0; rc >= 0 && i < pipeline_sources(l->p); i++) {
		int fd = pipeline_source_fd(l->p, i);
		if (fd >= 0)
			rc = sd_event_add_io(l->event, NULL, fd, EPOLLIN, on_ready, l);
	}
	return rc;
}

static int watch_time(struct loop *l)
{
	int rc = sd_event_add_time(l->event, &l->pump, CLOCK_MONOTONIC, 0, 1000, on_due, l);
	if (rc >= 0 && l->mode == PIPELINE_DAEMON)
		rc = sd_event_add_time_relative(l->event, &l->report, CLOCK_MONOTONIC, REPORT_USEC, 1000000, on_report, l);
	if (rc >= 0 && sd_watchdog_enabled(0, &l->watchdog_usec) > 0)
		rc = sd_event_add_time_relative(l->event, &l->watchdog, CLOCK_MONOTONIC, 0, 0, on_watchdog, l);
	return rc;
}

static int watch_signals(struct loop *l)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	int rc = 0;
	loop_signals(&set);
	for (size_t i = 0; rc >= 0 && i < sizeof(all) / sizeof(*all); i++)
		if (sigismember(&set, all[i]) == 1)
			rc = sd_event_add_signal(l->event, NULL, all[i], on_signal, l);
	return rc;
}

static int watch_drain(struct loop *l)
{
	l->drained_fd = eventfd(0, EFD_CLOEXEC);
	int rc = l->drained_fd < 0 ? -errno : sd_event_add_io(l->event, NULL, l->drained_fd, EPOLLIN, on_drained, l);
	if (rc >= 0)
		rc = -pthread_create(&l->drainer, NULL, drain_thread, l);
	l->draining = rc >= 0;
	return rc;
}

static int watch(struct loop *l)
{
	int rc = sd_event_new(&l->event);
	if (rc >= 0)
		rc = watch_signals(l);
	if (rc >= 0)
		rc = watch_time(l);
	if (rc >= 0)
		rc = watch_fds(l);
	if (rc >= 0 && l->mode == PIPELINE_ONCE)
		rc = watch_drain(l);
	return rc;
}

enum loop_end loop_run(struct pipeline *p, enum pipeline_mode mode, const struct loop_home *home, struct err *err)
{
	struct loop l = { .p = p, .mode = mode, .home = home, .end = LOOP_FAILED, .drained_fd = -1 };
	struct attend *attend = NULL;
	pipeline_counts(p, &l.reported);
	int rc = watch(&l);
	(void)err_set(&l.failure, ERR_FATAL, rc < 0 ? -rc : 0, "event loop");
	if (rc >= 0 && mode == PIPELINE_ATTEND)
		rc = attend_open(l.event, home->dir, deserted, &l, &attend, &l.failure);
	if (rc >= 0)
		(void)sd_event_loop(l.event);
	if (l.end == LOOP_FAILED)
		*err = l.failure;
	pipeline_stop(p); /* also ends the drain thread's wait */
	if (l.draining)
		(void)pthread_join(l.drainer, NULL);
	attend_close(attend);
	(void)sd_event_source_disable_unref(l.pump);
	(void)sd_event_source_disable_unref(l.report);
	(void)sd_event_source_disable_unref(l.watchdog);
	(void)sd_event_unref(l.event);
	close_fdp(&l.drained_fd);
	return l.end;
}
