/* aws_answer.c - two small formats, bounded by their length, read into credentials. */
#include "connectors/aws_answer.h"

#include "daemon/base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

static int digits(struct slice *s, size_t n, int *ret)
{
	int value = 0;

	if (s->len < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = (struct slice){ s->p + n, s->len - n };
	*ret = value;
	return 0;
}

static int literal(struct slice *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return -1;
	*s = (struct slice){ s->p + 1, s->len - 1 };
	return 0;
}

/* "Z", "+01:00" or "-0500": seconds east of Greenwich. */
static int zone(struct slice s, int *ret_seconds)
{
	int hours = 0, minutes = 0;

	if (s.len == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
		*ret_seconds = 0;
		return 0;
	}
	bool west = s.len && s.p[0] == '-';
	if (literal(&s, west ? '-' : '+') < 0 || digits(&s, 2, &hours) < 0)
		return -1;
	(void)literal(&s, ':');
	if (digits(&s, 2, &minutes) < 0 || s.len)
		return -1;
	*ret_seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

int aws_answer_time(struct slice text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	int offset = 0;

	if (digits(&text, 4, &tm.tm_year) < 0 || literal(&text, '-') < 0 || digits(&text, 2, &tm.tm_mon) < 0 ||
	    literal(&text, '-') < 0 || digits(&text, 2, &tm.tm_mday) < 0 || literal(&text, 'T') < 0 ||
	    digits(&text, 2, &tm.tm_hour) < 0 || literal(&text, ':') < 0 || digits(&text, 2, &tm.tm_min) < 0 ||
	    literal(&text, ':') < 0 || digits(&text, 2, &tm.tm_sec) < 0)
		return -1;
	if (literal(&text, '.') == 0) {
		int digit;
		while (digits(&text, 1, &digit) == 0)
			;
	}
	if (zone(text, &offset) < 0 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 24)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_ms = ((int64_t)timegm(&tm) - offset) * 1000;
	return 0;
}

static int set_expiry(struct slice text, struct aws_credentials *ret, struct err *err)
{
	if (text.len && aws_answer_time(text, &ret->expires_ms) < 0)
		return err_set(err, ERR_RETRY, 0, "the answer's expiry is not a time");
	return 0;
}

static void set_secret(struct buf *to, struct slice s)
{
	buf_wipe(to);
	(void)buf_grow(to, s.len + 1);
	buf_add(to, s.p, s.len);
}

static struct slice member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? (struct slice){ json_string_value(value), json_string_length(value) } : (struct slice){ 0 };
}

/* jansson's copy goes back to the heap: not with the secret in it. */
static void wipe_member(const json_t *object, const char *name)
{
	struct slice s = member(object, name);
	if (s.len)
		explicit_bzero((char *)(uintptr_t)s.p, s.len); /* the tree is ours and about to be freed */
}

/* "Code: message", for messages. */
static void show_problem(struct slice code, struct slice message, struct buf *to)
{
	text_printable(to, code);
	if (message.len) {
		buf_str(to, code.len ? ": " : "");
		text_printable(to, (struct slice){ message.p, message.len < 200 ? message.len : 200 });
	}
}

static int no_credentials(const json_t *object, struct slice code, struct err *err)
{
	struct buf shown = { 0 };
	struct slice message = member(object, "Message");

	show_problem(code, message.len ? message : member(object, "message"), &shown);
	(void)err_set(err, ERR_RETRY, 0, "the answer holds no credentials%s%s", shown.len ? ": " : "", shown.len ? shown.data : "");
	buf_done(&shown);
	return -1;
}

static int from_object(const json_t *object, struct aws_credentials *ret, struct err *err)
{
	struct slice id = member(object, "AccessKeyId"), secret = member(object, "SecretAccessKey"), token = member(object, "Token");
	struct slice code = member(object, "Code");

	if ((code.len && !slice_eq(code, SLICE_LIT("Success"))) || id.len == 0 || secret.len == 0)
		return no_credentials(object, code, err);
	if (token.len == 0)
		token = member(object, "SessionToken");
	ret->expires_ms = 0;
	if (set_expiry(member(object, "Expiration"), ret, err) < 0)
		return -1;
	set_secret(&ret->key_id, id);
	set_secret(&ret->secret, secret);
	set_secret(&ret->token, token);
	return 0;
}

int aws_answer_json(struct slice text, struct aws_credentials *ret, struct err *err)
{
	json_t *object = text.len <= AWS_ANSWER_MAX ? json_loadb(text.p ? text.p : "", text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	int rc;

	if (json_is_object(object))
		rc = from_object(object, ret, err);
	else
		rc = err_set(err, ERR_RETRY, 0, "the answer is not a JSON object");
	wipe_member(object, "SecretAccessKey");
	wipe_member(object, "SessionToken");
	wipe_member(object, "Token");
	json_decref(object);
	return rc;
}

/* What stands between <name> and </name>, from *from on; an empty slice: not there. */
static struct slice element(struct slice text, const char *name)
{
	char open[64], close[64];
	(void)snprintf(open, sizeof(open), "<%s>", name);
	(void)snprintf(close, sizeof(close), "</%s>", name);
	const char *start = text.len ? memmem(text.p, text.len, open, strlen(open)) : NULL;
	if (!start)
		return (struct slice){ 0 };
	start += strlen(open);
	const char *end = memmem(start, text.len - (size_t)(start - text.p), close, strlen(close));
	return end ? (struct slice){ start, (size_t)(end - start) } : (struct slice){ 0 };
}

/* Base64 and identifiers need no entity; a value with one is none that we know. */
static bool is_plain(struct slice s)
{
	return s.len && !memchr(s.p, '&', s.len) && !memchr(s.p, '<', s.len);
}

int aws_answer_xml(struct slice text, struct aws_credentials *ret, struct err *err)
{
	struct slice all = text.len <= AWS_ANSWER_MAX ? element(text, "Credentials") : (struct slice){ 0 };
	struct slice id = element(all, "AccessKeyId"), secret = element(all, "SecretAccessKey"), token = element(all, "SessionToken");

	if (!is_plain(id) || !is_plain(secret) || !is_plain(token))
		return err_set(err, ERR_RETRY, 0, "the answer holds no credentials");
	ret->expires_ms = 0;
	if (set_expiry(element(all, "Expiration"), ret, err) < 0)
		return -1;
	set_secret(&ret->key_id, id);
	set_secret(&ret->secret, secret);
	set_secret(&ret->token, token);
	return 0;
}

void aws_answer_problem(struct slice text, char *ret_text, size_t size)
{
	struct buf shown = { 0 };

	show_problem(element(text, "Code"), element(text, "Message"), &shown);
	(void)snprintf(ret_text, size, "%s", shown.data ? shown.data : "");
	buf_done(&shown);
}
