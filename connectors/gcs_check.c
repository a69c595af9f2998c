/* gcs_check.c - asks a bucket the questions that a pass will ask, one by one, with the cure for each answer that is wrong. */
#include "connectors/gcs_check.h"

#include "connectors/gcs_list.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"

#include <inttypes.h>

#define SKEW_ERROR_MS 300000 /* signed assertions are refused from here on */

struct check {
	struct gcs_api *api;
	struct bucket *bucket;
	const struct gcs_config *config;
	check_fn *tell;
	void *arg;
};

static void say(const struct check *c, const char *level, const char *what, const char *found, const char *cure)
{
	c->tell(c->arg, level, what, found, cure);
}

static void tell_endpoint(const struct check *c)
{
	char found[300];
	(void)snprintf(found, sizeof(found), "%s%s", gcs_api_base(c->api), gcs_api_emulated(c->api) ? " (STORAGE_EMULATOR_HOST)" : "");
	say(c, "ok", "endpoint", found, "");
}

static bool tell_credentials(const struct check *c)
{
	struct google_auth *auth = gcs_api_auth(c->api);
	CLEANUP(buf_wipe) struct buf header = { 0 };
	char who[480], found[600];
	struct err err;
	if (!auth) {
		say(c, "ok", "credentials", c->config->anonymous ? "none are sent: anonymous: true" :
			"none are sent: STORAGE_EMULATOR_HOST is set and gcs.credentials is not", "");
		return true;
	}
	bucket_check_file(c->config->credentials, c->tell, c->arg);
	if (google_auth_get(auth, &header, &err) < 0) {
		say(c, "error", "credentials", err.text, "name a key or workload identity file in gcs.credentials; or log in with `gcloud auth "
			"application-default login`; or say `anonymous: true` for a public bucket");
		return false;
	}
	google_auth_describe(auth, who, sizeof(who));
	(void)snprintf(found, sizeof(found), "%s; the token is good for %" PRId64 " more minutes", who,
		(google_auth_expires_ms(auth) - clock_wall_ms()) / 60000);
	say(c, "ok", "credentials", found, "");
	return true;
}

static const char *cure_of(const struct err *err)
{
	switch (err->sys) {
	case ENOENT: return "check `bucket` for its spelling and `endpoint` for the right place";
	case EACCES: return "grant roles/storage.objectViewer on the bucket to the account that asks (gcloud storage buckets "
		"add-iam-policy-binding), or set `credentials`";
	case EHOSTUNREACH: return "the name does not resolve: check `endpoint` and this host's DNS";
	case ECONNREFUSED:
	case ETIMEDOUT: return "nobody answers: check `endpoint`, `proxy` and the firewall";
	case EKEYREJECTED: return "name the authority that signed the server's certificate in `ca_file`";
	case EPROTO: return "check `endpoint`: its scheme (http or https), host and port";
	default: break;
	}
	return err->class == ERR_REJECT ? "what the server says of it is what helps" : "nothing: it is tried again";
}

/* The server's Date is that of a listing: the same request, asked for nothing else. */
static bool tell_listing(const struct check *c, struct buf *ret_key, struct buf *ret_version, uint64_t *ret_bytes)
{
	CLEANUP(buf_done) struct buf url = { 0 };
	struct http_request request = { .url = NULL };
	struct http_reply reply = { 0 };
	struct slice prefix = slice_of(c->config->at.prefix);
	char found[300], key[200];
	struct err err;
	gcs_url_list(c->api, &url);
	gcs_query(&url, "maxResults", SLICE_LIT("1"));
	request.url = url.data;
	int result = gcs_api_get(c->api, &request, &reply, &err);
	if (reply.status != 0)
		bucket_check_clock(reply.date_ms, SKEW_ERROR_MS, c->tell, c->arg);
	http_reply_done(&reply);
	if (result == 0)
		result = gcs_list_first(c->api, c->bucket, prefix, ret_key, ret_version, ret_bytes, &err);
	if (result < 0) {
		say(c, "error", "list", err.text, cure_of(&err));
		return false;
	}
	if (ret_key->len == 0) {
		bucket_describe(c->bucket, prefix, key, sizeof(key));
		(void)snprintf(found, sizeof(found), prefix.len ? "allowed; nothing begins with %s" : "allowed; %s is empty", key);
		say(c, "warning", "list", found, prefix.len ? "check `prefix`, byte for byte; most end with '/' and none begins with it" :
			"if you expect objects: is this the bucket, and the endpoint, that they were put into?");
		return false;
	}
	bucket_describe(c->bucket, buf_slice(ret_key), key, sizeof(key));
	(void)snprintf(found, sizeof(found), "allowed; the first key is %s", key);
	say(c, "ok", "list", found, "");
	return true;
}

/* One byte tells enough, also from a server that ignores ranges. */
static int first_byte(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	bool *came = arg;
	(void)p;
	(void)n;
	*came = true;
	return err_set(err, ERR_RETRY, ECANCELED, "enough");
}

static void tell_read(const struct check *c, const struct buf *key, const struct buf *version, uint64_t bytes)
{
	static const char *const headers[] = { "Accept-Encoding: gzip", "Range: bytes=0-0", NULL };
	CLEANUP(buf_done) struct buf url = { 0 };
	bool came = false;
	/* An empty object has no first byte to ask for. */
	struct http_request request = { .headers = bytes > 0 ? headers : NULL, .limit = UINT64_MAX, .sink = first_byte, .arg = &came };
	struct http_reply reply = { 0 };
	struct err err;
	gcs_url_media(c->api, buf_slice(key), &url);
	gcs_query(&url, "generation", buf_slice(version));
	request.url = url.data;
	if (gcs_api_get(c->api, &request, &reply, &err) < 0 && !came)
		say(c, "error", "read", err.text, err.sys == ENOENT ? "it went while we looked: ask again" : cure_of(&err));
	else
		say(c, "ok", "read", "the first object can be read", "");
	http_reply_done(&reply);
}

void gcs_check(struct gcs_api *api, struct bucket *b, check_fn *tell, void *arg)
{
	const struct gcs_config *config = (const struct gcs_config *)(const void *)b->config; /* `at` is its first member */
	struct check c = { .api = api, .bucket = b, .config = config, .tell = tell, .arg = arg };
	CLEANUP(buf_done) struct buf key = { 0 }, version = { 0 };
	uint64_t bytes = 0;
	tell_endpoint(&c);
	if (tell_credentials(&c) && tell_listing(&c, &key, &version, &bytes))
		tell_read(&c, &key, &version, bytes);
}
