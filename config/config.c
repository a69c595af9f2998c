/* config.c - reads the configuration: the YAML tree through the option tables, then what only the whole can show. */
#include "config/config.h"

#include "config/named_files.h"
#include "config/path.h"
#include "config/schema.h"
#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/network.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The file being read: its place for messages and paths. */
struct reader {
	struct option_place at;
	const struct yaml_node *root;
};

/* The same file, one section further in. */
static struct option_place within(const struct option_place *at, const char *section)
{
	return (struct option_place){ .file = at->file, .dir = at->dir, .prefix = section };
}

static int check_list(const struct yaml_node *n, const struct option_place *at, const char *key, struct err *err)
{
	if (n->kind == YAML_LIST || (n->kind == YAML_SCALAR && n->text[0] == '\0'))
		return 0;
	return option_err(err, at, n, key, "needs a list: each entry begins with '- '");
}

static int read_sources(const struct reader *r, const struct yaml_node *list, struct config *c, struct err *err)
{
	if (check_list(list, &r->at, "sources", err) < 0)
		return -1;
	c->sources = mem_zero(list->count, sizeof(*c->sources));
	for (size_t i = 0; i < list->count; i++) {
		CLEANUP(freep) char *section = mem_printf("sources[%zu]", i);
		struct source_config *s = &c->sources[c->source_count++];
		if (source_config_read(list->values[i], &r->at, section, &c->import, s, err) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->sources[j].name, s->name) == 0)
				return option_err(err, &r->at, yaml_get(list->values[i], "name"), section,
					"name '%s' is taken by sources[%zu]; names must be unique", s->name, j);
	}
	return 0;
}

/* A bound that is not given keeps its value, moved only as far as the given one forces it: {accept: 0.2} lowers
 * review. */
static int read_band(const struct bands_section *raw, const struct yaml_node *n, const struct option_place *at,
	struct band *band, struct err *err)
{
	bool has_accept = !isnan(raw->accept), has_review = !isnan(raw->review);
	if (has_accept && has_review && raw->review > raw->accept)
		return option_err(err, at, yaml_get(n, "review"), "review",
			"%g lies above accept, %g; needs 0 <= review <= accept <= 1", (double)raw->review,
			(double)raw->accept);
	if (has_accept) {
		band->accept = raw->accept;
		band->review = fminf(band->review, raw->accept);
	}
	if (has_review) {
		band->review = raw->review;
		band->accept = fmaxf(band->accept, raw->review);
	}
	return 0;
}

/* A concept's band starts from the model's; named again (card, then configuration), the later one replaces it. */
static int read_concept(const struct yaml_node *key, const struct yaml_node *n, const struct option_place *at,
	struct bands *bands, struct err *err)
{
	CLEANUP(freep) char *prefix = mem_printf("%s.concepts.%s", at->prefix, key->text);
	struct option_place here = within(at, prefix);
	struct bands_section raw = { 0 };
	if (option_read(bands_options, n, &here, &raw, err) < 0)
		return -1;
	if (raw.concepts)
		return option_err(err, &here, raw.concepts, "concepts", "a concept has only accept and review");
	struct band band = bands->all;
	if (read_band(&raw, n, &here, &band, err) < 0)
		return -1;
	size_t i = 0;
	while (i < bands->count && strcmp(bands->concepts[i].concept, key->text) != 0)
		i++;
	if (i == bands->count) {
		bands->concepts = mem_resize(bands->concepts, bands->count + 1, sizeof(*bands->concepts));
		bands->concepts[bands->count++].concept = mem_strdup(key->text);
	}
	bands->concepts[i].band = band;
	return 0;
}

