/* sigv4_signer.c - the key of the last scope, and the digest that signatures are computed with, under one lock. */
#include "connectors/sigv4_signer.h"

#include "daemon/base/mem.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

struct sigv4_signer {
	pthread_mutex_t lock;        /* guards what follows */
	struct sha256 *hash;
	uint8_t key[SHA256_BYTES];   /* made of what follows */
	struct buf secret, day, region, service; /* empty day: of nothing yet */
};

struct sigv4_signer *sigv4_signer_new(void)
{
	struct sigv4_signer *s = mem_zero(1, sizeof(*s));
	(void)pthread_mutex_init(&s->lock, NULL);
	s->hash = sha256_new();
	return s;
}

void sigv4_signer_free(struct sigv4_signer *s)
{
	if (!s)
		return;
	OPENSSL_cleanse(s->key, sizeof(s->key));
	buf_wipe(&s->secret);
	buf_done(&s->day);
	buf_done(&s->region);
	buf_done(&s->service);
	sha256_free(s->hash);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct slice day_of(const struct sigv4_scope *scope)
{
	return (struct slice){ scope->time, SIGV4_DAY_LEN };
}

static bool is_kept(const struct sigv4_signer *s, const struct sigv4_scope *scope)
{
	return slice_eq(buf_slice(&s->day), day_of(scope)) && slice_eq(buf_slice(&s->secret), scope->secret) &&
		slice_eq(buf_slice(&s->region), slice_of(scope->region)) && slice_eq(buf_slice(&s->service), slice_of(scope->service));
}

static void set(struct buf *b, struct slice value)
{
	b->len = 0;
	buf_add(b, value.p, value.len);
}

static void keep(struct sigv4_signer *s, const struct sigv4_scope *scope)
{
	sigv4_key(scope, s->hash, s->key);
	buf_wipe(&s->secret);
	(void)buf_grow(&s->secret, scope->secret.len); /* at once: growing would leave copies behind */
	set(&s->secret, scope->secret);
	set(&s->day, day_of(scope));
	set(&s->region, slice_of(scope->region));
	set(&s->service, slice_of(scope->service));
}

void sigv4_sign(struct sigv4_signer *s, struct buf *to, const struct sigv4_request *q, const struct sigv4_scope *scope)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!is_kept(s, scope))
		keep(s, scope);
	sigv4_authorization(to, q, scope, s->key, s->hash);
	(void)pthread_mutex_unlock(&s->lock);
}
