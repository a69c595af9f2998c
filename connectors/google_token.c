/* google_token.c - service account, user and metadata server: one exchange each. */
#include "connectors/google_token.h"

#include "connectors/google_jwt.h"
#include "connectors/google_wire.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"

#define TOKEN_URI "https://oauth2.googleapis.com/token"
#define METADATA_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define ASSERTION_S 3600
#define SECRET_ROOM (16U << 10) /* grown at once: a secret that moves leaves a copy behind */
#define LIFE_MAX_S 86400

int google_token_read(const char *what, struct slice body, struct google_token *ret, struct err *err)
{
	json_t *answer = google_answer(what, body, err);
	const char *token = google_member(answer, "access_token");
	json_int_t life_s = json_integer_value(json_object_get(answer, "expires_in"));
	int result = -1;
	if (!answer)
		return -1;
	if (!token || life_s <= 0) {
		(void)err_set(err, ERR_RETRY, 0, "%s answered without access_token and expires_in", what);
	} else {
		*ret = (struct google_token){ .expires_ms = clock_wall_ms() + (life_s < LIFE_MAX_S ? life_s : LIFE_MAX_S) * 1000 };
		buf_str(&ret->value, token);
		result = 0;
	}
	google_json_wipe(answer);
	return result;
}

static int exchange(const struct google_rules *rules, const char *url, const struct buf *form, struct google_token *ret,
	struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	static const char what[] = "the token endpoint";
	CLEANUP(buf_wipe) struct buf body = { 0 };
	struct google_question q = { .what = what, .url = url, .headers = headers, .body = buf_slice(form) };
	if (google_ask(rules, &q, &body, err) < 0)
		return -1;
	return google_token_read(what, buf_slice(&body), ret, err);
}

static const char *token_uri(const struct google_credentials *c)
{
	const char *uri = google_member(c->json, "token_uri");
	return uri ? uri : TOKEN_URI;
}

static int by_key(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf jwt = { 0 }, form = { 0 };
	CLEANUP(buf_done) struct buf claims = { 0 };
	struct json j = { .to = &claims };
	int64_t now_s = clock_wall_ms() / 1000;
	json_open(&j, NULL, '{');
	json_str(&j, "iss", slice_of(google_member(c->json, "client_email")));
	json_str(&j, "scope", slice_of(scope));
	json_str(&j, "aud", slice_of(token_uri(c)));
	json_i64(&j, "iat", now_s);
	json_i64(&j, "exp", now_s + ASSERTION_S);
	json_close(&j, '}');
	(void)buf_grow(&jwt, SECRET_ROOM);
	(void)buf_grow(&form, SECRET_ROOM);
	if (google_jwt(google_member(c->json, "private_key"), google_member(c->json, "private_key_id"), buf_slice(&claims), &jwt,
		err) < 0)
		return -1;
	google_form(&form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
	google_form(&form, "assertion", jwt.data);
	return exchange(rules, token_uri(c), &form, ret, err);
}

static int by_refresh(const struct google_credentials *c, const struct google_rules *rules, struct google_token *ret,
	struct err *err)
{
	static const char *const members[] = { "client_id", "client_secret", "refresh_token" };
	CLEANUP(buf_wipe) struct buf form = { 0 };
	(void)buf_grow(&form, SECRET_ROOM);
	google_form(&form, "grant_type", "refresh_token");
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		google_form(&form, members[i], google_member(c->json, members[i]));
	if (exchange(rules, token_uri(c), &form, ret, err) < 0)
		return err_wrap(err, "a person's login (`gcloud auth application-default login` makes a new one)");
	return 0;
}

static int by_metadata(const struct google_rules *rules, struct google_token *ret, struct err *err)
{
	static const char what[] = "the metadata server";
	const char *host = getenv("GCE_METADATA_HOST");
	CLEANUP(freep) char *url = mem_printf("http://%s" METADATA_PATH, host && host[0] ? host : "169.254.169.254");
	CLEANUP(buf_wipe) struct buf body = { 0 };
	struct google_question q = { .place = GOOGLE_METADATA_SERVER, .what = what, .url = url };
	if (google_ask(rules, &q, &body, err) < 0)
		return err_wrap(err, "no credentials in gcs.credentials, GOOGLE_APPLICATION_CREDENTIALS or gcloud's file, and none from "
			"this machine");
	return google_token_read(what, buf_slice(&body), ret, err);
}

static int by_impersonation(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err)
{
	struct google_credentials source = { 0 };
	struct google_token as = { 0 };
	json_t *inner = json_deep_copy(json_object_get(c->json, "source_credentials"));
	int result = -1;
	if (google_credentials_parse(inner, &source, err) < 0)
		return err_wrap(err, "source_credentials");
	if (source.kind == GOOGLE_IMPERSONATED)
		(void)err_set(err, ERR_RETRY, 0, "source_credentials impersonate again: use \"delegates\" for a chain");
	else if (google_token_scoped(&source, rules, GOOGLE_SCOPE_ACT, &as, err) == 0)
		result = google_impersonate(c->json, rules, &as, scope, ret, err);
	buf_wipe(&as.value);
	google_credentials_done(&source);
	return result;
}

int google_token_scoped(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err)
{
	switch (c->kind) {
	case GOOGLE_SERVICE_ACCOUNT: return by_key(c, rules, scope, ret, err);
	case GOOGLE_USER: return by_refresh(c, rules, ret, err);
	case GOOGLE_EXTERNAL: return google_federated(c, rules, scope, ret, err);
	case GOOGLE_IMPERSONATED: return by_impersonation(c, rules, scope, ret, err);
	case GOOGLE_METADATA: return by_metadata(rules, ret, err);
	}
	return err_set(err, ERR_RETRY, 0, "credentials of an unknown kind");
}

int google_token_fetch(const struct google_credentials *c, const struct google_rules *rules, struct google_token *ret,
	struct err *err)
{
	if (google_token_scoped(c, rules, GOOGLE_SCOPE_READ, ret, err) == 0)
		return 0;
	err->class = ERR_RETRY;
	return -1;
}
