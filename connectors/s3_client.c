/* s3_client.c - signs, sends, and learns from refusals. */
#include "connectors/s3_client.h"

#include "connectors/aws_provider.h"
#include "connectors/s3_error.h"
#include "connectors/s3_wire.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REGION_DEFAULT "us-east-1"
#define CURES_MAX 3              /* of one request, each of another kind but for the region: one may lead to the next */
#define REGIONS_MAX 8            /* learned while the source is open: a server that names ever new ones is not followed */
#define EXTRA_HEADERS 3
#define WHAT_MAX 256

struct s3_client {
	const struct s3_config *config;
	const atomic_bool *stopping;
	struct aws_provider *provider;
	struct sigv4_signer *signer;
	_Atomic int64_t skew_s;      /* server's clock less ours */
	atomic_bool no_checksum;     /* the server refuses to be asked for one */

	pthread_mutex_t lock;        /* guards what follows */
	struct s3_endpoint *at;      /* the newest; older ones stay, requests may be using them */
	unsigned int regions;
	char origin[160];
};

int s3_client_new(const struct s3_config *config, const atomic_bool *stopping, struct s3_client **ret, struct err *err)
{
	struct s3_client *c = mem_zero(1, sizeof(*c));
	const char *region;
	c->config = config;
	c->stopping = stopping;
	(void)pthread_mutex_init(&c->lock, NULL);
	s3_wire_begin();
	c->provider = aws_provider_new(config, stopping);
	c->signer = sigv4_signer_new();
	region = aws_provider_region(c->provider);
	if (s3_endpoint_new(config, region[0] ? region : REGION_DEFAULT, stopping, &c->at, err) < 0) {
		s3_client_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void s3_client_free(struct s3_client *c)
{
	if (!c)
		return;
	while (c->at) {
		struct s3_endpoint *older = c->at->older;
		s3_endpoint_free(c->at);
		c->at = older;
	}
	sigv4_signer_free(c->signer);
	aws_provider_free(c->provider);
	s3_wire_end();
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void s3_client_facts(struct s3_client *c, struct s3_facts *ret)
{
	*ret = (struct s3_facts){ .skew_s = atomic_load(&c->skew_s) };
	(void)pthread_mutex_lock(&c->lock);
	(void)snprintf(ret->credentials, sizeof(ret->credentials), "%s", c->origin);
	(void)snprintf(ret->region, sizeof(ret->region), "%s", c->at->region);
	(void)snprintf(ret->host, sizeof(ret->host), "%s", c->at->authority);
	(void)pthread_mutex_unlock(&c->lock);
}

static const struct s3_endpoint *endpoint(struct s3_client *c, const char *origin)
{
	const struct s3_endpoint *at;
	(void)pthread_mutex_lock(&c->lock);
	at = c->at;
	if (strcmp(c->origin, origin) != 0)
		(void)snprintf(c->origin, sizeof(c->origin), "%s", origin);
	(void)pthread_mutex_unlock(&c->lock);
	return at;
}

/* ---- one attempt ---- */

struct attempt {
	struct s3_client *client;
	const struct s3_call *call;
	const struct s3_endpoint *at;
	struct aws_credentials credentials;
	int64_t skew_s;              /* signed with */
	bool checksum;               /* asked for */
	bool theirs;                 /* head() or body() of the call ended it: its err goes on unchanged */
};

static void attempt_done(struct attempt *a)
{
	aws_credentials_done(&a->credentials);
}

static int on_head(void *arg, const struct http_reply *r, struct err *err)
{
	struct attempt *a = arg;
	if (!a->call->head || r->status < 200 || r->status >= 300)
		return 0;
	a->theirs = a->call->head(a->call->arg, r, err) < 0;
	return a->theirs ? -1 : 0;
}

static int on_body(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct attempt *a = arg;
	a->theirs = a->call->body(a->call->arg, p, n, err) < 0;
	return a->theirs ? -1 : 0;
}

static int attempt(struct attempt *a, struct http_reply *ret, struct err *err)
{
	const struct s3_client *c = a->client;
	struct sigv4_header extra[EXTRA_HEADERS];
	size_t n = 0;
	a->skew_s = atomic_load(&c->skew_s);
	a->checksum = a->call->checksum && !atomic_load(&c->no_checksum);
	if (c->config->request_payer)
		extra[n++] = (struct sigv4_header){ "x-amz-request-payer", SLICE_LIT("requester") };
	if (a->checksum)
		extra[n++] = (struct sigv4_header){ "x-amz-checksum-mode", SLICE_LIT("ENABLED") };
	if (a->call->restore)
		extra[n++] = (struct sigv4_header){ "x-amz-optional-object-attributes", SLICE_LIT("RestoreStatus") };
	const struct s3_exchange x = {
		.at = a->at, .bucket = c->config->at.bucket, .credentials = &a->credentials, .signer = c->signer,
		.time_s = clock_wall_ms() / 1000 + a->skew_s, .key = a->call->key, .params = a->call->params,
		.param_count = a->call->param_count, .etag = a->call->etag, .from = a->call->from, .count = a->call->count,
		.headers = extra, .header_count = n, .limit = a->call->limit, .head = on_head, .body = on_body, .arg = a,
	};
	return s3_wire_send(&x, ret, err);
}

/* ---- cures ---- */

/* false: it is the region that was signed for, or there were too many. */
static bool learn_region(struct s3_client *c, const struct s3_endpoint *used, const char *region)
{
	struct s3_endpoint *fresh = NULL;
	bool learned = false;
	if (strcmp(used->region, region) == 0)
		return false;
	(void)pthread_mutex_lock(&c->lock);
	if (strcmp(c->at->region, region) == 0) {
		learned = true; /* by another thread meanwhile */
	} else if (c->regions < REGIONS_MAX && s3_endpoint_new(c->config, region, c->stopping, &fresh, NULL) == 0) {
		fresh->older = c->at;
		c->at = fresh;
		c->regions++;
		learned = true;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return learned;
}

static bool learn_clock(struct s3_client *c, const struct attempt *a, const struct http_reply *r)
{
	int64_t skew_s = (r->date_ms - clock_wall_ms()) / 1000;
	atomic_store(&c->skew_s, skew_s);
	return skew_s != a->skew_s;
}

static bool cure(const struct attempt *a, const struct s3_error *e, const struct http_reply *r)
{
	switch (e->cause) {
	case S3_REGION: return learn_region(a->client, a->at, e->region);
	case S3_SKEWED: return learn_clock(a->client, a, r);
	case S3_EXPIRED:
		aws_provider_expired(a->client->provider, &a->credentials);
		return a->credentials.key_id.len > 0;
	case S3_NO_CHECKSUM:
		if (a->checksum)
			atomic_store(&a->client->no_checksum, true);
		return a->checksum;
	case S3_REFUSED: break;
	}
	return false;
}

/* ---- */

void s3_client_describe(const struct s3_client *c, struct slice key, char *ret_text, size_t size)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	text_printable(&text, key);
	(void)snprintf(ret_text, size, "s3://%s/%s", c->config->at.bucket, text.data ? text.data : "");
}

/* Keys that are not to be had, a certificate that is not trusted: no object is to blame. */
static void blame_source(struct err *err)
{
	err->class = ERR_RETRY;
	err->sys = err->sys == ECANCELED || err->sys == EKEYREJECTED ? err->sys : EACCES;
}

static int name_key(const struct s3_client *c, const struct s3_call *call, struct err *err)
{
	char what[WHAT_MAX];
	s3_client_describe(c, call->key, what, sizeof(what));
	return err_wrap(err, "%s", what);
}

static int refused(const struct s3_client *c, const struct s3_call *call, const struct s3_error *e, const struct http_reply *r,
	struct err *err)
{
	char what[WHAT_MAX];
	s3_client_describe(c, call->key, what, sizeof(what));
	(void)s3_error_set(e, what, r, err);
	if (c->config->anonymous && err->sys == EACCES && (e->status == 401 || e->status == 403))
		return err_wrap(err, "asked without credentials (anonymous: true)");
	return -1;
}

/* 1: to be tried again; `tried` has a bit for each cause that was. */
static int one_round(struct s3_client *c, const struct s3_call *call, unsigned int *tried, unsigned int rounds, struct http_reply *ret,
	struct err *err)
{
	CLEANUP(attempt_done) struct attempt a = { .client = c, .call = call };
	struct s3_error e;
	if (aws_provider_get(c->provider, &a.credentials, err) < 0) {
		blame_source(err);
		return name_key(c, call, err);
	}
	a.at = endpoint(c, a.credentials.origin);
	if (attempt(&a, ret, err) < 0) {
		if (a.theirs)
			return -1;
		if (err->sys == EACCES || err->sys == EKEYREJECTED)
			blame_source(err);
		return name_key(c, call, err);
	}
	if (ret->status >= 200 && ret->status < 300)
		return 0;
	s3_error_read(&e, ret);
	bool again = rounds < CURES_MAX && (e.cause == S3_REGION || !(*tried & 1U << e.cause)) && cure(&a, &e, ret);
	*tried |= 1U << e.cause;
	return again ? 1 : refused(c, call, &e, ret, err);
}

int s3_client_send(struct s3_client *c, const struct s3_call *call, struct http_reply *ret, struct err *err)
{
	unsigned int tried = 0;
	*ret = (struct http_reply){ .length = -1 };
	for (unsigned int rounds = 0;; rounds++) {
		int more = one_round(c, call, &tried, rounds, ret, err);
		if (more <= 0)
			return more;
		http_reply_done(ret);
	}
}
