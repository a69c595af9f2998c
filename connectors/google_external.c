/* google_external.c - workload identity federation: a token of another issuer, exchanged at Google's STS (RFC 8693), and then,
 * where the file says so, used to act as a service account. */
#include "connectors/google_token.h"

#include "connectors/google_subject.h"
#include "connectors/google_wire.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/iso_time.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <fcntl.h>

#define SUBJECT_MAX (64U << 10)
#define SECRET_ROOM (2 * SUBJECT_MAX)
#define HEADERS_MAX 8
#define LIFE_S 3600

/* The token's bytes are all of the text, or one member of it. */
static int pick_subject(const json_t *source, struct buf *text, struct err *err)
{
	const char *type = google_member(source, "format.type"), *name = google_member(source, "format.subject_token_field_name");
	if (!type || strcmp(type, "text") == 0) {
		while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1]))
			text->data[--text->len] = '\0';
		return text->len > 0 ? 0 : err_set(err, ERR_RETRY, 0, "the subject token is empty");
	}
	if (strcmp(type, "json") != 0 || !name)
		return err_set(err, ERR_RETRY, 0, "credential_source.format is neither text nor json with subject_token_field_name");
	json_t *answer = google_answer("the subject token's source", buf_slice(text), err);
	const char *token = google_member(answer, name);
	int result = token ? 0 : -1;
	if (!answer)
		return -1;
	if (token) {
		explicit_bzero(text->data, text->len);
		text->len = 0;
		buf_str(text, token);
	} else {
		(void)err_set(err, ERR_RETRY, 0, "the subject token's source has no member '%.60s'", name);
	}
	google_json_wipe(answer);
	return result;
}

static int ask_source(const json_t *source, const struct google_rules *rules, struct buf *to, struct err *err)
{
	char *lines[HEADERS_MAX + 1] = { 0 };
	struct google_question q = { .place = GOOGLE_LOCAL, .what = "the subject token's source", .url = google_member(source, "url"),
		.headers = (const char *const *)lines };
	const char *name;
	json_t *value;
	size_t n = 0;
	json_object_foreach (json_object_get(source, "headers"), name, value) {
		if (n < HEADERS_MAX && json_is_string(value))
			lines[n++] = mem_printf("%s: %s", name, json_string_value(value));
	}
	int result = google_ask(rules, &q, to, err);
	for (size_t i = 0; i < n; i++) {
		explicit_bzero(lines[i], strlen(lines[i]));
		free(lines[i]);
	}
	return result;
}

/* Read anew at each exchange: issuers rotate these tokens every hour. */
static int subject_token(const json_t *file, const struct google_rules *rules, struct buf *to, struct err *err)
{
	const json_t *source = json_object_get(file, "credential_source");
	const char *path = google_member(source, "file");
	(void)buf_grow(to, SUBJECT_MAX);
	if (google_member(source, "environment_id"))
		return google_subject_aws(file, rules, to, err);
	if (json_object_get(source, "executable"))
		return google_subject_executable(file, rules, to, err);
	if (path) {
		if (file_slurp(AT_FDCWD, path, SUBJECT_MAX, to, err) < 0)
			return err_wrap(err, "subject token");
	} else if (google_member(source, "url")) {
		buf_wipe(to);
		if (ask_source(source, rules, to, err) < 0)
			return -1;
	} else {
		return err_set(err, ERR_RETRY, 0, "credential_source has neither \"file\", \"url\", \"executable\" nor \"environment_id\": "
			"certificates are not supported; let a helper write the token to a file");
	}
	return pick_subject(source, to, err);
}

