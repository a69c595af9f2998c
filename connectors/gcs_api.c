/* gcs_api.c - one authorized request to Cloud Storage, and the words for its refusals. */
#include "connectors/gcs_api.h"

#include "connectors/connector.h"
#include "connectors/google_credentials.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#define GOOGLE_BASE "https://storage.googleapis.com"
#define PAUSE_BASE_MS 250U
#define PAUSE_CAP_MS 20000U
#define PAUSE_MAX_MS 60000U  /* a server that wants more is left alone until the next pass */
#define SLICE_MS 50U         /* how soon a pause notices stopping */

struct gcs_api {
	const struct gcs_config *config;
	const atomic_bool *stopping;
	char *base;                /* without a slash at its end */
	bool emulated;
	struct guard *guard;
	struct http *http;
	struct google_auth *auth;  /* NULL: none needed */
};

static char *find_base(const struct gcs_config *config, bool *ret_emulated)
{
	const char *emulator = getenv("STORAGE_EMULATOR_HOST");
	char *base;
	*ret_emulated = !config->at.endpoint && emulator && emulator[0];
	if (config->at.endpoint)
		base = mem_strdup(config->at.endpoint);
	else if (*ret_emulated)
		base = mem_printf("%s%s", strstr(emulator, "://") ? "" : "http://", emulator);
	else
		base = mem_strdup(GOOGLE_BASE);
	for (size_t n = strlen(base); n > 0 && base[n - 1] == '/'; n--)
		base[n - 1] = '\0';
	return base;
}

int gcs_api_new(const struct gcs_config *config, const atomic_bool *stopping, struct gcs_api **ret, struct err *err)
{
	struct gcs_api *a = mem_zero(1, sizeof(*a));
	a->config = config;
	a->stopping = stopping;
	a->base = find_base(config, &a->emulated);
	a->guard = guard_new();
	if (guard_allow_endpoint(a->guard, a->base, err) < 0) {
		(void)err_wrap(err, a->emulated ? "STORAGE_EMULATOR_HOST" : "gcs.endpoint");
		gcs_api_free(a);
		return -1;
	}
	a->http = http_new(&(struct http_rules){
		.guard = a->guard,
		.ca_file = config->at.ca_file,
		.proxy = config->at.proxy,
		.http2 = true,
		.connections = config->at.concurrency ? config->at.concurrency : 64,
		.stopping = stopping,
	});
	if (!config->anonymous && (config->credentials || !a->emulated))
		a->auth = google_auth_new(&(struct google_rules){
			.file = config->credentials,
			/* A private endpoint's authority says nothing of Google's; one of a network's own proxy is for both. */
			.ca_file = config->at.endpoint ? NULL : config->at.ca_file,
			.proxy = config->at.proxy,
			.stopping = stopping,
		});
	*ret = a;
	return 0;
}

void gcs_api_free(struct gcs_api *a)
{
	if (!a)
		return;
	google_auth_free(a->auth);
	http_free(a->http);
	guard_free(a->guard);
	free(a->base);
	free(a);
}

void gcs_query(struct buf *url, const char *name, struct slice value)
{
	buf_char(url, strchr(url->data, '?') ? '&' : '?');
	buf_str(url, name);
	buf_char(url, '=');
	text_percent(url, value);
}

static void add_payer(const struct gcs_api *a, struct buf *to)
{
	if (a->config->user_project)
		gcs_query(to, "userProject", slice_of(a->config->user_project));
}

void gcs_url_list(const struct gcs_api *a, struct buf *to)
{
	buf_str(to, a->base);
	buf_str(to, "/storage/v1/b/");
	text_percent(to, slice_of(a->config->at.bucket));
	buf_str(to, "/o");
	add_payer(a, to);
}

void gcs_url_media(const struct gcs_api *a, struct slice key, struct buf *to)
{
	buf_str(to, a->base);
	buf_str(to, "/storage/v1/b/");
	text_percent(to, slice_of(a->config->at.bucket));
	buf_str(to, "/o/");
	text_percent(to, key);
	gcs_query(to, "alt", SLICE_LIT("media"));
	add_payer(a, to);
}

/* What the server says: error.message of its JSON, else the first line of its text. */
static void add_reason(struct buf *to, const struct http_reply *r)
{
	const char *body = r->body.data ? r->body.data : "";
	json_t *answer = json_loadb(body, r->body.len, 0, NULL);
	const char *text = google_member(answer, "error.message");
	if (!text)
		text = answer || body[0] == '<' ? "" : body;
	size_t n = strcspn(text, "\r\n");
	if (n > 0) {
		buf_str(to, ": ");
		text_printable(to, (struct slice){ text, n < 160 ? n : 160 });
	}
	json_decref(answer);
}

