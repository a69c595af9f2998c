/* intake.c - pauses and resumes, each logged once. */
#include "daemon/flow/intake.h"

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/flow/account.h"
#include "daemon/store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKS 3 /* of one that is not patient, in all: it is to end */

struct intake {
	struct store *store;
	struct account *account;
	bool patient;
	_Atomic bool closed;     /* why is not empty: spares the lock on the hot path */
	pthread_mutex_t lock;    /* guards all below */
	pthread_cond_t changed;
	char why[512];           /* "" while open */
	int looks;               /* taken so far */
	bool stopping;
};

struct intake *intake_new(struct store *s, struct account *a, bool patient)
{
	struct intake *i = mem_zero(1, sizeof(*i));
	pthread_condattr_t attr;
	i->store = s;
	i->account = a;
	i->patient = patient;
	pthread_mutex_init(&i->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&i->changed, &attr);
	pthread_condattr_destroy(&attr);
	return i;
}

void intake_free(struct intake *i)
{
	if (!i)
		return;
	pthread_cond_destroy(&i->changed);
	pthread_mutex_destroy(&i->lock);
	free(i);
}

void intake_stop(struct intake *i)
{
	pthread_mutex_lock(&i->lock);
	i->stopping = true;
	pthread_cond_broadcast(&i->changed);
	pthread_mutex_unlock(&i->lock);
}

/* One look's time. */
static int stay_closed(struct intake *i, const char *why)
{
	pthread_mutex_lock(&i->lock);
	if (!i->why[0])
		LOG_WARNING(LOG_PAUSED, "intake paused: %s; it goes on by itself when there is room", why);
	(void)snprintf(i->why, sizeof(i->why), "%s", why);
	i->closed = true;
	bool patient = i->patient || i->looks < LOOKS;
	struct timespec at = clock_spec(clock_mono_ns() + INTAKE_LOOK_NS);
	while (patient && !i->stopping && pthread_cond_timedwait(&i->changed, &i->lock, &at) == 0)
		;
	i->looks += i->looks < LOOKS;
	bool stopping = i->stopping;
	pthread_mutex_unlock(&i->lock);
	account_step(i->account); /* waiting for room is no hang */
	return stopping || !patient ? -1 : 0;
}

static void open_again(struct intake *i)
{
	pthread_mutex_lock(&i->lock);
	if (i->why[0])
		LOG_NOTICE(LOG_RESUMED, "intake goes on: there is room again");
	i->why[0] = '\0';
	i->closed = false;
	pthread_mutex_unlock(&i->lock);
}

int intake_wait(struct intake *i, uint64_t bytes)
{
	struct err err;
	while (store_ready(i->store, bytes, &err) < 0)
		if (stay_closed(i, err.text) < 0)
			return -1;
	if (i->closed)
		open_again(i);
	return 0;
}

const char *intake_text(struct intake *i, char *buf, size_t n)
{
	pthread_mutex_lock(&i->lock);
	(void)snprintf(buf, n, "%s", i->why);
	pthread_mutex_unlock(&i->lock);
	return buf;
}