static int exchange_subject(const json_t *file, const struct google_rules *rules, const char *scope, const struct buf *subject,
	struct google_token *ret, struct err *err)
{
	static const char what[] = "the security token service";
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	CLEANUP(buf_wipe) struct buf form = { 0 }, body = { 0 };
	struct google_question q = { .what = what, .url = google_member(file, "token_url"), .headers = headers };
	(void)buf_grow(&form, SECRET_ROOM);
	google_form(&form, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
	google_form(&form, "requested_token_type", "urn:ietf:params:oauth:token-type:access_token");
	google_form(&form, "audience", google_member(file, "audience"));
	google_form(&form, "scope", scope);
	google_form(&form, "subject_token_type", google_member(file, "subject_token_type"));
	google_form(&form, "subject_token", subject->data);
	q.body = buf_slice(&form);
	if (google_ask(rules, &q, &body, err) < 0)
		return -1;
	return google_token_read(what, buf_slice(&body), ret, err);
}

int google_federated(const struct google_credentials *c, const struct google_rules *rules, const char *scope,
	struct google_token *ret, struct err *err)
{
	bool acts = google_member(c->json, "service_account_impersonation_url");
	CLEANUP(buf_wipe) struct buf subject = { 0 };
	struct google_token as = { 0 };
	if (subject_token(c->json, rules, &subject, err) < 0)
		return err_wrap(err, "workload identity");
	if (!acts)
		return exchange_subject(c->json, rules, scope, &subject, ret, err);
	int result = exchange_subject(c->json, rules, GOOGLE_SCOPE_ACT, &subject, &as, err);
	if (result == 0)
		result = google_impersonate(c->json, rules, &as, scope, ret, err);
	buf_wipe(&as.value);
	return result;
}

/* {"accessToken": "...", "expireTime": "2026-11-25T09:00:00Z"} */
static int read_acting(const char *what, struct slice body, struct google_token *ret, struct err *err)
{
	json_t *answer = google_answer(what, body, err);
	const char *token = google_member(answer, "accessToken"), *until = google_member(answer, "expireTime");
	int64_t until_ms;
	int result = -1;
	if (!answer)
		return -1;
	if (token && until && iso_time_parse(slice_of(until), &until_ms) == 0) {
		*ret = (struct google_token){ .expires_ms = until_ms };
		buf_str(&ret->value, token);
		result = 0;
	} else {
		(void)err_set(err, ERR_RETRY, 0, "%s answered without accessToken and expireTime", what);
	}
	google_json_wipe(answer);
	return result;
}

int google_impersonate(const json_t *file, const struct google_rules *rules, const struct google_token *as, const char *scope,
	struct google_token *ret, struct err *err)
{
	static const char what[] = "acting as a service account (roles/iam.serviceAccountTokenCreator):";
	const json_t *life = json_object_get(json_object_get(file, "service_account_impersonation"), "token_lifetime_seconds");
	const json_t *delegates = json_object_get(file, "delegates");
	CLEANUP(buf_wipe) struct buf bearer = { 0 }, body = { 0 };
	CLEANUP(buf_done) struct buf request = { 0 };
	struct json j = { .to = &request };
	(void)buf_grow(&bearer, SECRET_ROOM);
	buf_str(&bearer, "Authorization: Bearer ");
	buf_add(&bearer, as->value.data, as->value.len);
	json_open(&j, NULL, '{');
	json_open(&j, "delegates", '[');
	for (size_t i = 0; i < json_array_size(delegates); i++) {
		if (json_is_string(json_array_get(delegates, i)))
			json_str(&j, NULL, slice_of(json_string_value(json_array_get(delegates, i))));
	}
	json_close(&j, ']');
	json_open(&j, "scope", '[');
	json_str(&j, NULL, slice_of(scope));
	json_close(&j, ']');
	buf_printf(&request, ",\"lifetime\":\"%ds\"", json_is_integer(life) ? (int)json_integer_value(life) : LIFE_S);
	json_close(&j, '}');
	const char *const headers[] = { "Content-Type: application/json", bearer.data, NULL };
	struct google_question q = { .what = what, .url = google_member(file, "service_account_impersonation_url"),
		.headers = headers, .body = buf_slice(&request) };
	if (google_ask(rules, &q, &body, err) < 0)
		return -1;
	return read_acting(what, buf_slice(&body), ret, err);
}
