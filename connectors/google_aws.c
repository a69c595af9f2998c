/* google_aws.c - proves to Google who we are at AWS: by a signed question that Google asks there in our stead. */
#include "connectors/google_subject.h"

#include "connectors/aws_answer.h"
#include "connectors/aws_credentials.h"
#include "connectors/aws_role.h"
#include "connectors/google_credentials.h"
#include "connectors/google_wire.h"
#include "connectors/sigv4.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/net/url.h"

#define ROOM (16U << 10)     /* growing later would leave copies of keys behind */
#define REGION_MAX 64
#define METADATA "the instance's metadata"

/* The instance's metadata, asked with IMDSv2's token where the file names the place of it. */
struct metadata {
	const json_t *source;
	const struct google_rules *rules;
	struct buf token;         /* "X-aws-ec2-metadata-token: ..."; empty: not asked for yet, or none is wanted */
};

static int ask_token(struct metadata *m, struct err *err)
{
	static const char *const headers[] = { "X-aws-ec2-metadata-token-ttl-seconds: 300", NULL };
	const char *url = google_member(m->source, "imdsv2_session_token_url");
	CLEANUP(buf_wipe) struct buf body = { 0 };
	struct google_question q = { .place = GOOGLE_LOCAL, .what = METADATA, .method = "PUT", .url = url, .headers = headers };
	if (!url || m->token.len > 0)
		return 0;
	if (google_ask(m->rules, &q, &body, err) < 0)
		return -1;
	(void)buf_grow(&m->token, ROOM);
	buf_str(&m->token, "X-aws-ec2-metadata-token: ");
	buf_add(&m->token, body.data, body.len);
	return 0;
}

static int ask(struct metadata *m, const char *url, struct buf *ret_body, struct err *err)
{
	if (ask_token(m, err) < 0)
		return -1;
	const char *const headers[] = { m->token.len > 0 ? m->token.data : NULL, NULL };
	struct google_question q = { .place = GOOGLE_LOCAL, .what = METADATA, .url = url, .headers = headers };
	return google_ask(m->rules, &q, ret_body, err);
}

/* "eu-central-1"; the metadata name the zone: "eu-central-1b". */
static int find_region(struct metadata *m, char ret[static REGION_MAX], struct err *err)
{
	const char *named = getenv("AWS_REGION"), *url = google_member(m->source, "region_url");
	CLEANUP(buf_done) struct buf zone = { 0 };
	if (!named || !named[0])
		named = getenv("AWS_DEFAULT_REGION");
	if (named && named[0]) {
		(void)snprintf(ret, REGION_MAX, "%s", named);
		return 0;
	}
	if (!url)
		return err_set(err, ERR_RETRY, 0, "no AWS region: neither AWS_REGION nor AWS_DEFAULT_REGION is set, and credential_source has no "
			"\"region_url\"");
	if (ask(m, url, &zone, err) < 0)
		return -1;
	size_t n = zone.len > 0 ? zone.len - 1 : 0;
	if (n == 0 || n >= REGION_MAX || strspn(zone.data, "abcdefghijklmnopqrstuvwxyz0123456789-") != zone.len)
		return err_set(err, ERR_RETRY, 0, METADATA " names no zone at region_url");
	(void)snprintf(ret, REGION_MAX, "%.*s", (int)n, zone.data);
	return 0;
}

static int find_keys(struct metadata *m, struct aws_credentials *ret, struct err *err)
{
	const char *url = google_member(m->source, "url");
	int found = aws_role_environment(ret, err);
	CLEANUP(buf_done) struct buf role = { 0 };
	CLEANUP(buf_wipe) struct buf keys = { 0 };
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (!url)
		return err_set(err, ERR_RETRY, 0, "no AWS keys: AWS_ACCESS_KEY_ID is not set, and credential_source has no \"url\"");
	if (ask(m, url, &role, err) < 0)
		return -1;
	if (role.len == 0 || strpbrk(role.data, "/?# \r\n"))
		return err_set(err, ERR_RETRY, 0, METADATA " names no role: the instance has none");
	CLEANUP(freep) char *place = mem_printf("%s%s%s", url, url[strlen(url) - 1] == '/' ? "" : "/", role.data);
	if (ask(m, place, &keys, err) < 0)
		return -1;
	return aws_answer_json(buf_slice(&keys), ret, err);
}

/* The request as AWS will get it from Google. */
struct question {
	char *url;               /* {region} filled in */
	struct url parts;        /* of url */
	char time[SIGV4_TIME_BYTES];
	struct sigv4_header headers[4];
	size_t header_count;
};

