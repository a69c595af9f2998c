/* source_config.c - reads one entry of `sources` and refuses what a bucket cannot mean. */
#include "config/source_config.h"

#include "config/bucket_name.h"
#include "config/host.h"
#include "config/path.h"
#include "config/schema.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SOURCE_NAME_MAX 64
#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* A kind's section while it is checked. */
struct section {
	const struct yaml_node *n;
	const struct option_place *at;
};

static int refuse(const struct section *in, const char *key, const char *why, const char *cure, struct err *err)
{
	return option_err(err, in->at, yaml_get(in->n, key), key, "%s; %s", why, cure);
}

static bool only(const char *text, const char *allowed)
{
	return strspn(text, allowed) == strlen(text);
}

/* ---- secrets ---- */

#define SECRET_CURE                                                                                                    \
	"secrets are not written here, where backups and colleagues see them: put it into a file that only the daemon " \
	"can read and name that with `credentials`"

/* Keys that people write where a secret is wanted. */
static const char *const secret_keys[] = { "access_key", "access_key_id", "secret", "secret_key", "secret_access_key",
	"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "session_token", "access_token", "password",
	"private_key", "hmac_key", "key", "token" };

/* "AKIA...", alone or with its secret behind a colon, or the 40 characters of a secret: the message must not repeat it. */
static bool is_key(const char *text)
{
	size_t id = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	bool begins = strncmp(text, "AKIA", 4) == 0 || strncmp(text, "ASIA", 4) == 0;
	return (begins && id >= 16 && (text[id] == '\0' || text[id] == ':')) ||
		(strlen(text) == 40 && text[0] != '/' && only(text, LETTERS_AND_DIGITS "/+="));
}

static int refuse_secrets(const struct section *in, struct err *err)
{
	for (size_t i = 0; in->n->kind == YAML_MAP && i < in->n->count; i++)
		for (size_t k = 0; k < sizeof(secret_keys) / sizeof(*secret_keys); k++)
			if (strcasecmp(in->n->keys[i]->text, secret_keys[k]) == 0)
				return option_err(err, in->at, in->n->keys[i], in->n->keys[i]->text, SECRET_CURE);
	const struct yaml_node *c = yaml_get(in->n, "credentials");
	if (c && (c->kind != YAML_SCALAR || c->text[0] == '{' || strchr(c->text, '\n') || is_key(c->text)))
		return option_err(err, in->at, c, "credentials", "holds the credentials themselves; " SECRET_CURE);
	return 0;
}

/* ---- places on the network ---- */