static int read_bands(const struct yaml_node *n, const struct option_place *at, struct bands *bands, struct err *err)
{
	struct bands_section raw = { 0 };
	if (option_read(bands_options, n, at, &raw, err) < 0 || read_band(&raw, n, at, &bands->all, err) < 0)
		return -1;
	bool empty = !raw.concepts || (raw.concepts->kind == YAML_SCALAR && raw.concepts->text[0] == '\0');
	if (!empty && raw.concepts->kind != YAML_MAP)
		return option_err(err, at, raw.concepts, "concepts", "needs concept names with their bands");
	for (size_t i = 0; !empty && i < raw.concepts->count; i++)
		if (read_concept(raw.concepts->keys[i], raw.concepts->values[i], at, bands, err) < 0)
			return -1;
	bands_sort(bands);
	return 0;
}

/* Shipped cards lie in config/ beside a build folder, or where "make install" put them. */
static char *tree_dir(void)
{
	CLEANUP(freep) char *exe = path_real("/proc/self/exe");
	return path_join(exe, "../../config");
}

static int find_card(const char *card, const struct yaml_node *n, const struct option_place *at, char **ret,
	struct err *err)
{
	static const char installed[] = INLET_PREFIX "/share/inlet";
	CLEANUP(freep) char *tree = tree_dir();
	const char *const dirs[] = { at->dir, tree, installed };
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		CLEANUP(freep) char *path = path_join(dirs[i], card);
		CLEANUP(freep) char *real = realpath(path, NULL);
		if (real) {
			*ret = TAKE_PTR(real);
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR)
			return option_err(err, at, n, "card", "cannot read '%s': %s", path, strerror(errno));
		if (card[0] == '/')
			return option_err(err, at, n, "card",
				"there is no file '%s'; write the path of a model card", card);
	}
	return option_err(err, at, n, "card",
		"there is no '%s' in %s, nor among the shipped cards in %s; write the path of a model card", card,
		at->dir, access(tree, F_OK) == 0 ? tree : installed);
}

/* A card's own bands are the default of its place in the configuration. */
static int read_card_bands(const char *card, struct bands *bands, struct err *err)
{
	CLEANUP(yaml_node_freep) struct yaml_node *root = NULL;
	if (yaml_load(card, &root, err) < 0)
		return -1;
	struct option_place at = { .file = card, .dir = "/", .prefix = "bands" };
	return read_bands(yaml_get(root, "bands"), &at, bands, err);
}

static int read_model(const struct yaml_node *n, const struct option_place *at, const char *section,
	struct model_config *m, struct err *err)
{
	struct option_place here = within(at, section);
	CLEANUP(freep) char *prefix = mem_printf("%s.bands", section);
	struct option_place bands_at = within(at, prefix);
	struct model_section raw = { 0 };
	int result = option_read(model_options, n, &here, &raw, err);
	CLEANUP(freep) char *card = raw.card;
	if (result < 0)
		return -1;
	const struct yaml_node *card_node = yaml_get(n, "card");
	if (!card)
		return option_err(err, &here, card_node, "card", "is empty; write the path of a model card");
	m->bands.all = BANDS_DEFAULT;
	if (find_card(card, card_node, &here, &m->card, err) < 0 || read_card_bands(m->card, &m->bands, err) < 0)
		return -1;
	return read_bands(raw.bands, &bands_at, &m->bands, err);
}

static int read_models(const struct reader *r, const struct yaml_node *list, struct config *c, struct err *err)
{
	if (!list)
		return 0;
	if (check_list(list, &r->at, "models", err) < 0)
		return -1;
	c->models = mem_zero(list->count, sizeof(*c->models));
	for (size_t i = 0; i < list->count; i++) {
		CLEANUP(freep) char *section = mem_printf("models[%zu]", i);
		struct model_config *m = &c->models[c->model_count++];
		if (read_model(list->values[i], &r->at, section, m, err) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->models[j].card, m->card) == 0)
				return option_err(err, &r->at, list->values[i], section,
					"this card is used by models[%zu] too", j);
	}
	return 0;
}

static int read_section(const struct reader *r, const struct option *table, const struct yaml_node *n,
	const char *section, void *into, struct err *err)
{
	struct option_place here = within(&r->at, section);
	return option_read(table, n, &here, into, err);
}