static void sign(const struct question *q, const char *region, const struct aws_credentials *keys, struct buf *to)
{
	/* The query is what gcloud writes, "?Action=GetCallerIdentity&Version=2011-06-15": encoded and in order. */
	struct slice target = q->parts.target, path = SLICE_LIT("/"), query = { NULL, 0 };
	const char *mark = target.len > 0 ? memchr(target.p, '?', target.len) : NULL;
	struct sha256 *hash = sha256_new();
	uint8_t key[SHA256_BYTES];
	if (target.len > 0 && target.p != mark)
		path = (struct slice){ target.p, mark ? (size_t)(mark - target.p) : target.len };
	if (mark)
		query = (struct slice){ mark + 1, target.len - (size_t)(mark + 1 - target.p) };
	const struct sigv4_request request = { .method = "POST", .path = path, .query = query, .headers = q->headers,
		.header_count = q->header_count, .payload = SIGV4_EMPTY };
	const struct sigv4_scope scope = { .key_id = buf_slice(&keys->key_id), .secret = buf_slice(&keys->secret), .region = region,
		.service = "sts", .time = q->time };
	sigv4_key(&scope, hash, key);
	sigv4_authorization(to, &request, &scope, key, hash);
	explicit_bzero(key, sizeof(key));
	sha256_free(hash);
}

static void put_header(struct json *j, const char *name, struct slice value)
{
	json_open(j, NULL, '{');
	json_str(j, "key", slice_of(name));
	json_str(j, "value", value);
	json_close(j, '}');
}

/* {"url":..., "method":"POST", "headers":[{"key":..., "value":...}]}, percent-encoded. */
static void put_token(const struct question *q, struct slice authorization, struct buf *to)
{
	CLEANUP(buf_wipe) struct buf text = { 0 };
	struct json j = { .to = &text };
	(void)buf_grow(&text, ROOM);
	json_open(&j, NULL, '{');
	json_str(&j, "url", slice_of(q->url));
	json_str(&j, "method", SLICE_LIT("POST"));
	json_open(&j, "headers", '[');
	put_header(&j, "Authorization", authorization);
	for (size_t i = 0; i < q->header_count; i++)
		put_header(&j, q->headers[i].name, q->headers[i].value);
	json_close(&j, ']');
	json_close(&j, '}');
	(void)buf_grow(to, 3 * text.len);
	text_percent(to, buf_slice(&text));
}

static char *fill_in(const char *url, const char *region)
{
	const char *place = strstr(url, "{region}");
	return place ? mem_printf("%.*s%s%s", (int)(place - url), url, region, place + strlen("{region}")) : mem_strdup(url);
}

static int make_token(const json_t *file, const char *region, const struct aws_credentials *keys, struct buf *to, struct err *err)
{
	const char *written = google_member(file, "credential_source.regional_cred_verification_url");
	struct question q = { 0 };
	if (!written)
		return err_set(err, ERR_RETRY, 0, "credential_source has no \"regional_cred_verification_url\"");
	CLEANUP(freep) char *url = fill_in(written, region);
	if (url_parse(url, &q.parts, err) < 0 || !q.parts.https)
		return err_set(err, ERR_RETRY, 0, "regional_cred_verification_url is no https URL");
	q.url = url;
	sigv4_time(clock_wall_ms() / 1000, q.time);
	q.headers[q.header_count++] = (struct sigv4_header){ "host", slice_of(q.parts.host) };
	q.headers[q.header_count++] = (struct sigv4_header){ "x-amz-date", slice_of(q.time) };
	if (keys->token.len > 0)
		q.headers[q.header_count++] = (struct sigv4_header){ "x-amz-security-token", buf_slice(&keys->token) };
	/* Signed with the rest: good for this pool of identities and no other. */
	q.headers[q.header_count++] = (struct sigv4_header){ "x-goog-cloud-target-resource", slice_of(google_member(file, "audience")) };
	CLEANUP(buf_wipe) struct buf authorization = { 0 };
	sign(&q, region, keys, &authorization);
	put_token(&q, buf_slice(&authorization), to);
	return 0;
}

int google_subject_aws(const json_t *file, const struct google_rules *rules, struct buf *to, struct err *err)
{
	struct metadata m = { .source = json_object_get(file, "credential_source"), .rules = rules };
	CLEANUP(aws_credentials_done) struct aws_credentials keys = { 0 };
	char region[REGION_MAX];
	if (strcmp(google_member(m.source, "environment_id"), "aws1") != 0)
		return err_set(err, ERR_RETRY, 0, "credential_source.environment_id is '%.20s'; known is aws1",
			google_member(m.source, "environment_id"));
	int result = find_region(&m, region, err);
	if (result == 0)
		result = find_keys(&m, &keys, err);
	buf_wipe(&m.token);
	if (result == 0)
		result = make_token(file, region, &keys, to, err);
	if (result < 0)
		err->class = ERR_RETRY;
	return result;
}
