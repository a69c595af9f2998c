/* s3_error.c - reads the error document, and the table of what each code means. */
#include "connectors/s3_error.h"

#include "connectors/connector.h"
#include "connectors/s3_xml.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <strings.h>

enum meaning { UNKNOWN, CHANGED, MISSING, ARCHIVED, THROTTLED, AGAIN, SOURCE, STRANGER };

#define ENDPOINT_CURE "no S3 server says it like this: does `endpoint` name one, its scheme (http or https) and port too?"
#define KEYS_CURE "look at the keys that this source uses (`inlet doctor` tells where they come from)"

/* The first row that matches: by code, or where code is NULL by status. */
static const struct {
	const char *code;
	int status;
	enum meaning meaning;
	enum s3_cause cause;
	const char *cure;
} rows[] = {
	{ "PreconditionFailed", 0, CHANGED, S3_REFUSED, "it was written again since it was listed" },
	{ "InvalidRange", 0, CHANGED, S3_REFUSED, "it is shorter than it was when it was listed" },
	{ "NoSuchKey", 0, MISSING, S3_REFUSED, NULL },
	{ "NoSuchVersion", 0, MISSING, S3_REFUSED, NULL },
	{ "InvalidObjectState", 0, ARCHIVED, S3_REFUSED, "it must be restored first" },
	{ "SlowDown", 0, THROTTLED, S3_REFUSED, NULL },
	{ "SlowDownRead", 0, THROTTLED, S3_REFUSED, NULL },
	{ "ServiceUnavailable", 0, THROTTLED, S3_REFUSED, NULL },
	{ "TooManyRequests", 0, THROTTLED, S3_REFUSED, NULL },
	{ "RequestLimitExceeded", 0, THROTTLED, S3_REFUSED, NULL },
	{ "BandwidthLimitExceeded", 0, THROTTLED, S3_REFUSED, NULL },
	{ "Throttling", 0, THROTTLED, S3_REFUSED, NULL },
	{ "ThrottlingException", 0, THROTTLED, S3_REFUSED, NULL },
	{ "RequestTimeout", 0, AGAIN, S3_REFUSED, NULL },
	{ "InternalError", 0, AGAIN, S3_REFUSED, NULL },
	{ "ExpiredToken", 0, SOURCE, S3_EXPIRED, "the session token has expired and no newer one was found: " KEYS_CURE },
	{ "ExpiredTokenException", 0, SOURCE, S3_EXPIRED, "the session token has expired and no newer one was found: " KEYS_CURE },
	{ "TokenRefreshRequired", 0, SOURCE, S3_EXPIRED, "the session token must be renewed: " KEYS_CURE },
	{ "InvalidToken", 0, SOURCE, S3_EXPIRED, "the session token is not the keys' own: " KEYS_CURE },
	{ "InvalidTokenId", 0, SOURCE, S3_EXPIRED, "the session token is not the keys' own: " KEYS_CURE }, /* MinIO's word */
	{ "InvalidAccessKeyId", 0, SOURCE, S3_EXPIRED, "the server does not know this access key: " KEYS_CURE },
	{ "XAdminUserNotFound", 0, SOURCE, S3_EXPIRED, "the server does not know this access key: " KEYS_CURE }, /* versitygw's word */
	{ "RequestTimeTooSkewed", 0, SOURCE, S3_SKEWED, "this host's clock is off: set it (timedatectl)" },
	{ "RequestExpired", 0, SOURCE, S3_SKEWED, "this host's clock is off: set it (timedatectl)" },
	{ "SignatureDoesNotMatch", 0, SOURCE, S3_REFUSED, "the secret key is wrong, or a proxy changes requests: " KEYS_CURE },
	{ "AuthorizationHeaderMalformed", 0, SOURCE, S3_REFUSED, "set `region` to the bucket's own" },
	{ "PermanentRedirect", 0, SOURCE, S3_REFUSED, "set `region` to the bucket's own, or `endpoint` to the server it lies on" },
	{ "TemporaryRedirect", 0, SOURCE, S3_REFUSED, "set `region` to the bucket's own, or `endpoint` to the server it lies on" },
	{ "NoSuchBucket", 0, SOURCE, S3_REFUSED, "is `bucket` spelled right, and `endpoint` the server it lies on?" },
	{ "InvalidBucketName", 0, SOURCE, S3_REFUSED, "is `bucket` spelled right?" },
	{ "AccessDenied", 0, SOURCE, S3_REFUSED,
		"s3:ListBucket is needed on the bucket and s3:GetObject on its objects" },
	{ "AllAccessDisabled", 0, SOURCE, S3_REFUSED, "the owner has closed the bucket" },
	{ "AccountProblem", 0, SOURCE, S3_REFUSED, "the bucket's owner has to settle this with the provider" },
	{ "InvalidSecurity", 0, SOURCE, S3_REFUSED, KEYS_CURE },
	{ "MissingSecurityHeader", 0, SOURCE, S3_REFUSED, KEYS_CURE },
	{ "KMS.DisabledException", 0, SOURCE, S3_REFUSED, "the key that the objects are encrypted with is disabled" },
	{ NULL, 301, SOURCE, S3_REFUSED, "set `region` to the bucket's own, or `endpoint` to the server it lies on" },
	{ NULL, 302, SOURCE, S3_REFUSED, "this is no S3 server, or it lies elsewhere: set `endpoint` to it" },
	{ NULL, 307, SOURCE, S3_REFUSED, "set `region` to the bucket's own, or `endpoint` to the server it lies on" },
	{ NULL, 308, SOURCE, S3_REFUSED, "set `region` to the bucket's own, or `endpoint` to the server it lies on" },
	{ NULL, 401, SOURCE, S3_REFUSED, KEYS_CURE },
	{ NULL, 403, SOURCE, S3_REFUSED, "this is not allowed to whoever asks, or a proxy forbids it" },
	{ NULL, 407, SOURCE, S3_REFUSED, "the proxy wants a user, and `proxy` names none: have it let this host through" },
	{ NULL, 408, AGAIN, S3_REFUSED, NULL },
	{ NULL, 412, CHANGED, S3_REFUSED, "it was written again since it was listed" },
	{ NULL, 416, CHANGED, S3_REFUSED, "it is shorter than it was when it was listed" },
	{ NULL, 425, AGAIN, S3_REFUSED, NULL },
	{ NULL, 429, THROTTLED, S3_REFUSED, NULL },
	{ NULL, 501, UNKNOWN, S3_NO_CHECKSUM, "the server lacks what was asked for" },
	{ NULL, 503, THROTTLED, S3_REFUSED, NULL },
	{ NULL, 509, THROTTLED, S3_REFUSED, NULL },
};

