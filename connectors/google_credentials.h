/* google_credentials.h - where Google credentials come from, and what such a file holds.
 *
 * gcs.credentials names a file: then it, and nothing else. Otherwise Google's order (Application Default Credentials), first
 * found wins: the file named by GOOGLE_APPLICATION_CREDENTIALS; gcloud's (application_default_credentials.json in
 * CLOUDSDK_CONFIG or ~/.config/gcloud); the metadata server (GCE_METADATA_HOST, else 169.254.169.254), which only an attempt can
 * tell to be absent. A file that is named and is missing or wrong is an error, never passed over. */
#ifndef INLET_CONNECTORS_GOOGLE_CREDENTIALS_H
#define INLET_CONNECTORS_GOOGLE_CREDENTIALS_H

#include "daemon/base/err.h"

#include <jansson.h>

enum google_kind {
	GOOGLE_SERVICE_ACCOUNT, /* an RSA key: signs its own assertion */
	GOOGLE_USER,            /* authorized_user: a person's refresh token */
	GOOGLE_EXTERNAL,        /* external_account: workload identity federation: another issuer's token (google_subject.h) */
	GOOGLE_IMPERSONATED,    /* impersonated_service_account: other credentials that may act as a service account */
	GOOGLE_METADATA,        /* the metadata server of the machine or the cluster */
};

struct google_credentials {
	enum google_kind kind;
	char origin[320];       /* for people: "GOOGLE_APPLICATION_CREDENTIALS (/run/key.json)" */
	json_t *json;           /* the file: all that its kind needs is there and is a string; NULL: the metadata server */
};

/* Reads at most one file. ERR_RETRY: it cannot be read; ERR_REJECT: it is not what it should be, or of a kind that is not
 * supported. NO_GCE_CHECK=true leaves the metadata server out: ERR_RETRY where nothing else was found. */
int google_credentials_find(const char *file, struct google_credentials *ret, struct err *err);
/* What find() does with a file's text, and with source_credentials inside one. Steals json, even when it fails. */
int google_credentials_parse(json_t *json, struct google_credentials *ret, struct err *err);
void google_credentials_done(struct google_credentials *c); /* secrets are overwritten */

/* The text of a member, NULL when it is absent, empty or no string. Inside objects: "credential_source.file". */
const char *google_member(const json_t *json, const char *path);
/* Overwrites every text in it, then json_decref(). NULL allowed. */
void google_json_wipe(json_t *json);

#endif