static int denied(struct gcs_api *a, int status, struct err *err)
{
	char who[200] = "";
	err->class = ERR_RETRY;
	err->sys = EACCES;
	if (a->auth)
		google_auth_describe(a->auth, who, sizeof(who));
	if (!a->auth)
		return err_wrap(err, "asked without credentials (%s)", a->emulated ? "STORAGE_EMULATOR_HOST is set" : "anonymous: true");
	if (status == 401)
		return err_wrap(err, "the credentials are not accepted (%s)", who);
	return err_wrap(err, "it needs roles/storage.objectViewer on the bucket (%s)", who);
}

static int refused(struct gcs_api *a, const struct http_request *q, const struct http_reply *r, struct err *err)
{
	CLEANUP(buf_done) struct buf why = { 0 };
	size_t at;
	(void)http_refused(q, r, err);
	add_reason(&why, r);
	at = strlen(err->text);
	(void)snprintf(err->text + at, sizeof(err->text) - at, "%s", why.data ? why.data : "");
	if (err->class == ERR_RETRY && err->sys == 0)
		err->sys = FETCH_TROUBLE;
	switch (r->status) {
	case 401:
	case 403:
		return denied(a, r->status, err);
	case 404:
	case 410:
		err->class = ERR_RETRY;
		err->sys = ENOENT;
		return -1;
	case 412:
		err->class = ERR_RETRY;
		err->sys = FETCH_CHANGED;
		return -1;
	case 400:
		if (why.data && strstr(why.data, "requester pays"))
			return err_wrap(err, "set gcs.user_project to the project that is billed");
		return -1;
	default:
		return -1;
	}
}

/* A token that is not to be had, a certificate that is not trusted: no object is to blame. */
static int blame_source(struct err *err)
{
	if (err->class == ERR_REJECT || err->sys == 0) {
		err->class = ERR_RETRY;
		err->sys = err->sys ? err->sys : EACCES;
	}
	return -1;
}

static int send_once(struct gcs_api *a, const struct http_request *q, struct buf *bearer, struct http_reply *ret, struct err *err)
{
	const char *headers[GCS_HEADERS + 2] = { 0 };
	struct http_request request = *q;
	size_t n = 0;
	for (; q->headers && q->headers[n] && n < GCS_HEADERS; n++)
		headers[n] = q->headers[n];
	if (a->auth) {
		if (google_auth_get(a->auth, bearer, err) < 0)
			return blame_source(err);
		headers[n] = bearer->data;
	}
	request.headers = headers;
	if (http_send(a->http, &request, ret, err) < 0)
		return err->sys == EKEYREJECTED || err->sys == EACCES ? blame_source(err) : -1;
	return 0;
}

int gcs_api_get(struct gcs_api *a, const struct http_request *q, struct http_reply *ret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf bearer = { 0 };
	if (send_once(a, q, &bearer, ret, err) < 0)
		return -1;
	if (ret->status == 401 && a->auth) {
		google_auth_expired(a->auth, &bearer);
		buf_wipe(&bearer);
		http_reply_done(ret);
		*ret = (struct http_reply){ 0 };
		if (send_once(a, q, &bearer, ret, err) < 0)
			return -1;
	}
	return ret->status >= 200 && ret->status <= 299 ? 0 : refused(a, q, ret, err);
}

bool gcs_pause(const struct gcs_api *a, uint32_t attempts, const struct err *why)
{
	uint64_t ms = why->wait_ms ? why->wait_ms : backoff_ms(attempts, PAUSE_BASE_MS, PAUSE_CAP_MS);
	if (ms > PAUSE_MAX_MS)
		return false;
	for (uint64_t until = clock_mono_ns() + ms * NS_PER_MS, now; (now = clock_mono_ns()) < until && !atomic_load(a->stopping);) {
		struct timespec slice = clock_spec(until - now < SLICE_MS * NS_PER_MS ? until - now : SLICE_MS * NS_PER_MS);
		(void)nanosleep(&slice, NULL);
	}
	return !atomic_load(a->stopping);
}

struct google_auth *gcs_api_auth(struct gcs_api *a)
{
	return a->auth;
}

const char *gcs_api_base(const struct gcs_api *a)
{
	return a->base;
}

bool gcs_api_emulated(const struct gcs_api *a)
{
	return a->emulated;
}
