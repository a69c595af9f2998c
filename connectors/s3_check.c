/* s3_check.c - asks a bucket the questions that a pass will ask, with the cure for each answer that is wrong. */
#include "connectors/s3_check.h"

#include "connectors/bucket.h"
#include "connectors/s3_list.h"

#include <errno.h>
#include <stdio.h>

#define SKEW_ERROR_MS 900000 /* Amazon refuses signatures from here on; we would sign with its time */

struct check {
	struct s3_client *client;
	const struct s3_config *config;
	check_fn *tell;
	void *arg;
	struct s3_list list;
};

static void say(const struct check *c, const char *level, const char *what, const char *found, const char *cure)
{
	c->tell(c->arg, level, what, found, cure);
}

/* What was learned on the way to the listing; err: why it failed, or NULL. false: it never got as far as the server. */
static bool tell_facts(const struct check *c, int64_t date_ms, const struct err *err)
{
	struct s3_facts facts;
	char found[480];
	s3_client_facts(c->client, &facts);
	say(c, "ok", "endpoint", facts.host, "");
	bucket_check_file(c->config->credentials, c->tell, c->arg);
	if (!facts.credentials[0]) {
		say(c, "error", "credentials", err ? err->text : "none", "name a file like ~/.aws/credentials as `credentials`, or log in as "
			"the user that the daemon runs as (aws configure); or say `anonymous: true` for a public bucket");
		return false;
	}
	say(c, "ok", "credentials", c->config->anonymous ? "none are sent: anonymous: true" : facts.credentials, "");
	if (date_ms == 0)
		return true;
	(void)snprintf(found, sizeof(found), "%s%s", facts.region, c->config->region && strcmp(c->config->region, facts.region) != 0 ?
		", though `region` says another" : "");
	say(c, strchr(found, ',') ? "warning" : "ok", "region", found, strchr(found, ',') ? "set `region` to it: each start asks twice" : "");
	bucket_check_clock(date_ms, SKEW_ERROR_MS, c->tell, c->arg);
	return true;
}

static const char *cure_of(const struct err *err)
{
	switch (err->sys) {
	case EHOSTUNREACH: return "the name does not resolve: check `endpoint` and this host's DNS";
	case ECONNREFUSED:
	case ETIMEDOUT: return "nobody answers: check `endpoint`, `proxy` and the firewall";
	case EKEYREJECTED: return "for one's own server with a private certificate set `ca_file`";
	case EPROTO: return "check `endpoint`: its scheme (http or https), host and port, and that it is a server which speaks S3";
	case EACCES: return "check `bucket` and the keys, and that their account may list and read it (s3:ListBucket, s3:GetObject)";
	default: break;
	}
	return err->class == ERR_REJECT ? "what the server says of this object is what helps; others are not concerned" :
		"nothing: it is tried again";
}

static int on_page(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	struct check *c = arg;
	return s3_list_add(&c->list, (struct slice){ (const char *)p, n }, err);
}

/* The first key, if there is one. */
static bool tell_listing(struct check *c)
{
	struct slice prefix = slice_of(c->config->at.prefix ? c->config->at.prefix : "");
	struct sigv4_param params[] = { { SLICE_LIT("list-type"), SLICE_LIT("2") }, { SLICE_LIT("encoding-type"), SLICE_LIT("url") },
		{ SLICE_LIT("max-keys"), SLICE_LIT("1") }, { SLICE_LIT("prefix"), prefix } };
	const struct s3_call call = { .params = params, .param_count = prefix.len > 0 ? 4 : 3, .limit = S3_XML_MAX, .body = on_page,
		.arg = c };
	struct http_reply reply;
	struct err err = { 0 };
	char key[256], found[320];
	int done = s3_client_send(c->client, &call, &reply, &err);
	if (done == 0)
		done = s3_list_end(&c->list, &err);
	bool asked = tell_facts(c, reply.date_ms, done < 0 ? &err : NULL);
	http_reply_done(&reply);
	if (!asked)
		return false;
	if (done < 0) {
		say(c, "error", "list", err.text, cure_of(&err));
		return false;
	}
	s3_client_describe(c->client, c->list.count > 0 ? s3_list_key(&c->list, 0) : prefix, key, sizeof(key));
	if (c->list.count == 0) {
		(void)snprintf(found, sizeof(found), prefix.len > 0 ? "allowed; nothing begins with %s" : "allowed; %s is empty", key);
		say(c, "warning", "list", found, prefix.len > 0 ? "check `prefix`, byte for byte; most end with '/' and none begins with it" :
			"if you expect objects: is this the bucket, and the endpoint, that they were put into?");
		return false;
	}
	(void)snprintf(found, sizeof(found), "allowed; the first key is %s", key);
	say(c, "ok", "list", found, "");
	return true;
}

/* One byte tells enough, also from a server that ignores ranges. */
static int on_byte(void *arg, const uint8_t *p, size_t n, struct err *err)
{
	bool *came = arg;
	(void)p;
	(void)n;
	*came = true;
	return err_set(err, ERR_RETRY, 0, "enough");
}

static void tell_read(const struct check *c)
{
	const struct s3_listed *first = &c->list.keys[0];
	bool came = false;
	const struct s3_call call = { .key = s3_list_key(&c->list, 0), .from = first->bytes > 1 ? first->bytes - 1 : 0,
		.limit = UINT64_MAX, .body = on_byte, .arg = &came };
	struct http_reply reply;
	struct err err = { 0 };
	char key[256], found[320];
	s3_client_describe(c->client, call.key, key, sizeof(key));
	if (first->archived) {
		(void)snprintf(found, sizeof(found), "%s lies in an archive class: not tried", key);
		say(c, "ok", "read", found, "");
		return;
	}
	int done = s3_client_send(c->client, &call, &reply, &err);
	http_reply_done(&reply);
	(void)snprintf(found, sizeof(found), "allowed; %s", key);
	if (done == 0 || came)
		say(c, "ok", "read", found, "");
	else
		say(c, "error", "read", err.text, cure_of(&err));
}

void s3_check(struct s3_client *client, const struct s3_config *config, check_fn *tell, void *arg)
{
	struct check c = { .client = client, .config = config, .tell = tell, .arg = arg };
	s3_list_init(&c.list);
	if (tell_listing(&c))
		tell_read(&c);
	s3_list_done(&c.list);
}
