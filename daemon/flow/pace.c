/* pace.c - additive increase, multiplicative decrease, and a gate that is shut for as long as the server asks. */
#include "daemon/flow/pace.h"

#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define CUT_BASE_MS 500U                /* of a server that names no time: the gate's first closing, doubled with each further cut... */
#define CUT_CAP_MS 8000U                /* ...up to this, as one request each so often hurts nobody */
#define WAIT_CAP_MS (30U * 60U * 1000U) /* what a server may ask for */

struct pace {
	pthread_mutex_t lock;    /* guards all below */
	pthread_cond_t changed;
	unsigned most, running;
	double limit;            /* 1..most */
	bool probing;            /* never cut: grows by one a request, as nobody knows yet where the limit is */
	uint64_t round;
	uint32_t cuts;           /* in a row, no request done between */
	uint64_t open_ns;        /* clock_mono_ns() before which nothing begins */
	bool stopping;
};

struct pace *pace_new(unsigned most)
{
	struct pace *p = mem_zero(1, sizeof(*p));
	pthread_condattr_t attr;
	p->most = most ? most : 1;
	p->limit = p->most < PACE_START ? p->most : PACE_START;
	p->probing = true;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

void pace_free(struct pace *p)
{
	if (!p)
		return;
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pace_stop(struct pace *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static bool is_open(const struct pace *p)
{
	return p->stopping || (p->running < (unsigned)p->limit && clock_mono_ns() >= p->open_ns);
}

static bool enter(struct pace *p, bool wait, uint64_t *ret_round)
{
	bool open;
	pthread_mutex_lock(&p->lock);
	while (!(open = is_open(p)) && wait) {
		struct timespec at = clock_spec(p->open_ns);
		if (p->running < (unsigned)p->limit)
			pthread_cond_timedwait(&p->changed, &p->lock, &at);
		else
			pthread_cond_wait(&p->changed, &p->lock);
	}
	if (open) {
		p->running++;
		*ret_round = p->round;
	}
	pthread_mutex_unlock(&p->lock);
	return open;
}

bool pace_try(struct pace *p, uint64_t *ret_round)
{
	return enter(p, false, ret_round);
}

void pace_enter(struct pace *p, uint64_t *ret_round)
{
	(void)enter(p, true, ret_round);
}

static void shut_for(struct pace *p, uint64_t ms)
{
	uint64_t open_ns = clock_mono_ns() + (ms < WAIT_CAP_MS ? ms : WAIT_CAP_MS) * NS_PER_MS;
	if (p->open_ns < open_ns)
		p->open_ns = open_ns;
}

/* Only a limit that was reached shows that more would go. */
static void grow(struct pace *p)
{
	p->cuts = 0;
	if (p->running < (unsigned)p->limit)
		return;
	p->limit += p->probing ? 1 : 1 / p->limit;
	if (p->limit > p->most)
		p->limit = p->most;
}

static void cut(struct pace *p, uint64_t wait_ms)
{
	p->limit = p->limit > 2 ? p->limit / 2 : 1;
	p->probing = false;
	p->round++;
	uint64_t own_ms = backoff_ms(p->cuts++, CUT_BASE_MS, CUT_CAP_MS);
	shut_for(p, wait_ms ? wait_ms : own_ms);
}

void pace_leave(struct pace *p, uint64_t round, enum pace_end end, uint64_t wait_ms)
{
	pthread_mutex_lock(&p->lock);
	if (end == PACE_DONE && round == p->round)
		grow(p);
	else if (end == PACE_THROTTLED && round == p->round)
		cut(p, wait_ms);
	else if (end == PACE_THROTTLED)
		shut_for(p, wait_ms);
	p->running--;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

unsigned pace_limit(struct pace *p)
{
	pthread_mutex_lock(&p->lock);
	unsigned limit = (unsigned)p->limit;
	pthread_mutex_unlock(&p->lock);
	return limit;
}
