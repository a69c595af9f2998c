/* bucket.c - finds the source that may read an object, and reads it through that. */
#include "daemon/imports/bucket.h"

#include "config/source_config.h"
#include "daemon/imports/internal.h"

#define S3 "s3://"
#define GS "gs://"

struct place {
	const char *scheme;       /* of the connector */
	struct slice bucket, key;
};

bool import_names_bucket(const char *url)
{
	return strncasecmp(url, S3, sizeof(S3) - 1) == 0 || strncasecmp(url, GS, sizeof(GS) - 1) == 0;
}

static int read_place(const char *url, struct place *ret, struct err *err)
{
	const char *bucket = url + sizeof(S3) - 1, *end = strchr(bucket, '/'); /* both schemes are of one length */
	if (!end || end == bucket || !end[1])
		return err_set(err, ERR_REJECT, ENOENT, "'%.200s' names no object of a bucket", url);
	ret->scheme = (*url | 0x20) == 's' ? "s3" : "gcs";
	ret->bucket = (struct slice){ bucket, (size_t)(end - bucket) };
	ret->key = slice_of(end + 1);
	return 0;
}

/* Has the key a part "." or ".."? A server that takes such keys for paths would read outside the prefix. */
static bool climbs(struct slice key)
{
	for (const char *p = key.p, *end = key.p + key.len, *next; p < end; p = next + 1) {
		next = memchr(p, '/', (size_t)(end - p));
		next = next ? next : end;
		if ((next - p == 1 && p[0] == '.') || (next - p == 2 && p[0] == '.' && p[1] == '.'))
			return true;
	}
	return false;
}

static bool covers(const struct source_config *c, const struct place *at)
{
	struct slice prefix = slice_of(c->bucket.prefix ? c->bucket.prefix : "");
	bool ours = strcmp(c->scheme, at->scheme) == 0 && slice_eq(slice_of(c->bucket.bucket), at->bucket);
	if (!ours || prefix.len == 0)
		return ours;
	return at->key.len >= prefix.len && memcmp(at->key.p, prefix.p, prefix.len) == 0 && !climbs(at->key);
}

/* The first of the configuration. */
static const struct source_config *find_source(const struct config *c, const struct place *at)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (source_config_is_bucket(&c->sources[i]) && covers(&c->sources[i], at))
			return &c->sources[i];
	return NULL;
}

int import_bucket_get(struct imports *imports, const char *url, struct sink *into, struct object *ret_seen, struct err *err)
{
	struct place at = { .scheme = "" };
	if (read_place(url, &at, err) < 0)
		return -1;
	const struct source_config *c = find_source(imports->config, &at);
	if (!c) {
		(void)err_set(err, ERR_REJECT, 0, "no source of the configuration covers '%.200s'", url);
		err->sys = EPERM;
		return -1;
	}
	int ok = imports->ops->read(imports->pipeline, c, &(struct object){ .key = at.key }, into, ret_seen, err);
	if (ok < 0 && err->class == ERR_RETRY && err->sys == ENOENT)
		err->class = ERR_REJECT; /* what is not there is not a matter of a later pass: nothing lists what a manifest names */
	return ok;
}

const char *import_bucket_cure(const struct err *err)
{
	switch (err->sys) {
	case EPERM: return "if manifests may reach it, configure its bucket as a source, with a prefix that covers it, then inlet retry; or "
		"name a signed https URL of the object";
	case EACCES: return "give the account of the source's keys the right to read it (`inlet doctor` tells which keys), it is tried again";
	case FETCH_ARCHIVED: return "restore it at the bucket, then inlet retry";
	default: return err->class == ERR_REJECT ? "mend the row and import the manifest again, or inlet retry" :
		"nothing: it is tried again";
	}
}