static int read_import(const struct reader *r, const struct yaml_node *n, struct import_config *c, struct err *err)
{
	struct import_section raw = { 0 };
	if (read_section(r, import_options, n, "import", &raw, err) < 0)
		return -1;
	*c = raw.config;
	return read_section(r, columns_options, raw.columns, "import.columns", &c->columns, err);
}

static int check_networks(const struct reader *r, const struct config *c, const struct yaml_node *fetch, struct err *err)
{
	const struct yaml_node *list = yaml_get(fetch, "networks");
	for (size_t i = 0; c->networks[i]; i++) {
		struct network network;
		struct err why;
		if (network_parse(c->networks[i], &network, &why) < 0)
			return option_err(err, &r->at, list->values[i], "fetch.networks", "%s", why.text);
	}
	return 0;
}

/* Our own writes below a watched folder would be ingested again, and so on; a store around the folder would be its own
 * source. Symlinks do not hide either: both are resolved. */
static int check_folder(const struct reader *r, const struct config *c, size_t i, struct err *err)
{
	const struct yaml_node *at = yaml_get(source_config_place(yaml_get(r->root, "sources"), i, &c->sources[i]), "path");
	CLEANUP(freep) char *state = path_real(c->state_dir);
	CLEANUP(freep) char *section = source_config_section(i, &c->sources[i]);
	CLEANUP(freep) char *key = mem_printf("%s.path", section);
	CLEANUP(freep) char *folder = path_real(c->sources[i].folder.path);
	if (path_inside(state, folder))
		return option_err(err, &r->at, at, key,
			"the store (state_dir %s) lies inside this watched folder, %s; move one of them", state, folder);
	if (path_inside(folder, state))
		return option_err(err, &r->at, at, key,
			"this watched folder, %s, lies inside the store (state_dir %s); move one of them", folder, state);
	for (size_t j = 0; j < i; j++) {
		if (source_config_is_bucket(&c->sources[j]) || !c->sources[j].manifest != !c->sources[i].manifest)
			continue; /* lists may arrive beside files that are items themselves */
		CLEANUP(freep) char *other = path_real(c->sources[j].folder.path);
		if (strcmp(folder, other) == 0)
			return option_err(err, &r->at, at, key, "%s is watched by source '%s' already; list it once", folder,
				c->sources[j].name);
	}
	return 0;
}

static int check_bucket(const struct reader *r, const struct config *c, size_t i, struct err *err)
{
	const struct source_config *s = &c->sources[i];
	for (size_t j = 0; j < i; j++) {
		if (strcmp(c->sources[j].scheme, s->scheme) != 0 || !c->sources[j].manifest != !s->manifest ||
			!source_config_same_bucket(&c->sources[j], s))
			continue;
		CLEANUP(freep) char *section = source_config_section(i, s);
		CLEANUP(freep) char *key = mem_printf("%s.bucket", section);
		const struct yaml_node *at = source_config_place(yaml_get(r->root, "sources"), i, s);
		return option_err(err, &r->at, yaml_get(at, "bucket"), key, "'%s' is synced by source '%s' already; list it once",
			s->bucket.bucket, c->sources[j].name);
	}
	return 0;
}

/* Nothing of the store can be read through a manifest; a root inside of it can only be a mistake. */
static int check_roots(const struct reader *r, const struct config *c, size_t i, struct err *err)
{
	const struct manifest_config *m = c->sources[i].manifest;
	CLEANUP(freep) char *state = path_real(c->state_dir);
	const struct yaml_node *at = m ? yaml_get(yaml_get(yaml_get(r->root, "sources")->values[i], "manifest"), "roots") : NULL;
	for (size_t k = 0; at && m->roots[k]; k++) {
		CLEANUP(freep) char *root = path_real(m->roots[k]);
		CLEANUP(freep) char *key = mem_printf("sources[%zu].manifest.roots", i);
		if (path_inside(root, state))
			return option_err(err, &r->at, at->values[k], key, "%s lies inside the store (state_dir %s); name the folder of the files",
				root, state);
	}
	return 0;
}

