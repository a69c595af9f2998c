/* aws_provider.c - one set of credentials, kept; one thread at a time renews it. */
#include "connectors/aws_provider.h"

#include "connectors/aws_chain.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define RENEW_BEFORE_MS 300000 /* and never before half their life is over */
#define RETRY_MS 10000         /* after a failed renewal, while the old ones are valid */

struct aws_provider {
	struct aws_chain chain;
	char *region;                /* owned; what chain.region is */
	pthread_mutex_t lock;        /* guards what follows */
	pthread_cond_t fetched;      /* a round is over */
	struct aws_credentials kept;
	bool has;
	bool refused;                /* the server does not take them any more */
	int64_t renew_ms;            /* wall clock; from then on somebody renews them */
	bool fetching;
	uint64_t rounds;             /* fetches that are over */
	struct err failure;          /* of the last round; class 0: it went well */
};

struct aws_provider *aws_provider_new(const struct s3_config *config, const atomic_bool *stopping)
{
	struct aws_provider *p = mem_zero(1, sizeof(*p));
	p->region = aws_chain_region(config);
	p->chain = (struct aws_chain){ .config = config, .region = p->region, .stopping = stopping };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->fetched, NULL);
	return p;
}

void aws_provider_free(struct aws_provider *p)
{
	if (!p)
		return;
	aws_credentials_done(&p->kept);
	pthread_cond_destroy(&p->fetched);
	pthread_mutex_destroy(&p->lock);
	free(p->region);
	free(p);
}

const char *aws_provider_region(const struct aws_provider *p)
{
	return p->region;
}

/* Under the lock. */
static bool is_valid(const struct aws_provider *p, int64_t now_ms)
{
	return p->has && !p->refused && (p->kept.expires_ms == 0 || now_ms < p->kept.expires_ms);
}

static int find(const struct aws_provider *p, struct aws_credentials *ret, struct err *err)
{
	if (aws_chain_find(&p->chain, ret, err) < 0)
		return -1;
	if (ret->expires_ms && ret->expires_ms <= clock_wall_ms())
		return err_set(err, ERR_RETRY, 0, "credentials from %s had already expired when they came; is this host's clock right?",
			ret->origin);
	return 0;
}

/* Under the lock, which is given up while the places are asked. */
static void fetch(struct aws_provider *p)
{
	struct aws_credentials fresh = { 0 };
	struct err err = { 0 };
	p->fetching = true;
	pthread_mutex_unlock(&p->lock);
	int rc = find(p, &fresh, &err);
	int64_t now_ms = clock_wall_ms();
	pthread_mutex_lock(&p->lock);
	if (rc == 0) {
		int64_t life_ms = fresh.expires_ms - now_ms;
		p->renew_ms = fresh.expires_ms == 0 ? INT64_MAX :
			fresh.expires_ms - (life_ms / 2 < RENEW_BEFORE_MS ? life_ms / 2 : RENEW_BEFORE_MS);
		aws_credentials_done(&p->kept);
		p->kept = fresh;
		p->has = true;
		p->refused = false;
		p->failure.class = 0;
	} else {
		aws_credentials_done(&fresh);
		p->renew_ms = now_ms + RETRY_MS;
		p->failure = err;
	}
	p->fetching = false;
	p->rounds++;
	pthread_cond_broadcast(&p->fetched);
}

int aws_provider_get(struct aws_provider *p, struct aws_credentials *ret, struct err *err)
{
	if (p->chain.config->anonymous) {
		aws_credentials_done(ret);
		(void)snprintf(ret->origin, sizeof(ret->origin), "anonymous, as configured");
		return 0;
	}
	pthread_mutex_lock(&p->lock);
	uint64_t round = p->rounds;
	int64_t now_ms = clock_wall_ms();
	if (!p->fetching && (!is_valid(p, now_ms) || now_ms >= p->renew_ms))
		fetch(p);
	/* Whoever waited takes what the round brought, be it a failure: a hundred threads do not ask one after the other. */
	while (p->fetching && p->rounds == round && !is_valid(p, clock_wall_ms()))
		pthread_cond_wait(&p->fetched, &p->lock);
	int rc = 0;
	if (is_valid(p, clock_wall_ms()))
		aws_credentials_copy(ret, &p->kept);
	else if (p->failure.class)
		rc = -1;
	else /* refused again, or expired, between the round and now */
		rc = err_set(&p->failure, ERR_RETRY, 0, "credentials from %s have expired", p->kept.origin);
	if (rc < 0 && err)
		*err = p->failure;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void aws_provider_expired(struct aws_provider *p, const struct aws_credentials *used)
{
	pthread_mutex_lock(&p->lock);
	if (p->has && slice_eq(buf_slice(&used->key_id), buf_slice(&p->kept.key_id)) &&
	    slice_eq(buf_slice(&used->token), buf_slice(&p->kept.token)))
		p->refused = true;
	pthread_mutex_unlock(&p->lock);
}