static size_t row_of(const struct s3_error *e)
{
	size_t i = 0;
	while (i < sizeof(rows) / sizeof(*rows) && !(rows[i].code ? strcmp(rows[i].code, e->code) == 0 : rows[i].status == e->status))
		i++;
	return i;
}

/* ---- reading ---- */

/* It becomes part of a signature and of a host name. */
static bool is_region(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return s.len > 0 && s.p[0] != '-' && s.p[s.len - 1] != '-';
}

static void set_region(struct s3_error *e, struct slice region)
{
	if (region.len < sizeof(e->region) && is_region(region))
		(void)snprintf(e->region, sizeof(e->region), "%.*s", (int)region.len, region.p);
}

static void set_line(char *to, size_t size, struct slice text)
{
	struct buf line = { 0 };
	text_printable(&line, text);
	(void)snprintf(to, size, "%s", line.data ? line.data : "");
	buf_done(&line);
}

static int on_end(void *arg, const char *path, struct slice text, struct err *err)
{
	struct s3_error *e = arg;
	(void)err;
	if (strcmp(path, "Error/Code") == 0)
		set_line(e->code, sizeof(e->code), text);
	else if (strcmp(path, "Error/Message") == 0)
		set_line(e->message, sizeof(e->message), text);
	else if (strcmp(path, "Error/Region") == 0)
		set_region(e, text);
	return 0;
}

/* An answer that is no error document: its first line, if it is text, tells who spoke. */
static void read_words(struct s3_error *e, const struct http_reply *r)
{
	struct slice body = buf_slice(&r->body);
	if (!e->code[0] && body.len > 0 && body.p[0] != '<')
		set_line(e->message, sizeof(e->message), (struct slice){ body.p, strcspn(body.p, "\r\n") });
}

void s3_error_read(struct s3_error *e, const struct http_reply *r)
{
	struct s3_xml xml;
	*e = (struct s3_error){ .status = r->status };
	s3_xml_init(&xml, on_end, e);
	(void)s3_xml_add(&xml, buf_slice(&r->body), NULL); /* what could be read of it will do */
	s3_xml_done(&xml);
	read_words(e, r);
	set_region(e, http_header(r, "x-amz-bucket-region"));
	size_t row = row_of(e);
	e->cause = row < sizeof(rows) / sizeof(*rows) ? rows[row].cause : S3_REFUSED;
	if (e->cause == S3_REFUSED && e->region[0] && (r->status == 301 || r->status == 307 || r->status == 308 || r->status == 400 ||
		r->status == 403))
		e->cause = S3_REGION;
	if (e->cause == S3_SKEWED && !r->date_ms)
		e->cause = S3_REFUSED;
}

/* ---- meaning ---- */

static enum meaning meaning_of(const struct s3_error *e, const char **ret_cure)
{
	size_t row = row_of(e);
	*ret_cure = NULL;
	if (row == sizeof(rows) / sizeof(*rows)) {
		if (e->status < 500 && !e->code[0])
			*ret_cure = ENDPOINT_CURE;
		return e->status >= 500 ? AGAIN : e->code[0] ? UNKNOWN : STRANGER;
	}
	*ret_cure = rows[row].cure;
	return rows[row].meaning;
}

static int put(struct err *err, enum err_class class, int sys, uint32_t wait_ms, const char *text)
{
	(void)err_set(err, class, 0, "%s", text);
	if (err) {
		err->sys = sys;
		err->wait_ms = wait_ms;
	}
	return -1;
}

int s3_error_set(const struct s3_error *e, const char *what, const struct http_reply *r, struct err *err)
{
	const char *cure;
	enum meaning meaning = meaning_of(e, &cure);
	char text[sizeof(err->text)];
	(void)snprintf(text, sizeof(text), "%.160s: %d%s%s%s%.160s%s%s", what, e->status, e->code[0] ? " " : "", e->code,
		e->message[0] ? ": " : "", e->message, cure ? "; " : "", cure ? cure : "");
	switch (meaning) {
	case CHANGED: return put(err, ERR_RETRY, FETCH_CHANGED, 0, text);
	case MISSING: return put(err, ERR_RETRY, ENOENT, 0, text);
	case ARCHIVED: return put(err, ERR_REJECT, FETCH_ARCHIVED, 0, text);
	case THROTTLED: return put(err, ERR_RETRY, FETCH_THROTTLED, r->wait_ms, text);
	case AGAIN: return put(err, ERR_RETRY, FETCH_TROUBLE, r->wait_ms, text);
	case SOURCE: return put(err, ERR_RETRY, EACCES, 0, text);
	case STRANGER: return put(err, ERR_RETRY, EPROTO, 0, text);
	case UNKNOWN: break;
	}
	return put(err, ERR_REJECT, 0, 0, text);
}
