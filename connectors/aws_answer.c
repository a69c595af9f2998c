/* aws_answer.c - two small formats, bounded by their length, read into credentials. */
#include "connectors/aws_answer.h"

#include "daemon/base/iso_time.h"
#include "daemon/base/text.h"

#include <jansson.h>
#include <stdio.h>

static int set_expiry(struct slice text, struct aws_credentials *ret, struct err *err)
{
	if (text.len && iso_time_parse(text, &ret->expires_ms) < 0)
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
