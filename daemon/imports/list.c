/* list.c - the lists of the sources of manifests, in the configuration and in the index. */
#include "daemon/imports/list.h"

#include "config/source_config.h"
#include "connectors/key_filter.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/sender/files.h"
#include "daemon/store/view.h"

#include <libgen.h>

/* --- names --- */

static bool ends_with(struct slice name, const char *end)
{
	size_t n = strlen(end);
	return name.len > n && strncasecmp(name.p + name.len - n, end, n) == 0;
}

static struct slice without_packing(struct slice key)
{
	key.len -= ends_with(key, ".gz") ? 3 : ends_with(key, ".zst") ? 4 : 0;
	return key;
}

static bool usual_name(struct slice key)
{
	static const char *const usual[] = { ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".manifest", ".txt", ".yaml", ".yml" };
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (ends_with(without_packing(key), usual[i]))
			return true;
	return false;
}

bool import_list_is_text(struct slice key)
{
	return ends_with(without_packing(key), ".txt");
}

bool import_list_is(const struct source_config *c, struct slice key)
{
	size_t prefix = c->manifest && source_config_is_bucket(c) && c->bucket.prefix ? strlen(c->bucket.prefix) : 0;
	if (!c->manifest)
		return true;
	if (!c->manifest->names[0])
		return usual_name(key);
	struct slice below = { key.p + prefix, key.len > prefix ? key.len - prefix : 0 };
	return key_filter(c->manifest->names, NULL, below);
}

const struct source_config *import_list_owner(const struct config *c, struct slice name)
{
	const char *slash = name.len ? memchr(name.p, '/', name.len) : NULL;
	for (size_t i = 0; slash && i < c->source_count; i++)
		if (c->sources[i].manifest && slice_eq(slice_of(c->sources[i].name), (struct slice){ name.p, (size_t)(slash - name.p) }))
			return &c->sources[i];
	return NULL;
}

/* --- the files that their rows name --- */

int import_list_open(const struct config *config, struct slice import, struct slice path, int *ret_fd, struct stat *ret_st,
	const char **ret_cure, struct err *err)
{
	const struct source_config *c = import_list_owner(config, import);
	struct import_files files;
	*ret_cure = "list the source again in the configuration, or import the list by `inlet import`";
	if (!c || source_config_is_bucket(c))
		return err_set(err, ERR_REJECT, 0, "the source of its list is not in the configuration any more");
	size_t n = strlen(c->name) + 1;
	CLEANUP(freep) char *beside = mem_printf("%s/%.*s", c->folder.path, (int)(import.len - n), import.p + n);
	if (import_files_open_all(c->manifest->roots, dirname(beside), config->state_dir, &files, err) < 0)
		return -1;
	int ok = import_files_get(&files, path, ret_fd, ret_st, ret_cure, err);
	import_files_close(&files);
	return ok;
}

/* --- what the index has of them --- */

/* The manifest that an import is named after: 1, with its state in *ret; 0: the ledger does not know it; -1. */
static int list_state(struct view *v, const struct source_config *c, struct slice key, enum object_state *ret, struct err *err)
{
	struct ledger_row row;
	enum layout layout = source_config_is_bucket(c) ? LAYOUT_FLAT : LAYOUT_TREE;
	int found = view_object(v, slice_of(c->name), layout, key, &row, err);
	if (found > 0)
		*ret = row.state;
	return found;
}

int import_list_gone(struct view *v, const struct source_config *c, struct slice import, struct err *err)
{
	size_t n = strlen(c->name) + 1;
	enum object_state state;
	int found = list_state(v, c, (struct slice){ import.p + n, import.len - n }, &state, err);
	return found <= 0 ? found : state == OBJECT_GONE;
}

int import_list_sum(struct view *v, const struct source_config *c, struct import_list_sum *ret, struct err *err)
{
	CLEANUP(freep) char *prefix = mem_printf("%s/", c->name);
	size_t n = strlen(prefix);
	struct source_row row;
	struct import import;
	int more;
	*ret = (struct import_list_sum){ 0 };
	struct slice after = slice_of(prefix);
	while ((more = view_source_next(v, after, &row, err)) > 0) {
		if (row.name.len <= n || memcmp(row.name.p, prefix, n) != 0)
			return 0;
		after = row.name;
		int found = view_import_of(v, row.name, &import, err);
		enum object_state state;
		int known = found > 0 ? list_state(v, c, (struct slice){ row.name.p + n, row.name.len - n }, &state, err) : found;
		if (found < 0 || known < 0)
			return -1;
		ret->rows += found ? import.rows : 0;
		ret->failed += found ? import.failed : 0;
		ret->present += known && state != OBJECT_GONE;
		ret->gone += known && state == OBJECT_GONE; /* one whose first pass runs is not in the ledger yet */
	}
	return more;
}
