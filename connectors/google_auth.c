/* google_auth.c - keeps one access token for many threads: one renews, the others go on. */
#include "connectors/google_auth.h"

#include "connectors/google_token.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pthread.h>

#define RENEW_MS (4 * 60 * 1000) /* before its end: the metadata server hands the same token out until about then */
#define LAST_MS 5000             /* a token that ends this soon is not sent any more */
#define AGAIN_NS NS_PER_SEC      /* a failed renewal is answered from memory for so long */
#define REST_NS (10 * NS_PER_SEC) /* between two renewals where each token ends, or is refused, as soon as it comes */
#define HEADER "Authorization: Bearer "

struct google_auth {
	struct google_rules rules;

	pthread_mutex_t lock;         /* guards what follows; not held while a token is fetched */
	pthread_cond_t renewed;
	bool renewing;
	struct buf header;            /* "Authorization: Bearer ..."; empty: none */
	int64_t expires_ms;           /* wall clock, as the token says */
	uint64_t refused_ns;          /* when Cloud Storage last refused a token; 0: never */
	uint64_t again_ns;            /* no renewal is tried before; monotonic as refused_ns is, or a clock set back would hold it up */
	struct err failure;           /* why there is no token while again_ns lies ahead */
	char origin[480];
};

struct google_auth *google_auth_new(const struct google_rules *rules)
{
	struct google_auth *a = mem_zero(1, sizeof(*a));
	a->rules = *rules;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->renewed, NULL);
	return a;
}

void google_auth_free(struct google_auth *a)
{
	if (!a)
		return;
	buf_wipe(&a->header);
	pthread_cond_destroy(&a->renewed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* "service account x@y from GOOGLE_APPLICATION_CREDENTIALS (/run/key.json)" */
static void describe(const struct google_credentials *c, char *to, size_t size)
{
	static const char *const kinds[] = {
		[GOOGLE_SERVICE_ACCOUNT] = "service account",
		[GOOGLE_USER] = "a person's login",
		[GOOGLE_EXTERNAL] = "workload identity federation",
		[GOOGLE_IMPERSONATED] = "impersonated service account",
		[GOOGLE_METADATA] = "this machine's service account",
	};
	const char *who = google_member(c->json, "client_email");
	(void)snprintf(to, size, "%s%s%.120s from %s", kinds[c->kind], who ? " " : "", who ? who : "", c->origin);
}

static int fetch(const struct google_auth *a, struct google_token *ret, char *ret_origin, size_t size, struct err *err)
{
	struct google_credentials c;
	if (google_credentials_find(a->rules.file, &c, err) < 0) {
		err->class = ERR_RETRY;
		return -1;
	}
	describe(&c, ret_origin, size);
	int result = google_token_fetch(&c, &a->rules, ret, err);
	if (result < 0)
		(void)err_wrap(err, "Google credentials (%s)", ret_origin);
	google_credentials_done(&c);
	return result;
}

static bool lasts(const struct google_auth *a, int64_t ms)
{
	return a->header.len > 0 && a->expires_ms - clock_wall_ms() > ms;
}

/* Unlocks while it asks. What is there stays until it is replaced. */
static void renew(struct google_auth *a)
{
	struct google_token token = { 0 };
	char origin[sizeof(a->origin)] = "";
	struct err failure;
	a->renewing = true;
	pthread_mutex_unlock(&a->lock);
	int result = fetch(a, &token, origin, sizeof(origin), &failure);
	pthread_mutex_lock(&a->lock);
	a->renewing = false;
	if (origin[0])
		memcpy(a->origin, origin, sizeof(origin));
	if (result == 0) {
		buf_wipe(&a->header);
		(void)buf_grow(&a->header, sizeof(HEADER) + token.value.len);
		buf_str(&a->header, HEADER);
		buf_add(&a->header, token.value.data, token.value.len);
		a->expires_ms = token.expires_ms;
		a->again_ns = lasts(a, RENEW_MS) ? 0 : clock_mono_ns() + REST_NS;
		(void)err_set(&a->failure, ERR_RETRY, 0, "the access token ended as soon as it came: is this host's clock right?");
	} else {
		uint64_t wait_ns = failure.wait_ms * NS_PER_MS;
		a->failure = failure;
		a->again_ns = clock_mono_ns() + (wait_ns > AGAIN_NS ? wait_ns : AGAIN_NS);
	}
	buf_wipe(&token.value);
	pthread_cond_broadcast(&a->renewed);
}

int google_auth_get(struct google_auth *a, struct buf *ret, struct err *err)
{
	bool tried = false;
	int result = 0;
	pthread_mutex_lock(&a->lock);
	while (!lasts(a, RENEW_MS) && !tried) {
		if (!a->renewing && clock_mono_ns() >= a->again_ns) {
			renew(a);
			tried = true;
		} else if (lasts(a, LAST_MS) || !a->renewing) {
			break;
		} else {
			pthread_cond_wait(&a->renewed, &a->lock);
		}
	}
	if (lasts(a, LAST_MS) || (tried && lasts(a, 0))) {
		(void)buf_grow(ret, a->header.len);
		buf_add(ret, a->header.data, a->header.len);
	} else {
		*err = a->failure;
		result = -1;
	}
	pthread_mutex_unlock(&a->lock);
	return result;
}

void google_auth_expired(struct google_auth *a, const struct buf *used)
{
	pthread_mutex_lock(&a->lock);
	if (a->header.len > 0 && slice_eq(buf_slice(&a->header), buf_slice(used))) {
		uint64_t now_ns = clock_mono_ns();
		buf_wipe(&a->header);
		/* One may have ended, or been withdrawn. A second one at once has another reason. */
		a->again_ns = a->refused_ns && now_ns - a->refused_ns < REST_NS ? now_ns + REST_NS : 0;
		a->refused_ns = now_ns;
		(void)err_set(&a->failure, ERR_RETRY, 0, "Cloud Storage refuses one fresh access token after the other (%s)", a->origin);
	}
	pthread_mutex_unlock(&a->lock);
}

void google_auth_describe(struct google_auth *a, char *ret_text, size_t size)
{
	pthread_mutex_lock(&a->lock);
	(void)snprintf(ret_text, size, "%s", a->origin);
	pthread_mutex_unlock(&a->lock);
}

int64_t google_auth_expires_ms(struct google_auth *a)
{
	pthread_mutex_lock(&a->lock);
	int64_t expires_ms = a->header.len > 0 ? a->expires_ms : 0;
	pthread_mutex_unlock(&a->lock);
	return expires_ms;
}
