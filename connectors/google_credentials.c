/* google_credentials.c - looks for Google credentials in Google's order and checks what it finds. */
#include "connectors/google_credentials.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>

#define FILE_MAX (64U << 10)

/* What each kind needs. A member that is needed in one of two shapes is checked where it is used. */
static const struct {
	const char *type;
	enum google_kind kind;
	const char *needs[4];
} kinds[] = {
	{ "service_account", GOOGLE_SERVICE_ACCOUNT, { "client_email", "private_key" } },
	{ "authorized_user", GOOGLE_USER, { "client_id", "client_secret", "refresh_token" } },
	{ "external_account", GOOGLE_EXTERNAL, { "audience", "subject_token_type", "token_url" } },
	{ "impersonated_service_account", GOOGLE_IMPERSONATED, { "service_account_impersonation_url" } },
};

const char *google_member(const json_t *json, const char *path)
{
	const char *dot = strchr(path, '.');
	if (dot) {
		CLEANUP(freep) char *outer = mem_strndup(path, (size_t)(dot - path));
		return google_member(json_object_get(json, outer), dot + 1);
	}
	const json_t *member = json_object_get(json, path);
	/* The length: what has a NUL inside would be cut without a word. */
	return json_string_length(member) > 0 && strlen(json_string_value(member)) == json_string_length(member) ?
		json_string_value(member) : NULL;
}

/* jansson has no wiping free; its strings lie where json_string_value() says until the last reference goes. */
static void overwrite(json_t *json)
{
	const char *name;
	json_t *member;
	size_t i;
	if (json_is_string(json)) {
		explicit_bzero((void *)(uintptr_t)json_string_value(json), json_string_length(json));
	} else if (json_is_object(json)) {
		json_object_foreach (json, name, member)
			overwrite(member);
	} else if (json_is_array(json)) {
		json_array_foreach (json, i, member)
			overwrite(member);
	}
}

void google_json_wipe(json_t *json)
{
	if (!json)
		return;
	overwrite(json);
	json_decref(json);
}

void google_credentials_done(struct google_credentials *c)
{
	google_json_wipe(c->json);
	*c = (struct google_credentials){ 0 };
}

static int check(const json_t *json, enum google_kind *ret, struct err *err)
{
	const char *type = google_member(json, "type");
	if (!type)
		return err_set(err, ERR_REJECT, 0, "it is no Google credentials file: a JSON object with \"type\", such as `gcloud iam "
			"service-accounts keys create` writes");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(type, kinds[i].type) != 0)
			continue;
		for (size_t n = 0; n < 4 && kinds[i].needs[n]; n++) {
			if (!google_member(json, kinds[i].needs[n]))
				return err_set(err, ERR_REJECT, 0, "it is of type %s and has no \"%s\"", type, kinds[i].needs[n]);
		}
		*ret = kinds[i].kind;
		return 0;
	}
	return err_set(err, ERR_REJECT, 0, "its type is '%.60s'; known are service_account, authorized_user, external_account and "
		"impersonated_service_account", type);
}

int google_credentials_parse(json_t *json, struct google_credentials *ret, struct err *err)
{
	enum google_kind kind = GOOGLE_METADATA;
	if (check(json, &kind, err) < 0) {
		google_json_wipe(json);
		return -1;
	}
	*ret = (struct google_credentials){ .kind = kind, .json = json };
	return 0;
}

/* how: what names the file, for messages; "" when the path says it all. */
static int load(const char *path, const char *how, struct google_credentials *ret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = { 0 };
	struct google_credentials c;
	char origin[sizeof(c.origin)];
	(void)snprintf(origin, sizeof(origin), how[0] ? "%s (%s)" : "%s%s", how, path);
	(void)buf_grow(&text, FILE_MAX);
	if (file_slurp(AT_FDCWD, path, FILE_MAX, &text, err) < 0)
		return err_wrap(err, "Google credentials from %s", origin);
	if (google_credentials_parse(json_loadb(text.data, text.len, 0, NULL), &c, err) < 0)
		return err_wrap(err, "Google credentials from %s", origin);
	*ret = c;
	memcpy(ret->origin, origin, sizeof(origin));
	return 0;
}

/* The caller frees it; NULL: there is no home. */
static char *well_known_path(void)
{
	static const char name[] = "application_default_credentials.json";
	const char *config = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
	struct passwd entry, *found = NULL;
	char room[1024];
	if (config && config[0])
		return mem_printf("%s/%s", config, name);
	if ((!home || !home[0]) && getpwuid_r(getuid(), &entry, room, sizeof(room), &found) == 0 && found)
		home = found->pw_dir;
	return home && home[0] ? mem_printf("%s/.config/gcloud/%s", home, name) : NULL;
}

int google_credentials_find(const char *file, struct google_credentials *ret, struct err *err)
{
	const char *named = getenv("GOOGLE_APPLICATION_CREDENTIALS"), *host = getenv("GCE_METADATA_HOST");
	const char *no_metadata = getenv("NO_GCE_CHECK");
	if (file)
		return load(file, "", ret, err);
	if (named && named[0])
		return load(named, "GOOGLE_APPLICATION_CREDENTIALS", ret, err);
	CLEANUP(freep) char *known = well_known_path();
	if (known && (access(known, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)))
		return load(known, "gcloud's file", ret, err);
	if (no_metadata && strcasecmp(no_metadata, "true") == 0)
		return err_set(err, ERR_RETRY, ENOENT, "no Google credentials: no gcs.credentials, no GOOGLE_APPLICATION_CREDENTIALS, no "
			"%s, and NO_GCE_CHECK rules the metadata server out; for a public bucket say `anonymous: true`",
			known ? known : "home directory");
	*ret = (struct google_credentials){ .kind = GOOGLE_METADATA };
	(void)snprintf(ret->origin, sizeof(ret->origin), "the metadata server (%.200s)", host && host[0] ? host : "169.254.169.254");
	return 0;
}
