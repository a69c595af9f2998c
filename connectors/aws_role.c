/* aws_role.c - a profile is followed to credentials, through as many roles as it takes. */
#include "connectors/aws_role.h"

#include "connectors/aws_answer.h"
#include "connectors/aws_metadata.h"
#include "connectors/aws_process.h"
#include "connectors/aws_sts.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/iso_time.h"
#include "daemon/base/mem.h"

#include <fcntl.h>

#define TOKEN_MAX 65536U

struct walk {
	const struct aws_chain *chain;
	const struct aws_profiles *profiles;
	struct slice seen[AWS_ROLE_DEPTH];
	size_t depth;
};

static struct slice environment(const char *name)
{
	return slice_of(getenv(name));
}

static void copy(struct buf *to, struct slice s)
{
	buf_wipe(to);
	(void)buf_grow(to, s.len + 1);
	buf_add(to, s.p, s.len);
}

static struct slice setting(const struct walk *w, struct slice profile, const char *name)
{
	return aws_profiles_get(w->profiles, profile, name);
}

static struct aws_sts sts_of(const struct aws_chain *c, struct slice profile_endpoint, char **ret_endpoint)
{
	struct slice endpoint = environment("AWS_ENDPOINT_URL_STS");
	if (endpoint.len == 0)
		endpoint = environment("AWS_ENDPOINT_URL");
	if (endpoint.len == 0)
		endpoint = profile_endpoint;
	*ret_endpoint = endpoint.len ? mem_strndup(endpoint.p, endpoint.len) : NULL;
	return (struct aws_sts){ .endpoint = *ret_endpoint, .region = c->region, .ca_file = c->config->at.ca_file,
		.proxy = c->config->at.proxy, .stopping = c->stopping };
}

