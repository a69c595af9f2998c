/* aws_profile.h - the profiles of ~/.aws/credentials and ~/.aws/config: a bounded reader of AWS's kind of INI.
 *
 *     # comment              [default]                   [profile lab]            ("profile " may be missing)
 *     aws_access_key_id = A  role_arn = arn:... ; why    s3 =
 *                                                          nested = settings, passed over
 *
 * Names of settings in any case; a later setting wins, and one of the credentials file wins over the config file's. Other kinds
 * of sections (sso-session, services) are passed over. Texts never show a line: it may be a secret. One thread. */
#ifndef INLET_CONNECTORS_AWS_PROFILE_H
#define INLET_CONNECTORS_AWS_PROFILE_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdbool.h>

#define AWS_PROFILE_FILE_MAX (1U << 20) /* bytes of a file */
#define AWS_PROFILE_SETTINGS_MAX 16384U /* of a file */

struct aws_setting {
	struct slice profile, name, value; /* of the file's text */
};
struct aws_profile_file {
	char *path;
	bool found;
	struct buf text;
	struct aws_setting *settings;
	size_t count;
	struct slice *profiles; /* those that have a section, empty ones too; repeated where the file repeats them */
	size_t profile_count;
};

/* { 0 }: empty. A file that does not exist has found == false and is no failure. ERR_RETRY: it cannot be read (the text says whose
 * it must be); ERR_REJECT: line so-and-so is no INI, or over a limit. */
int aws_profile_file_load(struct aws_profile_file *f, const char *path, struct err *err);
/* The text, copied, of a file with this name. ERR_REJECT. */
int aws_profile_file_parse(struct aws_profile_file *f, const char *path, struct slice text, struct err *err);
void aws_profile_file_done(struct aws_profile_file *f); /* wipes */

bool aws_profile_file_has(const struct aws_profile_file *f, struct slice profile);
/* The value; an empty slice where there is none. Valid while f is. */
struct slice aws_profile_file_get(const struct aws_profile_file *f, struct slice profile, const char *name);

/* Both files as one: what the credentials file says of a profile wins. */
struct aws_profiles {
	struct aws_profile_file credentials, config;
};
/* config_path NULL: there is no second file. As aws_profile_file_load(); *p is empty after a failure. */
int aws_profiles_load(struct aws_profiles *p, const char *credentials_path, const char *config_path, struct err *err);
void aws_profiles_done(struct aws_profiles *p);
bool aws_profiles_has(const struct aws_profiles *p, struct slice profile);
struct slice aws_profiles_get(const struct aws_profiles *p, struct slice profile, const char *name);

#endif
