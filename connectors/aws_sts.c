/* aws_sts.c - STS's query interface: a form is posted, XML comes back. */
#include "connectors/aws_sts.h"

#include "connectors/aws_answer.h"
#include "connectors/aws_ask.h"
#include "connectors/sigv4.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#define CONNECT_MS 5000U
#define TOTAL_MS 20000U
#define SKEW_MS 240000 /* STS takes five minutes */
#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

static const char form_header[] = "Content-Type: " FORM_TYPE;

static char *endpoint_of(const struct aws_sts *sts)
{
	if (sts->endpoint)
		return mem_printf("%s%s", sts->endpoint, sts->endpoint[strlen(sts->endpoint) - 1] == '/' ? "" : "/");
	if (sts->region[0] == '\0' || strncmp(sts->region, "aws-global", 10) == 0)
		return mem_strdup("https://sts.amazonaws.com/");
	return mem_printf("https://sts.%s.amazonaws.com%s/", sts->region, strncmp(sts->region, "cn-", 3) == 0 ? ".cn" : "");
}

static void field(struct buf *form, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	buf_printf(form, "&%s=", name);
	sigv4_encode(form, value, false);
}

static void role_form(struct buf *form, const char *action, const struct aws_role *role)
{
	buf_printf(form, "Action=%s&Version=2011-06-15", action);
	field(form, "RoleArn", role->arn);
	field(form, "RoleSessionName", role->session.len ? role->session : SLICE_LIT("inlet"));
	field(form, "ExternalId", role->external_id);
	field(form, "DurationSeconds", role->duration);
}

/* The headers that prove who asks: each a line of its own in `lines`. */
struct signed_headers {
	char time[SIGV4_TIME_BYTES];
	struct buf date, authorization, token;
};

static void signed_headers_done(struct signed_headers *s)
{
	buf_done(&s->date);
	buf_wipe(&s->authorization);
	buf_wipe(&s->token);
}

static int sign(const char *url, struct slice form, const char *region, const struct aws_credentials *with, int64_t now_ms,
	struct signed_headers *ret, struct err *err)
{
	struct url parts;
	if (url_parse(url, &parts, err) < 0)
		return -1;
	bool v6 = strchr(parts.host, ':') != NULL, usual = parts.port == (parts.https ? 443 : 80);
	CLEANUP(freep) char *port = usual ? mem_strdup("") : mem_printf(":%u", parts.port);
	CLEANUP(freep) char *host = mem_printf("%s%s%s%s", v6 ? "[" : "", parts.host, v6 ? "]" : "", port);
	struct sha256 *hash = sha256_new();
	uint8_t digest[SHA256_BYTES];
	char payload[2 * SHA256_BYTES + 1];
	sha256_of(hash, form.p, form.len, digest);
	text_hex(digest, sizeof(digest), payload);
	sigv4_time(now_ms / 1000, ret->time);
	struct sigv4_header headers[4] = { { "content-type", SLICE_LIT(FORM_TYPE) }, { "host", slice_of(host) },
		{ "x-amz-date", slice_of(ret->time) }, { "x-amz-security-token", buf_slice(&with->token) } };
	buf_printf(&ret->date, "X-Amz-Date: %s", ret->time);
	if (with->token.len) {
		(void)buf_grow(&ret->token, with->token.len + 32);
		buf_printf(&ret->token, "X-Amz-Security-Token: %s", with->token.data);
	}
	const struct sigv4_request q = { .method = "POST", .path = parts.target.len ? parts.target : SLICE_LIT("/"), .headers = headers,
		.header_count = with->token.len ? 4 : 3, .payload = payload };
	const struct sigv4_scope scope = { .key_id = buf_slice(&with->key_id), .secret = buf_slice(&with->secret), .region = region,
		.service = "sts", .time = ret->time };
	uint8_t key[SHA256_BYTES];
	sigv4_key(&scope, hash, key);
	buf_str(&ret->authorization, "Authorization: ");
	sigv4_authorization(&ret->authorization, &q, &scope, key, hash);
	explicit_bzero(key, sizeof(key));
	sha256_free(hash);
	return 0;
}

/* Posts the form. *ret_skew_ms: what to add to our clock, where the answer says that ours is wrong. */
static int post(const struct aws_sts *sts, struct slice form, const struct aws_credentials *with, int64_t skew_ms,
	int64_t *ret_skew_ms, struct aws_credentials *ret, struct err *err)
{
	CLEANUP(freep) char *url = endpoint_of(sts);
	struct signed_headers proof = { 0 };
	struct http_reply reply;
	char problem[320];
	int64_t now_ms = clock_wall_ms() + skew_ms;
	if (with && sign(url, form, sts->region[0] ? sts->region : "us-east-1", with, now_ms, &proof, err) < 0)
		return -1;
	const char *const headers[] = { form_header, proof.date.data, proof.authorization.data, proof.token.data, NULL };
	struct aws_ask ask = { .request = { .method = "POST", .url = url, .headers = headers, .body = form, .limit = AWS_ANSWER_MAX,
		.total_ms = TOTAL_MS }, .ca_file = sts->endpoint ? sts->ca_file : NULL, .proxy = sts->proxy, .connect_ms = CONNECT_MS,
		.stopping = sts->stopping };
	int rc = aws_ask(&ask, &reply, err);
	if (rc == 0 && reply.status == 200) {
		rc = aws_answer_xml(buf_slice(&reply.body), ret, err);
	} else if (rc == 0) {
		int64_t off_ms = reply.date_ms ? reply.date_ms - now_ms : 0;
		*ret_skew_ms = off_ms > SKEW_MS || off_ms < -SKEW_MS ? skew_ms + off_ms : skew_ms;
		rc = http_refused(&ask.request, &reply, err);
		aws_answer_problem(buf_slice(&reply.body), problem, sizeof(problem));
		if (problem[0])
			(void)err_wrap(err, "%s", problem);
	}
	aws_ask_done(&reply);
	signed_headers_done(&proof);
	return rc;
}

int aws_sts_assume(const struct aws_sts *sts, const struct aws_role *role, const struct aws_credentials *with,
	struct aws_credentials *ret, struct err *err)
{
	struct buf form = { 0 };
	int64_t skew_ms = 0;
	role_form(&form, "AssumeRole", role);
	int rc = post(sts, buf_slice(&form), with, 0, &skew_ms, ret, err);
	if (rc < 0 && skew_ms)
		rc = post(sts, buf_slice(&form), with, skew_ms, &skew_ms, ret, err);
	buf_done(&form);
	if (rc < 0)
		(void)err_wrap(err, "assume role %.*s", (int)role->arn.len, role->arn.p);
	if (rc < 0 && err)
		err->class = ERR_RETRY; /* what forbids it today may be put right while we run */
	return rc;
}

int aws_sts_web_identity(const struct aws_sts *sts, const struct aws_role *role, struct slice token, struct aws_credentials *ret,
	struct err *err)
{
	struct buf form = { 0 };
	int64_t skew_ms = 0;
	(void)buf_grow(&form, 4096 + 3 * (token.len + role->arn.len)); /* growing later would leave copies of the token */
	role_form(&form, "AssumeRoleWithWebIdentity", role);
	field(&form, "WebIdentityToken", token);
	int rc = post(sts, buf_slice(&form), NULL, 0, &skew_ms, ret, err);
	buf_wipe(&form);
	if (rc < 0)
		(void)err_wrap(err, "assume role %.*s with web identity", (int)role->arn.len, role->arn.p);
	if (rc < 0 && err)
		err->class = ERR_RETRY;
	return rc;
}