int aws_role_environment(struct aws_credentials *ret, struct err *err)
{
	struct slice id = environment("AWS_ACCESS_KEY_ID"), secret = environment("AWS_SECRET_ACCESS_KEY");
	struct slice expiry = environment("AWS_CREDENTIAL_EXPIRATION");
	if (id.len == 0 && secret.len == 0)
		return 0;
	if (id.len == 0 || secret.len == 0)
		return err_set(err, ERR_REJECT, 0, "the environment has AWS_%s without AWS_%s", id.len ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY",
			id.len ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
	ret->expires_ms = 0;
	if (expiry.len && iso_time_parse(expiry, &ret->expires_ms) < 0)
		return err_set(err, ERR_REJECT, 0, "AWS_CREDENTIAL_EXPIRATION is not a time such as 2026-01-31T12:00:00Z");
	copy(&ret->key_id, id);
	copy(&ret->secret, secret);
	copy(&ret->token, environment("AWS_SESSION_TOKEN"));
	(void)snprintf(ret->origin, sizeof(ret->origin), "the environment (AWS_ACCESS_KEY_ID)");
	return 1;
}

/* The token file is read each time: whoever gave it renews it. */
static int with_web_identity(const struct aws_chain *c, struct slice profile_endpoint, const struct aws_role *role, struct slice file,
	struct aws_credentials *ret, struct err *err)
{
	CLEANUP(freep) char *path = mem_strndup(file.p, file.len);
	CLEANUP(freep) char *endpoint = NULL;
	struct aws_sts sts = sts_of(c, profile_endpoint, &endpoint);
	struct buf token = { 0 };
	(void)buf_grow(&token, TOKEN_MAX + 1);
	int rc = file_slurp(AT_FDCWD, path, TOKEN_MAX, &token, err);
	if (rc < 0) {
		(void)err_wrap(err, "web identity token");
	} else {
		while (token.len && strchr(" \t\r\n", token.data[token.len - 1]))
			token.data[--token.len] = '\0';
		rc = aws_sts_web_identity(&sts, role, buf_slice(&token), ret, err);
	}
	buf_wipe(&token);
	if (rc < 0)
		return -1;
	(void)snprintf(ret->origin, sizeof(ret->origin), "role %.*s by the web identity in %s", (int)role->arn.len, role->arn.p, path);
	return 1;
}

int aws_role_web_identity(const struct aws_chain *c, struct aws_credentials *ret, struct err *err)
{
	struct slice file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
	struct aws_role role = { .arn = environment("AWS_ROLE_ARN"), .session = environment("AWS_ROLE_SESSION_NAME") };
	return file.len && role.arn.len ? with_web_identity(c, (struct slice){ 0 }, &role, file, ret, err) : 0;
}

static int resolve(struct walk *w, struct slice profile, bool ignore_role, struct aws_credentials *ret, struct err *err);

/* 1 or -1: the credentials that may assume the role. */
static int source_of(struct walk *w, struct slice profile, struct aws_credentials *ret, struct err *err)
{
	struct slice source = setting(w, profile, "source_profile"), from = setting(w, profile, "credential_source");
	int rc = 0;
	if (source.len) {
		rc = resolve(w, source, slice_eq(source, profile), ret, err);
		return rc ? rc : err_set(err, ERR_REJECT, 0, "source_profile '%.*s' of profile '%.*s' has no credentials", (int)source.len,
			source.p, (int)profile.len, profile.p);
	}
	if (slice_eq(from, SLICE_LIT("Environment")))
		rc = aws_role_environment(ret, err);
	else if (slice_eq(from, SLICE_LIT("EcsContainer")))
		rc = aws_container_get(w->chain->stopping, ret, err);
	else if (slice_eq(from, SLICE_LIT("Ec2InstanceMetadata")))
		rc = aws_instance_get(w->chain->stopping, ret, err);
	return rc ? rc : err_set(err, ERR_REJECT, 0, "profile '%.*s' has a role_arn and nothing to assume it with: a source_profile, or a "
		"credential_source (Environment, EcsContainer, Ec2InstanceMetadata) that is there", (int)profile.len, profile.p);
}

static int with_role(struct walk *w, struct slice profile, const struct aws_role *role, struct aws_credentials *ret, struct err *err)
{
	CLEANUP(freep) char *endpoint = NULL;
	struct aws_sts sts = sts_of(w->chain, setting(w, profile, "endpoint_url"), &endpoint);
	struct aws_credentials source = { 0 };
	if (setting(w, profile, "mfa_serial").len)
		return err_set(err, ERR_REJECT, 0, "profile '%.*s' asks for a code of mfa_serial, which a daemon has not; assume the role without",
			(int)profile.len, profile.p);
	int rc = source_of(w, profile, &source, err);
	if (rc > 0)
		rc = aws_sts_assume(&sts, role, &source, ret, err) < 0 ? -1 : 1;
	if (rc > 0)
		(void)snprintf(ret->origin, sizeof(ret->origin), "role %.*s by %.80s", (int)role->arn.len, role->arn.p, source.origin);
	aws_credentials_done(&source);
	return rc;
}

static int with_keys(const struct walk *w, struct slice profile, struct aws_credentials *ret, struct err *err)
{
	struct slice id = setting(w, profile, "aws_access_key_id"), secret = setting(w, profile, "aws_secret_access_key");
	const struct aws_profile_file *file = aws_profile_file_get(&w->profiles->credentials, profile, "aws_access_key_id").len ?
		&w->profiles->credentials : &w->profiles->config;
	if (id.len == 0 && secret.len == 0)
		return 0;
	if (id.len == 0 || secret.len == 0)
		return err_set(err, ERR_REJECT, 0, "profile '%.*s' has aws_%s without aws_%s", (int)profile.len, profile.p,
			id.len ? "access_key_id" : "secret_access_key", id.len ? "secret_access_key" : "access_key_id");
	ret->expires_ms = 0;
	copy(&ret->key_id, id);
	copy(&ret->secret, secret);
	copy(&ret->token, setting(w, profile, "aws_session_token"));
	(void)snprintf(ret->origin, sizeof(ret->origin), "profile '%.*s' in %s", (int)profile.len, profile.p, file->path);
	return 1;
}

static int enter(struct walk *w, struct slice profile, struct err *err)
{
	if (w->depth == AWS_ROLE_DEPTH)
		return err_set(err, ERR_REJECT, 0, "profile '%.*s' is one source_profile too many", (int)profile.len, profile.p);
	w->seen[w->depth++] = profile;
	return 0;
}

static bool seen_before(const struct walk *w, struct slice profile)
{
	for (size_t i = 0; i < w->depth; i++) {
		if (slice_eq(w->seen[i], profile))
			return true;
	}
	return false;
}

/* ignore_role: the profile is its own source_profile: its keys, then. */
static int resolve(struct walk *w, struct slice profile, bool ignore_role, struct aws_credentials *ret, struct err *err)
{
	struct aws_role role = { .arn = setting(w, profile, "role_arn"), .session = setting(w, profile, "role_session_name"),
		.external_id = setting(w, profile, "external_id"), .duration = setting(w, profile, "duration_seconds") };
	struct slice token_file = setting(w, profile, "web_identity_token_file");
	struct slice process = setting(w, profile, "credential_process");
	if (!ignore_role && seen_before(w, profile))
		return err_set(err, ERR_REJECT, 0, "profile '%.*s' leads back to itself through source_profile", (int)profile.len, profile.p);
	if (enter(w, profile, err) < 0)
		return -1;
	if (!ignore_role && role.arn.len)
		return token_file.len ? with_web_identity(w->chain, setting(w, profile, "endpoint_url"), &role, token_file, ret, err)
				      : with_role(w, profile, &role, ret, err);
	int rc = with_keys(w, profile, ret, err);
	if (rc)
		return rc;
	if (process.len) {
		if (aws_process_run(process, w->chain->stopping, ret, err) < 0)
			return err_wrap(err, "profile '%.*s'", (int)profile.len, profile.p);
		(void)snprintf(ret->origin, sizeof(ret->origin), "credential_process of profile '%.*s'", (int)profile.len, profile.p);
		return 1;
	}
	if (setting(w, profile, "sso_session").len || setting(w, profile, "sso_start_url").len)
		return err_set(err, ERR_REJECT, 0, "profile '%.*s' signs in through a browser; give it to inletd as a program: "
			"credential_process = aws configure export-credentials --profile NAME --format process", (int)profile.len, profile.p);
	return 0;
}

int aws_role_resolve(const struct aws_chain *c, const struct aws_profiles *profiles, struct slice profile,
	struct aws_credentials *ret, struct err *err)
{
	struct walk w = { .chain = c, .profiles = profiles };
	return resolve(&w, profile, false, ret, err);
}
