/* url_identity.c - the table of signature parameters, and a URL without them. */
#include "daemon/net/url_identity.h"

#include <stdint.h>
#include <strings.h>

/* One way to sign. A parameter that starts with `prefix` always goes. `names` go where all of `proof` are there: a lone
 * "Expires" may well choose what is served. Names are compared without case, as the services do. */
struct signing {
	const char *prefix;
	const char *proof[2];
	const char *names[28];
};

static const struct signing signings[] = {
	/* Amazon V4: X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders, -Signature, -Security-Token, ... */
	{ .prefix = "X-Amz-" },
	{ .prefix = "X-Goog-" },
	{ .prefix = "x-oss-s" },  /* x-oss-signature, -signature-version, -security-token */
	{ .prefix = "q-sign-" },  /* Tencent: q-sign-algorithm, q-sign-time */
	/* Amazon V2, Google V2, Alibaba V1, CloudFront: what they share is Signature. */
	{ NULL, { "Signature" }, { "Signature", "Expires", "AWSAccessKeyId", "GoogleAccessId", "OSSAccessKeyId",
		"Policy", "Key-Pair-Id", "Hash-Algorithm", "security-token" } },
	{ NULL, { "x-oss-signature" }, { "x-oss-credential", "x-oss-date", "x-oss-expires",
		"x-oss-additional-headers" } },
	{ NULL, { "q-signature" }, { "q-ak", "q-key-time", "q-header-list", "q-url-param-list", "q-signature",
		"x-cos-security-token" } },
	/* Azure: a shared access signature; the fields of the service, the account and the user delegation kind. */
	{ NULL, { "sig", "sv" }, { "sv", "ss", "srt", "sp", "se", "st", "spr", "sig", "sr", "si", "sip", "sdd", "skoid",
		"sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "ses", "skdutid", "sduoid" } },
	{ NULL, { "hdnts" }, { "hdnts" } },
	{ NULL, { "hdnea" }, { "hdnea" } },
	{ NULL, { "__token__" }, { "__token__" } },
	{ NULL, { "ex", "hm" }, { "ex", "is", "hm" } }, /* Discord's attachments */
};
#define SIGNINGS (sizeof(signings) / sizeof(*signings))

static bool is_named(struct slice parameter, const char *name)
{
	size_t len = strlen(name);
	return parameter.len >= len && strncasecmp(parameter.p, name, len) == 0 &&
		(parameter.len == len || parameter.p[len] == '=');
}

/* The parameter at *at of query; *at moves behind it and its '&'. */
static struct slice next_parameter(struct slice query, size_t *at)
{
	const char *p = query.p + *at;
	const char *end = memchr(p, '&', query.len - *at);
	size_t len = end ? (size_t)(end - p) : query.len - *at;
	*at += len + (end ? 1 : 0);
	return (struct slice){ p, len };
}

static bool has_parameter(struct slice query, const char *name)
{
	for (size_t at = 0; at < query.len;)
		if (is_named(next_parameter(query, &at), name))
			return true;
	return false;
}

/* Bit i: signings[i] is proved by the query. */
static uint32_t proofs(struct slice query)
{
	uint32_t proved = 0;
	for (size_t i = 0; i < SIGNINGS; i++) {
		const char *const *proof = signings[i].proof;
		if (proof[0] && has_parameter(query, proof[0]) && (!proof[1] || has_parameter(query, proof[1])))
			proved |= 1U << i;
	}
	return proved;
}

static bool is_signature(struct slice parameter, uint32_t proved)
{
	for (size_t i = 0; i < SIGNINGS; i++) {
		const struct signing *s = &signings[i];
		if (s->prefix && parameter.len >= strlen(s->prefix) &&
			strncasecmp(parameter.p, s->prefix, strlen(s->prefix)) == 0)
			return true;
		for (const char *const *name = s->names; (proved >> i & 1) && *name; name++)
			if (is_named(parameter, *name))
				return true;
	}
	return false;
}

void url_identity(struct slice url, struct buf *to)
{
	const char *end = url.len ? memchr(url.p, '#', url.len) : NULL;
	size_t query_end = end ? (size_t)(end - url.p) : url.len;
	const char *mark = query_end ? memchr(url.p, '?', query_end) : NULL;
	if (!mark) {
		buf_add(to, url.p, url.len);
		return;
	}
	size_t begin = (size_t)(mark - url.p);
	struct slice query = { mark + 1, query_end - begin - 1 };
	uint32_t proved = proofs(query);
	size_t start = to->len;
	bool dropped = false;
	char joint = '?';
	buf_add(to, url.p, begin);
	for (size_t at = 0; at < query.len;) {
		struct slice parameter = next_parameter(query, &at);
		if (is_signature(parameter, proved)) {
			dropped = true;
			continue;
		}
		buf_char(to, joint);
		buf_add(to, parameter.p, parameter.len);
		joint = '&';
	}
	if (!dropped) { /* also an empty query or a trailing '&' stays */
		to->len = start;
		buf_add(to, url.p, url.len);
		return;
	}
	buf_add(to, url.p + query_end, url.len - query_end);
}
