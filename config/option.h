/* option.h - reads a YAML map into a struct by a table of options: one row gives parsing, range, default, help and
 * did-you-mean. Used for the configuration (schema.c) and for model cards. */
#ifndef INLET_CONFIG_OPTION_H
#define INLET_CONFIG_OPTION_H

#include "config/yaml.h"

#include <stdint.h>
#include <stdio.h>

enum option_type {
	OPTION_BOOL,      /* bool: on/off, true/false, yes/no */
	OPTION_U32,
	OPTION_U64,
	OPTION_FLOAT,     /* float, finite */
	OPTION_BYTES,     /* uint64_t: 64MiB, 1.5GB, 4096 */
	OPTION_DURATION,  /* uint64_t ms: 500ms, 2s, 5m, 1h, 7d, 0 */
	OPTION_STRING,    /* char *, owned; NULL when empty */
	OPTION_PATH,      /* char *, owned; made absolute against the file's folder; NULL when empty */
	OPTION_ENUM,      /* int: index into choices */
	OPTION_STRINGS,   /* char **, owned, NULL-terminated; never NULL after a good read */
	OPTION_NODE,      /* const struct yaml_node *: a nested part that the caller reads itself */
};
struct option {
	const char *name;
	enum option_type type;
	size_t offset;               /* into the struct */
	double min, max;             /* numbers only; 0, 0: no limit */
	const char *fallback;        /* default as in YAML; NULL: required; "": empty (FLOAT: NAN) or absent (NODE: NULL) */
	const char *const *choices;  /* OPTION_ENUM: NULL-terminated */
	const char *help;            /* one line */
};
struct option_place {
	const char *file;            /* for messages */
	const char *dir;             /* relative paths start here; absolute and free of symlinks (path_real) */
	const char *prefix;          /* "sources[0].folder": for messages */
};
/* table ends with a row whose name is NULL. map NULL or empty: every default. `into` begins zeroed; on failure what was
 * filled stays: option_free() releases it. */
int option_read(const struct option *table, const struct yaml_node *map, const struct option_place *at, void *into,
	struct err *err);
void option_free(const struct option *table, void *from);
void option_help(const struct option *table, const char *prefix, FILE *to);
/* "FILE:LINE:COL: PREFIX.key: reason", ERR_REJECT. */
int option_err(struct err *err, const struct option_place *at, const struct yaml_node *n, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