/* "scheme://host[:port]" and nothing behind it but a '/', which is cut. What a URL may hold beside these never belongs here. */
static int check_host(const struct section *in, const char *key, char *url, const char *const *schemes, bool *ret_port, struct err *err)
{
	const char *host = NULL;
	for (size_t i = 0; !host && schemes[i]; i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			host = url + strlen(schemes[i]);
	if (!host)
		return option_err(err, in->at, yaml_get(in->n, key), key, "'%s': needs %s in front of the host", url, schemes[0]);
	if (strchr(host, '@')) /* the value may hold a password: it is not repeated */
		return refuse(in, key, "has a user name or password in it", SECRET_CURE, err);
	size_t n = strlen(url);
	if (url[n - 1] == '/' && url + n - 1 > host)
		url[n - 1] = '\0';
	const char *why = strpbrk(host, "/?#") ? "needs only a host and perhaps a port behind the scheme" : host_wrong(host, ret_port);
	return why ? option_err(err, in->at, yaml_get(in->n, key), key, "'%s': %s", url, why) : 0;
}

static int check_places(const struct section *in, struct bucket_config *b, struct err *err)
{
	static const char *const web[] = { "https://", "http://", NULL };
	static const char *const proxies[] = { "http://", "https://", "socks5://", "socks5h://", NULL };
	bool port = false;
	if (b->endpoint && check_host(in, "endpoint", b->endpoint, web, &port, err) < 0)
		return -1;
	if (!b->proxy)
		return 0;
	if (check_host(in, "proxy", b->proxy, proxies, &port, err) < 0)
		return -1;
	return port ? 0 : option_err(err, in->at, yaml_get(in->n, "proxy"), "proxy",
		"'%s': needs the proxy's port, such as %s:3128; proxies have no usual one", b->proxy, b->proxy);
}

/* ---- buckets ---- */

/* A whole URL is what people have in their clipboard. */
static int check_bucket_name(const struct section *in, const struct bucket_config *b, enum bucket_rules rules, struct err *err)
{
	const struct yaml_node *at = yaml_get(in->n, "bucket");
	if (!b->bucket)
		return option_err(err, in->at, at, "bucket", "is empty; write the bucket's name");
	const char *name = strstr(b->bucket, "://");
	name = name ? name + 3 : b->bucket;
	size_t n = strcspn(name, "/");
	if (name != b->bucket || name[n])
		return option_err(err, in->at, at, "bucket",
			"'%s': needs only the name, '%.*s'; what follows it belongs into `prefix`, where it is into `endpoint`",
			b->bucket, (int)n, name);
	const char *why = bucket_name_wrong(b->bucket, rules);
	return why ? option_err(err, in->at, at, "bucket", "'%s' %s", b->bucket, why) : 0;
}

static int check_globs(const struct section *in, const char *key, char *const *globs, struct err *err)
{
	const struct yaml_node *list = yaml_get(in->n, key);
	for (size_t i = 0; globs[i]; i++)
		if (globs[i][0] == '\0')
			return option_err(err, in->at, list->values[i], key,
				"an empty pattern matches no key; '*' matches every one, '*.jpg' those that end so");
	return 0;
}

/* rules: of the provider's own place. */
static int check_bucket(const struct section *in, struct source_config *s, enum bucket_rules rules, struct err *err)
{
	struct bucket_config *b = &s->bucket;
	if (check_bucket_name(in, b, b->endpoint ? BUCKET_LENIENT : rules, err) < 0 || check_globs(in, "include", b->include, err) < 0 ||
		check_globs(in, "exclude", b->exclude, err) < 0)
		return -1;
	return check_places(in, b, err);
}

static int check_anonymous(const struct section *in, bool anonymous, const char *other, struct err *err)
{
	if (!anonymous || !other)
		return 0;
	return refuse(in, "anonymous", "is on, and credentials are named too",
		"a public bucket needs none, any other needs them: remove one of the two", err);
}

static int check_s3(const struct section *in, struct source_config *s, struct err *err)
{
	bool old = s->s3.region && strcmp(s->s3.region, "us-east-1") == 0;
	if (check_bucket(in, s, old ? BUCKET_AMAZON_OLD : BUCKET_AMAZON, err) < 0)
		return -1;
	if (!yaml_get(in->n, "path_style"))
		s->s3.path_style = s->bucket.endpoint != NULL;
	if (s->s3.region && !only(s->s3.region, LETTERS_AND_DIGITS "-_"))
		return option_err(err, in->at, yaml_get(in->n, "region"), "region", "'%s': needs a name such as eu-central-1",
			s->s3.region);
	return check_anonymous(in, s->s3.anonymous, s->s3.credentials ? s->s3.credentials : s->s3.profile, err);
}

static int check_gcs(const struct section *in, struct source_config *s, struct err *err)
{
	if (check_bucket(in, s, BUCKET_GOOGLE, err) < 0)
		return -1;
	return check_anonymous(in, s->gcs.anonymous, s->gcs.credentials, err);
}

static int check_folder(const struct section *in, struct source_config *s, struct err *err)
{
	if (s->folder.path)
		return 0;
	return option_err(err, in->at, yaml_get(in->n, "path"), "path", "is empty; write the folder to watch");
}

/* ---- sources ---- */

static const struct kind {
	const char *scheme;
	const struct option *options;
	int (*check)(const struct section *in, struct source_config *s, struct err *err);
	bool bucket;
} kinds[] = {
	{ "folder", folder_options, check_folder, false },
	{ "s3", s3_options, check_s3, true },
	{ "gcs", gcs_options, check_gcs, true },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static int read_kind(const struct kind *kind, const struct yaml_node *n, const struct option_place *at,
	const char *section, struct source_config *s, struct err *err)
{
	CLEANUP(freep) char *prefix = mem_printf("%s.%s", section, kind->scheme);
	struct option_place here = { .file = at->file, .dir = at->dir, .prefix = prefix };
	const struct section in = { n, &here };
	const struct yaml_node *gone = yaml_get(n, "on_gone");
	s->scheme = kind->scheme;
	if (kind->bucket && refuse_secrets(&in, err) < 0)
		return -1;
	if (gone && gone->kind == YAML_SCALAR && strcmp(gone->text, "erase") == 0)
		return refuse(&in, "on_gone", "'erase' is not possible yet: what is stored stays stored",
			"`exclude` leaves such items out of exports", err);
	if (option_read(kind->options, n, &here, s, err) < 0)
		return -1;
	return kind->check(&in, s, err);
}

static int check_name(const char *name, const struct yaml_node *n, const struct option_place *at, struct err *err)
{
	if (name && strlen(name) <= SOURCE_NAME_MAX && only(name, LETTERS_AND_DIGITS "._-"))
		return 0;
	return option_err(err, at, yaml_get(n, "name"), "name", "'%s': needs 1 to %d characters of A-Z a-z 0-9 . _ -",
		name ? name : "", SOURCE_NAME_MAX);
}

/* The one of nodes that is there. */
static const struct kind *find_kind(const struct yaml_node *const nodes[KINDS], const struct option_place *at, struct err *err)
{
	const struct kind *kind = NULL;
	for (size_t i = 0; i < KINDS; i++) {
		if (nodes[i] && kind) {
			(void)option_err(err, at, nodes[i], kinds[i].scheme,
				"this source has '%s' already; give each its own entry with a name", kind->scheme);
			return NULL;
		}
		if (nodes[i])
			kind = &kinds[i];
	}
	return kind;
}

static bool has(const struct option *table, const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	return table->name != NULL;
}

/* An option of a section that stands beside the section, where only `table` may. */
static int check_indented(const struct option *table, const struct yaml_node *n, const struct option_place *at, struct err *err)
{
	for (size_t i = 0; n && n->kind == YAML_MAP && i < n->count; i++) {
		const char *key = n->keys[i]->text;
		CLEANUP(buf_done) struct buf owners = { 0 };
		const char *owner = NULL;
		for (size_t k = 0; !has(table, key) && k < KINDS; k++) {
			if (!has(kinds[k].options, key))
				continue;
			buf_printf(&owners, "%s'%s'", owners.len ? " or " : "", kinds[k].scheme);
			owner = yaml_get(n, kinds[k].scheme) ? kinds[k].scheme : owner;
		}
		if (owner)
			return option_err(err, at, n->keys[i], key, "unknown key; it belongs inside '%s': indent it beneath that", owner);
		if (owners.len)
			return option_err(err, at, n->keys[i], key, "unknown key; it belongs inside %s", owners.data);
	}
	return 0;
}

/* ---- sources of manifests ---- */

static int manifest_columns(const struct yaml_node *n, const struct option_place *at, const struct columns_config *usual,
	struct columns_config *ret, struct err *err)
{
	CLEANUP(freep) char *prefix = mem_printf("%s.columns", at->prefix);
	struct option_place here = { .file = at->file, .dir = at->dir, .prefix = prefix };
	if (n)
		return option_read(columns_options, n, &here, ret, err);
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		ret->of[r] = usual->of[r] ? mem_strdup(usual->of[r]) : NULL;
	return 0;
}

/* Paths from the configuration's folder; none: the watched folder itself. */
static void manifest_roots(const struct source_config *s, const struct option_place *at, struct manifest_config *m)
{
	for (char **root = m->roots; *root; root++) {
		char *path = path_join(at->dir, *root);
		free(*root);
		*root = path;
	}
	if (m->roots[0] || source_config_is_bucket(s))
		return;
	m->roots = mem_resize(m->roots, 2, sizeof(char *));
	m->roots[0] = mem_strdup(s->folder.path);
	m->roots[1] = NULL;
}

static int check_manifest(const struct section *in, const struct section *place, const struct source_config *s, struct err *err)
{
	static const char *const of_items[] = { "store", "sidecars", "on_gone", "max_vanish" };
	for (size_t i = 0; i < sizeof(of_items) / sizeof(*of_items); i++)
		if (yaml_get(place->n, of_items[i]))
			return refuse(place, of_items[i], "says what becomes of a source's own files",
				"a manifest is no item, and what its rows name is copied and kept: leave it out", err);
	if (source_config_is_bucket(s) && s->manifest->roots[0])
		return refuse(in, "roots", "are folders of this machine",
			"rows of a manifest in a bucket name keys beside it, s3:// and gs:// objects of configured buckets, or URLs", err);
	return check_globs(in, "names", s->manifest->names, err);
}

static int read_manifest(const struct yaml_node *n, const struct option_place *at, const char *section,
	const struct import_config *import, struct source_config *s, struct err *err)
{
	CLEANUP(freep) char *prefix = mem_printf("%s.manifest", section);
	struct option_place here = { .file = at->file, .dir = at->dir, .prefix = prefix };
	struct manifest_section raw = { 0 };
	int result = check_indented(manifest_options, n, &here, err);
	if (result == 0)
		result = option_read(manifest_options, n, &here, &raw, err);
	s->manifest = mem_dup(&raw.config, sizeof(raw.config));
	if (result < 0)
		return -1;
	const struct yaml_node *const nodes[KINDS] = { raw.folder, raw.s3, raw.gcs };
	const struct kind *kind = find_kind(nodes, &here, err);
	if (!kind)
		return err->class ? -1 : option_err(err, &here, n, NULL, "needs where the lists arrive: one of folder, s3, gcs");
	const struct yaml_node *place = nodes[kind - kinds];
	if (read_kind(kind, place, at, prefix, s, err) < 0 ||
		manifest_columns(raw.columns, &here, &import->columns, &s->manifest->columns, err) < 0)
		return -1;
	CLEANUP(freep) char *below = mem_printf("%s.%s", prefix, kind->scheme);
	struct option_place there = { .file = at->file, .dir = at->dir, .prefix = below };
	if (!yaml_get(n, "input"))
		s->manifest->input = import->input;
	if (check_manifest(&(struct section){ n, &here }, &(struct section){ place, &there }, s, err) < 0)
		return -1;
	manifest_roots(s, at, s->manifest);
	return 0;
}

int source_config_read(const struct yaml_node *n, const struct option_place *at, const char *section,
	const struct import_config *import, struct source_config *ret, struct err *err)
{
	struct option_place here = { .file = at->file, .dir = at->dir, .prefix = section };
	struct source_section raw = { 0 };
	int result = check_indented(source_options, n, &here, err);
	if (result == 0)
		result = option_read(source_options, n, &here, &raw, err);
	ret->name = raw.name;
	if (result < 0 || check_name(ret->name, n, &here, err) < 0)
		return -1;
	const struct yaml_node *const nodes[KINDS] = { raw.folder, raw.s3, raw.gcs };
	*err = (struct err){ 0 };
	const struct kind *kind = find_kind(nodes, &here, err);
	if (!kind && err->class)
		return -1;
	if (kind && raw.manifest)
		return option_err(err, &here, raw.manifest, "manifest",
			"this source has '%s' already; write that into `manifest`, if lists arrive there", kind->scheme);
	if (raw.manifest)
		return read_manifest(raw.manifest, at, section, import, ret, err);
	if (!kind)
		return option_err(err, &here, n, NULL, "needs what it takes objects from: one of folder, s3, gcs, manifest");
	return read_kind(kind, nodes[kind - kinds], at, section, ret, err);
}

const struct yaml_node *source_config_place(const struct yaml_node *sources, size_t i, const struct source_config *s)
{
	const struct yaml_node *entry = sources->values[i];
	return yaml_get(s->manifest ? yaml_get(entry, "manifest") : entry, s->scheme);
}

char *source_config_section(size_t i, const struct source_config *s)
{
	return mem_printf("sources[%zu].%s%s", i, s->manifest ? "manifest." : "", s->scheme);
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool source_config_same_bucket(const struct source_config *a, const struct source_config *b)
{
	const struct bucket_config *x = &a->bucket, *y = &b->bucket;
	bool filtered = x->include[0] || x->exclude[0] || y->include[0] || y->exclude[0];
	return !filtered && same(x->endpoint, y->endpoint) && same(x->bucket, y->bucket) && same(x->prefix, y->prefix);
}

static const struct kind *kind_of(const char *scheme)
{
	for (size_t i = 0; scheme && i < KINDS; i++)
		if (strcmp(kinds[i].scheme, scheme) == 0)
			return &kinds[i];
	return NULL;
}

bool source_config_is_bucket(const struct source_config *s)
{
	return kind_of(s->scheme)->bucket;
}

const char *source_config_url_scheme(const struct source_config *s)
{
	return strcmp(s->scheme, "gcs") == 0 ? "gs" : s->scheme;
}

void source_config_describe(const struct source_config *s, char *ret_text, size_t size)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	if (!source_config_is_bucket(s)) {
		text_printable(&text, slice_of(s->folder.path));
	} else {
		buf_printf(&text, "%s://%s/", source_config_url_scheme(s), s->bucket.bucket);
		text_printable(&text, slice_of(s->bucket.prefix ? s->bucket.prefix : ""));
	}
	(void)snprintf(ret_text, size, "%s", text.data ? text.data : "");
}

void source_config_done(struct source_config *s)
{
	const struct kind *kind = kind_of(s->scheme);
	free(s->name);
	if (kind)
		option_free(kind->options, s);
	if (s->manifest) {
		struct manifest_section m = { .config = *s->manifest };
		option_free(manifest_options, &m);
		option_free(columns_options, &s->manifest->columns);
		free(s->manifest);
	}
}

void source_config_help(FILE *to)
{
	option_help(source_options, "sources[]", to);
	for (size_t i = 0; i < KINDS; i++) {
		CLEANUP(freep) char *prefix = mem_printf("sources[].%s", kinds[i].scheme);
		option_help(kinds[i].options, prefix, to);
	}
	option_help(manifest_options, "sources[].manifest", to);
}

/* On this machine nobody listens in. */
bool source_config_in_the_clear(const struct source_config *s)
{
	static const char *const here[] = { "http://127.", "http://localhost", "http://[::1]" };
	const char *endpoint = s->bucket.endpoint;
	for (size_t i = 0; endpoint && i < sizeof(here) / sizeof(*here); i++)
		if (strncasecmp(endpoint, here[i], strlen(here[i])) == 0)
			return false;
	return endpoint && strncasecmp(endpoint, "http://", strlen("http://")) == 0;
}
