/* url_hosts.c - the bounded table of hosts and who may ask them. */
#include "connectors/url_hosts.h"

#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TICK_MS 100        /* how late `stopping` may be noticed by who waits */
#define PATIENCE 3         /* failures in a row until a host counts as dead */
#define GOOD_RUN 16        /* successes in a row until one more request at once is allowed */

struct host {
	struct host *next;     /* used longer ago */
	uint32_t inside;       /* requests running */
	uint32_t waiting;      /* threads in url_hosts_enter() */
	uint32_t allowed;      /* requests at once, 1 to per_host */
	uint32_t run;          /* successes since `allowed` changed */
	uint32_t failures;     /* in a row, unreachable */
	uint32_t closings;     /* the gap doubles with each; each success since it opened takes one back */
	uint64_t closed_ns;    /* until then nobody enters */
	uint16_t port;
	char name[];
};
struct url_hosts {
	uint32_t per_host;
	const atomic_bool *stopping;
	pthread_mutex_t lock;  /* guards what follows */
	pthread_cond_t left;   /* somebody left: look again */
	struct host *hosts;    /* the last used first */
	size_t count;
};

struct url_hosts *url_hosts_new(uint32_t per_host, const atomic_bool *stopping)
{
	struct url_hosts *h = mem_zero(1, sizeof(*h));
	pthread_condattr_t monotonic;
	h->per_host = per_host > 0 ? per_host : 1;
	h->stopping = stopping;
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->left, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return h;
}

void url_hosts_free(struct url_hosts *h)
{
	if (!h)
		return;
	while (h->hosts) {
		struct host *host = h->hosts;
		h->hosts = host->next;
		free(host);
	}
	(void)pthread_cond_destroy(&h->left);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Forgets the host that nobody uses and that was used longest ago; one that is closed only if there is no other. */
static void forget_one(struct url_hosts *h, uint64_t now_ns)
{
	struct host **open = NULL;
	struct host **closed = NULL;
	for (struct host **at = &h->hosts; *at; at = &(*at)->next) {
		if ((*at)->inside == 0 && (*at)->waiting == 0)
			*((*at)->closed_ns > now_ns ? &closed : &open) = at;
	}
	struct host **victim = open ? open : closed;
	if (!victim)
		return; /* as many hosts as threads are in use */
	struct host *gone = *victim;
	*victim = gone->next;
	h->count--;
	free(gone);
}

/* The host, moved to the front; made where it is new. */
static struct host *find(struct url_hosts *h, const struct url *url)
{
	struct host **at = &h->hosts;
	while (*at && ((*at)->port != url->port || strcmp((*at)->name, url->host) != 0))
		at = &(*at)->next;
	struct host *host = *at;
	if (host) {
		*at = host->next;
	} else {
		if (h->count >= URL_HOSTS_MAX)
			forget_one(h, clock_mono_ns());
		size_t size = strlen(url->host) + 1;
		host = mem_zero(1, sizeof(*host) + size);
		memcpy(host->name, url->host, size);
		host->port = url->port;
		host->allowed = h->per_host;
		h->count++;
	}
	host->next = h->hosts;
	h->hosts = host;
	return host;
}

/* Turned away: sys is for the caller, its words add nothing. */
static int turn_away(const struct host *host, int sys, uint64_t wait_ms, const char *why, struct err *err)
{
	(void)err_set(err, ERR_RETRY, 0, "host %.200s: %s", host->name, why);
	if (err) {
		err->sys = sys;
		err->wait_ms = (uint32_t)wait_ms;
	}
	return -1;
}

static int not_now(const struct host *host, uint64_t now_ns, struct err *err)
{
	char why[80];
	if (host->closed_ns <= now_ns)
		return turn_away(host, EAGAIN, URL_HOSTS_GAP_MS, "has as many requests as it may have at once", err);
	uint64_t wait_ms = (host->closed_ns - now_ns) / NS_PER_MS + 1;
	(void)snprintf(why, sizeof(why), "%s; it is asked again in %llu s",
		host->failures >= PATIENCE ? "could not be reached" : "asked for a pause", (unsigned long long)(wait_ms + 999) / 1000);
	return turn_away(host, EAGAIN, wait_ms, why, err);
}

static int wait_turn(struct url_hosts *h, struct host *host, struct err *err)
{
	uint64_t give_up_ns = clock_mono_ns() + URL_HOSTS_WAIT_MS * NS_PER_MS;
	for (;;) {
		uint64_t now_ns = clock_mono_ns();
		if (h->stopping && atomic_load(h->stopping))
			return turn_away(host, ECANCELED, 0, "stopping", err);
		if (host->closed_ns <= now_ns && host->inside < host->allowed)
			return 0;
		if (now_ns >= give_up_ns || host->closed_ns > give_up_ns)
			return not_now(host, now_ns, err);
		uint64_t until_ns = now_ns + TICK_MS * NS_PER_MS;
		if (host->closed_ns > now_ns && host->closed_ns < until_ns)
			until_ns = host->closed_ns;
		struct timespec until = clock_spec(until_ns);
		(void)pthread_cond_timedwait(&h->left, &h->lock, &until);
	}
}

int url_hosts_enter(struct url_hosts *h, const struct url *url, struct err *err)
{
	(void)pthread_mutex_lock(&h->lock);
	struct host *host = find(h, url);
	host->waiting++;
	int entered = wait_turn(h, host, err);
	host->waiting--;
	if (entered == 0)
		host->inside++;
	(void)pthread_mutex_unlock(&h->lock);
	return entered;
}

/* Closes it for wait_ms, or for a gap that doubles with each closing in a row. Those that were under way when it closed say the
 * same once more: that is one closing. */
static uint32_t close_host(struct host *host, uint32_t wait_ms)
{
	uint64_t gap_ms = URL_HOSTS_GAP_MS;
	uint64_t now_ns = clock_mono_ns();
	bool again = host->closed_ns > now_ns;
	for (uint32_t i = again; i < host->closings && gap_ms < URL_HOSTS_GAP_MAX_MS; i++)
		gap_ms *= 2;
	gap_ms = gap_ms > wait_ms ? gap_ms : wait_ms;
	if (now_ns + gap_ms * NS_PER_MS > host->closed_ns)
		host->closed_ns = now_ns + gap_ms * NS_PER_MS;
	if (!again) {
		host->closings++;
		host->allowed = (host->allowed + 1) / 2;
	}
	return (uint32_t)gap_ms;
}

static uint32_t settle(const struct url_hosts *h, struct host *host, enum url_host_answer answer, uint32_t wait_ms)
{
	host->failures = answer == URL_HOST_UNREACHABLE ? host->failures + 1 : 0;
	host->run = answer == URL_HOST_ANSWERED ? host->run + 1 : 0;
	if (answer == URL_HOST_THROTTLED || host->failures >= PATIENCE)
		return close_host(host, wait_ms);
	if (answer == URL_HOST_ANSWERED && host->closed_ns <= clock_mono_ns())
		host->closings -= host->closings > 0;
	if (host->run >= GOOD_RUN) {
		host->run = 0;
		host->allowed += host->allowed < h->per_host;
	}
	return 0;
}

uint32_t url_hosts_leave(struct url_hosts *h, const struct url *url, enum url_host_answer answer, uint32_t wait_ms)
{
	(void)pthread_mutex_lock(&h->lock);
	struct host *host = find(h, url);
	host->inside--;
	uint32_t closed_ms = settle(h, host, answer, wait_ms);
	(void)pthread_cond_broadcast(&h->left);
	(void)pthread_mutex_unlock(&h->lock);
	return closed_ms;
}
