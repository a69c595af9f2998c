/* account.c - what is in hand, progress, the first fatal error. */
#include "daemon/flow/account.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct account {
	pthread_mutex_t lock;
	pthread_cond_t changed;   /* in_hand fell to zero, a pass ended, something failed, or a stop */
	uint64_t in_hand;         /* guarded by lock */
	uint64_t wakes;           /* broadcasts so far, guarded by lock: one who looks without the lock misses none */
	struct err failure;       /* the first fatal one, guarded by lock; class 0: none */
	_Atomic uint64_t progress;
	_Atomic bool stopping;
	int loop_fd;              /* eventfd */
};

int account_open(struct account **ret, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_FATAL, errno, "eventfd");
	struct account *a = mem_zero(1, sizeof(*a));
	pthread_condattr_t attr;
	a->loop_fd = fd;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	*ret = a;
	return 0;
}

void account_close(struct account *a)
{
	if (!a)
		return;
	close_fdp(&a->loop_fd);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* --- in hand --- */

void account_take(struct account *a, uint64_t n)
{
	pthread_mutex_lock(&a->lock);
	a->in_hand += n;
	pthread_mutex_unlock(&a->lock);
}

void account_give(struct account *a, uint64_t n)
{
	account_step(a); /* first: once nothing is in hand the pipeline may be closed */
	pthread_mutex_lock(&a->lock);
	a->in_hand -= n;
	if (a->in_hand == 0) {
		a->wakes++;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
}

bool account_holds(struct account *a)
{
	pthread_mutex_lock(&a->lock);
	bool some = a->in_hand > 0;
	pthread_mutex_unlock(&a->lock);
	return some;
}

void account_await_none(struct account *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->in_hand > 0)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

uint64_t account_wakes(struct account *a)
{
	pthread_mutex_lock(&a->lock);
	uint64_t n = a->wakes;
	pthread_mutex_unlock(&a->lock);
	return n;
}

int account_await(struct account *a, uint64_t seen, uint64_t deadline_ns)
{
	int rc = 0;
	struct timespec at = clock_spec(deadline_ns);
	pthread_mutex_lock(&a->lock);
	while (a->wakes == seen && rc == 0)
		rc = deadline_ns == UINT64_MAX ? pthread_cond_wait(&a->changed, &a->lock)
					       : pthread_cond_timedwait(&a->changed, &a->lock, &at);
	pthread_mutex_unlock(&a->lock);
	return rc == 0 ? 0 : -1;
}

/* --- signs of life --- */

void account_step(struct account *a)
{
	atomic_fetch_add_explicit(&a->progress, 1, memory_order_relaxed);
}

void account_wake(struct account *a)
{
	account_step(a);
	pthread_mutex_lock(&a->lock);
	a->wakes++;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

uint64_t account_progress(const struct account *a)
{
	return atomic_load(&a->progress);
}

void account_wake_loop(struct account *a)
{
	uint64_t one = 1;
	(void)!write(a->loop_fd, &one, sizeof(one));
}

int account_loop_fd(const struct account *a)
{
	return a->loop_fd;
}

void account_loop_woken(struct account *a)
{
	uint64_t count;
	(void)!read(a->loop_fd, &count, sizeof(count));
}

/* --- the end --- */

void account_fail(struct account *a, const struct err *err)
{
	pthread_mutex_lock(&a->lock);
	if (a->failure.class == 0)
		a->failure = *err;
	pthread_mutex_unlock(&a->lock);
	account_wake(a);
	account_wake_loop(a);
}

int account_failed(struct account *a, struct err *err)
{
	pthread_mutex_lock(&a->lock);
	bool failed = a->failure.class != 0;
	if (failed)
		*err = a->failure;
	pthread_mutex_unlock(&a->lock);
	return failed ? -1 : 0;
}

void account_stop(struct account *a)
{
	a->stopping = true;
}

bool account_stopping(const struct account *a)
{
	return a->stopping;
}
