/* aws_chain.c - the places in AWS's order, and the files that two of them are. */
#include "connectors/aws_chain.h"

#include "connectors/aws_metadata.h"
#include "connectors/aws_role.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <pwd.h>

static const char *set_in_environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* ~/.aws/NAME; NULL: nobody's home. */
static char *home_file(const char *name)
{
	const char *home = set_in_environment("HOME");
	char room[4096];
	struct passwd entry, *found = NULL;
	if (!home && getpwuid_r(getuid(), &entry, room, sizeof(room), &found) == 0 && found)
		home = entry.pw_dir;
	return home ? mem_printf("%s/.aws/%s", home, name) : NULL;
}

static char *file_of(const char *variable, const char *name)
{
	const char *named = set_in_environment(variable);
	return named ? mem_strdup(named) : home_file(name);
}

/* The profile that somebody has named; NULL: nobody has. */
static const char *named_profile(const struct s3_config *config)
{
	return config->profile ? config->profile : set_in_environment("AWS_PROFILE");
}

static int load(const struct s3_config *config, struct aws_profiles *ret, struct err *err)
{
	CLEANUP(freep) char *credentials = config->credentials ? mem_strdup(config->credentials)
							      : file_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
	CLEANUP(freep) char *settings = config->credentials ? NULL : file_of("AWS_CONFIG_FILE", "config");
	*ret = (struct aws_profiles){ 0 };
	return credentials ? aws_profiles_load(ret, credentials, settings, err) : 0;
}

/* 1, 0 or -1. s3.credentials is the last word: without a find in it there is none. */
static int from_profile(const struct aws_chain *c, struct aws_credentials *ret, struct err *err)
{
	const char *named = named_profile(c->config);
	const char *profile = named ? named : "default";
	struct aws_profiles profiles;
	if (load(c->config, &profiles, err) < 0)
		return -1;
	int rc = aws_role_resolve(c, &profiles, slice_of(profile), ret, err);
	const char *files = profiles.credentials.path ? profiles.credentials.path : "(no home)";
	if (rc == 0 && c->config->credentials && !profiles.credentials.found)
		rc = err_set(err, ERR_RETRY, ENOENT, "credentials file %s", files);
	else if (rc == 0 && (named || c->config->credentials))
		rc = err_set(err, ERR_RETRY, 0, "profile '%s' %s %s%s%s", profile, aws_profiles_has(&profiles, slice_of(profile)) ?
			"has no credentials in" : "is not in", files, profiles.config.path ? " and " : "",
			profiles.config.path ? profiles.config.path : "");
	aws_profiles_done(&profiles);
	return rc;
}

static int nothing_found(struct err *err, const struct err *last)
{
	return err_set(err, ERR_RETRY, 0, "no AWS credentials: not in the environment (AWS_ACCESS_KEY_ID), no web identity, no profile "
		"'default' in ~/.aws/credentials, no container endpoint; %s. Give s3.credentials a file, or say anonymous: true where the "
		"bucket is public", last->text);
}

int aws_chain_find(const struct aws_chain *c, struct aws_credentials *ret, struct err *err)
{
	struct err last = { 0 };
	int rc = 0;
	if (!c->config->credentials && !c->config->profile) {
		rc = aws_role_environment(ret, err);
		if (rc == 0)
			rc = aws_role_web_identity(c, ret, err);
	}
	if (rc == 0)
		rc = from_profile(c, ret, err);
	if (rc == 0)
		rc = aws_container_get(c->stopping, ret, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = aws_instance_get(c->stopping, ret, &last);
	if (rc > 0)
		return 0;
	if (rc == 0)
		(void)err_set(&last, ERR_RETRY, 0, "instance metadata is switched off (AWS_EC2_METADATA_DISABLED)");
	return nothing_found(err, &last);
}

char *aws_chain_region(const struct s3_config *config)
{
	const char *named = config->region ? config->region : set_in_environment("AWS_REGION");
	const char *profile = named_profile(config);
	struct aws_profiles profiles;
	struct err ignored;
	if (!named)
		named = set_in_environment("AWS_DEFAULT_REGION");
	if (named)
		return mem_strdup(named);
	if (load(config, &profiles, &ignored) < 0)
		return mem_strdup("");
	struct slice region = aws_profiles_get(&profiles, slice_of(profile ? profile : "default"), "region");
	char *copy = mem_strndup(region.p ? region.p : "", region.len);
	aws_profiles_done(&profiles);
	return copy;
}
