/* account.c - what is in hand, progress, the first fatal error, and how a failure is retried. */
#include "daemon/base/clock.h"
#include "daemon/stages/internal.h"

void account_take(struct pipeline *p, uint64_t n)
{
	pthread_mutex_lock(&p->account.lock);
	p->account.in_hand += n;
	pthread_mutex_unlock(&p->account.lock);
}

void account_give(struct pipeline *p, uint64_t n)
{
	pthread_mutex_lock(&p->account.lock);
	p->account.in_hand -= n;
	if (p->account.in_hand == 0) {
		p->account.wakes++;
		pthread_cond_broadcast(&p->account.changed);
	}
	pthread_mutex_unlock(&p->account.lock);
	account_step(p);
}

void account_step(struct pipeline *p)
{
	atomic_fetch_add_explicit(&p->account.progress, 1, memory_order_relaxed);
}

void account_wake(struct pipeline *p)
{
	account_step(p);
	pthread_mutex_lock(&p->account.lock);
	p->account.wakes++;
	pthread_cond_broadcast(&p->account.changed);
	pthread_mutex_unlock(&p->account.lock);
}

void pipeline_fail(struct pipeline *p, const struct err *err)
{
	pthread_mutex_lock(&p->failed_lock);
	if (!p->failed) {
		p->failed = true;
		p->failure = *err;
	}
	pthread_mutex_unlock(&p->failed_lock);
	account_wake(p);
	pipeline_wake(p);
}

bool retry_plan(const struct pipeline *p, const struct err *err, uint32_t attempts_before, struct record_failure *into)
{
	/* An errno means that the outside world refused; what has none is of our own making and gets a counted few tries. */
	uint32_t allowed = err->sys != 0 ? ATTEMPTS_FOREVER : p->config->limits.attempts;
	into->attempts = attempts_before + 1;
	into->retry = err->class == ERR_RETRY && into->attempts < allowed;
	into->due_ms = clock_wall_ms() + (int64_t)backoff_ms(attempts_before, RETRY_BASE_MS, RETRY_CAP_MS);
	return into->retry;
}