static int check_sources(const struct reader *r, const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->source_count; i++) {
		bool bucket = source_config_is_bucket(&c->sources[i]);
		if ((bucket ? check_bucket : check_folder)(r, c, i, err) < 0 || check_roots(r, c, i, err) < 0)
			return -1;
	}
	return 0;
}

static int read_file(struct reader *r, struct config *c, struct err *err)
{
	struct file_section raw = { 0 };
	int result = option_read(file_options, r->root, &r->at, &raw, err);
	c->state_dir = raw.state_dir;
	c->normalize = raw.normalize;
	if (result < 0)
		return -1;
	if (!c->state_dir)
		return option_err(err, &r->at, yaml_get(r->root, "state_dir"), "state_dir",
			"is empty; write where the store shall lie");
	if (read_import(r, raw.import, &c->import, err) < 0 || read_sources(r, raw.sources, c, err) < 0 ||
		read_models(r, raw.models, c, err) < 0 ||
		read_section(r, limits_options, raw.limits, "limits", &c->limits, err) < 0 ||
		read_section(r, inference_options, raw.inference, "inference", c, err) < 0 ||
		read_section(r, fetch_options, raw.fetch, "fetch", c, err) < 0 ||
		read_section(r, decode_options, raw.decode, "decode", c, err) < 0 ||
		check_networks(r, c, raw.fetch, err) < 0)
		return -1;
	return check_sources(r, c, err);
}

static int load(const char *path, bool files_too, struct config **ret, struct err *err)
{
	CLEANUP(yaml_node_freep) struct yaml_node *root = NULL;
	CLEANUP(config_freep) struct config *c = mem_zero(1, sizeof(*c));
	if (yaml_load(path, &root, err) < 0)
		return -1;
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *parent = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	CLEANUP(freep) char *dir = path_real(parent);
	c->file = path_join(dir, slash ? slash + 1 : path);
	struct reader r = { .at = { .file = path, .dir = dir }, .root = root };
	if (read_file(&r, c, err) < 0 || (files_too && named_files_check(c, root, &r.at, err) < 0))
		return -1;
	*ret = TAKE_PTR(c);
	return 0;
}

int config_find(const char *given, const char **ret, struct err *err)
{
	const char *env = getenv("INLET_CONFIG");
	struct stat st;
	bool named = env && *env, here = lstat("inlet.yaml", &st) == 0;
	*ret = given ? given : named ? env : here ? "inlet.yaml" : "/etc/inlet/inlet.yaml";
	if (given || lstat(*ret, &st) == 0)
		return 0;
	return err_set(err, ERR_REJECT, errno, "no configuration: name one with --config FILE or $INLET_CONFIG, or make ./inlet.yaml; '%s'", *ret);
}

int config_load(const char *path, struct config **ret, struct err *err)
{
	return load(path, false, ret, err);
}

int config_check(const char *path, struct config **ret, struct err *err)
{
	return load(path, true, ret, err);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->source_count; i++)
		source_config_done(&c->sources[i]);
	for (size_t i = 0; i < c->model_count; i++) {
		free(c->models[i].card);
		bands_done(&c->models[i].bands);
	}
	option_free(fetch_options, c);
	option_free(columns_options, &c->import.columns);
	free(c->sources);
	free(c->models);
	free(c->state_dir);
	free(c->onnxruntime);
	free(c->file);
	free(c);
}

void config_help(FILE *to)
{
	(void)fprintf(to, "Options of the configuration file (YAML). Paths in it are relative to it.\n");
	option_help(file_options, "", to);
	source_config_help(to);
	option_help(model_options, "models[]", to);
	option_help(bands_options, "models[].bands", to);
	option_help(limits_options, "limits", to);
	option_help(inference_options, "inference", to);
	option_help(fetch_options, "fetch", to);
	option_help(decode_options, "decode", to);
	option_help(import_options, "import", to);
	option_help(columns_options, "import.columns", to);
}
